"""Erasures on disks that are full or cannot be written, with a key that is lost, and two at once."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, installation, observed, store
from tests.lives import lived
from tests.processes import close, finish, opened, start
from tracker.access import Access
from tracker.domain.people import Person
from tracker.privacy.keys import KeyUnavailableError, Vault
from tracker.store import compacting, erasing, tombstones
from tracker.store.database import DatabaseError, StorageFullError
from tracker.store.tombstones import Step
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)


def rows(access: Access, who: Person) -> dict[str, int]:
    with access.database.read() as connection:
        return erasing.left_of_person(connection, who.subject, who.id)


def step(access: Access) -> list[Step]:
    with access.database.read() as connection:
        return [t.step for t in tombstones.every(connection)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of a few megabytes, where the machine lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") is not None and os.geteuid() == 0
    if mounted:
        mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if not mounted:
        pytest.skip("full and read-only disks are not tried: mounting a small one is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return ballast


def test_on_a_full_disk_nothing_is_called_done_and_the_next_run_finishes(disk: Path) -> None:
    access = installation(f"sqlite:///{disk / 'affect.db'}", disk)
    who = lived(access)
    store(access, who, [observed(NOW - timedelta(seconds=i), source="e" * 64) for i in range(4000)], NOW)
    assert compacting.checkpoint(access.database)
    ballast = fill(disk)
    with pytest.raises(StorageFullError, match="Free some space"):
        erasure.erase_person(access, who, LATER)
    assert Step.DONE not in step(access)
    ballast.unlink()
    if not erasure.resume(access, LATER):  # it had not even begun
        erasure.erase_person(access, who, LATER)
    assert rows(access, who) == {}
    assert step(access) == [Step.DONE]
    assert access.audit() is None
    close(access)


def test_on_a_disk_that_becomes_full_on_the_way(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = installation(f"sqlite:///{disk / 'affect.db'}", disk)
    who = lived(access)
    store(access, who, [observed(NOW - timedelta(seconds=i), source="e" * 64) for i in range(4000)], NOW)
    store(access, lived(access, "someone else"), [observed(NOW - timedelta(seconds=i)) for i in range(4000)])
    assert compacting.checkpoint(access.database)
    ballasts: list[Path] = []

    def full(*args: object) -> bool:
        ballasts.append(fill(disk))
        return compact(*args)  # type: ignore[arg-type]

    compact = compacting.compact
    monkeypatch.setattr(compacting, "compact", full)
    with pytest.raises(StorageFullError, match="Free some space"):
        erasure.erase_person(access, who, LATER)
    monkeypatch.undo()
    assert step(access) == [Step.EMPTIED]
    ballasts[0].unlink()
    (done,) = erasure.resume(access, LATER)
    assert done.counts["observations"] == 4031
    close(access)


def test_on_a_disk_that_cannot_be_written_nothing_is_changed(disk: Path) -> None:
    access = installation(f"sqlite:///{disk / 'affect.db'}", disk)
    who = lived(access)
    assert compacting.checkpoint(access.database)
    close(access)
    before = (disk / "affect.db").read_bytes()
    remount = ["mount", "-o", "remount,ro", str(disk)]
    if subprocess.run(remount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a read-only disk is not tried: remounting is not allowed here")
    with pytest.raises(DatabaseError, match=r"readonly|unable to open|read-only"):
        erasure.erase_person(access, who, LATER)
    close(access)
    assert (disk / "affect.db").read_bytes() == before
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    erasure.erase_person(access, who, LATER)
    assert rows(access, who) == {}
    close(access)


def test_with_another_master_key_nothing_is_changed(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = lived(access)
    before = rows(access, who)
    wrong = Access(access.database, Vault(bytes(32), access.keys), access.keys)
    with pytest.raises(KeyUnavailableError, match="master key"):
        erasure.erase_person(wrong, who, LATER)
    assert rows(access, who) == before
    assert step(access) == []
    close(access)


def erase(url: str, folder: Path, who: Person) -> None:
    access = opened(url, folder)
    for _ in range(20):
        try:
            erasure.erase_person(access, who, LATER)
            return
        except erasure.ErasureIncompleteError:
            continue  # the other one is at it
    raise AssertionError("it was never finished")


def test_two_at_once_come_to_the_same_end(database_url: str, tmp_path: Path) -> None:
    access = installation(database_url, tmp_path)
    other = lived(access, "someone else")
    for round_ in range(4):
        who = lived(access, f"somebody {round_}")
        close(access)
        both = [start(erase, database_url, tmp_path, who) for _ in range(2)]
        assert finish(*both) == [0, 0]
        assert rows(access, who) == {}
        assert rows(access, other)["observations"] == 31
        assert step(access) == [Step.DONE] * (round_ + 1)
        assert access.audit() is None
        assert access.keys.owners("erasing") == set()
        with access.database.read() as connection:
            assert [tombstone.rows["observations"] for tombstone in tombstones.every(connection)] == [31] * (
                round_ + 1
            )
    close(access)
