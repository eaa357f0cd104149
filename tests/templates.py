"""Databases migrated once in a test process and copied from then on: a copy takes a tenth of the migrations' time."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import Server
from tracker import shipped
from tracker.store import schema
from tracker.store.database import Database


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
