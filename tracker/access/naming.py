"""Renew the key under which names are looked up, so that what was erased cannot be guessed from an old backup.

A name is found by its keyed digest. Whoever holds the key and an old backup of the database can test whether somebody
of a guessed name took part. So after each erasure the digests of all who stay are made anew under a new key, and the
old key, under which the erased name's digest was ever made, is destroyed.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracker.access.gate import NAMES, Access
from tracker.privacy.keys import IDENTITY, INSTALLATION, KeyDestroyedError
from tracker.store import people
from tracker.store.people import ParticipantRow


def renew_name_digests(access: Access) -> int:
    """Make every name's digest anew under a new key and destroy the old one; return how many there are.

    All digests change in one transaction, and until the old key is destroyed a name is looked up under either. Whoever
    is killed on the way leaves both keys; doing it again finishes that renewal and does another. The bytes of the
    destroyed key go with the next `KeyStore.compact`.
    """
    access.vault.secret(NAMES)  # there is one
    _finish(access)
    access.vault.renew(INSTALLATION, NAMES)
    return _finish(access)


def _finish(access: Access) -> int:
    """Bring all digests under the key of today, and destroy those that retire."""
    _, retiring = access.vault.renewed(INSTALLATION, NAMES)
    if not retiring:
        return 0
    known = _names(access)
    count = 0
    with access.database.write() as connection:
        people.lock_names(connection)
        # In the order in which others lock them, so that nobody waits for somebody who waits for us.
        for row in sorted(people.everyone(connection), key=lambda row: row.id):
            name = known.get(row.id) or _name(access, row)
            if name is not None:
                people.set_digest(connection, row.id, access.vault.digest(NAMES, name))
                count += 1
    access.vault.destroy_retiring(INSTALLATION, NAMES, retiring)
    return count


def _names(access: Access) -> Mapping[str, str]:
    """All names, opened before the transaction that holds up everybody who writes."""
    with access.database.read() as connection:
        named = {row.id: _name(access, row) for row in people.everyone(connection)}
    return {participant: name for participant, name in named.items() if name is not None}


def _name(access: Access, row: ParticipantRow) -> str | None:
    """A name; None of somebody who is being erased."""
    try:
        return access.vault.open(row.id, IDENTITY, row.name_sealed, "participants.name_sealed").decode()
    except KeyDestroyedError:
        return None
