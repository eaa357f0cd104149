"""Whether a database is older than its key store: a copy that somebody put back as it was.

In it withdrawals and erasures have not happened. The key store knows better: it holds the signed ends of the logs, and
a tombstone of each erasure. `affect-tracker restore` brings a copy back and makes good what came after it.
"""

from __future__ import annotations

from tracker.access import stones
from tracker.domain.stretches import Stretch
from tracker.privacy.keys import Vault
from tracker.store import chains, people, tombstones
from tracker.store.chains import CONSENT, LOOKS, Chain
from tracker.store.database import Connection, DatabaseError
from tracker.store.keystore import KeptTombstone, KeyStore
from tracker.store.tombstones import Step, Tombstone

CONSENT_HEAD, LOOKS_HEAD = "consent", "looks"
"""Under which names the key store keeps the signed heads of the two logs."""

SignedHead = tuple[int, str, bytes] | None
Heads = dict[str, SignedHead]


class DatabaseAgeError(DatabaseError):
    """The database is older than the key store.

    Parameters
    ----------
    what
        By what it was seen.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the database is older than the key store: {what}. Nothing was written. Bring the newest database back; "
            "if there is none, move this one away and run: affect-tracker restore BACKUP"
        )


def demand_signed(connection: Connection, chain: Chain, name: str, signed: SignedHead) -> None:
    """Raise `DatabaseAgeError` unless a log still has the row that was signed last.

    The signed head is fetched before the transaction looks, or under the log's lock: then its row is committed.
    """
    if (fault := signed_fault(connection, chain, name, signed)) is not None:
        raise DatabaseAgeError(fault)


def logs_fault(connection: Connection, heads: Heads) -> str | None:
    """Say in which log a row that was signed is missing, or is another; None when both stand."""
    faults = (
        signed_fault(connection, chain, name, heads[name])
        for chain, name in ((CONSENT, CONSENT_HEAD), (LOOKS, LOOKS_HEAD))
    )
    return next((fault for fault in faults if fault is not None), None)


def demand_newest(connection: Connection, vault: Vault, kept: list[KeptTombstone], heads: Heads) -> None:
    """Raise `DatabaseAgeError` when both logs, or what was erased, show a database older than the key store."""
    fault = logs_fault(connection, heads) or erased_fault(connection, vault, kept)
    if fault is not None:
        raise DatabaseAgeError(fault)


def heads_of(keys: KeyStore) -> Heads:
    """The signed heads of both logs."""
    return {name: keys.head(name) for name in (CONSENT_HEAD, LOOKS_HEAD)}


def signed_fault(connection: Connection, chain: Chain, name: str, signed: SignedHead) -> str | None:
    """Say that the row of a signed head is missing, or is another; None when it stands."""
    if signed is None or signed[0] == 0:
        return None
    called = "the consent log" if name == CONSENT_HEAD else "the log of looks"
    here = chains.hash_at(connection, chain, signed[0])
    if here is None:
        return f"row {signed[0]} of {called} was signed, and is not in it"
    if here != signed[1]:
        return f"row {signed[0]} of {called} is another than the one that was signed"
    return None


def erased_fault(connection: Connection, vault: Vault, kept: list[KeptTombstone]) -> str | None:
    """Say that somebody who was erased, or what a scope of theirs covered, has come back; None where nobody has.

    An erasure that is under way is no fault: it will be finished.
    """
    by_id = {stone.id: stone for stone in kept}
    if not by_id:
        return None
    standing = {stone.id: stone for stone in tombstones.every(connection)}
    parts = sorted({stone.scope for stone in kept if stone.scope is not None})
    number_of = stones.numbering(vault)
    for row in people.everyone(connection):
        for part in (None, *parts):
            number = number_of(row.id, stones.read(part))
            stone, here = by_id.get(number), standing.get(number)
            if stone is not None and (here is None or _before(here, stone)):
                what = "a stretch" if Stretch.read(part) else f"the {part}"
                whose = "somebody" if part is None else f"{what} of somebody"
                return f"{whose} was erased on {stone.erased_at:%Y-%m-%d %H:%M} UTC, and has come back"
    return None


def _before(here: Tombstone, kept: KeptTombstone) -> bool:
    """Whether an erasure of a scope that is done is one from before that which the key store knows of."""
    return kept.scope is not None and here.step is Step.DONE and here.erased_at < kept.erased_at
