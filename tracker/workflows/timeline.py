"""Read a person's series back: every moment, or the points that a page draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import SCOPES_OF, Scope, Use
from tracker.domain.people import Person
from tracker.domain.readers import USES, NotForStaffError, Reader, Role
from tracker.domain.series import Context, Moment, Reason
from tracker.domain.stretches import Stretch, any_holds
from tracker.learning.window import window
from tracker.personal import Source, telling
from tracker.personal.figures import Judged
from tracker.personal.telling import Told
from tracker.store import drifts, feedback, hiding, series, summaries, surroundings, timeline
from tracker.store.feedback import CorrectionRow
from tracker.store.surroundings import Asked

MINUTE = timedelta(minutes=1)
BESIDE = timedelta(minutes=2)
"""How far a correction may lie from the observation it speaks of."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Point:
    """One drawn point: the mean over a stretch of time.

    Attributes
    ----------
    at
        Start of the stretch (UTC).
    n
        How many observations have an estimate in it.
    machine, personal
        Mean distributions; None where there is none.
    """

    at: datetime
    n: int
    machine: Distribution | None
    personal: Distribution | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Observations without an estimate in a stretch of time, by reason."""

    at: datetime
    reason: Reason
    n: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a timeline page draws: points, gaps, answers, contexts and questions of [start, end).

    Attributes
    ----------
    step
        Length of the stretch behind each point.
    network
        The network that read the end of the series; None where none did. Each observation counts once, with
        the word of the network that read it last.
    contexts, asked
        What surrounded the moments as the person said, and which questions were put; in order.
    span
        First and last instant of the whole series; None for an empty one.
    """

    start: datetime
    end: datetime
    step: timedelta
    network: str | None
    span: tuple[datetime, datetime] | None
    points: tuple[Point, ...]
    gaps: tuple[Gap, ...]
    corrections: tuple[CorrectionRow, ...]
    contexts: tuple[Context, ...] = ()
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class LearnerState:
    """How a person's learner of one target stands.

    Attributes
    ----------
    source
        Where its answers come from.
    drifted_at
        Since when its estimates have fitted less well (the person's own clock); None where they have not.
    """

    target: str
    source: Source
    drifted_at: datetime | None

    @property
    def news(self) -> list[str]:
        """What the person should know about it, in sentences; nothing while all is well."""
        what = self.target.partition(":")[2] or self.target.replace("_", " ")
        told = [] if self.source is Source.SNAPSHOT else [f"About “{what}”, {self.source.sentence}."]
        if self.drifted_at is not None:
            since = f"{self.drifted_at.day} {self.drifted_at:%B}"
            told.append(
                f"Since {since} my estimates of “{what}” have fitted less well; "
                "what you said before that now counts a quarter."
            )
        return told


def learners(unit: Unit) -> list[LearnerState]:
    """How the person's learners stand, in order of target; none where they may not be used."""
    zone = ZoneInfo(unit.person.zone)
    drifted: dict[str, datetime] = {}
    kept = unit.readable_from(Scope.PERSONAL_LEARNING)
    for drift in drifts.since(unit.connection, unit.person.subject, window(unit.now)[0]):
        if kept is not None and drift.at < kept:
            continue
        drifted[drift.target] = drift.at.astimezone(zone)
    found = [(target, personal.load(unit, target)) for target in personal.live(unit)]
    return [LearnerState(t, p.source, drifted.get(t)) for t, p in found if p is not None]


def learned(unit: Unit) -> list[Told]:
    """What the person's learners have learned about them, in facts; nothing where they may not be used."""
    return telling.told(unit)


def judged(unit: Unit, targets: Sequence[str]) -> dict[str, Judged]:
    """How often the person's learners of some targets were right, quickly."""
    return telling.judged(unit, targets)


