"""Exports that were asked for in the web, as files that every process of the server finds.

They lie in one folder of the installation, ``affect.exports`` beside a key store ``affect.keys.db``, readable by its
owner alone. Each export has ``<id>.json``, which says how far it has come, and once it is done ``<id>.zip``; while it
is made, its process holds ``<id>.held``, which the system lets go of however the process ends. Whoever changes anything
holds ``.lock``.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tracker.store.types import from_microseconds, to_microseconds


class Stage(StrEnum):
    """How far an export has come."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """An export that somebody asked for in the web.

    Attributes
    ----------
    id
        Random; in addresses.
    by, began_at
        Who asked, and when (UTC).
    share
        How much is done, 0 to 1.
    export, size
        Once it is done: its id in the registry, and the bytes of its archive.
    problem
        Why it failed, for whoever asked.
    asked
        What was asked for, in one line.
    """

    id: str
    by: str
    began_at: datetime
    stage: Stage = Stage.RUNNING
    share: float = 0.0
    export: str = ""
    size: int = 0
    problem: str = ""
    asked: str = ""


def folder_of(store: Path) -> Path:
    """Where the exports of an installation wait, by its key store.

    Examples
    --------
    >>> folder_of(Path("/data/affect.keys.db")).as_posix()
    '/data/affect.exports'
    """
    return store.with_name(f"{store.name.removesuffix('.keys.db')}.exports")


def in_one_line(asked: Mapping[str, Any]) -> str:
    """What was asked for, the same for the same.

    Examples
    --------
    >>> in_one_line({"formats": {"csv", "parquet"}, "shape": None})
    '{"formats": ["csv", "parquet"], "shape": null}'
    """
    return json.dumps(dict(asked), sort_keys=True, default=sorted)


class Waiting:
    """The files of one installation's exports.

    Parameters
    ----------
    folder
        Made when it is first written into.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes anything meanwhile, in any process; never for long."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._held(".lock", wait=True):
            yield

    @contextmanager
    def making(self, job: str) -> Iterator[None]:
        """Say that this process makes an export, until it has ended."""
        with self._held(f"{job}.held", wait=True):
            yield

    def every(self) -> list[Job]:
        """All that are here, newest first."""
        found = [job for path in self.folder.glob("*.json") if (job := self.read(path.stem)) is not None]
        return sorted(found, key=lambda job: (job.began_at, job.id), reverse=True)

    def read(self, job: str) -> Job | None:
        """One, None where it is not here."""
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            told = json.loads((self.folder / f"{job}.json").read_bytes())
            return Job(
                **{**told, "began_at": from_microseconds(told["began_at"]), "stage": Stage(told["stage"])}
            )
        return None

    def write(self, job: Job) -> None:
        """Keep how far one has come: the old word or the new, never half of it."""
        told = asdict(job) | {"began_at": to_microseconds(job.began_at), "stage": job.stage.value}
        fresh = self.folder / f"{job.id}.new"
        fresh.write_text(json.dumps(told), "utf-8")
        fresh.replace(self.folder / f"{job.id}.json")

    def ended(self, job: str) -> bool:
        """Whether no process makes it any more."""
        try:
            with self._held(f"{job}.held", wait=False):
                return True
        except BlockingIOError:
            return False

    def archive(self, job: str) -> Path:
        """Where the archive of one that is done lies."""
        return self.folder / f"{job}.zip"

    def busy(self) -> bool:
        """Whether any process makes any, wanted or not."""
        return any(not self.ended(path.stem) for path in self.folder.glob("*.held"))

    def forget(self, job: str) -> None:
        """Say that nobody wants one any more; its files stay with whoever makes it."""
        (self.folder / f"{job}.json").unlink(missing_ok=True)

    def remove(self, job: str) -> None:
        """Delete everything of one."""
        for path in self.folder.glob(f"{job}*"):
            self._delete(path)

    def settle(self) -> None:
        """Say of those whose process is gone that they failed; what it left goes."""
        for job in self.every():
            if job.stage is Stage.RUNNING and self.ended(job.id):
                self.remove(job.id)
                self.write(
                    replace(job, stage=Stage.FAILED, problem="the server was stopped; ask for it again")
                )
        self.remove_loose()

    def remove_loose(self) -> None:
        """Delete what belongs to none that is here: a process that was killed left it."""
        known = {job.id for job in self.every()}
        for path in self.folder.glob("*"):
            job = path.name.partition(".")[0]
            if job and job not in known and self.ended(job):
                self.remove(job)

    @contextmanager
    def _held(self, name: str, *, wait: bool) -> Iterator[None]:
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    @staticmethod
    def _delete(path: Path) -> None:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
