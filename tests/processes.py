"""Real processes for tests about races and sudden deaths; a server forks them, so that each starts fast."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from tracker.access import Access
from tracker.privacy.keys import Vault
from tracker.store.database import Database
from tracker.store.keystore import KeyStore

CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.processes", "tracker.jobs", "tracker.workflows.erasure"])


def opened(url: str, folder: Path) -> Access:
    """What `tests.builders.installation` made, opened again: in another process, or after one died."""
    keys = KeyStore(folder / "test.keys.db")
    return Access(Database(url), Vault(bytes(range(32)), keys), keys)


def close(access: Access) -> None:
    """Let go of all files, so that they can be copied."""
    access.database.close()
    access.keys.close()


def start(target: Callable[..., None], *args: Any) -> ForkServerProcess:
    """Start a process that runs a module's function."""
    process = CONTEXT.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def finish(*processes: ForkServerProcess, within_s: float = 120.0) -> list[int | None]:
    """Wait for processes; return their exit codes."""
    for process in processes:
        process.join(within_s)
        if process.is_alive():
            process.kill()
            process.join()
    return [process.exitcode for process in processes]


def die_at(access: Access, point: int) -> None:
    """Arrange that this process is killed just before or just after the n-th change that others can see.

    Those are the commits of writing transactions, and the statements outside any.
    """
    passed = 0
    changed = False

    def step() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def begin(_: Connection) -> None:
        nonlocal changed
        if changed:
            changed = False
            step()

    def commit(connection: Connection) -> None:
        nonlocal changed
        options = connection.get_execution_options()
        if "affect_begin" in options or (
            connection.dialect.name == "postgresql" and "isolation_level" not in options
        ):
            step()
            changed = True

    def statement(connection: Connection, cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith(("VACUUM", "PRAGMA wal_checkpoint", "CHECKPOINT")):
            step()

    for engine in (access.database.engine, access.keys._database.engine):
        event.listen(engine, "begin", begin)
        event.listen(engine, "commit", commit)
        event.listen(engine, "before_cursor_execute", statement)
