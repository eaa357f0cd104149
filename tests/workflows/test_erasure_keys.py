"""No backup of the key store opens what an erasure noted for itself, whenever it was made, on both databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, observed, person, store
from tracker import shipped
from tracker.access import Access
from tracker.domain.people import Person
from tracker.privacy.keys import KeyDestroyedError, Vault
from tracker.store import keybackups, tombstones
from tracker.store.keystore import KeyStore
from tracker.workflows import backup, erasure
from tracker.workflows.erasure import carrying, steps
from tracker.workflows.erasure.errors import ErasureIncompleteError

NAME = "Ada Lovelace-King"


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


def stopped(access: Access, who: Person, monkeypatch: pytest.MonkeyPatch) -> str:
    """Begin an erasure that stops once keys and rows are gone; return its number."""

    def stop(*_: object) -> None:
        raise ErasureIncompleteError("another process still reads an older state of the database")

    with monkeypatch.context() as broken:
        at = steps.STEPS.index(steps.rebuild)
        broken.setattr(steps, "STEPS", (*steps.STEPS[:at], stop))
        with pytest.raises(ErasureIncompleteError):
            erasure.erase_person(access, who, NOW + hours(1))
    with access.database.read() as connection:
        (stone,) = tombstones.every(connection)
    return stone.id


def notes(file: Path) -> tuple[str, bytes]:
    """What a backup of the database holds of an erasure that was under way: its number, and its sealed notes."""
    with closing(sqlite3.connect(file)) as held:
        number, counts = held.execute("SELECT id, counts FROM tombstones").fetchone()
    return number, bytes.fromhex(json.loads(counts)["pending"])


def test_no_key_backup_opens_the_notes_of_an_erasure_that_is_done(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person(access, NAME)
    store(access, ada, [observed(NOW - hours(1))])
    keybackups.back_up(access.keys, tmp_path / "kb", 3, NOW)
    number = stopped(access, ada, monkeypatch)
    assert access.keys.of(number, carrying.PENDING), "the erasure goes on with it"
    during = keybackups.back_up(access.keys, tmp_path / "kb", 3, NOW + hours(2))
    nightly, _ = backup.backup(access, tmp_path / "nightly.db", shipped.migrations(), NOW + hours(2))
    taken = (tmp_path / "taken away.db").write_bytes(during.read_bytes())
    assert taken
    assert [done.tombstone for done in erasure.resume(access, NOW + hours(3))] == [number]
    stood, sealed = notes(nightly)
    assert stood == number
    (left,) = (tmp_path / "kb").iterdir()
    (tmp_path / "taken away.db").chmod(0o600)
    for file in (left, tmp_path / "taken away.db"):
        keys = KeyStore(file)
        assert not keys.has(number)
        with pytest.raises(KeyDestroyedError):
            Vault(bytes(range(32)), keys).open(number, carrying.PENDING, sealed, carrying.PLACE)
        keys.close()


@pytest.mark.parametrize("between", [False, True], ids=["at once", "killed between the last two steps"])
def test_a_backup_that_held_the_key_is_made_anew_once_it_is_destroyed(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: bool
) -> None:
    """As an older version left it: the notes' key in a backup."""
    ada, folder = person(access, NAME), tmp_path / "kb"
    keybackups.back_up(access.keys, folder, 3, NOW)
    number = stopped(access, ada, monkeypatch)
    key = access.keys.of(number, carrying.PENDING)[0].wrapped
    with monkeypatch.context() as older:
        older.setattr(keybackups, "NEVER_COPIED", ())
        older.setattr(steps, "STEPS", (*steps.STEPS[:-1], put_aside(folder), steps.close))
        if between:
            older.setattr(access.vault, "destroy", lambda *_: 0)
        erasure.resume(access, NOW + hours(2))
        older.setattr(keybackups, "NEVER_COPIED", (carrying.PENDING,))
    if between:
        assert access.keys.has(number)
        erasure.resume(access, NOW + hours(3))
    assert not access.keys.has(number)
    assert [file.name for file in folder.iterdir() if key in file.read_bytes()] == []


def put_aside(folder: Path) -> Callable[..., None]:
    def copy(access: Access, *_: object) -> None:
        keybackups.back_up(access.keys, folder, 9, NOW + hours(9))

    return copy


def test_the_notes_of_an_erasure_do_not_name_anybody(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    number = stopped(access, person(access, NAME), monkeypatch)
    with access.database.read() as connection:
        stone = tombstones.get(connection, number)
    assert stone is not None
    noted = access.vault.open(number, carrying.PENDING, stone.pending, carrying.PLACE)
    assert NAME.encode() not in noted
