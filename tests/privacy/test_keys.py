from collections.abc import Iterator
from pathlib import Path

import pytest

from tracker.domain.keys import WrappedKey
from tracker.privacy.ciphertext import key_id, seal_plain
from tracker.privacy.keys import KeyDestroyedError, KeyUnavailableError, Vault
from tracker.store.keystore import KeyStore

MASTER = bytes(range(32))


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    keys = KeyStore(tmp_path / "k" / "affect.keys.db", create=True)
    yield keys
    keys.close()


@pytest.fixture
def vault(keys: KeyStore) -> Vault:
    return Vault(MASTER, keys)


def test_what_is_sealed_opens_only_where_it_was_sealed(vault: Vault) -> None:
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
    for broken in (sealed[:-1], sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:], b""):
        with pytest.raises(KeyUnavailableError):
            vault.open("ada", "notes", broken, "notes.text|1")


def test_after_destruction_nothing_opens_and_a_new_key_is_another(vault: Vault) -> None:
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    vault.destroy("ada")
    with pytest.raises(KeyDestroyedError):
        vault.open("ada", "notes", sealed, "p")
    vault.seal("ada", "notes", b"another", "p")
    with pytest.raises(KeyUnavailableError):
        vault.open("ada", "notes", sealed, "p")


def test_a_wrapped_key_moved_to_somebody_else_does_not_open(vault: Vault, keys: KeyStore) -> None:
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    (ada,) = keys.of("ada", "notes")
    keys.put("eve", "notes", WrappedKey("ee" * 8, ada.master, ada.wrapped))
    with pytest.raises(KeyUnavailableError):
        vault.open("eve", "notes", sealed, "p")


def test_signatures_are_ours_and_of_this_message(vault: Vault) -> None:
    signature = vault.sign(b"head")
    assert vault.verify(b"head", signature)
    assert not vault.verify(b"tail", signature)
    assert not vault.verify(b"head", b"")


# --- a data key takes the place of another ------------------------------------------------------------------------


def test_while_a_key_retires_both_open_and_the_new_one_seals(vault: Vault, keys: KeyStore) -> None:
    before = vault.seal("ada", "notes", b"before", "p")
    opener, sealer = vault.opener("ada", "notes"), vault.sealer("ada", "notes")
    vault.renew("ada", "notes")
    new, retiring = vault.renewed("ada", "notes")
    after = vault.seal("ada", "notes", b"after", "p")
    assert key_id(after) == new != key_id(before)
    assert [bytes.fromhex(key) for key in retiring] == [key_id(before)]
    assert vault.open("ada", "notes", before, "p") == b"before"
    # What was fetched before goes on: the opener meets a key that it does not know, the sealer's still opens.
    assert opener(after, "p") == b"after"
    assert vault.open("ada", "notes", sealer(b"late", "p"), "p") == b"late"
    vault.renew("ada", "notes")
    assert vault.renewed("ada", "notes") == (new, retiring), "an interrupted one goes on"
    assert vault.destroy_retiring("ada", "notes", retiring) == 1
    assert vault.open("ada", "notes", after, "p") == b"after"
    with pytest.raises(KeyUnavailableError, match="does not open"):
        vault.open("ada", "notes", before, "p")


def test_the_keys_of_somebody_erased_are_not_renewed(vault: Vault, keys: KeyStore) -> None:
    vault.seal("ada", "notes", b"", "p")
    vault.destroy("ada")
    with pytest.raises(KeyDestroyedError):
        vault.renew("ada", "notes")
    assert not keys.has("ada")


def test_digests_are_found_under_either_key_while_they_are_made_anew(vault: Vault) -> None:
    before = vault.digest("names", "ada")
    assert vault.digests("names", "ada") == (before,)
    vault.renew("installation", "names")
    _, retiring = vault.renewed("installation", "names")
    after = vault.digest("names", "ada")
    assert before != after
    assert vault.digests("names", "ada") == (after, before)
    vault.destroy_retiring("installation", "names", retiring)
    assert vault.digests("names", "ada") == (after,)


# --- a key store from before keys had ids ------------------------------------------------------------------------


def legacy(keys: KeyStore, owner: str, purpose: str, plain: bytes, place: str) -> bytes:
    """A key as the first release wrapped it, and a ciphertext as it sealed it."""
    key = bytes([7]) * 32
    wrapped = seal_plain(MASTER, key, f"key|{owner}|{purpose}")
    with keys._database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO wrapped_keys VALUES (?, ?, ?, 0, '', ?)", ("0f" * 8, owner, purpose, wrapped)
        )
    return seal_plain(key, plain, f"{place}|{owner}|{purpose}")


