"""Exports made in the background for researchers who ask in the web: one at a time, kept a while to be fetched.

What is made lies in a folder of the installation (`tracker.store.waiting`): any process of the server tells
how far it is and gives it out, and it outlives them. Once it is outdated, because somebody in it withdrew, it is
deleted within a minute while any process looks, and else by the hourly job; it goes when it is put away, and after a
day. An export that was cut short with its process is asked for again.

Whoever asked for it is who may fetch it: everybody in it reads their name. Whoever asks for what is being made for them
already is given that one, whichever process they ask.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tracker.access import Access
from tracker.domain.consent import ConsentError
from tracker.domain.readers import Reader
from tracker.store.database import DatabaseError
from tracker.store.waiting import Job, Stage, Waiting, folder_of, in_one_line
from tracker.workflows.export import registry
from tracker.workflows.export.errors import ExportError, UnknownExportError
from tracker.workflows.export.run import export_dataset

KEPT = timedelta(days=1)
"""How long an export waits to be fetched."""

LOOK_S = 60.0
"""How often it is looked whether what waits is outdated."""

_STEP = 0.005
"""From how much more on it is told how much is done."""

_log = logging.getLogger(__name__)


class BusyError(ExportError):
    """Another export is being made."""

    def __init__(self) -> None:
        super().__init__("another export is being made; wait until it is done")


class GoneError(LookupError):
    """An export is not here any more, or never was."""


class _DiscardedError(Exception):
    """Nobody wants it any more."""


class Shelf:
    """The exports of an installation, as one process sees them.

    Parameters
    ----------
    access
        The gate.
    clock
        The current instant (UTC).
    """

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access, self._clock = access, clock
        self._waiting = Waiting(folder_of(access.keys.path))
        self._changed = threading.Condition()
        self._mine: str | None = None
        self._watcher: threading.Thread | None = None
        self._maker: threading.Thread | None = None
        self._closed = False

    @property
    def folder(self) -> Path:
        """Where everything lies."""
        return self._waiting.folder

    def begin(self, reader: Reader, **asked: Any) -> Job:
        """Begin an export in the background; return the one that is being made where the same was asked before.

        Parameters
        ----------
        reader
            Who asks: everybody in it will read that.
        asked
            As for `tracker.workflows.export.export_dataset`.

        Raises
        ------
        BusyError
            While another is being made, in whichever process.
        """
        told = in_one_line(asked)
        with self._changed:
            if self._closed:
                raise BusyError
            with self._waiting.alone():
                self._waiting.settle()
                for job in self._waiting.every():
                    if job.stage is Stage.RUNNING and (job.by, job.asked) == (reader.name, told):
                        return job
                    if job.stage is Stage.RUNNING:
                        raise BusyError
                if self._waiting.busy():  # with one that was stopped, and has not noticed yet
                    raise BusyError
                job = Job(secrets.token_hex(16), reader.name, self._clock(), asked=told)
                self._waiting.write(job)
                self._mine, begun = job.id, threading.Event()
                self._maker = threading.Thread(
                    target=self._make, args=(job, reader, asked, begun), daemon=True
                )
                self._maker.start()
                begun.wait()
            self._watch()
            return job

    def jobs(self) -> list[Job]:
        """Those that are here, newest first."""
        self.sweep()
        return self._waiting.every()

    def open(self, job: str, by: str) -> Path:
        """The archive of one that is done, for who asked for it.

        Raises
        ------
        GoneError
            Where it is not here any more, or somebody else asked for it.
        """
        self.sweep()
        found = self._waiting.read(job)
        if found is None or found.by != by or found.stage is not Stage.DONE:
            raise GoneError(job)
        return self._waiting.archive(job)

    def discard(self, job: str) -> None:
        """Delete one, or stop making it."""
        with self._waiting.alone():
            if self._waiting.read(job) is None:
                raise GoneError(job)
            if self._waiting.ended(job):
                self._waiting.remove(job)
            else:  # whoever makes it sees that nobody wants it, and takes everything away
                self._waiting.forget(job)

    def sweep(self) -> None:
        """Delete what is outdated, or has waited for a day, and what processes that were killed have left."""
        if not self.folder.is_dir():
            return
        with self._waiting.alone():
            self._waiting.settle()
            jobs = self._waiting.every()
        for job in jobs:
            if job.stage is Stage.RUNNING:
                continue
            if self._clock() - job.began_at >= KEPT or (job.stage is Stage.DONE and self._outdated(job)):
                with suppress(GoneError):
                    self.discard(job.id)
        if any(job.stage is not Stage.RUNNING for job in jobs):
            self._watch()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until this process makes nothing, for tests and for closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._mine is None, seconds)

    def close(self) -> None:
        """Stop what this process makes; what is done stays for the others, and for the next."""
        with self._changed:
            self._closed, mine = True, self._mine
            self._changed.notify_all()
        if mine is not None:
            with suppress(GoneError):
                self.discard(mine)
        for thread in (self._maker, self._watcher):
            if thread is not None:
                thread.join()

    def _outdated(self, job: Job) -> bool:
        try:
            return registry.one(self._access, job.export).outdated_at is not None
        except UnknownExportError:
            return True

    def _make(self, job: Job, reader: Reader, asked: dict[str, Any], begun: threading.Event) -> None:
        try:
            with self._waiting.making(job.id):
                begun.set()
                self._ended(job, reader, asked)
        finally:
            begun.set()
            with self._changed:
                self._mine = None
                self._changed.notify_all()

    def _ended(self, job: Job, reader: Reader, asked: dict[str, Any]) -> None:
        with suppress(_DiscardedError):
            try:
                done = self._made(job, reader, asked)
            except (ExportError, ConsentError, DatabaseError, LookupError, ValueError) as error:
                done = {"stage": Stage.FAILED, "problem": str(error)}
            except _DiscardedError:
                raise
            except Exception:
                _log.exception("an export in the background failed")
                done = {
                    "stage": Stage.FAILED,
                    "problem": "it failed for a reason that is in the server's log",
                }
            self._replace(job.id, **done)
            return
        with self._waiting.alone():
            self._waiting.remove(job.id)

    def _made(self, job: Job, reader: Reader, asked: dict[str, Any]) -> dict[str, Any]:
        out, archive = self.folder / job.id, self._waiting.archive(job.id)
        whole, last = False, -1.0

        def report(share: float) -> None:
            nonlocal last
            if share - last >= _STEP:
                last = share
                self._replace(job.id, share=share)

        try:
            result = export_dataset(
                self._access,
                out,
                self._clock(),
                reader=reader,
                progress=lambda share: report(0.95 * share),
                **asked,
            )
            files = sorted(path for path in out.rglob("*") if path.is_file())
            with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
                for n, file in enumerate(files, start=1):
                    packed.write(file, f"affect-series-{result.id[:12]}/{file.relative_to(out).as_posix()}")
                    report(0.95 + 0.05 * n / len(files))
            archive.chmod(0o600)
            whole = True
        finally:
            shutil.rmtree(out, ignore_errors=True)
            if not whole:
                archive.unlink(missing_ok=True)
        return {"stage": Stage.DONE, "share": 1.0, "export": result.id, "size": archive.stat().st_size}

    def _replace(self, job: str, **changes: Any) -> None:
        with self._waiting.alone():
            found = self._waiting.read(job)
            if found is None:
                raise _DiscardedError
            self._waiting.write(replace(found, **changes))

    def _watch(self) -> None:
        """Begin to look again and again whether what waits is outdated, until nothing waits."""
        with self._changed:
            if self._closed or (self._watcher is not None and self._watcher.is_alive()):
                return
            self._watcher = threading.Thread(target=self._look, daemon=True)
            self._watcher.start()

    def _look(self) -> None:
        while True:
            with self._changed:
                if self._closed or not self._waiting.every():
                    return
                self._changed.wait(LOOK_S)
            with suppress(DatabaseError):
                self.sweep()
