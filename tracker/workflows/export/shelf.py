"""Exports made in the background for researchers who ask in the web: one at a time, kept a while to be fetched.

What is made lies in a temporary folder of this process alone. Once it is outdated, because somebody in it withdrew, it
is deleted within a minute; it goes when it is put away, after a day, and with the process: what one that was killed has
left goes when the next begins. An export that was cut short with the process is asked for again.

Whoever asked for it is who may fetch it: everybody in it reads their name.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from tracker.access import Access
from tracker.domain.consent import ConsentError
from tracker.domain.readers import Reader
from tracker.store.database import DatabaseError
from tracker.store.spool import EXPORTS, Spool, remove_left
from tracker.workflows.export import registry
from tracker.workflows.export.errors import ExportError, UnknownExportError
from tracker.workflows.export.run import export_dataset

KEPT = timedelta(days=1)
"""How long an export waits to be fetched."""

LOOK_S = 60.0
"""How often it is looked whether what waits is outdated."""

_log = logging.getLogger(__name__)


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
    """

    id: str
    by: str
    began_at: datetime
    stage: Stage = Stage.RUNNING
    share: float = 0.0
    export: str = ""
    size: int = 0
    problem: str = ""


class BusyError(ExportError):
    """Another export is being made."""

    def __init__(self) -> None:
        super().__init__("another export is being made; wait until it is done")


class GoneError(LookupError):
    """An export is not here any more, or never was."""


class _DiscardedError(Exception):
    """Nobody wants it any more."""


class Shelf:
    """The exports of one process.

    Parameters
    ----------
    access
        The gate.
    clock
        The current instant (UTC).
    """

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._spool: Spool | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def begin(self, reader: Reader, **asked: Any) -> Job:
        """Begin an export in the background.

        Parameters
        ----------
        reader
            Who asks: everybody in it will read that.
        asked
            As for `tracker.workflows.export.export_dataset`.

        Raises
        ------
        BusyError
            While another is being made.
        """
        with self._changed:
            if self._closed or any(job.stage is Stage.RUNNING for job in self._jobs.values()):
                raise BusyError
            if self._spool is None:
                remove_left(EXPORTS)
                self._spool = Spool(EXPORTS)
            job = Job(secrets.token_hex(16), reader.name, self._clock())
            self._jobs[job.id] = job
            self._thread = threading.Thread(target=self._make, args=(job, reader, asked), daemon=True)
            self._thread.start()
            return job

    def jobs(self) -> list[Job]:
        """Those that are here, newest first."""
        self.sweep()
        with self._changed:
            return sorted(self._jobs.values(), key=lambda job: job.began_at, reverse=True)

    def open(self, job: str, by: str) -> Path:
        """The archive of one that is done, for who asked for it.

        Raises
        ------
        GoneError
            Where it is not here any more, or somebody else asked for it.
        """
        self.sweep()
        with self._changed:
            found = self._jobs.get(job)
            if found is None or found.by != by or found.stage is not Stage.DONE or self._folder is None:
                raise GoneError(job)
            return self._folder / f"{job}.zip"

    def discard(self, job: str) -> None:
        """Delete one, or stop making it."""
        with self._changed:
            if self._jobs.pop(job, None) is None:
                raise GoneError(job)
            self._delete(job)
            self._changed.notify_all()

    def sweep(self) -> None:
        """Delete what is outdated, or has waited for a day."""
        with self._changed:
            ended = [job for job in self._jobs.values() if job.stage is not Stage.RUNNING]
        for job in ended:
            if self._clock() - job.began_at >= KEPT or (job.stage is Stage.DONE and self._outdated(job)):
                with suppress(GoneError):
                    self.discard(job.id)

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until nothing is being made, for tests and for closing."""
        with self._changed:
            self._changed.wait_for(
                lambda: not any(job.stage is Stage.RUNNING for job in self._jobs.values()), seconds
            )

    def close(self) -> None:
        """Stop, and delete everything."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
            thread, spool = self._thread, self._spool
        if thread is not None:
            thread.join()
        if spool is not None:
            spool.close()

    @property
    def _folder(self) -> Path | None:
        return self._spool.folder if self._spool is not None else None

    def _outdated(self, job: Job) -> bool:
        try:
            return registry.one(self._access, job.export).outdated_at is not None
        except UnknownExportError:
            return True

    def _make(self, job: Job, reader: Reader, asked: dict[str, Any]) -> None:
        try:
            done = self._made(job, reader, asked)
        except _DiscardedError:
            self._delete(job.id)
        except (ExportError, ConsentError, DatabaseError, LookupError, ValueError) as error:
            self._replace(job.id, stage=Stage.FAILED, problem=str(error))
        except Exception:
            _log.exception("an export in the background failed")
            self._replace(
                job.id, stage=Stage.FAILED, problem="it failed for a reason that is in the server's log"
            )
        else:
            self._replace(job.id, **done)
        self._watch()

    def _made(self, job: Job, reader: Reader, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._folder is not None
        out, archive = self._folder / job.id, self._folder / f"{job.id}.zip"
        whole = False

        def report(share: float) -> None:
            self._replace(job.id, share=0.95 * share)

        try:
            result = export_dataset(self._access, out, self._clock(), reader=reader, progress=report, **asked)
            with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
                for file in sorted(path for path in out.rglob("*") if path.is_file()):
                    packed.write(file, f"affect-series-{result.id[:12]}/{file.relative_to(out).as_posix()}")
                    self._replace(job.id)
            whole = True
        finally:
            shutil.rmtree(out, ignore_errors=True)
            if not whole:
                archive.unlink(missing_ok=True)
        return {"stage": Stage.DONE, "share": 1.0, "export": result.id, "size": archive.stat().st_size}

    def _replace(self, job: str, **changes: Any) -> None:
        with self._changed:
            if job not in self._jobs:
                raise _DiscardedError
            self._jobs[job] = replace(self._jobs[job], **changes)
            self._changed.notify_all()

    def _watch(self) -> None:
        """Look again and again whether what waits is outdated, until nothing waits or the next is made."""
        me = threading.current_thread()
        while True:
            with self._changed:
                if self._closed or self._thread is not me or not self._jobs:
                    return
                self._changed.wait(LOOK_S)
            with suppress(DatabaseError):
                self.sweep()

    def _delete(self, job: str) -> None:
        if self._folder is not None:
            (self._folder / f"{job}.zip").unlink(missing_ok=True)
