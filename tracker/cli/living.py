"""Let a SIMULATED person live in the database, through the same workflows that serve real ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import (
    Context,
    Correction,
    Estimate,
    Observation,
    Observed,
    Prompt,
    Reason,
    TimeSource,
)
from tracker.lab.simulation import Life, SimulatedObservation, simulate
from tracker.store import learned
from tracker.workflows import consenting, enrolment, feedback, ingest, prompts

NETWORK = "simulated@000000000000"
_ALONE = {"alone": 1.0, "either": 0.5, "company": 0.0}


@dataclass(frozen=True, slots=True)
class Score:
    """How often each was right on the corrections of some days, before it had seen them."""

    days: str
    n: int
    machine: float
    personal: float
    majority: float


def live(
    access: Access,
    name: str,
    zone: str,
    end: datetime,
    days: int,
    *,
    seed: int,
    report: Callable[[float], None] = lambda _: None,
) -> Person:
    """Enrol a simulated person and replay their last `days` days, in the order in which it happened.

    Parameters
    ----------
    access
        The gate, which asks for their (simulated) consent like anyone's.
    name, zone, seed
        Who they are.
    end
        Now (UTC); their life ends just before it.
    days
        How long they live.
    report
        Called with the share done.
    """
    start = end - timedelta(days=days)
    first = start.astimezone(ZoneInfo(zone)).date()
    life = simulate(seed, ZoneInfo(zone), first, days + 1)
    begin = min(start, life.observations[0].at)
    person = enrolment.enrol(access, name, zone, begin, simulated=True).person
    wanted = [s for s in Scope if s not in (Scope.RAW_VIDEO, Scope.FACE_CROPS, Scope.EXPORT_PUBLIC)]
    consenting.grant(access, person, wanted, begin, recorder=Recorder.PARTICIPANT)
    source = hashlib.sha256(f"simulated|{seed}".encode()).hexdigest()
    acts = [a for a in _acts(access, person, life) if begin <= a[0] < end]
    observations = [o for o in life.observations if begin <= o.at < end]
    done = 0
    for at, act in acts:
        done = _observe(access, person, observations, done, at, source, begin)
        act(at)
        report((at - begin) / (end - begin))
    _observe(access, person, observations, done, end, source, begin)
    return person


def prequential(unit: Unit, stretch: int = 10, stretches: int = 3) -> list[Score]:
    """Score the network and the learner on every correction, by stretches of days; the last one stays open."""
    since = datetime.min.replace(tzinfo=unit.now.tzinfo)
    rows = learned.learned_since(unit.connection, unit.person.subject, personal.EMOTION, since)
    said = [(row, row.label) for row in rows if isinstance(row.label, Distribution)]
    said = [(row, label) for row, label in said if row.machine is not None]
    if not said:
        return []
    first = said[0][0].recorded_at
    so_far: Counter[str] = Counter()
    hits: dict[int, list[tuple[bool, bool, bool]]] = {}
    for row, label in said:
        top = label.top
        commonest = so_far.most_common(1)[0][0] if so_far else None
        machine = row.machine.top is top if row.machine is not None else False
        part = min((row.recorded_at - first).days // stretch, stretches - 1)
        hits.setdefault(part, []).append((machine, row.predicted.top is top, commonest == top))
        so_far[top] += 1
    return [
        Score(
            f"{part * stretch + 1}-{(part + 1) * stretch}",
            len(found),
            *(sum(h[i] for h in found) / len(found) for i in range(3)),
        )
        for part, found in sorted(hits.items())
    ]


Act = Callable[[datetime], object]


def _acts(access: Access, person: Person, life: Life) -> list[tuple[datetime, Act]]:
    acts: list[tuple[datetime, Act]] = []
    for said in life.contexts:
        what = Context(said.at, said.place, said.activity, said.company)
        acts.append((said.at, partial(feedback.add_context, access, person, what)))
    for i, p in enumerate(life.prompts):
        put = Prompt(f"{i:04d}", p.scheduled, p.notified, p.started, p.completed, p.status)
        done = p.completed or p.notified or p.scheduled
        acts.append((done, partial(prompts.record, access, person, put)))
    for c in life.corrections:
        value = _ALONE[c.answer] if c.answer is not None else None
        word = Correction(c.at, c.target, c.distribution, value, suggestion_shown=c.accepted)
        acts.append((c.recorded_at, partial(feedback.correct, access, person, word)))
    night = timedelta(days=1)
    at = life.observations[0].at + night
    while at < life.observations[-1].at:
        acts.append((at, partial(_sleep, access, person)))
        at += night
    return sorted(acts, key=lambda a: a[0])


def _sleep(access: Access, person: Person, at: datetime) -> None:
    with access.write(person.id, at) as unit:
        personal.renew_all(unit)


def _observe(
    access: Access,
    person: Person,
    observations: list[SimulatedObservation],
    done: int,
    until: datetime,
    source: str,
    begin: datetime,
) -> int:
    batch = []
    while done < len(observations) and observations[done].at <= until:
        batch.append(_row(observations[done], source, begin))
        done += 1
    if batch:
        with access.write(person.id, until) as unit:
            ingest.store(unit, unit.capture_permit(), batch, until)
    return done


def _row(o: SimulatedObservation, source: str, begin: datetime) -> Observed:
    observation = Observation(
        source=source,
        pts_us=(o.at - begin) // timedelta(microseconds=1),
        at=o.at,
        time_source=TimeSource.STATED,
        reason=Reason(o.reason) if o.reason is not None else None,
        faces={"no_face": 0, "ambiguous": 2}.get(o.reason or "", 1),
        detector="simulated" if o.quality is not None else None,
        score=o.quality,
    )
    estimates = (Estimate(NETWORK, o.estimate),) if o.estimate is not None else ()
    return Observed(observation, estimates)
