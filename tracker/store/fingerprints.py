"""What to look for after an erasure: bytes that only the rows of one person, or of one scope, had."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import JSON, ColumnElement, Connection, LargeBinary, String, Table, cast, func, select, text

from tracker.store.tables import metadata

TAIL = 24
"""Bytes at the end of a ciphertext, its tag among them: no other ciphertext ends with them."""

SHORTEST = 10
"""Letters of the shortest word that is looked for: a shorter one lies in somebody's rows by chance."""

_SEALED_EACH, _SEALED, _WORDS_EACH, _ROWS = 2, 8, 1, 5_000


def sealed_ends(connection: Connection, rows: Mapping[Table, ColumnElement[bool]]) -> list[bytes]:
    """The ends of some ciphertexts in rows that will go: of each column the first and the last."""
    found: list[bytes] = []
    for table, condition in rows.items():
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                for order in (table.primary_key.columns, [c.desc() for c in table.primary_key.columns]):
                    query = select(column).where(condition, column.is_not(None)).order_by(*order)
                    values = connection.execute(query.limit(_SEALED_EACH // 2)).scalars()
                    found += [bytes(v)[-TAIL:] for v in values if len(v) >= SHORTEST]
    return list(dict.fromkeys(found))[:_SEALED]


def words(connection: Connection, rows: Mapping[Table, ColumnElement[bool]]) -> list[str]:
    """The longest words in rows that will go, one of each column; others may say them too (see `said_elsewhere`)."""
    found: set[str] = set()
    for table, condition in rows.items():
        for column in table.columns:
            if isinstance(column.type, String) and not column.foreign_keys:
                some = select(column.label("word")).where(condition).limit(_ROWS).subquery()
                length = func.length(some.c.word)
                long = select(some.c.word).where(length >= SHORTEST).group_by(some.c.word)
                longest = long.order_by(length.desc(), some.c.word).limit(_WORDS_EACH)
                found.update(connection.execute(longest).scalars())
    return sorted(found, key=lambda word: (-len(word), word))


def spellings(word: str) -> list[bytes]:
    """How a word lies in a file: in a column of text, and in one of JSON.

    Examples
    --------
    >>> spellings("Café Mozart")
    [b'Caf\\xc3\\xa9 Mozart', b'Caf\\\\u00e9 Mozart']
    """
    return list(dict.fromkeys((word.encode(), json.dumps(word)[1:-1].encode())))


def said_elsewhere(connection: Connection, word: str) -> bool:
    """Whether a row that is left says the word, so that its bytes are not the erased person's."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, String | JSON):
                for spelling in spellings(word):
                    if _says(connection, table, cast(column, String), spelling.decode()):
                        return True
    return _in_schema(connection, word)


def _says(connection: Connection, table: Table, column: ColumnElement[str], word: str) -> bool:
    found = func.instr(column, word) if connection.dialect.name == "sqlite" else func.strpos(column, word)
    return connection.execute(select(1).select_from(table).where(found > 0).limit(1)).first() is not None


def _in_schema(connection: Connection, word: str) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    query = text("SELECT 1 FROM sqlite_master WHERE instr(sql, :word) > 0 LIMIT 1")
    return connection.execute(query, {"word": word}).first() is not None
