"""An export holds exactly the rows that consent allowed then and allows now: equal, as sets, to plain SQL."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.builders import ALL, NOW, person
from tests.invariants.conftest import Tell
from tests.workflows.exported import fill, manifest, read, stored_instants
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.store import exports
from tracker.workflows import consenting
from tracker.workflows.export import export_dataset

S = Scope
DAY = timedelta(days=1)
OPEN = (S.EXPORT_PSEUDONYMOUS, S.AFFECT_SERIES, S.CONTEXT, S.PROMPTS)
ALLOWED = {
    "observations": {S.EXPORT_PSEUDONYMOUS, S.AFFECT_SERIES},
    "contexts": {S.EXPORT_PSEUDONYMOUS, S.AFFECT_SERIES, S.CONTEXT},
    "prompts": {S.EXPORT_PSEUDONYMOUS, S.PROMPTS},
}
COLUMN = {"observations": "at", "contexts": "at", "prompts": "scheduled_at"}


def cohort(access: Access) -> list[tuple[Person, frozenset[Scope]]]:
    """One person for each set of the scopes, each with instants that nobody else has."""
    made = []
    for n, chosen in enumerate(itertools.product([False, True], repeat=len(OPEN))):
        kept = frozenset(scope for scope, on in zip(OPEN, chosen, strict=True) if on)
        who = person(access, f"p{n}", ALL, now=NOW - DAY)
        fill(access, who, NOW - timedelta(seconds=n + 1), source=f"{n:064x}")
        if gone := [scope for scope in ALL if scope in OPEN and scope not in kept]:
            consenting.withdraw(access, who, gone, NOW, recorder=Recorder.PARTICIPANT)
        made.append((who, kept))
    return made


def test_exactly_the_rows_that_are_allowed(access: Access, tmp_path: Path, figure: Tell) -> None:
    people = cohort(access)
    out = export_dataset(access, tmp_path / "out", NOW).folder
    compared = 0
    for table, needed in ALLOWED.items():
        expected = Counter(
            instant
            for who, kept in people
            if needed <= kept
            for instant in stored_instants(access, table, who, COLUMN[table])
        )
        name = "at" if "at" in read(out, table)[0] else COLUMN[table]
        found = Counter(row[name] for row in read(out, table))
        assert found == expected, table
        compared += sum(expected.values())
    figure(f"{len(people)} people with every set of {len(OPEN)} scopes, {compared} rows equal as sets")


def test_an_operators_record_and_what_was_granted_later_open_nothing(access: Access, tmp_path: Path) -> None:
    shown = person(access, "shown", ALL, now=NOW - DAY)
    operators = person(access, "operators", [], now=NOW - DAY)
    late = person(access, "late", set(ALL) - {S.EXPORT_PSEUDONYMOUS}, now=NOW - DAY)
    start = NOW - 60 * DAY
    consenting.grant(
        access, operators, ALL, NOW - DAY, recorder=Recorder.OPERATOR, evidence="form", covers_from=start
    )
    for n, who in enumerate((shown, operators, late)):
        fill(access, who, NOW - timedelta(seconds=n + 1), source=f"{n:064x}")
    consenting.grant(access, late, [S.EXPORT_PSEUDONYMOUS], NOW + DAY, recorder=Recorder.PARTICIPANT)
    out = export_dataset(access, tmp_path / "out", NOW + 2 * DAY, at=NOW).folder
    found = {row["at"] for row in read(out, "observations")}
    assert found == set(stored_instants(access, "observations", shown))


def test_a_later_withdrawal_flags_the_old_export_and_is_counted_in_the_next(
    access: Access, tmp_path: Path
) -> None:
    stays, leaves = person(access, "stays", ALL, now=NOW - DAY), person(access, "leaves", ALL, now=NOW - DAY)
    for n, who in enumerate((stays, leaves)):
        fill(access, who, NOW - timedelta(seconds=n + 1), source=f"{n:064x}")
    first = export_dataset(access, tmp_path / "first", NOW)
    consenting.withdraw(access, leaves, [S.EXPORT_PSEUDONYMOUS], NOW + DAY, recorder=Recorder.PARTICIPANT)
    with access.database.read() as connection:
        row = exports.get(connection, first.id)
    assert row is not None
    assert row.outdated_at == NOW + DAY
    second = export_dataset(access, tmp_path / "second", NOW + 2 * DAY)
    assert sum(second.excluded_participants.values()) == 1
    assert "withdrawn" in repr(manifest(second.folder)) or "not in force" in repr(manifest(second.folder))
    assert {row["at"] for row in read(second.folder, "observations")} == set(
        stored_instants(access, "observations", stays)
    )


def test_what_was_withdrawn_since_the_instant_is_not_in_it(access: Access, tmp_path: Path) -> None:
    """Consent is looked at twice: as it was then, and as it is now."""
    people = [person(access, name, ALL, now=NOW - DAY) for name in ("stays", "leaves", "keeps to themselves")]
    for n, who in enumerate(people):
        fill(access, who, NOW - timedelta(seconds=n + 1), source=f"{n:064x}")
    stays, leaves, keeps = people
    for who, scope in ((leaves, S.EXPORT_PSEUDONYMOUS), (keeps, S.CONTEXT)):
        consenting.withdraw(access, who, [scope], NOW + DAY, recorder=Recorder.PARTICIPANT)
    out = export_dataset(access, tmp_path / "out", NOW + 2 * DAY, at=NOW).folder
    told = {table: {row["at"] for row in read(out, table)} for table in ("observations", "contexts")}
    assert told["contexts"] == set(stored_instants(access, "contexts", stays))
    assert told["observations"] == {
        instant for who in (stays, keeps) for instant in stored_instants(access, "observations", who)
    }
