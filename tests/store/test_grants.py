"""Triggers without a clock: whoever writes past the gate still writes nothing without a grant that stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table, insert, select
from sqlalchemy.exc import IntegrityError

from tests.builders import NOW, installation
from tests.lives import lived
from tests.processes import close
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.store import grants
from tracker.store.database import StatementError
from tracker.store.tables import metadata, observations
from tracker.workflows import consenting

NUMBERED = sorted(t.name for t in metadata.sorted_tables if "grant_id" in t.c)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def rows(access: Access, table: Table) -> list[dict[str, object]]:
    with access.database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def write(access: Access, table: Table, values: dict[str, object]) -> None:
    with access.database.write() as connection:
        connection.execute(insert(table).values(**values))


def stored(access: Access, who: Person) -> dict[str, dict[str, object]]:
    """One row of each numbered table that holds any."""
    found = {name: rows(access, metadata.tables[name]) for name in NUMBERED}
    return {name: some[-1] for name, some in found.items() if some}


def test_a_copied_row_is_refused_under_every_grant_but_its_own(access: Access) -> None:
    who, other = lived(access), lived(access, "somebody else")
    with access.database.read() as connection:
        theirs, mine = grants.of(connection, other.subject), grants.of(connection, who.subject)
    everything = stored(access, other)
    assert set(everything) >= set(NUMBERED) - {"crops", "frames", "notes"}
    for name, row in everything.items():
        own = row["grant_id"]
        assert own in theirs.values()
        for number in {0, 1, *mine.values(), *theirs.values()} - {own}:
            with pytest.raises(StatementError, match=f"no grant that stands covers a new row of {name}"):
                write(access, metadata.tables[name], row | {"grant_id": number})
        # Under its own it passes the trigger, and is refused for being there already.
        with pytest.raises(StatementError, match=r"UNIQUE|23505"):
            write(access, metadata.tables[name], row)


def test_a_copied_row_is_refused_once_its_grant_was_withdrawn(access: Access) -> None:
    who = lived(access)
    everything = stored(access, who)
    consenting.withdraw(access, who, list(Scope), NOW, recorder=Recorder.PARTICIPANT)
    for name, row in everything.items():
        with pytest.raises(StatementError, match=f"no grant that stands covers a new row of {name}"):
            write(access, metadata.tables[name], row)


def test_a_new_grant_has_a_new_number_and_rows_keep_theirs(access: Access) -> None:
    who = lived(access)
    before = {row["grant_id"] for row in rows(access, observations)}
    consenting.grant(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with access.write(who.id, NOW) as unit:
        number = unit.grants_held[Scope.AFFECT_SERIES]
        assert unit.grants()[Scope.AFFECT_SERIES].grant == number
    assert {number} & before == set()
    assert {row["grant_id"] for row in rows(access, observations)} == before
    assert access.audit() is None


def test_a_withdrawal_waits_for_a_writer_that_went_past_the_gate(access: Access) -> None:
    who = lived(access)
    row = rows(access, observations)[-1]
    withdrawn = threading.Event()

    def withdraw() -> None:
        consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
        withdrawn.set()

    with access.database.write() as connection:
        late = {**{k: v for k, v in row.items() if k != "id"}, "pts_us": 1}
        connection.execute(insert(observations).values(**late))
        thread = threading.Thread(target=withdraw)
        thread.start()
        assert not withdrawn.wait(1.0)
    thread.join()
    assert withdrawn.is_set()
    with pytest.raises((StatementError, IntegrityError), match="no grant that stands"):
        write(access, observations, late | {"pts_us": 2})
