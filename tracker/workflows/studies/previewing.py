"""What applying a study would change, and whom it touches, before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.people import UnknownParticipantError
from tracker.domain.raters import RaterScope, rater_notice
from tracker.domain.schedules import days_around, slots
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.store import ageing, coarsening, members, notices, raters, studies
from tracker.store.database import Connection
from tracker.study import Study, kept_days, notice_hashes
from tracker.study.keeping import coarse_from, horizons

AHEAD = timedelta(days=7)
"""How far prompts are looked ahead."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying a study would change.

    Attributes
    ----------
    changed
        Whether the study differs from the one in force at all.
    new_texts, retired_texts
        How many notices it brings, and how many it retires.
    people, grants
        How many people lose how many grants until they choose again.
    shortened
        Scopes that are kept for a shorter time: days now (None: without end) and then.
    rows
        How many rows that unmakes at once, by table.
    coarsened
        How many observations become part of one row a minute or an hour that would not under the study in force.
    closes
        Whether it closes the study.
    dropped, added
        How many prompts that would fall due in the next days (`AHEAD`) do not any more, and how many do anew; where
        people were asked after events nothing can be foretold.
    dropped_of
        Of how many people prompts are dropped.
    raters
        How many raters are asked again what may be measured about them, before they can go on.
    roleless
        How many members have a role in the study that governs and none in this one.
    names
        Who loses a grant, by name, in the order of enrolment.
    over
        The SHA-256 of the study in force, with which all of this was compared.
    """

    changed: bool
    new_texts: int
    retired_texts: int
    people: int
    grants: int
    shortened: Mapping[str, tuple[int | None, int]]
    rows: Mapping[str, int]
    coarsened: int
    closes: bool
    dropped: int = 0
    added: int = 0
    dropped_of: int = 0
    raters: int = 0
    roleless: int = 0
    names: tuple[str, ...] = ()
    over: str = ""

    @property
    def takes_away(self) -> bool:
        """Whether anybody loses anything, so that somebody has to say yes."""
        return bool(
            self.people
            or self.rows
            or self.coarsened
            or self.closes
            or self.dropped
            or self.raters
            or self.roleless
        )

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "takes_away": self.takes_away}

    def sentences(self) -> list[str]:
        """For people; empty where nothing changes."""
        told = []
        if self.new_texts:
            told.append(f"{_count(self.new_texts, 'notice')} new")
        if self.people:
            told.append(
                f"{_count(self.grants, 'grant')} of {_count(self.people, 'participant')} "
                f"{'stops' if self.grants == 1 else 'stop'} being in force until they choose again"
            )
        for scope, (before, after) in self.shortened.items():
            was = f"{before} days" if before is not None else "without end"
            told.append(f"{scope} is kept for {after} days (now: {was})")
        told += [
            f"{_count(n, 'row')} of {table} can be read no more, and go" for table, n in self.rows.items()
        ]
        if self.coarsened:
            told.append(f"{_count(self.coarsened, 'observation')} become one row a minute or an hour")
        if self.dropped:
            told.append(
                f"{_count(self.dropped, 'prompt')} of {_count(self.dropped_of, 'participant')} in the next "
                f"{AHEAD.days} days {'falls' if self.dropped == 1 else 'fall'} away"
            )
        if self.added:
            told.append(f"{_count(self.added, 'prompt')} more in the next {AHEAD.days} days")
        if self.raters:
            told.append(f"{_count(self.raters, 'rater')} must agree to the raters' notice again")
        if self.roleless:
            told.append(
                f"{_count(self.roleless, 'member')} had a role in the study before and {_has(self.roleless)} none in "
                "this one; to give it: affect-tracker invite NAME --role ROLE"
            )
        if self.closes:
            told.append("nothing new is granted or stored; withdrawing, looking and erasing still work")
        return told


def preview(access: Access, study: Study, now: datetime) -> Preview:
    """Say what applying a study would change, without changing anything."""
    with access.database.read() as connection:
        present = studies.in_force(connection)
        standing = notices.valid(connection, now)
        shortened = _shortened(present, study)
        rows = _rows(connection, present, study, now)
        coarsened = max(0, _fine(connection, study, now) - _fine(connection, present, now))
        raters, roleless = _staff(connection, present, study)
    texts = notice_hashes(study)
    names, grants, dropped, added, dropped_of = [], 0, 0, 0, 0
    for person in access.everyone():
        with suppress(UnknownParticipantError, KeyDestroyedError), access.read(person.id, now) as unit:
            lost = unit.grants().keys() - _under(unit, study, texts).grants().keys()
            grants += len(lost)
            if lost:
                names.append(person.name)
            away, new = _moved(unit, present, study)
            dropped, added, dropped_of = dropped + away, added + new, dropped_of + bool(away)
    return Preview(
        changed=study.sha256 != present.sha256,
        new_texts=len(texts - standing),
        retired_texts=len(standing - texts),
        people=len(names),
        grants=grants,
        shortened=shortened,
        rows=rows,
        coarsened=coarsened,
        closes=study.closed and not present.closed,
        dropped=dropped,
        added=added,
        dropped_of=dropped_of,
        raters=raters,
        roleless=roleless,
        names=tuple(names),
        over=present.sha256,
    )


def _under(unit: Unit, study: Study, texts: frozenset[str]) -> Unit:
    # An event's end was fixed when it was recorded: a study changes only that of later ones.
    rules = replace(unit.rules, notices=texts, guardians=study.consent.guardians)
    return replace(unit, rules=rules, study=study)


def _moved(unit: Unit, present: Study, study: Study) -> tuple[int, int]:
    """Of the prompts of the next days, how many fall away for a person and how many are new."""
    if unit.allowed(Use.PROMPT) is None:
        return 0, 0
    before, after = (_ahead(unit, said) for said in (present, study))
    return len(before - after), len(after - before)


def _ahead(unit: Unit, study: Study) -> frozenset[tuple[str, datetime]]:
    if study.closed:
        return frozenset()
    person, until = unit.person, unit.now + AHEAD
    days = days_around(unit.now + AHEAD + _DAY, person.zone, AHEAD.days + 2)
    return frozenset(
        (slot.name, slot.at)
        for day in days
        for slot in slots(study.plan, person.subject, day, person.zone)
        if unit.now < slot.at <= until and slot.lost is None
    )


def _staff(connection: Connection, present: Study, study: Study) -> tuple[int, int]:
    """How many raters are asked again, and how many members lose what they may do."""
    before, after = (rater_notice(said.help_contact).sha256 for said in (present, study))
    asked: set[str] = set()
    if before != after:
        for scope in RaterScope:
            asked |= raters.allowing(connection, scope.value, before)
    if present.id == study.id:
        return len(asked), 0
    had = members.with_roles(connection, present.id) - members.with_roles(connection, study.id)
    return len(asked), len(had)


def _shortened(present: Study, study: Study) -> dict[str, tuple[int | None, int]]:
    found = {}
    for scope in Scope:
        before, after = kept_days(present, scope), kept_days(study, scope)
        if after is not None and (before is None or after < before):
            found[scope.value] = (before, after)
    return found


def _rows(connection: Connection, present: Study, study: Study, now: datetime) -> dict[str, int]:
    then = ageing.count_before(connection, horizons(study, now))
    already = ageing.count_before(connection, horizons(present, now))
    return {table: n - already.get(table, 0) for table, n in then.items() if n > already.get(table, 0)}


def _fine(connection: Connection, study: Study, now: datetime) -> int:
    """How many observations a study makes part of another row."""
    before = coarse_from(study, now)
    return coarsening.count_fine(connection, before) if before is not None else 0


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _has(n: int) -> str:
    return "has" if n == 1 else "have"
