"""What one export is: its instant, its people with what each allows, and what makes it repeatable."""

from __future__ import annotations

import importlib.metadata
import secrets
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from tracker.access import Access, Unit
from tracker.domain.consent import SCOPES_OF, Use
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.raters import rater_notice
from tracker.domain.stretches import Stretch
from tracker.store import exporting, exports, hiding
from tracker.store.exporting import Cut
from tracker.workflows.export import zones
from tracker.workflows.export.eligibility import Exclusion, Starts, decide, decide_then, notices
from tracker.workflows.export.errors import (
    NothingToExportError,
    TooFewPeopleError,
    UnknownExportError,
    WithdrawnError,
)
from tracker.workflows.export.frames import Who
from tracker.workflows.export.journal import Begun
from tracker.workflows.export.naming import Pseudonyms
from tracker.workflows.export.rated import Raters, still_allowed
from tracker.workflows.export.rated import allowed as allowed_raters
from tracker.workflows.export.shapes import Asked, Shape


@dataclass(frozen=True, slots=True)
class Member:
    """A participant in an export."""

    person: Person
    who: Who
    starts: Starts


@dataclass(frozen=True, slots=True)
class Plan:
    """An export to be made.

    Attributes
    ----------
    id
        Random; stands in the manifest and in the registry.
    cut
        Which rows exist for it.
    seq
        Where the consent log stood when it was first made.
    created_at
        When that was.
    members
        In the order of the files: by pseudonym.
    names
        Its pseudonyms.
    formats
        Of `tracker.workflows.export.writing.FORMATS`.
    told
        What the manifest says that the files do not: exclusions, notices, versions, networks. Repeating an
        export says it again, as it was.
    door
        For whom: `Use.EXPORT` or `Use.EXPORT_PUBLIC`.
    k
        How many people at least share what the table `participants` tells of them; None: as it is.
    asked
        What is made beside the tables.
    targets
        What anybody in it was asked, where a format has a column for each.
    words
        What surroundings are called, by column, where k people hide each other: what fewer said is withheld.
    erasures
        What tells whether anything was erased since it was planned.
    raters
        Whose answers it may hold.
    repeated
        The SHA-256 of the manifest that a repetition must arrive at; None for a new export.
    """

    id: str
    cut: Cut
    seq: int
    created_at: datetime
    members: tuple[Member, ...]
    names: Pseudonyms
    formats: frozenset[str]
    told: dict[str, Any]
    door: Use
    k: int | None
    asked: Asked
    targets: frozenset[str]
    words: frozenset[tuple[str, str]]
    erasures: str
    raters: Raters
    repeated: str | None = None


class ChangedError(Exception):
    """Somebody's consent changed, or rows were erased, while an export was made; it has to begin anew."""


def plan_new(
    access: Access,
    at: datetime,
    now: datetime,
    chosen: Sequence[str] | None,
    formats: frozenset[str],
    door: Use = Use.EXPORT,
    k: int | None = None,
    asked: Asked | None = None,
    begun: Begun | None = None,
) -> Plan:
    """Decide who is in a new export.

    Parameters
    ----------
    begun
        One that was cut short, to be gone on with: its id and its end are kept, consent is asked anew.

    Raises
    ------
    UnknownParticipantError
        When somebody chosen is not enrolled.
    NothingToExportError
        When nobody is left.
    """
    persons = access.everyone() if chosen is None else [access.person(n) for n in dict.fromkeys(chosen)]
    if not persons:
        raise NothingToExportError("nothing to export: nobody is enrolled here")
    allowed, said, excluded = [], set(), Counter[str]()
    with locked(access, persons, now) as units:
        if door is Use.EXPORT_PUBLIC:
            units[0].study.demand_public_exports()
            k = max(k or 0, units[0].study.export.k)
        made, study = begun.created_at if begun is not None else now, units[0].study
        erasures = exporting.erasures(units[0].connection)
        public = door is Use.EXPORT_PUBLIC
        seq, marks = exporting.log_position(units[0].connection), exporting.marks(units[0].connection)
        cut = Cut(at, marks, own_only=public)
        if begun is not None:
            at, seq, cut = begun.at, begun.seq, Cut(begun.at, begun.marks, own_only=public)
        targets: set[str] = set()
        words = Counter[tuple[str, str]]()
        raters = Raters({} if public else _allowed(units[0], cut), public)
        for unit in units:
            starts = decide(unit, at, seq, door, _hidden(unit, made))
            if isinstance(starts, Exclusion):
                excluded[starts.told(door)] += 1
            else:
                allowed.append((zones.then(unit, cut, starts), starts))
                words.update(_words(unit, cut, starts))
                said |= notices(unit, at, seq, door)
                targets |= _targets(unit, cut, starts, formats)
    if not allowed:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(excluded.items()))
        raise NothingToExportError(
            f"nothing to export: nobody's consent allows it ({reasons}){_remedy(excluded, door)}"
        )
    real = sum(not person.simulated for person, _ in allowed)
    if k is not None and 0 < real < k:
        raise TooFewPeopleError(real, k, public=door is Use.EXPORT_PUBLIC)
    told = {
        "made_with": {
            "affect-tracker": importlib.metadata.version("affect-tracker"),
            "pyarrow": pa.__version__,
        },
        "study": {"id": study.id, "version": study.version, "sha256": study.sha256},
        "notices": sorted((asdict(n) for n in said), key=lambda n: sorted(n.items())),
        "excluded_participants": dict(sorted(excluded.items())),
    }
    export = begun.export if begun is not None else secrets.token_hex(16)
    names = Pseudonyms(access.vault.secret(f"export|{export}"))
    members = _in_order(_member(person, names, starts) for person, starts in allowed)
    return Plan(
        export,
        cut,
        seq,
        made,
        members,
        names,
        formats,
        told,
        door,
        k,
        asked or Asked(),
        frozenset(targets),
        _shared(words, k),
        erasures,
        raters,
    )


