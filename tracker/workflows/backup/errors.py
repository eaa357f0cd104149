"""What can be wrong with a backup, or with bringing one back."""

from __future__ import annotations

from pathlib import Path

from tracker.store.database import DatabaseError


class BackupError(Exception):
    """A backup cannot be written there, or is none that can be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class RestoreRefusedError(DatabaseError):
    """The database or the key store is not one that this backup may be brought back to; nothing was changed."""