def test_what_the_first_release_sealed_opens_and_can_be_sealed_anew(vault: Vault, keys: KeyStore) -> None:
    sealed = legacy(keys, "ada", "notes", b"dear diary", "p")
    assert vault.open("ada", "notes", sealed, "p") == b"dear diary"
    vault.seal("ada", "identity", b"more", "q")
    assert {key.master for p in ("notes", "identity") for key in keys.of("ada", p)} == {vault.masters.given}
    vault.renew("ada", "notes")
    assert vault.open("ada", "notes", sealed, "p") == b"dear diary"


def test_an_old_ciphertext_that_looks_like_a_new_one_opens(vault: Vault, keys: KeyStore) -> None:
    legacy(keys, "ada", "notes", b"", "p")
    for _ in range(2000):  # one in 256 begins with the byte of the new format
        sealed = seal_plain(bytes([7]) * 32, b"long enough to hold a header", "p|ada|notes")
        if sealed[0] == 1:
            break
    assert sealed[0] == 1
    assert vault.open("ada", "notes", sealed, "p") == b"long enough to hold a header"


def test_a_wrong_key_adopts_no_older_store(keys: KeyStore) -> None:
    legacy(keys, "ada", "notes", b"", "p")
    stranger = Vault(bytes(32), keys)
    with pytest.raises(KeyUnavailableError, match="the key that this store was made with"):
        stranger.seal("bob", "notes", b"", "p")
    assert keys.masters() == ()
    assert not keys.has("bob")


# --- the master key takes the place of another --------------------------------------------------------------------

NEW = bytes(range(1, 33))


def test_both_master_keys_open_everything_until_the_rotation_is_finished(
    vault: Vault, keys: KeyStore
) -> None:
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    secret = vault.secret("sessions")
    assert vault.masters.replace(NEW) == 2
    for master in (MASTER, NEW):
        other = Vault(master, keys)
        assert other.open("ada", "notes", sealed, "p") == b"dear diary"
        assert other.secret("sessions") == secret
        added = other.seal(f"with {master[0]}", "notes", b"new", "p")
        assert Vault(NEW, keys).open(f"with {master[0]}", "notes", added, "p") == b"new"
    assert vault.masters.finish()
    assert not vault.masters.finish()
    assert Vault(NEW, keys).open("ada", "notes", sealed, "p") == b"dear diary"
    assert vault.open("ada", "notes", sealed, "p") == b"dear diary", "it was there, and goes on"
    for act in (
        lambda late: late.open("ada", "notes", sealed, "p"),
        lambda late: late.seal("carl", "notes", b"", "p"),
        lambda late: late.masters.settle(),
    ):
        with pytest.raises(KeyUnavailableError, match="the key that this store was made with"):
            act(Vault(MASTER, keys))


def test_before_everything_is_wrapped_anew_both_open_too(vault: Vault, keys: KeyStore) -> None:
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    break_off(vault, keys, NEW)
    assert keys.of("ada", "notes")[0].master == vault.masters.given
    for master in (MASTER, NEW):
        assert Vault(master, keys).open("ada", "notes", sealed, "p") == b"dear diary"
    assert Vault(NEW, keys).masters.replace(NEW) == 1, "whoever goes on holds either key"
    assert Vault(NEW, keys).masters.finish()


def break_off(vault: Vault, keys: KeyStore, new: bytes) -> None:
    """Announce a new master key, and go no further."""

    def broken(*_: object) -> int:
        raise RuntimeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "rewrap", broken)
        with pytest.raises(RuntimeError):
            vault.masters.replace(new)


def test_a_key_that_was_announced_and_lost_is_forgotten_for_another(vault: Vault, keys: KeyStore) -> None:
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    break_off(vault, keys, bytes(32))
    assert Vault(MASTER, keys).masters.replace(NEW) == 1
    vault.masters.finish()
    assert Vault(NEW, keys).open("ada", "notes", sealed, "p") == b"dear diary"
    with pytest.raises(KeyUnavailableError):
        Vault(bytes(32), keys).open("ada", "notes", sealed, "p")


def test_two_rotations_do_not_cross(vault: Vault) -> None:
    vault.seal("ada", "notes", b"", "p")
    vault.masters.replace(NEW)
    with pytest.raises(KeyUnavailableError, match="finish that one first"):
        vault.masters.replace(bytes(32))


def test_a_process_whose_source_has_the_new_key_goes_on_after_the_end(vault: Vault, keys: KeyStore) -> None:
    sealed = vault.seal("ada", "notes", b"dear diary", "p")
    asked: list[int] = []
    late = Vault(MASTER, keys, again=lambda: asked.append(1) or NEW)
    assert late.open("ada", "notes", sealed, "p") == b"dear diary"
    assert not asked
    vault.masters.replace(NEW)
    vault.masters.finish()
    assert late.open("ada", "notes", sealed, "p") == b"dear diary"
    assert late.open("ada", "notes", late.seal("ada", "notes", b"more", "q"), "q") == b"more"
    assert asked == [1]
