"""The promise on 20,000 simulated moments: within one point, whatever the forecaster."""

from __future__ import annotations

import pytest

from tracker.lab.abstention_study import (
    FORECASTERS,
    PROMISE,
    Frozen,
    Kept,
    Stepping,
    adaptive,
    keep,
    people,
    start_from,
    stream,
)

POINT = 0.01


@pytest.fixture(scope="module")
def start() -> tuple[float, list[float]]:
    return start_from([stream(FORECASTERS["calibrated"], seed=99)])


@pytest.fixture(scope="module")
def start_of_people() -> tuple[float, list[float]]:
    return start_from(people(400, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_told_every_truth_it_errs_within_a_point_of_the_promise(
    forecaster: str, start: tuple[float, list[float]]
) -> None:
    kept = keep(adaptive(*start), stream(FORECASTERS[forecaster], seed=10), seed=10, audits=1.0)
    assert kept.error == pytest.approx(PROMISE, abs=POINT)
    assert kept.coverage > 0.25


@pytest.mark.slow
@pytest.mark.parametrize("forecaster", ["calibrated", "growing underconfident", "suddenly overconfident"])
def test_with_three_audits_in_a_hundred_too(forecaster: str, start: tuple[float, list[float]]) -> None:
    # What 3 % audits tell of one stream leaves it uncertain by half a point itself.
    runs = [keep(adaptive(*start), stream(FORECASTERS[forecaster], seed), seed) for seed in (10, 11)]
    assert sum(runs, Kept(0, 0, 0)).error == pytest.approx(PROMISE, abs=POINT)


@pytest.mark.slow
@pytest.mark.parametrize(("audits", "warm_up"), [(1.0, 0), (0.03, 28)])
def test_a_hundred_people_of_two_hundred_moments_err_as_promised_together(
    audits: float, warm_up: int, start_of_people: tuple[float, list[float]]
) -> None:
    runs = [
        keep(adaptive(*start_of_people), moments, k, audits=audits, warm_up=warm_up)
        for k, moments in enumerate(people(100, seed=5))
    ]
    assert sum(runs, Kept(0, 0, 0)).error == pytest.approx(PROMISE, abs=POINT)


def test_neither_a_frozen_threshold_nor_stepping_by_audits_keeps_it(start: tuple[float, list[float]]) -> None:
    moments = stream(FORECASTERS["suddenly overconfident"], seed=10)
    for other in (Frozen(start[0]), Stepping(start[0])):
        assert keep(other, moments, seed=10).error > PROMISE + POINT
    told = keep(Stepping(start[0]), moments, seed=10, audits=1.0)
    assert told.error == pytest.approx(PROMISE, abs=POINT)


def test_what_came_of_people_adds_up() -> None:
    both = Kept(10, 4, 1) + Kept(10, 6, 0)
    assert (both.error, both.coverage) == (0.1, 0.5)
    assert Kept(5, 0, 0).error != Kept(5, 0, 0).error
