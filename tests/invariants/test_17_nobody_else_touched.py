"""Erasing one person changes no byte that is visible for another."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import NOW
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.lives import lived
from tests.personal.saying import talkative
from tracker import personal
from tracker.access import Access
from tracker.domain.people import Person
from tracker.store import exports
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)
UNSEEN = "participants.name_digest"
"""Everybody's digest is made anew under another key, so that an old backup cannot be asked for a guessed name."""

SHARED = {"tombstones", "exports", "priors", "leases"}
"""Tables of which an erasure says in rows of nobody that it happened."""


def test_every_row_of_everybody_else_is_as_it_was(access: Access, figure: Tell) -> None:
    first, who = lived(access, "somebody else"), lived(access)
    last = talkative(access, "a third", days=1)
    before, keys = held.rows(access, UNSEEN), held.key_store_bytes(access)
    erasure.erase_person(access, who, LATER)
    after = held.rows(access, UNSEEN)
    gone = 0
    for table, rows in before.items():
        if table in SHARED:
            continue
        left = [row for row in rows if row in after[table]]
        removed = [row for row in rows if row not in after[table]]
        assert after[table] == left, f"{table} has rows that were not there"
        others = [r for r in removed if not _of(r, who, before)]
        assert others == [], f"{table}: {others[:1]}"
        gone += len(removed)
    for other in (first, last):
        assert _visible(access, other), other.name
    assert keys
    same = sum(len(rows) for rows in after.values())
    figure(f"{gone} rows gone, {same} rows of others the same byte for byte")


def _of(row: tuple[object, ...], who: Person, before: held.Rows) -> bool:
    """Whether a row is the person's: it names them, or hangs on an observation or a correction of theirs."""
    if who.id in row or who.subject in row:
        return True
    observations = {r[0] for r in before["observations"] if who.subject in r}
    return row in before["estimates"] and bool(observations & set(row[1:2]))


def _visible(access: Access, who: Person) -> bool:
    with access.read(who.id, LATER) as unit:
        replayed = [personal.replay(unit, target) for target in personal.live(unit)]
        return bool(unit.events) and all(r is not None and r.equal for r in replayed)


def test_an_export_without_the_person_stays_as_it_was(access: Access) -> None:
    lived(access, "somebody else")
    who = lived(access)
    with access.database.read() as connection:
        theirs = [e for e in _ids(access) if who.id[:8] not in e]
    erasure.erase_person(access, who, LATER)
    with access.database.read() as connection:
        for export in theirs:
            row = exports.get(connection, export)
            assert row is not None
            assert row.outdated_at is None


def _ids(access: Access) -> list[str]:
    return [
        str(cell) for row in held.rows(access)["exports"] for cell in row if str(cell).startswith("export-")
    ]
