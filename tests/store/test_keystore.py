import stat
from pathlib import Path

import pytest

from tests.processes import finish, start
from tracker.privacy.keys import KeyDestroyedError, KeyUnavailableError, Vault
from tracker.store import compacting
from tracker.store.database import DatabaseError
from tracker.store.keystore import KeyStore

MASTER = bytes(range(32))


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "k" / "affect.keys.db", create=True)


def test_only_its_owner_may_read_it(keys: KeyStore) -> None:
    keys.put("o", "p", b"w")
    for path in compacting.files_of(keys.path):
        if path.exists():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_missing_key_store_is_not_made_by_accident(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError):
        KeyStore(tmp_path / "affect.keys.db")
    assert list(tmp_path.iterdir()) == []


def test_making_it_again_keeps_what_is_there(keys: KeyStore) -> None:
    keys.put("o", "p", b"w")
    again = KeyStore(keys.path, create=True)
    assert again.get("o", "p") == b"w"
    again.close()


def test_the_first_key_stays(keys: KeyStore) -> None:
    assert keys.put("o", "p", b"first") == b"first"
    assert keys.put("o", "p", b"second") == b"first"


def test_destroyed_keys_are_gone_from_every_file_and_others_stay(keys: KeyStore) -> None:
    for owner in ("ada-canary-owner", "bob"):
        for purpose in ("identity", "notes"):
            keys.put(owner, purpose, f"{owner}:{purpose}:wrapped".encode())
    assert keys.destroy("ada-canary-owner", "notes") == 1
    assert keys.get("ada-canary-owner", "identity") is not None
    assert keys.destroy("ada-canary-owner") == 1
    assert keys.destroy("ada-canary-owner") == 0
    assert compacting.traces(compacting.files_of(keys.path), [b"ada-canary-owner"]) == []
    assert not keys.has("ada-canary-owner")
    assert keys.owners("identity") == {"bob"}
    assert keys.get("bob", "notes") == b"bob:notes:wrapped"


def test_the_signed_head_only_moves_on(keys: KeyStore) -> None:
    assert keys.head() is None
    for seq in (3, 1, 5, 4):
        keys.set_head(seq, f"hash{seq}", b"s")
    assert keys.head() == (5, "hash5", b"s")


def test_what_is_sealed_opens_only_where_it_was_sealed(keys: KeyStore) -> None:
    vault = Vault(MASTER, keys)
    sealed = vault.seal("ada", "notes", b"dear diary", "notes.text|1")
    assert vault.open("ada", "notes", sealed, "notes.text|1") == b"dear diary"
    vault.seal("bob", "notes", b"", "notes.text|1")
    vault.seal("ada", "identity", b"", "notes.text|1")
    for owner, purpose, place in (
        ("bob", "notes", "notes.text|1"),
        ("ada", "identity", "notes.text|1"),
        ("ada", "notes", "notes.text|2"),
    ):
        with pytest.raises(KeyUnavailableError, match="does not open"):
            vault.open(owner, purpose, sealed, place)
    for broken in (sealed[:-1], sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:], b""):
        with pytest.raises(KeyUnavailableError):
            vault.open("ada", "notes", broken, "notes.text|1")


def test_the_same_words_are_sealed_differently_each_time(keys: KeyStore) -> None:
    vault = Vault(MASTER, keys)
    assert len({vault.seal("ada", "notes", b"same", "p") for _ in range(50)}) == 50


def test_after_destruction_nothing_opens_and_a_new_key_is_another(keys: KeyStore) -> None:
    vault = Vault(MASTER, keys)
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    vault.destroy("ada")
    with pytest.raises(KeyDestroyedError):
        vault.open("ada", "notes", sealed, "p")
    vault.seal("ada", "notes", b"another", "p")
    with pytest.raises(KeyUnavailableError):
        vault.open("ada", "notes", sealed, "p")


def test_a_wrapped_key_moved_to_somebody_else_does_not_open(keys: KeyStore) -> None:
    vault = Vault(MASTER, keys)
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    keys.put("eve", "notes", keys.get("ada", "notes") or b"")
    with pytest.raises(KeyUnavailableError):
        vault.open("eve", "notes", sealed, "p")


def test_signatures_are_ours_and_of_this_message(keys: KeyStore) -> None:
    vault = Vault(MASTER, keys)
    signature = vault.sign(b"head")
    assert vault.verify(b"head", signature)
    assert not vault.verify(b"tail", signature)
    assert not vault.verify(b"head", b"")


def put_first(path: Path, n: int) -> None:
    kept = KeyStore(path).put("o", "p", f"from {n}".encode())
    (path.parent / f"kept{n}").write_bytes(kept)


def test_processes_that_put_at_once_keep_one(keys: KeyStore) -> None:
    assert finish(*[start(put_first, keys.path, n) for n in range(4)]) == [0] * 4
    assert len({path.read_bytes() for path in keys.path.parent.glob("kept*")}) == 1