@contextmanager
def moments(
    access: Access, person: Person, now: datetime, start: datetime | None = None, end: datetime | None = None
) -> Iterator[Iterator[Moment]]:
    """Stream a person's moments of [start, end), for themselves; either end may be open.

    Corrections of a moment without an observation stand among them as moments of their own.
    """
    with access.read(person.id, now) as unit:
        yield moments_in(unit, start, end)


@contextmanager
def looked_at(
    access: Access,
    person: Person,
    now: datetime,
    reader: Reader,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[tuple[Unit, Iterator[Moment]]]:
    """Show somebody of the staff the moments of [start, end) that the person's grants cover.

    What the person hides is not among them. Beside what must be allowed for the whole, the learner's words are
    shown only where `personal_learning` is in force, and answers to prompts only where `prompts` is. That they look
    is noted first, where the person sees it.

    Raises
    ------
    NotForStaffError
        When the person does not allow it; then it is not noted as a look either, for nothing was seen.
    DatabaseError
        When the look cannot be noted; then nothing is read.
    """
    with access.read(person.id, now) as unit:
        _covered_from(unit, reader.role)
    edges = (("from", start), ("to", end))
    told = " ".join(["timeline", *(f"{w} {at.isoformat(timespec='minutes')}" for w, at in edges if at)])
    with access.look(person.id, now, reader=reader.told, what=told) as unit:
        since = _covered_from(unit, reader.role)
        yield (
            unit,
            moments_in(
                unit,
                since if start is None else max(start, since),
                end,
                learner=unit.allowed(Use.LEARN) is not None,
                answers=unit.allowed(Use.PROMPT) is not None,
                hidden=hiding.stretches(unit.connection, person.subject),
            ),
        )


def _covered_from(unit: Unit, role: Role) -> datetime:
    permits = {use: unit.allowed(use) for use in USES[role]}
    refused = [scope for use, permit in permits.items() if permit is None for scope in SCOPES_OF[use]]
    if refused:
        raise NotForStaffError(unit.person.name, [scope for scope in Scope if scope in refused])
    return max(permit.covers_from for permit in permits.values() if permit is not None)


def page(unit: Unit, start: datetime, end: datetime) -> Page:
    """Collect what a page of [start, end) draws: by the minute up to two days, else by the quarter hour."""
    subject = unit.person.subject
    network = timeline.last_network(unit.connection, subject)
    corrections = feedback.standing_corrections(
        unit.connection, subject, start, end, horizons=unit.horizons()
    )
    whole = series.span(unit.connection, subject, unit.readable_from(Scope.AFFECT_SERIES))
    network = network if whole is not None else None
    fine = end - start <= timedelta(days=2)
    collect = _by_minute if fine else _by_quarter
    points, gaps = collect(unit, start, end)
    step = MINUTE if fine else summaries.BUCKET
    around = unit.connection, subject, start, end, unit.horizons()
    return Page(
        start,
        end,
        step,
        network,
        whole,
        tuple(points),
        tuple(gaps),
        tuple(corrections),
        tuple(surroundings.contexts_shown(*around)),
        tuple(surroundings.prompts_shown(*around)),
    )


def moments_in(
    unit: Unit,
    start: datetime | None,
    end: datetime | None,
    *,
    learner: bool = True,
    answers: bool = True,
    hidden: Sequence[Stretch] = (),
) -> Iterator[Moment]:
    """Stream the moments of [start, end) of the person of a unit.

    Parameters
    ----------
    unit
        A reading unit, which stays open meanwhile.
    start, end
        Either may be open.
    learner, answers
        Whether the learner's words, and answers to prompts, are among them.
    hidden
        Stretches of which nothing is among them: whoever is not the participant is shown none of it.
    """
    subject = unit.person.subject
    first = start or _EARLIEST
    last = end or unit.now + timedelta(days=1)
    # A correction lies beside the observation it speaks of, so maybe on the other side of an end.
    said = feedback.standing_corrections(
        unit.connection, subject, first - BESIDE, last + BESIDE, "emotion", horizons=unit.horizons()
    )
    beyond = hiding.hidden_corrections(unit.connection, subject) if hidden else frozenset()
    said = [c for c in said if (answers or c.prompt is None) and c.id not in beyond]
    by_observation = {c.observation: c.distribution for c in said if c.observation is not None}
    alone = [c for c in said if c.observation is None and first <= c.at < last]
    for r in _readings(unit, start, end):
        if any_holds(hidden, r.at):
            continue
        while alone and alone[0].at < r.at:
            c = alone.pop(0)
            yield Moment(c.at, None, None, None, c.distribution)
        own = r.personal if learner else None
        yield Moment(r.at, r.reason, r.machine, own, by_observation.get(r.observation), r.observation)
    for c in alone:
        yield Moment(c.at, None, None, None, c.distribution)


def _readings(unit: Unit, start: datetime | None, end: datetime | None) -> Iterator[timeline.Reading]:
    """The readings of [start, end) that are not past their retention."""
    since, own_since = unit.readable_from(Scope.AFFECT_SERIES), unit.readable_from(Scope.PERSONAL_LEARNING)
    first = max((at for at in (start, since) if at is not None), default=None)
    for reading in timeline.readings(unit.connection, unit.person.subject, first, end):
        hidden = own_since is not None and reading.at < own_since
        yield replace(reading, personal=None) if hidden else reading


def _by_minute(unit: Unit, start: datetime, end: datetime) -> tuple[list[Point], list[Gap]]:
    points: dict[datetime, _Mean] = {}
    gaps: dict[tuple[datetime, Reason], int] = {}
    for r in _readings(unit, start, end):
        minute = r.at.replace(second=0, microsecond=0)
        if r.reason is not None:
            gaps[minute, r.reason] = gaps.get((minute, r.reason), 0) + r.samples
        if r.machine is not None:
            points.setdefault(minute, _Mean()).add(r.machine.probabilities, r.samples, personal=False)
        if r.personal is not None:
            points.setdefault(minute, _Mean()).add(r.personal.probabilities, r.samples, personal=True)
    return (
        [mean.point(at) for at, mean in sorted(points.items())],
        [Gap(at, reason, n) for (at, reason), n in sorted(gaps.items())],
    )


def _by_quarter(unit: Unit, start: datetime, end: datetime) -> tuple[list[Point], list[Gap]]:
    names = [summaries.MACHINE_SERIES, summaries.PERSONAL_SERIES, *(f"reason:{r.value}" for r in Reason)]
    rows = summaries.read_summaries(
        unit.connection, unit.person.subject, start, end, names, horizons=unit.horizons()
    )
    machine: dict[datetime, tuple[int, Distribution]] = {}
    own: dict[datetime, Distribution] = {}
    gaps = []
    for bucket, name, n, sums in rows:
        if name == summaries.MACHINE_SERIES:
            machine[bucket] = n, Distribution.from_sequence(sums)
        elif name == summaries.PERSONAL_SERIES:
            own[bucket] = Distribution.from_sequence(sums)
        else:
            gaps.append(Gap(bucket, Reason(name.partition(":")[2]), n))
    points = []
    for at in sorted(machine.keys() | own.keys()):
        n, said = machine.get(at, (0, None))
        points.append(Point(at, n, said, own.get(at)))
    return points, gaps


class _Mean:
    """Sums of the two series of one stretch."""

    def __init__(self) -> None:
        self._counts = [0, 0]
        self._sums = [[0.0] * 8, [0.0] * 8]

    def add(self, values: Sequence[float], n: int, *, personal: bool) -> None:
        self._counts[personal] += n
        sums = self._sums[personal]
        for i, value in enumerate(values):
            sums[i] += value * n

    def point(self, at: datetime) -> Point:
        machine, own = (
            Distribution.from_sequence(sums) if n else None
            for n, sums in zip(self._counts, self._sums, strict=True)
        )
        return Point(at, self._counts[0], machine, own)
