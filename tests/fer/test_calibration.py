import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.fer.calibration import (
    calibrate,
    expected_calibration_error,
    fit_temperature,
    log_softmax,
    negative_log_likelihood,
    reliability,
)


def _sample(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from softmax(z), and logits that are `temperature` times too large."""
    random = np.random.default_rng(1)
    z = random.normal(0, 2, (n, 5))
    draws = random.random((n, 1))
    labels = (np.exp(log_softmax(z)).cumsum(axis=1) < draws).sum(axis=1).clip(max=4)
    return z * temperature, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    assert fit_temperature(*_sample(temperature)) == pytest.approx(temperature, rel=0.03)


def test_the_fit_is_the_optimum_and_always_the_same() -> None:
    z, labels = _sample(1.7, 500)
    best = fit_temperature(z, labels)
    assert best == fit_temperature(z, labels)
    here = negative_log_likelihood(log_softmax(z, best), labels)
    for other in (best * 0.98, best * 1.02):
        assert here < negative_log_likelihood(log_softmax(z, other), labels)


def test_smoothing_is_undone_and_the_answer_stays() -> None:
    z, labels = _sample(1.0)
    p = np.exp(log_softmax(z))
    said = np.log(0.9 * p + 0.1 / 5)
    assert fit_temperature(said, labels, smoothing=0.1) == pytest.approx(1.0, abs=0.03)
    back = np.exp(calibrate(said, smoothing=0.1))
    sure = p.min(axis=1) > 0.002  # what is smaller is kept at a floor
    assert np.abs(back - p)[sure].max() < 1e-6
    assert np.array_equal(back.argmax(axis=1), p.argmax(axis=1))
    assert np.allclose(back.sum(axis=1), 1)
    plain = fit_temperature(said, labels)
    assert expected_calibration_error(back, labels) < expected_calibration_error(
        np.exp(log_softmax(said, plain)), labels
    )


def test_an_error_worked_by_hand() -> None:
    # Three bins: |0.55 - 1/2|, |0.75 - 1|, |0.95 - 1/2|, two faces each.
    top = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    labels = np.array([0, 1, 0, 0, 0, 1])
    p = np.stack([top, 1 - top], axis=1)
    assert expected_calibration_error(p, labels, bins=3) == pytest.approx((0.05 + 0.25 + 0.45) / 3)
    assert [b.n for b in reliability(p, labels, bins=3)] == [2, 2, 2]


@given(st.permutations([0] * 7 + [1] * 3))
def test_the_error_of_equal_confidences_does_not_hang_on_the_order_of_the_faces(labels: list[int]) -> None:
    """Data come sorted by class; 0.9 was said of all, and 7 of 10 were right."""
    p = np.tile([0.9, 0.1], (10, 1))
    assert expected_calibration_error(p, np.array(labels), bins=5) == pytest.approx(0.2)


def test_bins_have_equal_mass_to_within_one() -> None:
    z, labels = _sample(1.0, 100)
    sizes = [b.n for b in reliability(np.exp(log_softmax(z)), labels)]
    assert sum(sizes) == 100
    assert len(sizes) == 15
    assert max(sizes) - min(sizes) <= 1


def test_a_calibrated_sample_has_a_small_error_and_a_spoilt_one_a_large() -> None:
    z, labels = _sample(3.0)
    assert expected_calibration_error(np.exp(log_softmax(z)), labels) > 0.1
    assert expected_calibration_error(np.exp(log_softmax(z, 3.0)), labels) < 0.02


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=8), st.floats(0.1, 10))
@settings(deadline=None)
def test_every_softmax_is_a_distribution(logits: list[float], temperature: float) -> None:
    log_p = log_softmax([logits], temperature)
    assert np.isfinite(log_p).all()
    assert math.isclose(np.exp(log_p).sum(), 1.0, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("logits", "labels"), [(np.zeros((0, 3)), []), (np.zeros((2, 3)), [0]), ([1.0], [0])]
)
def test_what_cannot_be_fitted_is_said(logits: object, labels: object) -> None:
    with pytest.raises(ValueError, match="logits"):
        fit_temperature(logits, labels)  # type: ignore[arg-type]


def test_no_faces_have_no_reliability() -> None:
    with pytest.raises(ValueError, match="do not match"):
        reliability(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
