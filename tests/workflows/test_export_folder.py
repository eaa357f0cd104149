"""An export appears whole or not at all."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, installation
from tests.workflows.exported import bytes_of, someone
from tracker.access import Access
from tracker.store.database import StorageFullError
from tracker.workflows.export import ExportError, export_dataset


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
        (KeyboardInterrupt(), KeyboardInterrupt),
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


def test_a_disk_that_fills_up_while_a_table_is_written_is_one_line(lite: Access, tmp_path: Path) -> None:
    if os.geteuid() != 0 or not Path("/dev/full").exists():
        pytest.skip("writing to a full device is not tried: it needs /dev/full and the right to link to it")

    def fill_up(done: float) -> None:
        [here] = tmp_path.glob("out.partial-*")
        for name in ("codebook.md", "datapackage.json"):
            if not (here / name).exists():
                (here / name).symlink_to("/dev/full")

    with pytest.raises(ExportError, match="cannot be written"):
        export_dataset(lite, tmp_path / "out", NOW, progress=fill_up)
    assert list(tmp_path.glob("out*")) == []


def _hang(url: str, folder: Path, out: Path) -> None:
    access = installation(url, folder)

    def wait(done: float) -> None:
        (folder / "midway").touch()
        time.sleep(60)

    export_dataset(access, out, NOW, progress=wait)


def test_what_a_killed_run_left_is_removed_by_the_next(lite: Access, sqlite_url: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = multiprocessing.get_context("spawn").Process(target=_hang, args=(sqlite_url, tmp_path, out))
    running.start()
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
