from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.learning.sureness import PersonalSureness

said = st.floats(0, 1)
records = st.lists(st.tuples(said, st.sampled_from([0.0, 0.5, 1.0])), max_size=40)


def after(record: list[tuple[float, float]]) -> PersonalSureness:
    sureness = PersonalSureness()
    for p, share in record:
        sureness.learn(p, share)
    return sureness


@settings(deadline=None, max_examples=300)
@given(records, said)
def test_the_side_never_changes(record: list[tuple[float, float]], p: float) -> None:
    got = after(record).of(p)
    assert (got > 0.5) == (p > 0.5)
    assert (got < 0.5) == (p < 0.5)
    assert 0.0 < got < 1.0


@settings(deadline=None)
@given(records, said)
def test_yes_and_no_are_treated_alike(record: list[tuple[float, float]], p: float) -> None:
    sureness, mirrored = after(record), after([(1.0 - q, 1.0 - share) for q, share in record if q != 0.5])
    if all(q != 0.5 for q, _ in record):
        assert mirrored.of(1.0 - p) == pytest.approx(1.0 - sureness.of(p), abs=1e-9)


@settings(deadline=None, max_examples=400)
@given(records, st.floats(0.5, 1), st.integers(1, 8))
def test_a_contradiction_never_makes_it_surer_there(
    record: list[tuple[float, float]], p: float, times: int
) -> None:
    sureness = after(record)
    before = sureness.of(p)
    for _ in range(times):
        sureness.learn(p, 0.0)
        now = sureness.of(p)
        assert now <= before + 1e-9
        before = now


@settings(deadline=None, max_examples=200)
@given(records, st.floats(0.5, 1))
def test_an_either_contradicts_nobody(record: list[tuple[float, float]], p: float) -> None:
    one, other = after(record), after(record)
    one.learn(p, 0.5)
    other.learn(p, 1.0)
    assert one.of(p) == other.of(p)


def test_of_somebody_new_it_is_about_as_sure_as_was_said() -> None:
    fresh = PersonalSureness()
    for p in (0.6, 0.8, 0.9, 0.95, 0.99):
        assert fresh.of(p) == pytest.approx(p, abs=0.03)
        assert fresh.of(p) <= p


@pytest.mark.parametrize("p", [0.8, 0.95, 0.99])
def test_after_a_long_record_it_is_as_sure_as_it_was_right(p: float) -> None:
    record = [(p, float(n % 5 != 0)) for n in range(400)]
    assert after(record).of(p) == pytest.approx(0.8, abs=0.04)


@settings(deadline=None)
@given(records, records, said)
def test_json_gives_it_back_and_it_goes_on_with_the_same_bits(
    record: list[tuple[float, float]], more: list[tuple[float, float]], p: float
) -> None:
    sureness, back = after(record), PersonalSureness()
    back.thaw(json.loads(json.dumps(sureness.freeze())))
    for q, share in more:
        sureness.learn(q, share)
        back.learn(q, share)
    assert back.of(p) == sureness.of(p)
    assert back.freeze() == sureness.freeze()


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": [0.0, 1.0]},
        {"mean": [0.0, float("nan"), 0.0]},
        {"covariance": [[0.25, 0, 0], [0, 0.04, 0]]},
        {"covariance": [[-1.0, 0, 0], [0, 0.04, 0], [0, 0, 0.04]]},
    ],
)
def test_a_damaged_record_is_refused(damage: dict[str, object]) -> None:
    sureness = PersonalSureness()
    with pytest.raises(ValueError, match="rightness curve"):
        sureness.thaw({**sureness.freeze(), **damage})
