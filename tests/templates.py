"""Databases migrated once in a test process and copied from then on: a copy takes a tenth of the migrations' time."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
import uuid
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from tests.postgres import Server
from tracker import shipped
from tracker.access import Access
from tracker.store import schema
from tracker.store.database import Database

Built = TypeVar("Built")
_built: dict[Hashable, tuple[Path, Any]] = {}


@contextlib.contextmanager
def template(server: Server) -> Iterator[str]:
    """Keep a PostgreSQL database with today's tables, to make others from; yield its name."""
    name = f"affect_template_{uuid.uuid4().hex}"
    with server.database(name) as url:
        _migrate(url)
        yield name


def place(path: Path) -> None:
    """Put an SQLite file with today's tables there."""
    shutil.copy(_file(), path)


@functools.cache
def _file() -> Path:
    folder = _folder()
    _migrate(f"sqlite:///{folder.name}/template.sqlite3")
    return Path(folder.name) / "template.sqlite3"


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """It lasts as long as the process."""
    return tempfile.TemporaryDirectory(prefix="affect-template-")


def _migrate(url: str) -> None:
    database = Database(url, create=True)
    schema.migrate(database, shipped.migrations())
    database.close()  # SQLite moves what its log holds into the file


def once(access: Access, what: Hashable, build: Callable[[], Built]) -> Built:
    """Build something in a pristine installation on SQLite; the next time copy the files instead.

    Parameters
    ----------
    access
        The installation; where somebody is enrolled already, or on PostgreSQL, it is built every time.
    what
        Tells apart what is built: all that `build` depends on.
    """
    path = access.database.path
    if path is None or access.everyone():
        return build()
    if what not in _built:
        built = build()
        kept = Path(_folder().name) / str(len(_built))
        kept.mkdir()
        _copy(access, path, kept / "series", kept / "keys")
        _built[what] = kept, built
        return built
    kept, built = _built[what]
    access.database.close()
    access.keys.close()
    shutil.copy(kept / "series", path)
    shutil.copy(kept / "keys", access.keys.path)
    return cast(Built, built)


def _copy(access: Access, path: Path, series: Path, keys: Path) -> None:
    access.database.close()  # what the logs hold moves into the files
    access.keys.close()
    shutil.copy(path, series)
    shutil.copy(access.keys.path, keys)
