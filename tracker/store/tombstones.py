"""Queries about tombstones: what is left of a person who was erased, and how far their erasure has come.

A tombstone names nobody: its ids are keyed digests. It stays, so that an interrupted erasure is finished,
an old backup's rows are recognised, and the consent log's gaps are accounted for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select, update

from tracker.store import tables
from tracker.store.database import DatabaseError
from tracker.store.rows import upsert


class Step(StrEnum):
    """How far an erasure has come."""

    BEGUN = "begun"
    # A scope's erasure: the log's guard lets events of consent go only while a person's stands at its beginning.
    OPENED = "opened"
    EMPTIED = "emptied"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A tombstone as stored.

    Attributes
    ----------
    id, subject_digest
        Keyed digests of the participant's and the subject's ids.
    erased_at
        When the erasure began; once it is done, when it was.
    step
        How far it has come.
    rows, exports, keys, priors
        What was deleted by table, how many exports were flagged, keys destroyed, and priors retired.
    log, looks
        The rows of the consent log, and of the log of looks, whose events were deleted.
    signature
        Of `evidence`, by the installation.
    pending
        Whose it is and what to look for, sealed under a key that is destroyed when the erasure is done.
    scope
        The scope that is erased; None: the whole person.
    retired
        Ids of the priors that held something of it.
    clean_at
        When no learner held anything of it any more; None while one does.
    looked, unseen, copies
        Where it was looked, where it could not be, and which files beside the database hold copies.
    """

    id: str
    subject_digest: str
    erased_at: datetime
    step: Step
    rows: Mapping[str, int]
    exports: int = 0
    keys: int = 0
    priors: int = 0
    log: tuple[int, ...] = ()
    looks: tuple[int, ...] = ()
    signature: bytes = b""
    pending: bytes = b""
    scope: str | None = None
    retired: tuple[str, ...] = ()
    clean_at: datetime | None = None
    looked: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()

    def evidence(self) -> bytes:
        """What the signature is over."""
        looks = (
            [list(self.looks)] if self.looks else []
        )  # tombstones from before there were any stay as signed
        return json.dumps([self.id, self.subject_digest, list(self.log), *looks]).encode()


def begin(connection: Connection, tombstone: Tombstone) -> None:
    """Set a tombstone unless it stands already."""
    statement = upsert(connection, tables.tombstones).values(
        id=tombstone.id,
        subject_digest=tombstone.subject_digest,
        erased_at=tombstone.erased_at,
        counts=_counts(tombstone),
    )
    connection.execute(statement.on_conflict_do_nothing())


def advance(connection: Connection, tombstone: Tombstone) -> None:
    """Write how far an erasure has come."""
    connection.execute(
        update(tables.tombstones)
        .where(tables.tombstones.c.id == tombstone.id)
        .values(erased_at=tombstone.erased_at, counts=_counts(tombstone))
    )


def get(connection: Connection, tombstone: str) -> Tombstone | None:
    """Find a tombstone."""
    query = select(tables.tombstones).where(tables.tombstones.c.id == tombstone)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _tombstone(row)


def every(connection: Connection, since: datetime | None = None) -> list[Tombstone]:
    """All tombstones, or those set after an instant, oldest first."""
    query = select(tables.tombstones).order_by(tables.tombstones.c.erased_at, tables.tombstones.c.id)
    if since is not None:
        query = query.where(tables.tombstones.c.erased_at > since)
    return [_tombstone(row) for row in connection.execute(query).mappings()]


def _counts(tombstone: Tombstone) -> dict[str, Any]:
    return {
        "step": tombstone.step.value,
        "rows": dict(tombstone.rows),
        "exports": tombstone.exports,
        "keys": tombstone.keys,
        "priors": tombstone.priors,
        "log": list(tombstone.log),
        "looks": list(tombstone.looks),
        "signature": tombstone.signature.hex(),
        "pending": tombstone.pending.hex(),
        "scope": tombstone.scope,
        "retired": list(tombstone.retired),
        "clean_at": tombstone.clean_at.isoformat() if tombstone.clean_at is not None else None,
        "looked": list(tombstone.looked),
        "unseen": list(tombstone.unseen),
        "copies": list(tombstone.copies),
    }


def _tombstone(row: Any) -> Tombstone:
    """Raise `DatabaseError` where somebody wrote what no erasure writes."""
    try:
        return _read(row)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DatabaseError(
            f"tombstone {row['id']!r} cannot be read ({type(error).__name__}): it was altered; restore a backup"
        ) from None


def _read(row: Any) -> Tombstone:
    counts = row["counts"]
    clean_at = counts.get("clean_at")
    return Tombstone(
        id=row["id"],
        subject_digest=row["subject_digest"],
        erased_at=row["erased_at"],
        step=Step(counts["step"]),
        rows=counts["rows"],
        exports=counts["exports"],
        keys=counts["keys"],
        priors=counts.get("priors", 0),
        log=tuple(counts["log"]),
        looks=tuple(counts.get("looks", ())),
        signature=bytes.fromhex(counts["signature"]),
        pending=bytes.fromhex(counts["pending"]),
        scope=counts.get("scope"),
        retired=tuple(counts.get("retired", ())),
        clean_at=datetime.fromisoformat(clean_at) if clean_at is not None else None,
        looked=tuple(counts.get("looked", ())),
        unseen=tuple(counts.get("unseen", ())),
        copies=tuple(counts.get("copies", ())),
    )
