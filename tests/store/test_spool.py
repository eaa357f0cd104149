"""Folders that go with their process, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tracker.store.spool import Spool, remove_left

_KILLED = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[1]
from tracker.store.spool import Spool
(Spool("affect-exports-").folder / "archive.zip").write_bytes(b"rows of people")
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_goes_and_what_lives_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert len(list(tmp_path.glob("affect-exports-*/archive.zip"))) == 1
    mine = Spool("affect-exports-")
    (tmp_path / "another").mkdir()
    (tmp_path / "affect-exports-link").symlink_to(tmp_path / "another")
    assert remove_left("affect-exports-") == 1
    assert {p.name for p in tmp_path.iterdir()} == {mine.folder.name, "another", "affect-exports-link"}
    mine.close()
    assert not mine.folder.exists()
