"""The consent log is append-only, and any byte that is altered in it is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select, text, update

from tests.builders import NOW, person
from tests.invariants.conftest import Tell
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.store import tables
from tracker.store.database import StatementError
from tracker.study import DEFAULT
from tracker.workflows import consenting, studies

LOG, EVENTS = tables.consent_log, tables.consent_events


def history(access: Access) -> None:
    """Two people's consent, an operator's evidence among it."""
    ada, bob = person(access, "ada", [Scope.AFFECT_SERIES]), person(access, "bob", [Scope.NOTES])
    consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    later = NOW + timedelta(minutes=1)
    consenting.grant(access, bob, [Scope.CONTEXT], later, recorder=Recorder.OPERATOR, evidence="form 7")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_log SET commitment = commitment",
        "UPDATE consent_log SET hash = 'x' WHERE seq = 1",
        "DELETE FROM consent_log",
        "DELETE FROM consent_log WHERE seq = 4",
        "DELETE FROM consent_events WHERE seq = 4",
        "UPDATE consent_events SET salt = sealed",
        "UPDATE consent_events SET seq = seq + 100",
    ],
)
def test_no_statement_changes_or_deletes_an_entry(access: Access, statement: str) -> None:
    history(access)
    with pytest.raises(StatementError, match="append-only"), access.database.write() as connection:
        connection.execute(text(statement))
    assert access.audit() is None


def test_nothing_takes_an_entrys_place(access: Access) -> None:
    history(access)
    with access.database.read() as connection:
        row = connection.execute(select(LOG).where(LOG.c.seq == 2)).one()._asdict()
    row["commitment"] = "0" * 64
    words = "INSERT OR REPLACE" if access.database.is_sqlite else "INSERT"
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    with access.database.read() as connection:
        row["recorded_at"] = _raw(connection, row["seq"])
    statement = text(f"{words} INTO consent_log ({columns}) VALUES ({values})").bindparams(**row)
    with pytest.raises(StatementError), access.database.write() as connection:
        connection.execute(statement)
    assert access.audit() is None


def test_every_flipped_byte_is_found_and_named(access: Access, figure: Tell) -> None:
    assert studies.apply(access, DEFAULT.model_copy(update={"id": "first"}), "ops", NOW)
    person(access, "ada", [Scope.AFFECT_SERIES])
    bob = person(access, "bob", [])
    consenting.grant(access, bob, [Scope.CONTEXT], NOW, recorder=Recorder.OPERATOR, evidence="form 7")
    assert access.audit() is None
    flips = 0
    unguard(access)
    for table, key in ((LOG, LOG.c.seq), (EVENTS, EVENTS.c.seq)):
        with access.database.read() as connection:
            stored = connection.execute(select(table).order_by(key)).mappings().all()
        for row in stored:
            for column in table.columns:
                if column is key:
                    continue
                # The database itself refuses a participant who is none; somebody else's entry is the worst it takes.
                others = {r[column.name] for r in stored} - {row[column.name]}
                ways = others if column.name == "participant" else flipped(row[column.name])
                for broken in ways:
                    _set(access, table, row["seq"], column.name, broken)
                    told = access.audit()
                    assert told is not None, f"{table.name}.{column.name} of row {row['seq']}: {broken!r}"
                    assert str(row["seq"]) in told, told
                    flips += 1
                _set(access, table, row["seq"], column.name, row[column.name])
    assert access.audit() is None
    figure(f"2 events, {flips:,} flips of every byte of every column, all found and named")


@pytest.mark.parametrize("which", ["first", "middle", "last", "two last", "all"])
def test_every_removal_is_found(access: Access, which: str) -> None:
    history(access)
    unguard(access)
    gone = {
        "first": "seq = 1",
        "middle": "seq = 2",
        "last": "seq = 4",
        "two last": "seq > 2",
        "all": "seq > 0",
    }
    with access.database.write() as connection:
        for table in (EVENTS, LOG):
            connection.execute(text(f"DELETE FROM {table.name} WHERE {gone[which]}"))
    assert access.audit() is not None


def flipped(value: Any) -> Iterator[Any]:
    """Every way to flip one bit pattern of one byte of a value."""
    if value is None:
        return
    if isinstance(value, bytes | memoryview):
        held = bytes(value)
        for i in range(len(held)):
            yield held[:i] + bytes([held[i] ^ 0x5A]) + held[i + 1 :]
    elif isinstance(value, str):
        for i, letter in enumerate(value):
            other = "0" if letter != "0" else "1"
            yield value[:i] + other + value[i + 1 :]
    elif isinstance(value, int):  # under which study it was said: another, or none
        yield from (value + 1, None)
    else:
        yield value + timedelta(microseconds=1)


def unguard(access: Access, *names: str) -> None:
    """Take the triggers of all tables (PostgreSQL: of these, else of the consent log's) away, as an owner can."""
    with access.database.write() as connection:
        if access.database.is_sqlite:
            found = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(found):
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            for table in names or (LOG.name, EVENTS.name):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


def _set(access: Access, table: Table, seq: int, column: str, value: Any) -> None:
    with access.database.write() as connection:
        connection.execute(update(table).where(table.c.seq == seq).values({column: value}))


def _raw(connection: Connection, seq: int) -> Any:
    return connection.execute(text(f"SELECT recorded_at FROM consent_log WHERE seq = {seq}")).scalar_one()
