"""A night's rebase, in memory and through the database, beside the bare pipelines' steps on the same answers."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tracker import personal
from tracker.access import Access
from tracker.cli.benchmarks.figure import Figure, absolute, cost, least, seconds, size
from tracker.cli.benchmarks.learning import KIB, labels
from tracker.cli.benchmarks.month import TARGETS, Said, month
from tracker.cli.benchmarks.scene import NOW, installed
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.jobs import NightlyRebase
from tracker.learning import kinds
from tracker.learning.bare import wrapped
from tracker.learning.replay import LearningEvent
from tracker.settings import Settings
from tracker.store.bare import bulk_learned
from tracker.workflows import consenting, enrolment

ROUNDS, MONTHS, EACH = 3, 2, 10
FEW, MANY = ("Europe/Vienna", 2), ("Europe/Berlin", 8)
"""Zones and how many people of each target live there: a night's job takes one zone at a time."""

NIGHT = 1000
FLAT = 1.25
"""Peak memory for four times as many people; what grew with them would make it 4."""

TARGET_S = 60.0


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Thirty people with 300 answers each, ten for each kind of target; told for 1,000 people."""
    access = installed(settings, folder)
    lives = {target: [month(target, seed) for seed in range(MONTHS)] for target in TARGETS}
    everybody = [
        (
            _person(access, f"{target}-{zone[7:]}-{i}", zone, target, lives[target][i % MONTHS]),
            target,
            i % MONTHS,
        )
        for zone, count in (FEW, MANY)
        for target in TARGETS
        for i in range(count)
    ]
    personal.refit(access, NOW)
    starts = {target: _start(access, everybody[0][0], target) for target in TARGETS}
    for person, target, _ in everybody:
        with access.write(person.id, NOW) as unit:
            personal.rebase(unit, target)
    events = {t: [[s.event for s in life] for life in lives[t]] for t in TARGETS}
    told = {t: [labels(kinds.kind_of(t), one) for one in events[t]] for t in TARGETS}

    def stored() -> Iterator[float]:
        for person, target, _ in everybody:
            yield seconds(partial(_rebase, access, person, target))

    def pure() -> Iterator[float]:
        for _, target, i in everybody:
            yield seconds(partial(_relearn, target, starts[target], events[target][i]))

    def bare() -> Iterator[float]:
        for _, target, i in everybody:
            model = wrapped(kinds.kind_of(target), starts[target])
            pairs = list(zip(events[target][i], told[target][i], strict=True))
            yield seconds(partial(_learn, model, pairs))

    a, b, c = (total * NIGHT / len(everybody) for total in least(ROUNDS, stored, pure, bare))
    beside = "the pipelines inside, learning the same 300,000 answers"
    few, many = (_peak(access, zone) for zone, _ in (FEW, MANY))
    return [
        cost("rebase 1,000 people from their events", [b], beside, [c], 1.5),
        cost("the same through the database, as the nightly job does", [a], beside, [c], 1.5),
        absolute("the same, in absolute time, one process", [a], TARGET_S),
        size("peak memory of the nightly job, 24 people", many, "6 people", few, FLAT),
    ]


def _person(access: Access, name: str, zone: str, target: str, life: Sequence[Said]) -> Person:
    person = enrolment.enrol(access, name, zone, NOW - timedelta(days=40)).person
    consenting.grant(
        access, person, tuple(Scope), NOW, recorder=Recorder.PARTICIPANT, covers_from=NOW - timedelta(days=40)
    )
    bulk_learned(access.database, person.subject, zone, target, [(s.at, s.seen, s.label) for s in life])
    return person


def _start(access: Access, person: Person, target: str) -> Mapping[str, Any] | None:
    with access.read(person.id, NOW) as unit:
        return personal.pooling.start_of(unit.connection, target)[1]


def _rebase(access: Access, person: Person, target: str) -> None:
    with access.read(person.id, NOW) as unit:
        personal.live(unit)
    with access.write(person.id, NOW) as unit:
        assert target in personal.live(unit)
        personal.rebase(unit, target)


def _relearn(target: str, start: Mapping[str, Any] | None, events: Sequence[LearningEvent]) -> None:
    kinds.relearned(kinds.fresh(kinds.kind_of(target), start), events).snapshot()


def _learn(model: Any, pairs: Sequence[tuple[Any, Any]]) -> None:
    for event, label in pairs:
        model.learn_one(dict(event.features), label, w=event.weight)


def _peak(access: Access, zone: str) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        NightlyRebase().run(access, f"2026-03-31 {zone}", NOW, lambda: None)
        return tracemalloc.get_traced_memory()[1] / KIB
    finally:
        tracemalloc.stop()
