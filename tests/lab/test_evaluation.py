import numpy as np
import pytest

from tests.lab.making import tiny_faces
from tracker.lab import robustness
from tracker.lab.evaluation import score

CLASSES = ("neutral", "fear", "anger")


def _log_p(answers: list[int], confidence: float = 0.8) -> np.ndarray:
    p = np.full((len(answers), 3), (1 - confidence) / 2)
    p[np.arange(len(answers)), answers] = confidence
    return np.log(p)


def test_figures_worked_by_hand() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    e = score(_log_p([0, 0, 0, 1, 1, 0]), labels, CLASSES)
    assert (e.n, e.accuracy, e.majority) == (6, pytest.approx(4 / 6), pytest.approx(4 / 6))
    assert e.confusion == ((3, 1, 0), (1, 1, 0), (0, 0, 0))
    assert (e.per_class["neutral"].precision, e.per_class["neutral"].recall) == (0.75, 0.75)
    assert e.per_class["fear"].f1 == 0.5
    assert e.per_class["anger"].f1 == 0
    assert e.macro_f1 == pytest.approx((0.75 + 0.5) / 2)  # nobody is or is called angry
    assert e.nll == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6)
    assert e.intervals["accuracy"][0] <= e.accuracy <= e.intervals["accuracy"][1]


def test_a_class_that_is_answered_but_never_right_counts() -> None:
    e = score(_log_p([0, 2]), np.array([0, 0]), CLASSES)
    assert e.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_intervals_are_repeatable_and_narrow_with_more_faces() -> None:
    random = np.random.default_rng(0)

    def width(n: int) -> float:
        labels = random.integers(0, 3, n)
        answers = np.where(random.random(n) < 0.7, labels, (labels + 1) % 3)
        e = score(_log_p(answers.tolist()), labels, CLASSES, resamples=200)
        again = score(_log_p(answers.tolist()), labels, CLASSES, resamples=200)
        assert e == again
        low, high = e.intervals["accuracy"]
        return high - low

    assert width(1000) < width(60)


def test_intervals_over_people_are_wider_where_people_differ() -> None:
    """Ten people, each read always right or always wrong: 200 faces are ten observations."""
    labels = np.tile([0, 1], 100)
    people = np.repeat(np.arange(10), 20)
    answers = np.where(people % 3 == 0, 1 - labels, labels)

    def width(drawn: np.ndarray | None) -> float:
        low, high = score(_log_p(answers.tolist()), labels, CLASSES, drawn=drawn).intervals["accuracy"]
        return high - low

    assert width(people) > 3 * width(None)
    assert width(np.arange(200)) == pytest.approx(width(None), abs=0.03)
    assert score(_log_p([0, 1]), np.array([0, 1]), CLASSES, drawn=np.zeros(2, np.int64)).intervals == {}


@pytest.mark.parametrize("seed", range(4))
def test_a_calibrated_network_lies_in_its_own_interval_of_calibration(seed: int) -> None:
    """Its resamples do not: a face drawn twice is one error seen twice."""
    random = np.random.default_rng(seed)
    p = random.dirichlet((0.5, 0.5, 0.5), 1000)
    labels = (p.cumsum(axis=1) < random.random((1000, 1))).sum(axis=1).clip(max=2)
    e = score(np.log(np.maximum(p, 1e-12)), labels, CLASSES, resamples=100)
    low, high = e.intervals["ece"]
    assert 0 <= low < e.ece < high


def test_plain_values_carry_the_documented_keys() -> None:
    e = score(_log_p([0, 1]), np.array([0, 1]), CLASSES, resamples=5).as_dict()
    assert {
        "n",
        "accuracy",
        "macro_f1",
        "per_class",
        "confusion",
        "ece",
        "nll",
        "majority",
        "intervals",
    } <= set(e)
    assert set(e["per_class"]["fear"]) == {"n", "precision", "recall", "f1"}


@pytest.mark.parametrize(("change", "strength"), [("blur", 1.5), ("noise", 20.0), ("shrink", 0.5)])
def test_spoiling_takes_detail_away_or_adds_some(change: str, strength: float) -> None:
    images = tiny_faces().images
    spoilt = getattr(robustness, change)(images, strength)
    assert spoilt.shape == images.shape
    assert spoilt.dtype == np.uint8
    rough = np.abs(np.diff(images.astype(float), axis=2)).mean()
    after = np.abs(np.diff(spoilt.astype(float), axis=2)).mean()
    assert (after > rough) if change == "noise" else (after < rough)


def test_framing_moves_the_face() -> None:
    image = np.zeros((1, 48, 48), dtype=np.uint8)
    image[0, 14:34, 14:34] = 255
    assert robustness.margin(image, 0.2).mean() < image.mean() < robustness.margin(image, -0.1).mean()
    moved = robustness.shift(image, 0.1)
    ys, xs = np.nonzero(moved[0] > 127)
    assert np.hypot(ys.mean() - 23.5, xs.mean() - 23.5) == pytest.approx(4.8, abs=0.5)
    assert np.array_equal(robustness.margin(image, 0.0), image)
