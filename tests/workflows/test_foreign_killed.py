"""An import that is killed anywhere: what is stored is whole, and the same command goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.builders import installation
from tests.processes import finish, opened, start
from tests.workflows.foreign_files import DIARY, NOW, asked, diary, written
from tests.workflows.killed import die_at
from tests.workflows.test_foreign import rows_of
from tracker.access import Access
from tracker.cli import foreign as command
from tracker.workflows import consenting, enrolment
from tracker.workflows.foreign import storing

LINES = [
    f"{who},2026-03-{day:02d} 09:00,{day},{1 + day % 7},home,"
    for who in ("ada", "bob")
    for day in range(1, 6)
]
STEPS = (1, 2, 3, 5, 4, 6)
"""At which step each run is killed; the next goes on from where that one came to."""


def run(access: Access, folder: Path) -> None:
    path, mapping = folder / "diary.csv", folder / "diary.toml"
    command.bring(access, asked(folder, path, mapping), NOW, as_json=True)


def killed_at(step: int, url: str, folder: Path) -> None:
    """Import in this process, and kill it before or after a transaction."""
    storing.BATCH = 2
    die_at(
        step,
        (
            (enrolment, "admit"),
            (consenting, "grant"),
            (storing, "_write"),
            (storing, "learn_again"),
            (Access, "sign_head"),
        ),
    )
    access = opened(url, folder)
    run(access, folder)


def test_whatever_is_killed_is_gone_on_with_by_the_same_command(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enrolling, granting, writing and learning are each cut short once, wherever the run before had come to."""
    written(tmp_path, DIARY, "diary.toml")
    written(tmp_path, diary(*LINES))
    installation(sqlite_url, tmp_path).close()
    for step in STEPS:
        assert finish(start(killed_at, step, sqlite_url, tmp_path)) == [-signal.SIGKILL]
    access = opened(sqlite_url, tmp_path)
    try:
        monkeypatch.setattr(storing, "BATCH", 2)
        run(access, tmp_path)
        for name in ("ada", "bob"):
            stored = rows_of(access, name, "at")
            assert [len(stored[table]) for table in ("corrections", "contexts")] == [10, 5]
            assert len(set(stored["contexts"])) == 5
        assert access.audit() is None
    finally:
        access.close()
