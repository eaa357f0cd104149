import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.processes import finish, start
from tracker.domain.keys import WrappedKey
from tracker.store import compacting, keybackups
from tracker.store.keybackups import BackupError, back_up, prune
from tracker.store.keystore import KeyStore

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CANARY = b"wrapped-key-canary-7f3a91"


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    made = KeyStore(tmp_path / "affect.keys.db", create=True)
    made.put("ada", "notes", WrappedKey("aa" * 8, "m", CANARY))
    made.put("bob", "notes", WrappedKey("bb" * 8, "m", b"of bob"))
    return made


def test_a_backup_is_the_whole_store_in_one_private_file(keys: KeyStore, tmp_path: Path) -> None:
    made = back_up(keys, tmp_path / "b", 3, NOW)
    assert list(made.parent.iterdir()) == [made]
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    restored = KeyStore(made)
    assert restored.get("ada", "notes") == CANARY
    assert restored.installation == keys.installation
    restored.close()


def test_only_the_newest_are_kept_and_nobody_elses_are_touched(keys: KeyStore, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    other = KeyStore(tmp_path / "other" / "affect.keys.db", create=True)
    of_other = back_up(other, folder, 3, NOW)
    letter = folder / "letter.txt"
    letter.write_text("mine")
    made = [back_up(keys, folder, 2, NOW + timedelta(days=day)) for day in range(4)]
    assert set(folder.iterdir()) == {*made[-2:], of_other, letter}


def test_a_backup_that_goes_is_overwritten_first(tmp_path: Path) -> None:
    path, also = tmp_path / "backup", tmp_path / "the same bytes under another name"
    path.write_bytes(CANARY * 100_000)
    also.hardlink_to(path)
    keybackups.overwrite(path)
    assert not path.exists()
    assert set(also.read_bytes()) == {0}
    assert also.stat().st_size == len(CANARY) * 100_000


def test_after_keys_are_destroyed_no_backup_within_reach_holds_them(keys: KeyStore, tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    for day in range(3):
        back_up(keys, near, 3, NOW + timedelta(days=day))
    back_up(keys, far, 3, NOW)
    far.rename(tmp_path / "taken away")
    assert compacting.traces(near.iterdir(), [CANARY]), "there it is, before"
    keys.destroy("ada")
    pruned = prune(keys, NOW + timedelta(days=9))
    assert pruned.folders == (str(near),)
    assert pruned.out_of_reach == (str(far),)
    (one,) = near.iterdir()
    assert compacting.traces([one], [CANARY]) == []
    restored = KeyStore(one)
    assert restored.get("bob", "notes") == b"of bob"
    restored.close()


def test_one_that_cannot_be_written_leaves_the_others_whole(
    keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "b"
    made = back_up(keys, folder, 1, NOW)

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(keybackups, "_copy", broken)
    with pytest.raises(BackupError, match="cannot be backed up to"):
        back_up(keys, folder, 1, NOW + timedelta(days=1))
    assert list(folder.iterdir()) == [made]
    assert prune(keys, NOW + timedelta(days=2)).out_of_reach == (str(folder),)
    assert list(folder.iterdir()) == [made]


def back_up_and_die(path: Path, folder: Path) -> None:
    import os  # noqa: PLC0415
    import signal  # noqa: PLC0415

    keybackups._sync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    back_up(KeyStore(path), folder, 3, NOW)


def test_what_a_killed_run_left_goes_with_the_next(keys: KeyStore, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    assert finish(start(back_up_and_die, keys.path, folder)) == [-9]
    (left,) = folder.iterdir()
    assert left.name.endswith(".partial")
    made = back_up(keys, folder, 3, NOW + timedelta(days=1))
    assert list(folder.iterdir()) == [made]
