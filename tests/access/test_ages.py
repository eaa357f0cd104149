"""A key store from an older copy, on both databases; and a master key that changes under a process that runs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, installation, person
from tests.processes import close, finish, opened, start
from tracker.access import Access, matching
from tracker.access.matching import KeyStoreAgeError
from tracker.domain.consent import Recorder, Scope
from tracker.privacy.keys import KeyUnavailableError, Vault, master_key_text, parse_master_key
from tracker.store import compacting
from tracker.store.database import Database, DatabaseError
from tracker.store.keystore import KeyStore
from tracker.workflows import consenting, erasure

MASTER = bytes(range(32))


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    matching.bind(made)
    yield made
    close(made)


def copied(access: Access, folder: Path) -> Path:
    """A copy of the key store as it is now."""
    access.keys.compact()
    folder.mkdir()
    return Path(shutil.copy2(access.keys.path, folder))


def put_back(access: Access, copy: Path) -> Access:
    """Open the same database with an older copy of the key store."""
    url = access.database.url.render_as_string(hide_password=False)
    close(access)
    for path in compacting.files_of(access.keys.path):
        path.unlink(missing_ok=True)
    shutil.copy2(copy, access.keys.path)
    return opened(url, access.keys.path.parent)


def test_the_present_one_is_of_the_same_age_whatever_was_done(access: Access) -> None:
    ada = person(access, "ada")
    bob = person(access, "bob")
    erasure.erase_person(access, bob, NOW)
    erasure.erase_scope(access, ada, Scope.NOTES, NOW)
    access.record_look(ada.id, NOW, reader="eve", what="timeline")
    matching.require_same_installation(access)
    matching.require_same_age(access)


def test_one_from_before_an_enrolment(access: Access, tmp_path: Path) -> None:
    person(access, "ada")
    copy = copied(access, tmp_path / "copy")
    person(access, "bob")
    old = put_back(access, copy)
    with pytest.raises(KeyStoreAgeError, match="lacks the keys of somebody who is enrolled"):
        matching.require_same_age(old)
    close(old)


@pytest.mark.parametrize("scope", [None, Scope.NOTES])
def test_one_from_before_an_erasure(access: Access, tmp_path: Path, scope: Scope | None) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    access.vault.seal(bob.id, Scope.NOTES.value, b"", "somewhere")
    copy = copied(access, tmp_path / "copy")
    if scope is None:
        erasure.erase_person(access, bob, NOW)
    else:
        erasure.erase_scope(access, bob, scope, NOW)
    old = put_back(access, copy)
    with pytest.raises(KeyStoreAgeError, match="keys from before 1 erasures"):
        matching.require_same_age(old)
    assert "notes" in old.keys.purposes(bob.id), "brought back"
    assert matching.accept(old) >= 1
    assert "notes" not in old.keys.purposes(bob.id)
    matching.require_same_age(old)
    assert old.person("ada") == ada, "found again under a new key of names"
    close(old)


def test_one_whose_signed_end_lies_before_the_end(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "PATIENCE_S", 0.1)
    ada = person(access, "ada")
    copy = copied(access, tmp_path / "copy")
    consenting.withdraw(access, ada, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
    consenting.withdraw(access, ada, [Scope.PROMPTS], NOW + timedelta(1), recorder=Recorder.PARTICIPANT)
    old = put_back(access, copy)
    with pytest.raises(KeyStoreAgeError, match="2 rows of the consent log came after"):
        matching.require_same_age(old)
    assert matching.accept(old) == 0
    matching.require_same_age(old)
    assert old.audit() is None
    close(old)


def test_one_of_another_database(access: Access, tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "other.keys.db", create=True)
    other = Access(access.database, Vault(MASTER, keys), keys)
    for look in (matching.bind, matching.require_same_installation):
        with pytest.raises(DatabaseError, match="belongs to another database"):
            look(other)
    keys.close()


def run_on(url: str, folder: Path) -> None:
    def again() -> bytes:
        return parse_master_key((folder / "key").read_text())

    keys = KeyStore(folder / "test.keys.db")
    access = Access(Database(url), Vault(MASTER, keys, again), keys)
    rounds = 0
    while not (folder / "stop").exists():
        who = access.person("ada")
        consenting.grant(access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
        access.vault.seal(f"somebody {rounds}", "notes", b"", "p")
        rounds += 1
        (folder / "rounds").write_text(str(rounds))


def test_the_master_key_is_replaced_again_and_again_under_a_process_that_runs(
    access: Access, tmp_path: Path
) -> None:
    person(access, "ada")
    url = access.database.url.render_as_string(hide_password=False)
    file = tmp_path / "key"
    file.write_text(master_key_text(MASTER))
    running = start(run_on, url, tmp_path)
    rotations, ends = 0, time.monotonic() + 60
    while time.monotonic() < ends and (rotations < 5 or not (tmp_path / "rounds").exists()):
        new = os.urandom(32)
        access.vault.masters.replace(new)
        complete = tmp_path / "key.new"
        complete.write_text(master_key_text(new))
        complete.replace(file)
        access.vault.masters.finish()
        rotations += 1
        time.sleep(0.1)
    (tmp_path / "stop").touch()
    assert finish(running) == [0]
    assert rotations >= 5
    for n in range(int((tmp_path / "rounds").read_text())):
        access.vault.opener(f"somebody {n}", "notes")
    with pytest.raises(KeyUnavailableError):
        Vault(MASTER, access.keys).masters.settle()
    assert access.audit() is None
