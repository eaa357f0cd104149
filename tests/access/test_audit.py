"""Both logs: every byte, every removal, every exchange and every cut end is found, and named, on both databases."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, delete, select, text, update

from tests.builders import NOW, installation, person
from tracker.access import Access, sealing
from tracker.domain.consent import Recorder, Scope
from tracker.privacy.keys import IDENTITY
from tracker.store import tables
from tracker.store.chains import CONSENT, LOOKS
from tracker.study import DEFAULT
from tracker.study.parts import ExportRules
from tracker.workflows import consenting, studies

FIRST = DEFAULT.model_copy(update={"id": "first", "version": "1"})
SECOND = FIRST.model_copy(update={"version": "2", "export": ExportRules(k=9)})
PARTICIPANT, OPERATOR = Recorder.PARTICIPANT, Recorder.OPERATOR
CHAINS = {"consent": CONSENT, "looks": LOOKS}


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    """Two people with a history in both logs; the triggers are gone, as whoever owns the database can do."""
    opened = installation(database_url, tmp_path)
    assert studies.apply(opened, FIRST, "ops", NOW - timedelta(days=1))
    ada, bob = person(opened, "ada", [Scope.AFFECT_SERIES]), person(opened, "bob", [Scope.NOTES])
    consenting.withdraw(opened, ada, [Scope.AFFECT_SERIES], NOW, recorder=PARTICIPANT)
    assert studies.apply(opened, SECOND, "ops", NOW)
    consenting.grant(opened, bob, [Scope.CONTEXT], NOW, recorder=OPERATOR, evidence="form 7")
    for who, what in itertools.product((ada, bob), ("the timeline", "an archive")):
        opened.record_look(who.id, NOW + timedelta(minutes=1), reader="a researcher", what=what)
    with opened.database.write() as connection:
        if opened.database.is_sqlite:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for name in list(names.scalars()):
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            logs = [t for chain in CHAINS.values() for t in (chain.log, chain.events)]
            for table in (*logs, tables.studies):
                # With the checks of foreign keys: a row may go whatever hangs on it.
                connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER ALL"))
    assert opened.audit() is None
    yield opened
    opened.close()


def rows(access: Access, table: Table) -> list[dict[str, Any]]:
    with access.database.read() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(table.c.seq)).mappings()]


def loosen(access: Access, connection: Any) -> None:
    if access.database.is_sqlite:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))


@pytest.mark.parametrize("log", CHAINS)
def test_any_flipped_byte_of_any_column_is_found_and_named(access: Access, log: str) -> None:
    chain = CHAINS[log]
    stored = {table: rows(access, table) for table in (chain.log, chain.events)}
    places = [
        (table, row, column.name)
        for table, held in stored.items()
        for row in held
        for column in table.columns
        if column.name not in ("seq", "participant")
    ]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        phases=(Phase.generate,),
    )
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        table, row, column = data.draw(st.sampled_from(places))
        broken = flipped(row[column], data)
        change(access, table, row["seq"], column, broken)
        told = access.audit()
        change(access, table, row["seq"], column, row[column])
        assert told is not None, (table.name, column, broken)
        assert f"row {row['seq']}" in told, told

    holds()
    assert access.audit() is None


def flipped(value: Any, data: st.DataObject) -> Any:
    """A value with one byte exchanged."""
    if isinstance(value, bytes | memoryview):
        held = bytes(value)
        at = data.draw(st.integers(0, len(held) - 1))
        return held[:at] + bytes([held[at] ^ data.draw(st.integers(1, 255))]) + held[at + 1 :]
    if isinstance(value, str):
        at = data.draw(st.integers(0, len(value) - 1))
        letter = data.draw(st.sampled_from("0123456789abcdef").filter(lambda c: c != value[at]))
        return value[:at] + letter + value[at + 1 :]
    if isinstance(value, int):  # the study: another that was applied, one that never was, or none
        return data.draw(st.sampled_from([n for n in (1, 2, 3, None) if n != value]))
    return value + timedelta(microseconds=data.draw(st.sampled_from([-1, 1, 1_000_000])))


def change(access: Access, table: Table, seq: int, column: str, value: Any) -> None:
    with access.database.write() as connection:
        connection.execute(update(table).where(table.c.seq == seq).values({column: value}))


@pytest.mark.parametrize("log", CHAINS)
@pytest.mark.parametrize("gone", [{1}, {2}, {4}, {3, 4}, {1, 2, 3, 4}], ids=str)
def test_every_removal_and_every_cut_end_is_found(access: Access, log: str, gone: set[int]) -> None:
    chain = CHAINS[log]
    with access.database.write() as connection:
        loosen(access, connection)
        for table in (chain.events, chain.log):
            connection.execute(delete(table).where(table.c.seq.in_(gone)))
    told = access.audit()
    assert told is not None
    assert ("cut off" if max(gone) == 4 else "stands where") in told
    assert any(str(seq) in told for seq in gone | {min(gone) + 1}), told


@pytest.mark.parametrize("log", CHAINS)
@pytest.mark.parametrize("seq", [1, 4])
def test_an_event_that_was_taken_away_from_beside_its_row_is_found(
    access: Access, log: str, seq: int
) -> None:
    events = CHAINS[log].events
    with access.database.write() as connection:
        connection.execute(delete(events).where(events.c.seq == seq))
    told = access.audit()
    assert told is not None
    assert f"row {seq} was removed" in told


@pytest.mark.parametrize("log", CHAINS)
def test_every_exchange_is_found(access: Access, log: str) -> None:
    chain = CHAINS[log]
    whiches = ([chain.log], [chain.events], [chain.log, chain.events])
    for pair, which in itertools.product(itertools.combinations((1, 2, 3, 4), 2), whiches):
        for _ in exchanged(access, which, pair):
            told = access.audit()
            assert told is not None, (pair, which)
            assert any(f"row {seq}" in told for seq in pair), told
    assert access.audit() is None


def exchanged(access: Access, which: list[Table], pair: tuple[int, int]) -> Iterator[None]:
    """Let two rows take each other's place, and put them back."""
    for back in (False, True):
        for table in which:
            held = {row["seq"]: row for row in rows(access, table)}
            for here, there in (pair, pair[::-1]):
                values = {name: value for name, value in held[there].items() if name != "seq"}
                with access.database.write() as connection:
                    connection.execute(update(table).where(table.c.seq == here).values(values))
        if not back:
            yield


