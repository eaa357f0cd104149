"""The command line as a user meets it: its own data folder, its own database, one line of arguments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tracker.cli import run
from tracker.lab.portrait import write_clip

STARTED = "2026-03-02T09:00:00+01:00"
COVERS = "2026-03-01T00:00:00+01:00"
SMALL = (240, 240)
"""A size for clips, pixels: faces are found twice as fast as in the demo's."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """Its one line of complaint."""
        lines = [line for line in self.err.strip().splitlines() if line.strip()]
        assert len(lines) == 1, f"expected one line on stderr, got: {self.err!r}"
        return lines[0]


Cli = Callable[..., Ended]


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that no other test sees."""
    folder = tmp_path / "data"
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(folder))
    _unset(monkeypatch)
    return folder


def _unset(patched: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "KEY_STORE", "MASTER_KEY", "MASTER_KEY_FILE", "MASTER_KEY_COMMAND"):
        patched.delenv(f"AFFECT_{name}", raising=False)


@pytest.fixture
def cli(data_folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process."""

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = run(list(arguments))
        captured = capsys.readouterr()
        return Ended(int(code), captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a participant, `ada`, made as a user makes it; to be copied, never used."""
    folder = tmp_path_factory.mktemp("enrolled") / "data"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AFFECT_DATA_FOLDER", str(folder))
        _unset(patched)
        for command in (
            ("init",),
            ("enrol", "ada", "--zone", "Europe/Berlin"),
            (
                "consent", "grant", "ada", "affect_series", "personal_learning", "context",
                "--evidence", "test", "--covers-from", COVERS,
            ),
        ):  # fmt: skip
            assert run(list(command)) == 0, command
    return folder


@pytest.fixture
def ada(cli: Cli, data_folder: Path, enrolled: Path) -> str:
    """An enrolled participant who granted the series and learning, covering March 2026 on."""
    shutil.copytree(enrolled, data_folder)
    return "ada"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of the moving portrait."""
    path = tmp_path_factory.mktemp("clips") / "portrait.mp4"
    write_clip(path, 6.0, size=SMALL)
    return path


def spawn(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tracker.cli", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
