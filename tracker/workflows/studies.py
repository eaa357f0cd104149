"""Apply a study, with a preview of what that takes away; show and close the one in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.consent import EXPORT_SCOPES, Scope
from tracker.domain.people import UnknownParticipantError
from tracker.personal import consent_changed
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.store import ageing, coarsening, exports, notices, studies
from tracker.store.database import Connection
from tracker.study import Study, StudyError, kept_days, notice_hashes
from tracker.study.keeping import coarse_from, horizons

LONGEST_NAME = 64
"""How long the name of whoever applies a study may be."""


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

    @property
    def takes_away(self) -> bool:
        """Whether anybody loses anything, so that somebody has to say yes."""
        return bool(self.people or self.rows or self.coarsened or self.closes)

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
        if self.closes:
            told.append("nothing new is granted or stored; withdrawing, looking and erasing still work")
        return told


@dataclass(frozen=True, slots=True)
class Applied:
    """A version of the study as it was applied."""

    study: Study
    sha256: str
    at: datetime
    by: str


def in_force(access: Access) -> Study:
    """The study that governs now; the built-in one where none was applied."""
    with access.database.read() as connection:
        return studies.in_force(connection)


def history(access: Access) -> list[Applied]:
    """Every version that was applied, oldest first, with who applied it."""
    with access.database.read() as connection:
        return [
            Applied(studies.checked(row), row.sha256, row.applied_at, row.applied_by)
            for row in studies.every(connection)
        ]


def preview(access: Access, study: Study, now: datetime) -> Preview:
    """Say what applying a study would change, without changing anything."""
    with access.database.read() as connection:
        present = studies.in_force(connection)
        standing = notices.valid(connection, now)
        shortened = _shortened(present, study)
        rows = _rows(connection, present, study, now)
        coarsened = max(0, _fine(connection, study, now) - _fine(connection, present, now))
    texts = notice_hashes(study)
    people, grants = 0, 0
    for person in access.everyone():
        with suppress(UnknownParticipantError, KeyDestroyedError), access.read(person.id, now) as unit:
            lost = unit.grants().keys() - _under(unit, study, texts).grants().keys()
            people, grants = people + bool(lost), grants + len(lost)
    return Preview(
        changed=study.sha256 != present.sha256,
        new_texts=len(texts - standing),
        retired_texts=len(standing - texts),
        people=people,
        grants=grants,
        shortened=shortened,
        rows=rows,
        coarsened=coarsened,
        closes=study.closed and not present.closed,
    )


def apply(access: Access, study: Study, by: str, now: datetime) -> bool:
    """Let a study govern from now on, in one transaction with everything that must follow at once.

    Its notices stand and all others are retired; learners of whoever loses a grant by that are rebased, priors
    that hold something of theirs are retired, exports that they are in are flagged.

    Parameters
    ----------
    access, now
        The gate, and the instant (UTC).
    study
        Read by `tracker.study.load`, so it is none that must not run.
    by
        Who applies it, for the record.

    Returns
    -------
    bool
        False where it governs already; then nothing is recorded.

    Raises
    ------
    StudyError
        When the same version says something else already, its attestation is of the future, or nobody is named.
    """
    _demand_name(by)
    if study.attestation is not None and study.attestation.on > now.date():
        raise StudyError(
            [f"attestation.on is {study.attestation.on}, in the future; say when it was attested"]
        )
    everyone = [person.id for person in access.everyone()]
    with access.database.write() as connection:
        units = list(_locked(access, connection, everyone, now))
        present = studies.in_force(connection)
        if study.sha256 == present.sha256:
            return False
        _demand_new_version(connection, study)
        studies.apply(connection, studies.StudyRow(study.sha256, study.document(), now, by))
        notices.stand(connection, study, now)
        for unit in units:
            _follow(access, unit)
    return True


def close(access: Access, by: str, now: datetime) -> bool:
    """Let the study take in nothing new; return False where it is closed already."""
    return apply(access, in_force(access).closing(), by, now)


def _locked(
    access: Access, connection: Connection, participants: Iterable[str], now: datetime
) -> Iterator[Unit]:
    # Always in the same order, so that two such transactions do not wait for each other.
    for participant in sorted(participants):
        with suppress(UnknownParticipantError, KeyDestroyedError):
            yield access.join(connection, participant, now)


def _follow(access: Access, before: Unit) -> None:
    """What must not rest any more on what a person loses by a study."""
    after = access.again(before)
    lost = before.grants().keys() - after.grants().keys()
    if lost:
        consent_changed(after, lost)
    if not EXPORT_SCOPES.isdisjoint(lost):
        exports.flag(before.connection, before.person.id, before.now)


def _under(unit: Unit, study: Study, texts: frozenset[str]) -> Unit:
    # An event's end was fixed when it was recorded: a study changes only that of later ones.
    rules = replace(unit.rules, notices=texts, guardians=study.consent.guardians)
    return replace(unit, rules=rules, study=study)


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


def _demand_name(by: str) -> None:
    if not by.strip() or len(by) > LONGEST_NAME or not by.isprintable():
        raise StudyError([f"--by is {by!r}; say who applies the study, in 1 to {LONGEST_NAME} characters"])


def _demand_new_version(connection: Connection, study: Study) -> None:
    for row in studies.every(connection):
        same = row.document.get("id") == study.id and row.document.get("version") == study.version
        if same and {**row.document, "closed": study.closed} != study.document():
            raise StudyError(
                [
                    f"version {study.version} of {study.id} says something else since {row.applied_at:%Y-%m-%d}; "
                    "give the file another version"
                ]
            )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
