"""The consent log's hash chain over salted commitments.

Each log row holds the commitment to an event's personal fields, not the fields: SHA-256 over a random
salt and the event's canonical JSON. Erasing a person deletes salt and fields, so the row that stays says
nothing about anyone, and the chain that runs through it still verifies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GENESIS = hashlib.sha256(b"affect-tracker consent log").hexdigest()
"""What the first row's `previous` holds."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the log: position, commitment, and the hashes that chain it to its neighbour."""

    seq: int
    commitment: str
    recorded_at_us: int
    previous: str
    hash: str


def commit(salt: bytes, fields: Mapping[str, str]) -> str:
    """Commit to an event's fields.

    Examples
    --------
    >>> commit(b"s", {"a": "1"}) == commit(b"s", {"a": "1"}) != commit(b"t", {"a": "1"})
    True
    """
    canonical = json.dumps(dict(fields), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(salt + canonical.encode()).hexdigest()


def link(seq: int, commitment: str, recorded_at_us: int, previous: str) -> Link:
    """Chain a commitment to the row before it."""
    body = f"{seq}|{commitment}|{recorded_at_us}|{previous}"
    return Link(seq, commitment, recorded_at_us, previous, hashlib.sha256(body.encode()).hexdigest())


def first_break(links: Iterable[Link]) -> str | None:
    """Return what is wrong with a chain, naming the first row that does not fit, or None.

    Examples
    --------
    >>> a = link(1, "c1", 0, GENESIS); b = link(2, "c2", 1, a.hash)
    >>> first_break([a, b]) is None
    True
    >>> first_break([b])
    'row 2 stands where row 1 is expected: a row was removed or reordered'
    """
    previous = GENESIS
    for expected, row in enumerate(links, start=1):
        if row.seq != expected:
            return f"row {row.seq} stands where row {expected} is expected: a row was removed or reordered"
        if row != link(row.seq, row.commitment, row.recorded_at_us, previous):
            return f"row {row.seq} does not match its hash: it was altered"
        previous = row.hash
    return None
