"""A ciphertext opens only in its own row, for its own person and scope; no nonce and no key comes twice."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import Table, select, update

from tests.builders import NOW
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.invariants.test_01_append_only_log import unguard
from tests.lives import ENDPOINT, FACE, FILM, NOTE, lived
from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.privacy.keys import IDENTITY, KeyUnavailableError
from tracker.store import crops, frames, notes, pushing, tables

PURPOSES = (IDENTITY, Scope.NOTES.value, Scope.FACE_CROPS.value, Scope.RAW_VIDEO.value)
PLACES = ("notes.sealed|1", "notes.sealed|2", "crops.sealed|1", "frames.sealed|1", "participants.name_sealed")


def test_every_swap_of_owner_purpose_and_place_is_refused(access: Access, figure: Tell) -> None:
    owners = ("a" * 32, "b" * 32)
    cells = list(itertools.product(owners, PURPOSES, PLACES))
    sealed = {cell: access.vault.seal(cell[0], cell[1], repr(cell).encode(), cell[2]) for cell in cells}
    refused = 0
    for (mine, ciphertext), theirs in itertools.product(sealed.items(), cells):
        if mine == theirs:
            assert access.vault.open(*theirs[:2], ciphertext, theirs[2]) == repr(mine).encode()
            continue
        with pytest.raises(KeyUnavailableError):
            access.vault.open(*theirs[:2], ciphertext, theirs[2])
        refused += 1
    figure(f"{refused:,} swaps refused")


def test_every_flipped_byte_of_a_ciphertext_is_refused(access: Access) -> None:
    sealed = access.vault.seal("a" * 32, IDENTITY, b"somebody", "participants.name_sealed")
    for i in range(len(sealed)):
        broken = sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :]
        with pytest.raises(KeyUnavailableError):
            access.vault.open("a" * 32, IDENTITY, broken, "participants.name_sealed")


def test_no_ciphertext_and_no_nonce_comes_twice(access: Access, figure: Tell) -> None:
    sealer = access.vault.sealer("a" * 32, IDENTITY)
    seen = [sealer(b"the same words", "notes.sealed|1") for _ in range(4096)]
    assert len({bytes(s) for s in seen}) == len(seen)
    # Wherever the nonce stands, no 12 bytes in a row of the part before the words come twice.
    head = len(seen[0]) - len(b"the same words") - 16
    assert len({s[:head][-12:] for s in seen}) == len(seen)
    figure(f"{len(seen):,} seals of the same words, no nonce twice")


STORED: tuple[tuple[Table, str, str], ...] = (
    (tables.crops, "sealed", "subject"),
    (tables.frames, "sealed", "subject"),
    (tables.notes, "sealed", "subject"),
    (tables.push_devices, "sealed", "subject"),
    (tables.consent_events, "sealed", "participant"),
    (tables.access_events, "sealed", "participant"),
    (tables.participants, "name_sealed", "id"),
    (tables.participants, "subject_sealed", "id"),
)


@pytest.mark.parametrize(("table", "column", "whose"), STORED, ids=lambda v: getattr(v, "name", v))
def test_a_stored_value_moved_to_another_person_or_row_does_not_open(
    access: Access, table: Table, column: str, whose: str
) -> None:
    ada, bob = lived(access, "ada"), lived(access, "bob")
    unguard(access, table.name)
    theirs, mine = _first(access, table, column, whose, bob), _first(access, table, column, whose, ada)
    key = next(iter(table.primary_key))
    _opens(access, table, ada, column)
    with access.database.write() as connection:
        connection.execute(update(table).where(key == mine[key.name]).values({column: theirs[column]}))
    with pytest.raises(KeyUnavailableError):
        _opens(access, table, ada, column)


def _first(access: Access, table: Table, column: str, whose: str, who: Person) -> Any:
    value = who.subject if whose == "subject" else who.id
    with access.database.read() as connection:
        return connection.execute(select(table).where(table.c[whose] == value).limit(1)).mappings().one()


def _opens(access: Access, table: Table, who: Person, column: str) -> None:
    """Read what was moved as the program does."""
    if table in (tables.crops, tables.frames, tables.notes, tables.push_devices):
        scope, place = {
            tables.crops.name: (Scope.FACE_CROPS, crops.place),
            tables.frames.name: (Scope.RAW_VIDEO, frames.place),
            tables.notes.name: (Scope.NOTES, notes.place),
            tables.push_devices.name: (Scope.PROMPTS, pushing.place),
        }[table.name]
        row = _first(access, table, column, "subject", who)
        words = access.vault.open(who.id, scope.value, bytes(row[column]), place(row["id"]))
        assert any(canary in words for canary in (FACE, FILM, NOTE.encode(), ENDPOINT.encode()))
        return
    with access.read(who.id, NOW) as unit:
        assert unit.events
        assert access.looks(unit)


def test_what_is_sealed_stands_nowhere_in_plain(access: Access) -> None:
    who = lived(access)
    access.record_look(who.id, NOW, reader="canary-reader-71", what="canary-what-72")
    files = held.database_bytes(access) | held.key_store_bytes(access)
    for needle in (
        NOTE.encode(),
        FACE,
        FILM,
        ENDPOINT.encode(),
        b"canary-name-91c2",
        b"canary-reader-71",
        b"canary-what-72",
    ):
        assert [name for name, some in files.items() if needle in some] == []
