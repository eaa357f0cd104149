"""Look whether what should be gone is gone: in rows and keys, and then for its bytes in every file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.access import Access
from tracker.store import compacting, fingerprints, relations
from tracker.workflows.erasure.errors import ErasureIncompleteError
from tracker.workflows.erasure.whose import Whose

_POSTGRESQL = "the files of the PostgreSQL server, which its role may not read (pg_read_server_files)"
_POSTGRESQL_WAL = "the write-ahead log and the logs of the PostgreSQL server"

_NAMES = {"": "the file", "-wal": "write-ahead log", "-shm": "shared memory", "-journal": "rollback journal"}


@dataclass(frozen=True, slots=True)
class Looked:
    """Where it was looked, where it could not be, and which files beside the database hold a copy of the bytes."""

    at: tuple[str, ...]
    unseen: tuple[str, ...]
    copies: tuple[str, ...]


def look(access: Access, whose: Whose) -> Looked:
    """Search every file for bytes of the person, or of what the scope covered.

    Raises
    ------
    ErasureIncompleteError
        When they lie in a file that is ours. Files of somebody else's making beside the database are named.
    """
    needles = [*whose.needles, *(s for word in whose.words for s in fingerprints.spellings(word))]
    at, unseen, copies = [], [], []
    for title, path in (("database", access.database.path), ("key store", access.keys.path)):
        if path is None or not needles:
            continue
        ours, others = compacting.files_beside(path)
        _demand_none(access, ours, whose, needles)
        at.append(f"{title}: {', '.join(_ending(file, path) for file in ours)}")
        copies += [file.name for file in others if _hits(access, file, whose, needles)]
    if access.database.path is None and needles:
        with access.database.read() as connection:
            may = relations.may_look(connection)
        if may:
            held = relations.traces(access.database, needles)
            explained = _explained(access, list(held), whose)
            if left := sorted(
                {name for needle, names in held.items() if needle not in explained for name in names}
            ):
                raise ErasureIncompleteError(f"bytes of it are left in the relations {', '.join(left)}")
            at.append("database: every table and index of PostgreSQL")
            unseen.append(_POSTGRESQL_WAL)
        else:
            unseen += [_POSTGRESQL, _POSTGRESQL_WAL]
    at.insert(0, "rows and keys")
    return Looked(tuple(at), tuple(unseen), tuple(f"the copy {name} beside the database" for name in copies))


def _demand_none(access: Access, files: Sequence[Path], whose: Whose, needles: Sequence[bytes]) -> None:
    held = [file.name for file in files if _hits(access, file, whose, needles)]
    if held:
        raise ErasureIncompleteError(f"bytes of it are left in {', '.join(held)}")


def _hits(access: Access, file: Path, whose: Whose, needles: Sequence[bytes]) -> bool:
    found = compacting.found_in(file, needles)
    return bool(found) and not found <= _explained(access, found, whose)


def _explained(access: Access, found: set[bytes] | list[bytes], whose: Whose) -> set[bytes]:
    """The bytes of words that somebody else says too: they need not be gone."""
    explained: set[bytes] = set()
    with access.database.read() as connection:
        for word in whose.words:
            spelt = {s for s in fingerprints.spellings(word) if s in found}
            if spelt and fingerprints.said_elsewhere(connection, word):
                explained |= spelt
    return explained


def _ending(file: Path, path: Path) -> str:
    ending = file.name.removeprefix(path.name)
    return _NAMES.get(ending, ending)
