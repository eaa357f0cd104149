"""One answer of each kind of learner, and what a month leaves, beside the pipelines inside and river's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tracker.cli.benchmarks.figure import Figure, comparison, cost, least, seconds, size
from tracker.cli.benchmarks.month import TARGETS, month, people
from tracker.learning import kinds
from tracker.learning.bare import prediction, rivers_own, wrapped
from tracker.learning.kinds import Kind
from tracker.learning.replay import LearningEvent
from tracker.settings import Settings

ROUNDS, AT_ONCE, POOLED = 12, 30, 6
KIB = 1024


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """A month of one person for each kind of target, in turn with both peers, 30 answers at a time."""
    figures = []
    for target in TARGETS:
        kind = kinds.kind_of(target)
        prior = kinds.pooled(kind, people(target, POOLED))
        events = [said.event for said in month(target, seed=99)]
        figures += _steps(target, kind, prior, events)
        learner = kinds.relearned(kinds.fresh(kind, prior), events)
        kept = len(json.dumps(learner.snapshot()).encode()) / KIB
        figures.append(size(f"snapshot of {target} after a month", kept, "limit", 64.0, 1))
    return figures


def labels(kind: Kind, events: Sequence[LearningEvent]) -> list[Any]:
    """What the pipeline inside a learner takes for the answers."""
    return [e.label.as_dict() if kind is Kind.EMOTION else e.label for e in events]


def _steps(
    target: str, kind: Kind, prior: Mapping[str, Any], events: Sequence[LearningEvent]
) -> list[Figure]:
    plain = labels(kind, events)
    hard = [_hard(kind, event.label) for event in events]
    # The clock is a feature like any other to river's own; a count of days since 1970 would blow up its steps.
    seen = [{k: v for k, v in event.features.items() if k != "at"} for event in events]

    def ours() -> Iterator[float]:
        learner = kinds.fresh(kind, prior)

        def work(i: int) -> None:
            for event in events[i : i + AT_ONCE]:
                learner.predict(event.features)
                learner.learn(event.features, event.label, event.weight)

        for i in range(0, len(events), AT_ONCE):
            yield seconds(partial(work, i))

    def inside() -> Iterator[float]:
        model = wrapped(kind, prior)

        def work(i: int) -> None:
            for event, label in zip(events[i : i + AT_ONCE], plain[i : i + AT_ONCE], strict=True):
                prediction(kind, model, event.features)
                model.learn_one(dict(event.features), label, w=event.weight)

        for i in range(0, len(events), AT_ONCE):
            yield seconds(partial(work, i))

    def rivers() -> Iterator[float]:
        model = rivers_own(kind)

        def work(i: int) -> None:
            for features, label in zip(seen[i : i + AT_ONCE], hard[i : i + AT_ONCE], strict=True):
                prediction(kind, model, features)
                model.learn_one(features, label)

        for i in range(0, len(events), AT_ONCE):
            yield seconds(partial(work, i))

    a, b, c = (total / len(events) for total in least(ROUNDS, ours, inside, rivers))
    what = f"predict and learn one answer, {target}"
    own = " | ".join(rivers_own(kind).steps)
    return [cost(what, [a], "the pipeline inside", [b], 2.0), comparison(what, a, f"river's {own}", c)]


def _hard(kind: Kind, label: Any) -> Any:
    if kind is Kind.EMOTION:
        return label.top.value
    return label >= 0.5 if kind is Kind.YES_NO else label
