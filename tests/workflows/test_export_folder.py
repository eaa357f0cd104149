"""An export appears whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, installation, observed, store
from tests.processes import start
from tests.workflows.exported import bytes_of, someone
from tracker.access import Access
from tracker.store.database import StorageFullError
from tracker.workflows.export import ExportError, export_dataset
from tracker.workflows.export.folder import partial


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    someone(opened, "ada")
    yield opened
    opened.database.close()
    opened.keys.close()


def registered(access: Access) -> int:
    with access.database.read() as connection:
        return int(connection.execute(text("select count(*) from exports")).scalar_one())


def test_an_empty_folder_is_filled_and_a_full_one_left_alone(lite: Access, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    result = export_dataset(lite, out, NOW)
    before = bytes_of(result.folder)
    with pytest.raises(ExportError, match="is not empty"):
        export_dataset(lite, out, NOW)
    assert bytes_of(out) == before
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert registered(lite) == 1


def test_a_file_in_the_way_and_a_folder_that_cannot_be_are_one_line(lite: Access, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match="is no folder"):
        export_dataset(lite, tmp_path / "file", NOW)
    with pytest.raises(ExportError, match="cannot be used"):
        export_dataset(lite, tmp_path / "file" / "below", NOW)


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StorageFullError),
        (OSError(errno.EIO, "Input/output error"), ExportError),
    ],
)
def test_what_ends_in_mid_run_leaves_nothing(
    lite: Access, tmp_path: Path, what: BaseException, kind: type[BaseException]
) -> None:
    def end(done: float) -> None:
        if done >= 0.5:
            raise what

    with pytest.raises(kind):
        export_dataset(lite, tmp_path / "out", NOW, progress=end)
    assert list(tmp_path.glob("out*")) == []
    assert registered(lite) == 0


def test_a_full_device_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("a full device is not tried: there is no /dev/full here")

    def write() -> None:
        with partial(tmp_path / "out", "x") as here:
            (here / "observations.csv").write_text("half a row")
            Path("/dev/full").write_bytes(b"x")

    with pytest.raises(StorageFullError, match="nothing was exported"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 40 kB, where the machine lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") is not None and os.geteuid() == 0
    if mounted:
        mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(place)]
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if not mounted:
        pytest.skip("a real disk that fills up is not tried: mounting a small one is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("wanted", [{"csv"}, {"parquet"}])
def test_a_disk_that_fills_up_while_tables_are_written(
    lite: Access, small_disk: Path, wanted: set[str]
) -> None:
    who = lite.person("ada")
    store(lite, who, [observed(NOW - timedelta(seconds=i + 1), source="d" * 64) for i in range(3000)], NOW)
    with pytest.raises(StorageFullError, match="nothing was exported"):
        export_dataset(lite, small_disk / "out", NOW, formats=wanted)
    assert list(small_disk.iterdir()) == []
    assert registered(lite) == 0


def _hang(url: str, folder: Path, out: Path) -> None:
    access = installation(url, folder)

    def wait(done: float) -> None:
        (folder / "midway").touch()
        time.sleep(60)

    export_dataset(access, out, NOW, progress=wait)


def test_what_a_killed_run_left_is_removed_by_the_next(lite: Access, sqlite_url: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = start(_hang, sqlite_url, tmp_path, out)
    while not (tmp_path / "midway").exists():
        assert running.is_alive()
        time.sleep(0.05)
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    running.join()
    running.close()
    assert not out.exists()
    assert len(list(tmp_path.glob("out.partial-*"))) == 1
    result = export_dataset(lite, out, NOW)
    assert [p.name for p in tmp_path.glob("out*")] == ["out"]
    assert registered(lite) == 1
    assert (result.folder / "manifest.json").exists()
