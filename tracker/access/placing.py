"""The ends that the logs will have once a restore has put a backup in the place of a database that is lost.

They may be earlier than those that were signed. Database and key store cannot change in one transaction, so what the
ends will be is noted with the keys before the backup is put in place, and made true after it. Whoever is killed between
the two leaves the note, and whoever opens the database next does the rest.
"""

from __future__ import annotations

from tracker.access import audit
from tracker.privacy import chain
from tracker.privacy.keys import Vault
from tracker.store import chains
from tracker.store.chains import CONSENT, LOOKS, Chain
from tracker.store.database import Connection
from tracker.store.keystore import KeyStore

_LOGS: tuple[tuple[Chain, str], ...] = ((CONSENT, "consent"), (LOOKS, "looks"))
_TO_BE = "-to-be"


def intend(connection: Connection, vault: Vault, keys: KeyStore) -> None:
    """Note the ends of the logs of a database that is about to be put in place.

    Parameters
    ----------
    connection
        To that database, where it was made ready.
    vault, keys
        The keys of the installation.
    """
    for log, name in _LOGS:
        seq, end = chains.head(connection, log) or (0, chain.GENESIS)
        keys.replace_head(seq, end, vault.sign(audit.signed(name, seq, end)), name + _TO_BE)


def settle(connection: Connection, vault: Vault, keys: KeyStore) -> bool:
    """Make the ends that were noted true, where the database is theirs; forget them where nobody needs them.

    Returns
    -------
    bool
        Whether anything was changed.
    """
    noted = {name: keys.head(name + _TO_BE) for _, name in _LOGS}
    if any(note is None for note in noted.values()):
        return False
    here = {name: {row.seq: row.hash for row in chains.rows(connection, log)} for log, name in _LOGS}
    behind = [name for _, name in _LOGS if not _stands(keys.head(name), here[name])]
    if behind:
        if not all(_is_ours(vault, name, noted[name]) and _stands(noted[name], here[name]) for name in noted):
            return (
                False  # neither the database of then nor the one that was to be: the note may still be needed
            )
        for name in behind:
            seq, end, _ = noted[name] or (0, chain.GENESIS, b"")
            keys.replace_head(seq, end, vault.sign(audit.signed(name, seq, end)), name)
    for name in noted:
        keys.forget_head(name + _TO_BE)
    return bool(behind)


def _is_ours(vault: Vault, name: str, head: tuple[int, str, bytes] | None) -> bool:
    return head is not None and vault.verify(audit.signed(name, head[0], head[1]), head[2])


def _stands(head: tuple[int, str, bytes] | None, rows: dict[int, str]) -> bool:
    """Whether a log has the row with which it was said to end."""
    return head is None or head[0] == 0 or rows.get(head[0]) == head[1]