def plan_again(access: Access, export: str, now: datetime) -> Plan:
    """Plan to repeat an export.

    Raises
    ------
    UnknownExportError
        When there was none of this id.
    WithdrawnError
        When somebody in it withdrew, or was erased, since.
    """
    with access.database.read() as connection:
        row = exports.get(connection, export)
        ids = exports.members(connection, export)
    if row is None:
        raise UnknownExportError(export)
    persons = [person for person in access.everyone() if person.id in ids]
    request = row.request
    gone, seq = request["members"] - len(persons), request["seq"]
    door = Use.EXPORT_PUBLIC if request.get("public") else Use.EXPORT
    if not persons:
        raise WithdrawnError(export, gone)
    names = Pseudonyms(access.vault.secret(f"export|{export}"))
    members, targets, cut = [], set[str](), Cut(row.at, request["marks"], own_only=door is Use.EXPORT_PUBLIC)
    words = Counter[tuple[str, str]]()
    with locked(access, persons, now) as units:
        if door is Use.EXPORT_PUBLIC:
            units[0].study.demand_public_exports()
        erasures = exporting.erasures(units[0].connection)
        # Whose answers are in it, and whether it tells how long they took: those must stand, and no others come.
        known, allowed = request.get("raters", {}), _allowed(units[0], cut)
        timed = {
            rater: known[name]
            for rater, now_timed in allowed.items()
            if (name := names.rater(rater)) in known and now_timed >= known[name]
        }
        for unit in units:
            starts = decide(unit, row.at, seq, door, _hidden(unit, row.created_at))
            then = tuple(
                sorted(set(hiding.stretches_then(unit.connection, unit.person.subject, row.created_at)))
            )
            was = decide_then(unit, row.at, seq, door, then)
            if not known:
                starts = _unrated(starts, was)
            if isinstance(starts, Exclusion) or starts != was:
                gone += 1
            else:
                members.append(_member(zones.then(unit, cut, starts), names, starts))
                words.update(_words(unit, cut, starts))
                targets |= _targets(unit, cut, starts, request["formats"])
    if gone or len(timed) < len(known):
        raise WithdrawnError(export, gone, len(known) - len(timed))
    return Plan(
        export,
        cut,
        seq,
        row.created_at,
        _in_order(members),
        names,
        frozenset(request["formats"]),
        request["told"],
        door,
        request.get("k"),
        _asked(request.get("asked")),
        frozenset(targets),
        _shared(words, request.get("k")),
        erasures,
        Raters(timed, door is Use.EXPORT_PUBLIC),
        row.manifest_sha256,
    )


def request(plan: Plan, told: dict[str, Any], digest: str, raters: Container[str]) -> dict[str, Any]:
    """What the registry keeps of an export, so that it can be repeated; it names nobody.

    Parameters
    ----------
    digest
        A keyed digest of everything that was asked for.
    raters
        The names in it of the raters whose answers it holds.
    """
    return {
        "formats": sorted(plan.formats),
        "seq": plan.seq,
        "marks": dict(plan.cut.marks),
        "members": len(plan.members),
        "public": plan.door is Use.EXPORT_PUBLIC,
        "k": plan.k,
        "asked": asdict(plan.asked),
        "digest": digest,
        "raters": {
            name: timed
            for rater, timed in plan.raters.timed.items()
            if (name := plan.names.rater(rater)) in raters
        },
        "told": told,
    }


