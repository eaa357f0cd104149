"""Replace the master key where it comes from: in its file, or through the hands of the operator."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer

from tracker.access import Access
from tracker.cli import master_key
from tracker.domain.keys import MasterState
from tracker.settings import Settings, SettingsError
from tracker.store import keybackups
from tracker.store.keybackups import Pruned


@dataclass(frozen=True, slots=True)
class Replaced:
    """How far a rotation of the master key has come.

    Attributes
    ----------
    wrapped
        How many keys were wrapped anew by this run.
    finished
        Whether the old master key opens nothing any more.
    where
        The file with the new one.
    source
        From where the program reads the master key, in the operator's words.
    """

    wrapped: int
    finished: bool
    where: Path | None
    source: str

    def sentence(self) -> str:
        """Say it."""
        if self.finished:
            where = f" The new one is in {self.where}." if self.where is not None else ""
            return f"{self.wrapped} keys wrapped anew; the old master key opens nothing any more.{where}"
        return (
            f"{self.wrapped} keys wrapped anew; both master keys open everything. Now let {self.source} give the new "
            f"one{f' ({self.where})' if self.where is not None else ''}, restart what runs, and run the same command "
            "again: then the old one opens nothing any more."
        )


def rotate_master(access: Access, settings: Settings, new_key_file: Path | None, now: datetime) -> Replaced:
    """Replace the master key, or go on with a replacement that was begun.

    Raises
    ------
    SettingsError
        When there is no file for the new key.
    """
    if settings.master_key or settings.master_key_command:
        name = "AFFECT_MASTER_KEY" if settings.master_key else "AFFECT_MASTER_KEY_COMMAND"
        return _through_hands(access, name, new_key_file, now)
    return _in_its_file(access, settings.master_key_path, new_key_file, now)


def renew_backups(access: Access, now: datetime) -> Pruned:
    """Make the noted backups of the key store anew, after keys were destroyed."""
    return keybackups.prune(access.keys, now)


def tell(pruned: Pruned) -> None:
    """Say on stderr which backups could not be made anew."""
    for folder in pruned.out_of_reach:
        typer.echo(
            f"affect-tracker: the backups in {folder} cannot be reached; they hold the old keys, destroy them",
            err=True,
        )


def _in_its_file(access: Access, path: Path, new_key_file: Path | None, now: datetime) -> Replaced:
    masters = access.vault.masters
    coming = path.with_name(f"{path.name}.new")
    if not os.access(path.parent, os.W_OK):
        raise SettingsError(f"{path.parent} cannot be written, so no new master key can be put there")
    wrapped = 0
    standing = masters.standing()
    begun = MasterState.FORMER in standing
    if not begun:
        wrapped = masters.replace(_new_key(access, new_key_file or coming))
    if master_key.of_file(path) != masters.current_key():
        _put_in_place(path, master_key.text(masters.current_key()))
    if coming.exists():
        keybackups.overwrite(coming)
    masters.finish()
    tell(renew_backups(access, now))
    return Replaced(wrapped, True, path, str(path))


def _through_hands(access: Access, name: str, new_key_file: Path | None, now: datetime) -> Replaced:
    masters = access.vault.masters
    standing = masters.standing()
    if MasterState.FORMER in standing:
        if masters.given == standing[MasterState.CURRENT]:
            masters.finish()
            tell(renew_backups(access, now))
            return Replaced(0, True, new_key_file, name)
        return Replaced(0, False, new_key_file, name)
    if new_key_file is None:
        raise SettingsError(
            f"the master key comes from {name}, so this program cannot replace it there; say where the new one "
            "stands, or is to be put: --new-key-file FILE"
        )
    return Replaced(masters.replace(_new_key(access, new_key_file)), False, new_key_file, name)


def _new_key(access: Access, path: Path) -> bytes:
    """The new key in a file, made when it is missing."""
    if not path.exists():
        master_key.make(path)
    key = master_key.of_file(path)
    if key == access.vault.masters.current_key():
        raise SettingsError(
            f"{path} holds the present master key; give a file with another, or one to be made"
        )
    return key


def _put_in_place(path: Path, text: str) -> None:
    """Replace the master key's file at once, and overwrite what stood there."""
    complete = path.with_name(f"{path.name}.complete")
    if complete.exists():
        keybackups.overwrite(complete)
    master_key.write_private(complete, text)
    with path.open("r+b") as old:
        complete.replace(path)
        # The old file has no name any more; what stood in it opens old copies of the key store.
        size = os.fstat(old.fileno()).st_size
        old.write(bytes(size))
        old.flush()
        os.fsync(old.fileno())
