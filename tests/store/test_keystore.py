import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.processes import finish, start
from tracker.domain.keys import WrappedKey
from tracker.store import compacting
from tracker.store.database import DatabaseError
from tracker.store.keystore import KeyStore

FIRST = WrappedKey("aa" * 8, "m1", b"first")
SECOND = WrappedKey("bb" * 8, "m1", b"second")


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "k" / "affect.keys.db", create=True)


def version_1(path: Path) -> Path:
    """A key store as the first release wrote it."""
    with sqlite3.connect(path) as old:
        old.executescript(
            "CREATE TABLE wrapped_keys (owner VARCHAR(32), purpose VARCHAR(64), wrapped BLOB NOT NULL, "
            "PRIMARY KEY (owner, purpose));"
            "CREATE TABLE chain_heads (seq BIGINT PRIMARY KEY, hash VARCHAR(64) NOT NULL, signature BLOB NOT NULL);"
        )
    old.close()
    path.chmod(0o600)
    return path


def test_only_its_owner_may_read_it(keys: KeyStore) -> None:
    keys.put("o", "p", FIRST)
    for path in compacting.files_of(keys.path):
        if path.exists():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_one_that_others_can_read_is_not_opened(keys: KeyStore, mode: int) -> None:
    keys.close()
    keys.path.chmod(mode)
    with pytest.raises(DatabaseError, match=rf"can be read by others \(mode {mode:o}\); run: chmod 600"):
        KeyStore(keys.path)


def test_a_missing_key_store_is_not_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        KeyStore(tmp_path / "affect.keys.db")
    assert list(tmp_path.iterdir()) == []


def test_making_it_again_keeps_what_is_there(keys: KeyStore) -> None:
    keys.put("o", "p", FIRST)
    again = KeyStore(keys.path, create=True)
    assert again.of("o", "p") == (FIRST,)
    assert again.installation == keys.installation
    again.close()


def test_a_foreign_file_is_no_key_store(tmp_path: Path) -> None:
    path = tmp_path / "affect.keys.db"
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE recipes (cake TEXT)")
    foreign.close()
    path.chmod(0o600)
    for create in (False, True):
        with pytest.raises(DatabaseError, match="is no key store"):
            KeyStore(path, create=create)
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 40)
    with pytest.raises(DatabaseError):
        KeyStore(path)