def _asked(told: Mapping[str, Any] | None) -> Asked:
    """What the registry says of it; exports from before anything was made beside the tables say nothing."""
    if told is None:
        return Asked(learner_now=False)
    return Asked(Shape(told["shape"]) if told["shape"] else None, told["every_s"], told["learner_now"])


def _targets(unit: Unit, cut: Cut, starts: Starts, formats: Container[str]) -> set[str]:
    if "openesm" not in formats:
        return set()
    return exporting.targets(unit.connection, unit.person.subject, cut.without(starts.hidden), starts.prompts)


def _words(unit: Unit, cut: Cut, starts: Starts) -> set[tuple[str, str]]:
    """What somebody real called their surroundings; simulated people hide nobody."""
    if starts.contexts is None or unit.person.simulated:
        return set()
    return exporting.context_words(
        unit.connection, unit.person.subject, cut.without(starts.hidden), starts.contexts
    )


def _shared(words: Counter[tuple[str, str]], k: int | None) -> frozenset[tuple[str, str]]:
    return frozenset(word for word, people in words.items() if k is not None and people >= k)


@contextmanager
def locked(access: Access, persons: Iterable[Person], now: datetime) -> Iterator[list[Unit]]:
    """Open one writing transaction on several people: nobody else writes about any of them meanwhile.

    Raises
    ------
    ChangedError
        When one of them has been erased.
    """
    # Always in the same order, so that two exports do not wait for each other.
    first, *rest = sorted(persons, key=lambda p: p.id)
    with _erased_is_changed(), access.write(first.id, now) as unit:
        units = [unit]
        units += [access.join(unit.connection, person.id, now) for person in rest]
        yield units


@contextmanager
def reading(access: Access, plan: Plan, member: Member, now: datetime) -> Iterator[Unit]:
    """Open a reading unit on a member; raise `ChangedError` when their consent is no longer as planned."""
    with _erased_is_changed(), access.read(member.person.id, now) as unit:
        require_unchanged(plan, member, unit)
        yield unit


def require_unchanged(plan: Plan, member: Member, unit: Unit) -> None:
    """Raise `ChangedError` when a member's consent is no longer as planned, or anything was erased."""
    if exporting.erasures(unit.connection) != plan.erasures:
        raise ChangedError
    hidden = _hidden(unit, plan.created_at)
    starts = decide(unit, plan.cut.at, plan.seq, plan.door, hidden)
    if plan.repeated is not None and not plan.raters.timed:
        starts = _unrated(starts, member.starts)
    if starts != member.starts:
        raise ChangedError
    if plan.raters.timed and not still_allowed(_allowed(unit, plan.cut), plan.raters.timed):
        raise ChangedError


def _unrated(starts: Starts | Exclusion, was: Starts | Exclusion) -> Starts | Exclusion:
    """What is allowed, with ratings as they were: for an export that holds none, nothing of them can be taken back."""
    if isinstance(starts, Exclusion) or isinstance(was, Exclusion):
        return starts
    return replace(starts, ratings=was.ratings)


def _allowed(unit: Unit, cut: Cut) -> dict[str, bool]:
    return allowed_raters(unit.connection, cut, rater_notice(unit.study.help_contact).sha256)


def _hidden(unit: Unit, made: datetime) -> tuple[Stretch, ...]:
    """What is left out: all that is hidden now, and what was when the export was first made."""
    connection, subject = unit.connection, unit.person.subject
    now = hiding.stretches(connection, subject)
    return tuple(sorted({*now, *hiding.stretches_then(connection, subject, made)}))


@contextmanager
def _erased_is_changed() -> Iterator[None]:
    try:
        yield
    except UnknownParticipantError:
        raise ChangedError from None


def _remedy(excluded: Counter[str], door: Use) -> str:
    waiting = {kind.told(door) for kind in (Exclusion.NOT_GRANTED, Exclusion.NOT_CONFIRMED)}
    if waiting.isdisjoint(excluded):
        return ""
    [scope] = SCOPES_OF[door]
    return (
        f"; {scope.value} must be granted, and confirmed by each person: in the web app, or affect-tracker consent "
        f"grant P {scope.value} --evidence TEXT and then consent confirm P --code CODE"
    )


def _member(person: Person, names: Pseudonyms, starts: Starts) -> Member:
    return Member(person, Who(names.participant(person.id), person.simulated), starts)


def _in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(sorted(members, key=lambda m: m.who.pseudonym))
