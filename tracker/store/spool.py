"""Temporary folders that go with their process: what a process that was killed has left is removed by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

EXPORTS = "affect-exports-"
"""How the folders of exports begin that wait to be fetched in the web."""


class Spool:
    """A private temporary folder that nobody takes for one that was left, while this process lives.

    Parameters
    ----------
    prefix
        How its name begins.
    """

    def __init__(self, prefix: str) -> None:
        while True:
            self.folder = Path(tempfile.mkdtemp(prefix=prefix))
            with suppress(FileNotFoundError):
                self._held = os.open(self.folder, os.O_RDONLY)
                fcntl.flock(self._held, fcntl.LOCK_EX)
                if self.folder.is_dir():
                    return
                os.close(self._held)  # somebody removed it before it was held

    def close(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            os.close(self._held)


def remove_left(prefix: str) -> int:
    """Remove the folders of processes that are gone; return how many there were.

    The system lets go of a folder when the process that holds it ends, however it does.
    """
    removed = 0
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{prefix}*")):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                removed += 1
            finally:
                os.close(descriptor)
    return removed