def test_one_of_newer_code_is_refused_and_left_alone(keys: KeyStore) -> None:
    keys.close()
    with sqlite3.connect(keys.path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = keys.path.read_bytes()
    with pytest.raises(DatabaseError, match="version 99, which is newer than this program"):
        KeyStore(keys.path)
    assert keys.path.read_bytes() == before


def test_an_older_one_is_brought_to_this_version(tmp_path: Path) -> None:
    path = version_1(tmp_path / "affect.keys.db")
    with sqlite3.connect(path) as old:
        old.execute("INSERT INTO wrapped_keys VALUES ('ada', 'identity', x'01'), ('bob', 'notes', x'02')")
        old.execute("INSERT INTO chain_heads VALUES (7, 'hash7', x'07')")
    old.close()
    keys = KeyStore(path)
    (key,) = keys.of("ada", "identity")
    assert (key.master, key.wrapped, key.retiring) == ("", b"\x01", False)
    assert keys.get("bob", "notes") == b"\x02"
    assert keys.head() == (7, "hash7", b"\x07")
    again = KeyStore(path)
    assert again.of("ada", "identity") == (key,)
    assert again.installation == keys.installation
    keys.close()
    again.close()


def upgrade(path: Path, n: int) -> None:
    (path.parent / f"installation{n}").write_text(KeyStore(path).installation)


def test_processes_that_open_an_older_one_at_once_upgrade_it_once(tmp_path: Path) -> None:
    path = version_1(tmp_path / "affect.keys.db")
    assert finish(*[start(upgrade, path, n) for n in range(3)]) == [0] * 3
    assert len({file.read_text() for file in tmp_path.glob("installation?")}) == 1


def test_the_first_key_stays(keys: KeyStore) -> None:
    assert keys.put("o", "p", FIRST) == (FIRST,)
    assert keys.put("o", "p", SECOND) == (FIRST,)


def test_a_key_takes_the_place_of_another_which_retires_and_goes(keys: KeyStore) -> None:
    keys.put("o", "p", FIRST)
    assert keys.replace("o", "p", SECOND)
    retired = WrappedKey(FIRST.id, FIRST.master, FIRST.wrapped, retiring=True)
    assert keys.of("o", "p") == (SECOND, retired)
    third = WrappedKey("cc" * 8, "m1", b"third")
    assert not keys.replace("o", "p", third), "one after the other"
    assert keys.destroy_retiring("o", "p", [SECOND.id]) == 0, "what seals stays"
    assert keys.destroy_retiring("o", "p", [FIRST.id]) == 1
    assert keys.of("o", "p") == (SECOND,)


def test_nothing_takes_the_place_of_a_key_that_was_destroyed(keys: KeyStore) -> None:
    keys.put("o", "p", FIRST)
    keys.destroy("o")
    assert not keys.replace("o", "p", SECOND)
    assert keys.of("o", "p") == ()


def test_no_key_is_kept_under_a_master_key_that_is_not_the_current_one(keys: KeyStore) -> None:
    keys.put("o", "p", FIRST)
    stale = WrappedKey("cc" * 8, "m2", b"stale")
    assert keys.put("o", "q", stale) is None
    assert not keys.replace("o", "p", stale)
    assert keys.of("o", "q") == ()
    assert keys.of("o", "p") == (FIRST,)


def test_destroyed_keys_are_gone_from_every_file_and_others_stay(keys: KeyStore) -> None:
    for i, owner in enumerate(("ada-canary-owner", "bob")):
        for j, purpose in enumerate(("identity", "notes")):
            keys.put(owner, purpose, WrappedKey(f"{i}{j}", "m1", f"{owner}:{purpose}:wrapped".encode()))
    assert keys.destroy("ada-canary-owner", "notes") == 1
    assert keys.get("ada-canary-owner", "identity") is not None
    assert keys.destroy("ada-canary-owner") == 1
    assert keys.destroy("ada-canary-owner") == 0
    assert compacting.traces(compacting.files_of(keys.path), [b"ada-canary-owner"]) == []
    assert not keys.has("ada-canary-owner")
    assert keys.owners("identity") == {"bob"}
    assert keys.get("bob", "notes") == b"bob:notes:wrapped"


def test_the_signed_head_of_each_log_only_moves_on(keys: KeyStore) -> None:
    assert keys.head() is None
    for seq in (3, 1, 5, 4):
        keys.set_head(seq, f"hash{seq}", b"s")
    keys.set_head(2, "look2", b"t", "looks")
    assert keys.head() == (5, "hash5", b"s")
    assert keys.head("looks") == (2, "look2", b"t")


def test_tombstones_are_kept_with_the_keys(keys: KeyStore) -> None:
    when = datetime(2026, 5, 1, 12, tzinfo=UTC)
    keys.keep_tombstone("a" * 32, "d" * 64, None, datetime(2026, 4, 30, tzinfo=UTC))
    keys.keep_tombstone("a" * 32, "d" * 64, None, when)
    keys.keep_tombstone("b" * 32, "d" * 64, "notes", datetime(2026, 4, 1, tzinfo=UTC))
    notes, person = keys.tombstones_kept()
    assert (person.id, person.scope, person.erased_at) == ("a" * 32, None, when)
    assert (notes.scope, notes.subject_digest) == ("notes", "d" * 64)


def put_first(path: Path, n: int) -> None:
    kept = KeyStore(path).put("o", "p", WrappedKey(f"{n:016}", "m1", f"from {n}".encode()))
    assert kept is not None
    (path.parent / f"kept{n}").write_bytes(kept[0].wrapped)


def test_processes_that_put_at_once_keep_one(keys: KeyStore) -> None:
    assert finish(*[start(put_first, keys.path, n) for n in range(4)]) == [0] * 4
    assert len({path.read_bytes() for path in keys.path.parent.glob("kept*")}) == 1
