"""Statements that a process of tests compiled once already: each test's own engine would compile them anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy import Engine, create_engine

MOST = 4000
"""How many are kept; the code has about a thousand, tests add theirs."""


class Compiled(MutableMapping[Any, Any]):
    """SQLAlchemy's cache of compiled statements, for all engines of a process that speak to one kind of database.

    Its keys begin with an engine's own dialect, which no other engine has; here dialects of one driver count as one,
    because `tracker.store.database` makes all engines alike.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}
        self._lock = threading.Lock()

    @staticmethod
    def _key(key: Any) -> Any:
        dialect, *rest = key
        return dialect.name, dialect.driver, *rest

    def get(self, key: Any, default: Any = None) -> Any:
        return self._kept.get(self._key(key), default)

    def __getitem__(self, key: Any) -> Any:
        return self._kept[self._key(key)]

    def __setitem__(self, key: Any, compiled: Any) -> None:
        with self._lock:
            if len(self._kept) >= MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[self._key(key)] = compiled

    def __delitem__(self, key: Any) -> None:
        del self._kept[self._key(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(tuple(self._kept))

    def __len__(self) -> int:
        return len(self._kept)


_COMPILED = Compiled()


def engine(*args: Any, **options: Any) -> Engine:
    """Make an engine as SQLAlchemy does; what other engines compiled it need not compile."""
    return create_engine(*args, execution_options={"compiled_cache": _COMPILED}, **options)
