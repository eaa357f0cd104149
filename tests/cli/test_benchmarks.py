from __future__ import annotations

from collections.abc import Iterator

import pytest

from tracker.cli.benchmarks.figure import comparison, least, size
from tracker.cli.benchmarks.learning import labels
from tracker.cli.benchmarks.month import A_DAY, TARGETS, month
from tracker.cli.benchmarks.scene import NOW
from tracker.learning import kinds
from tracker.learning.bare import prediction, rivers_own, wrapped
from tracker.learning.kinds import Kind
from tracker.learning.window import WINDOW


def test_of_every_piece_the_least_of_all_rounds_counts() -> None:
    rounds = iter([[3.0, 1.0], [2.0, 5.0]])

    def side() -> Iterator[float]:
        yield from next(rounds)

    assert least(2, side) == [3.0]


def test_figures_say_their_unit_and_nothing_where_nothing_was_promised() -> None:
    assert size("kept", 128.0, "limit", 64.0, 1).cells()[1:] == (
        "128.0 KiB",
        "limit: 64.0 KiB",
        "2.00",
        "<= 1",
        "MISSED",
    )
    assert comparison("ours", 0.5, "theirs", 0.25).cells()[3:] == ("2.00", "", "")


@pytest.mark.parametrize("target", TARGETS)
def test_a_month_is_the_same_for_the_same_seed_and_lies_within_the_memory(target: str) -> None:
    once, again = month(target, 1, days=2), month(target, 1, days=2)
    assert once == again
    assert len(once) == 2 * A_DAY
    assert all(NOW - WINDOW < said.at < NOW for said in once)


@pytest.mark.parametrize("target", TARGETS)
def test_the_pipeline_inside_learns_what_the_learner_learns(target: str) -> None:
    kind = kinds.kind_of(target)
    events = [said.event for said in month(target, 2, days=3)]
    prior = kinds.pooled(kind, {str(i): [s.event for s in month(target, i, days=2)] for i in range(2)})
    learner, inside = kinds.fresh(kind, None if kind is Kind.EMOTION else prior), wrapped(kind, prior)
    kinds.relearned(learner, events)
    for event, label in zip(events, labels(kind, events), strict=True):
        inside.learn_one(dict(event.features), label, w=event.weight)
    seen = events[-1].features
    said = prediction(kind, inside, seen)
    match kind:
        case Kind.EMOTION:
            assert said == pytest.approx(learner.predict(seen).as_dict())
        case Kind.YES_NO:
            assert (said["yes"], said["either"], said["no"]) == learner.chances(seen)  # type: ignore[attr-defined]
        case _:
            assert said == learner.predict(seen)[0]
    assert prediction(kind, rivers_own(kind), seen) is not None
