"""Exports that wait here to be fetched are ours to erase too: those that hold any of it go with it, not later."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.access import Access
from tracker.store import exports
from tracker.store.waiting import Stage, Waiting, folder_of
from tracker.workflows.erasure.errors import ErasureIncompleteError

_LOOKED = "exports that wait to be fetched"
_RUNNING = (
    "an export that is being made now: what it has written so far goes when it ends, and nobody is given it"
)


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where it was looked, and what is still on its way."""

    at: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def clear(access: Access) -> Shelved:
    """Delete each export that waits and is outdated by now, and what killed ones have left; then look.

    Raises
    ------
    ErasureIncompleteError
        When one cannot be deleted.
    """
    waiting = Waiting(folder_of(access.keys.path))
    if not waiting.folder.is_dir():
        return Shelved()
    try:
        with waiting.alone():
            return _cleared(access, waiting)
    except OSError as error:
        raise ErasureIncompleteError(
            f"exports that wait in {waiting.folder} cannot be deleted: {error.strerror or error}"
        ) from error


def _cleared(access: Access, waiting: Waiting) -> Shelved:
    waiting.settle()
    with access.database.read() as connection:
        current = {row.id for row in exports.every(connection) if row.outdated_at is None}
    jobs = waiting.every()
    for job in jobs:
        if job.stage is Stage.DONE and job.export not in current:
            waiting.remove(job.id)
            if waiting.archive(job.id).exists():
                raise ErasureIncompleteError(f"the export {waiting.archive(job.id)} is still there")
    running = any(job.stage is Stage.RUNNING for job in jobs) or waiting.busy()
    return Shelved((_LOOKED,), (_RUNNING,) if running else ())
