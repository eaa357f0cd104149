"""What a test process builds once and copies from then on: migrated databases, installations, their first person.

A copy takes a tenth of the time or less.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
import uuid
import weakref
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from tests.postgres import Server
from tracker import shipped
from tracker.access import Access
from tracker.privacy.keys import Vault
from tracker.store import notices, schema, studies
from tracker.store.database import Database
from tracker.store.keystore import KeyStore
from tracker.study import DEFAULT

MASTER = bytes(range(32))
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OF_THE_APP = ("sessions", "authenticator apps")
"""Secrets that `webui.create_app` would make: with them, making an app changes nothing."""

Built = TypeVar("Built")
Stamp = tuple[tuple[int, int] | None, ...]
_built: dict[Hashable, tuple[Path, Any]] = {}
_asked: Counter[Hashable] = Counter()
_untouched: weakref.WeakKeyDictionary[Access, Stamp] = weakref.WeakKeyDictionary()
_last_test = ""


@contextlib.contextmanager
def template(server: Server) -> Iterator[str]:
    """Keep a PostgreSQL database with today's tables, to make others from; yield its name."""
    name = f"affect_template_{uuid.uuid4().hex}"
    with server.database(name) as url:
        _migrate(url)
        yield name


def place(path: Path, keys: Path) -> bool:
    """Put an SQLite file with today's tables and the default notice there, and a key store for a test's first one.

    Returns
    -------
    bool
        Whether the key store was put there. Installations that have the same one share ids: two of one test may not.
    """
    series, store = _files()
    shutil.copy(series, path)
    if keys.exists() or not _is_first(keys.parent):
        return False
    keys.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(store, keys)
    return True


def _is_first(folder: Path) -> bool:
    """Whether the test that runs asks for the first time, and in its own folder, not in one that other tests see."""
    global _last_test
    if not any(part.startswith("test_") for part in folder.parts):
        return False
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]  # "name (phase)"
    first, _last_test = test != _last_test, test
    return first


@functools.cache
def _files() -> tuple[Path, Path]:
    series, store = (Path(_folder().name) / f"template.{name}" for name in ("sqlite3", "keys"))
    _migrate(f"sqlite:///{series}")
    database, keys = Database(f"sqlite:///{series}"), KeyStore(store, create=True)
    with database.write() as connection:
        notices.stand(connection, DEFAULT, LONG_AGO)
    for purpose in OF_THE_APP:
        Vault(MASTER, keys).secret(purpose)
    database.close()
    keys.close()
    return series, store


def remember(access: Access) -> None:
    """Take note that nothing was done yet in an installation on SQLite: see `first`."""
    _untouched[access] = _stamp(access)


def first(access: Access, what: Hashable, build: Callable[[], Built]) -> Built:
    """Build what many tests begin with by `once`, where the test did nothing before it, and from the second time on."""
    if access not in _untouched or _untouched.pop(access) != _stamp(access):
        return build()
    with access.database.read() as connection:
        what = what, studies.in_force(connection).model_dump_json()
    _asked[what] += 1
    return once(access, what, build) if _asked[what] > 1 else build()


def _stamp(access: Access) -> Stamp:
    """Other after each committed transaction: SQLite has appended it to a log."""
    files = (access.database.path, access.keys.path)
    return tuple(_seen(Path(f"{file}{end}")) for file in files for end in ("", "-wal"))


def _seen(path: Path) -> tuple[int, int] | None:
    if not path.exists():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size


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