@pytest.mark.parametrize("log", CHAINS)
def test_somebody_elses_name_on_an_event_is_found(access: Access, log: str) -> None:
    events = CHAINS[log].events
    people = {row["participant"] for row in rows(access, events)}
    for row in rows(access, events):
        for other in people - {row["participant"]}:
            change(access, events, row["seq"], "participant", other)
            told = access.audit()
            change(access, events, row["seq"], "participant", row["participant"])
            assert told is not None
            assert f"row {row['seq']}" in told


@pytest.mark.parametrize("log", CHAINS)
def test_an_event_without_a_row_is_found(access: Access, log: str) -> None:
    chain = CHAINS[log]
    names = [c.name for c in chain.events.columns if c.name != "seq"]
    table, rest = chain.events.name, ", ".join(names)
    copy = f"INSERT INTO {table} (seq, {rest}) SELECT 9, {rest} FROM {table} WHERE seq = 1"
    if access.database.is_sqlite:
        # Whoever writes into the file asks for no check of foreign keys.
        with contextlib.closing(sqlite3.connect(access.database.path or "")) as raw, raw:
            raw.execute(copy)
    else:
        with access.database.write() as connection:
            connection.execute(text(copy))
    told = access.audit()
    assert told is not None
    assert "row 9" in told


def test_a_key_that_is_gone_without_an_erasure_is_found(access: Access) -> None:
    access.vault.destroy(access.person("ada").id, IDENTITY)
    told = access.audit()
    assert told is not None
    assert "the key of the event beside row 1 is gone" in told


def test_a_study_that_takes_anothers_place_is_found(access: Access) -> None:
    """Two versions that are exchanged, each with its own document and hash: every event names another one then."""
    with access.database.write() as connection:
        found = {row.id: row for row in connection.execute(select(tables.studies))}
        for here, there in ((1, 2), (2, 1)):
            values = {"sha256": found[there].sha256, "document": found[there].document}
            connection.execute(update(tables.studies).where(tables.studies.c.id == here).values(values))
    assert "the study that the event beside row" in (access.audit() or "")


def test_events_from_before_labels_were_committed_to_are_whole_and_kept_in_order(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are verified as they were; their labels can only be held against the order in which studies came."""
    monkeypatch.setattr(sealing, "label", lambda version: None)
    cora = person(access, "cora", [Scope.NOTES])
    monkeypatch.undo()
    assert access.audit() is None
    consenting.withdraw(access, cora, [Scope.NOTES], NOW, recorder=PARTICIPANT)
    assert access.audit() is None
    (was, _) = (row for row in rows(access, CONSENT.events) if row["participant"] == cora.id)
    for other in (1, 3, None):
        change(access, CONSENT.events, was["seq"], "study", other)
        assert f"row {was['seq']}" in (access.audit() or ""), other
