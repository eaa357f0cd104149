"""Whether a database and a key store belong together, and whether neither was taken from an older copy.

They share a random number. A key store that is older than its database lacks the keys of people who enrolled since,
holds keys of people who were erased since, or signed heads that end before the logs do. A database that is older than
its key store lacks rows that were signed, or tombstones (`older`).
"""

from __future__ import annotations

import time

from tracker.access import older, stones
from tracker.access.gate import NAMES, Access
from tracker.access.naming import renew_name_digests
from tracker.access.older import CONSENT_HEAD, LOOKS_HEAD
from tracker.domain.consent import Scope
from tracker.privacy.keys import IDENTITY, KeyUnavailableError
from tracker.store import binding, chains, people, tombstones
from tracker.store.chains import CONSENT, LOOKS, Chain
from tracker.store.database import DatabaseError
from tracker.store.tombstones import Step

PATIENCE_S = 2.0
"""How long a head that lags is waited for: another process has committed an event and is about to sign it."""

_EVERY_STORE_HAS = (NAMES, "tombstones", "signing", "sessions")
"""Keys of the installation that are made at once, so that no older copy of the key store lacks them."""

_MEND = (
    "bring back the newest copy. If this is the newest there is, run: affect-tracker keys accept; it destroys again "
    "what erasures had destroyed, and signs the logs as they are"
)


class KeyStoreAgeError(KeyUnavailableError):
    """The key store is older than the database."""


def bind(access: Access) -> None:
    """Give the database the number of its key store, and the key store what it needs for telling its age.

    Raises
    ------
    DatabaseError
        When the database has another number.
    """
    for purpose in _EVERY_STORE_HAS:
        access.vault.secret(purpose)
    with access.database.write() as connection:
        first = binding.of(connection) is None
        binding.bind(connection, access.keys.installation)
    require_same_installation(access)
    if first:  # erasures from before the key store kept their tombstones
        _keep(access)


def require_same_installation(access: Access) -> None:
    """Raise `DatabaseError` unless database and key store belong together."""
    with access.database.read() as connection:
        here = binding.of(connection)
    if here is not None and here != access.keys.installation:
        raise DatabaseError(
            f"the key store {access.keys.path} belongs to another database; set AFFECT_KEY_STORE to the one that was "
            f"made with {access.database.describe()}"
        )


def require_newest_database(access: Access) -> None:
    """Raise `DatabaseAgeError` when the database is a copy older than the key store: what ended since stands in it."""
    # Fetched first: what they tell of is committed by the time the database is looked at.
    heads, kept = older.heads_of(access.keys), access.keys.tombstones_kept()
    with access.database.read() as connection:
        older.demand_newest(connection, access.vault, kept, heads)


def require_same_age(access: Access) -> None:
    """Raise an error when database or key store was taken from a copy older than the other.

    Raises
    ------
    DatabaseAgeError, KeyStoreAgeError
        Which is the older one.
    """
    require_newest_database(access)
    if count := len(_not_kept(access)):
        raise KeyStoreAgeError(
            f"the key store {access.keys.path} is older than the database: it holds keys from before {count} erasures; "
            f"{_MEND}"
        )
    if _lacking(access):
        raise KeyStoreAgeError(
            f"the key store {access.keys.path} lacks the keys of somebody who is enrolled: it is older than the "
            "database, or another one. Bring back the newest copy, or set AFFECT_KEY_STORE; without it their data stay "
            "unreadable"
        )
    for chain, name, words in ((CONSENT, CONSENT_HEAD, "consent log"), (LOOKS, LOOKS_HEAD, "log of looks")):
        if unsigned := _unsigned(access, chain, name):
            raise KeyStoreAgeError(
                f"the key store {access.keys.path} is older than the database: {unsigned} rows of the {words} came "
                f"after the end that it holds, signed; {_MEND}"
            )


def accept(access: Access) -> int:
    """Take the key store as the newest there is: destroy again what erasures had destroyed, sign the logs as they are.

    Names are looked up under a new key afterwards: the one that was renewed at the last erasure is lost.

    Returns
    -------
    int
        How many keys were destroyed.

    Raises
    ------
    KeyStoreAgeError
        When it lacks keys of people who are enrolled, which nothing can make again.
    DatabaseAgeError
        When the database is the older one: who enrolled since would lose their keys.
    """
    require_newest_database(access)
    destroyed = sum(access.vault.destroy(owner) for owner in _of_nobody(access))
    with access.database.read() as connection:
        enrolled = [row.id for row in people.everyone(connection)]
    gone, number_of = set(_not_kept(access)), stones.numbering(access.vault)
    for participant in enrolled:
        for scope in Scope:
            if number_of(participant, scope) in gone:
                destroyed += access.vault.destroy(participant, scope.value)
    _keep(access)
    renew_name_digests(access)
    access.keys.compact()
    access.sign_head()
    access.sign_looks_head()
    require_same_age(access)
    return destroyed


def _keep(access: Access) -> None:
    """Keep the tombstones of all finished erasures with the keys."""
    with access.database.read() as connection:
        standing = tombstones.every(connection)
    for stone in standing:
        if stone.step is Step.DONE:
            access.keys.keep_tombstone(stone.id, stone.subject_digest, stone.scope, stone.erased_at)


def _not_kept(access: Access) -> list[str]:
    """Finished erasures of which the key store knows nothing, though it is told before the first key is destroyed."""
    with access.database.read() as connection:
        done = [stone.id for stone in tombstones.every(connection) if stone.step is Step.DONE]
    kept = {stone.id for stone in access.keys.tombstones_kept()}
    return [stone for stone in done if stone not in kept]


def _lacking(access: Access) -> bool:
    """Whether somebody is enrolled, not erased nor being erased, and has no key."""
    with access.database.read() as connection:
        enrolled = {row.id for row in people.everyone(connection)}
    without = enrolled - access.keys.owners(IDENTITY)
    if not without:
        return False
    numbers = {stone.id for stone in access.keys.tombstones_kept()}
    with access.database.read() as connection:
        numbers |= {stone.id for stone in tombstones.every(connection)}
        there = {row.id for row in people.everyone(connection)}
    number_of = stones.numbering(access.vault)
    return any(number_of(participant, None) not in numbers for participant in without & there)


def _of_nobody(access: Access) -> list[str]:
    """Who has keys and is not enrolled, and was not about to be: looked at twice."""
    found: set[str] | None = None
    for _ in range(2):
        if found is not None:
            time.sleep(PATIENCE_S)
        owners = access.keys.owners(IDENTITY)
        with access.database.read() as connection:
            owners -= {row.id for row in people.everyone(connection)}
        found = owners if found is None else found & owners
    return sorted(found or ())


def _unsigned(access: Access, chain: Chain, name: str) -> int:
    """How many rows came after the signed end, but for those of one transaction whose process died before it signed."""
    with access.database.read() as connection:
        tail = chains.head(connection, chain)
    if tail is None:
        return 0
    ends = time.monotonic() + PATIENCE_S
    while (signed := _signed(access, name)) < tail[0]:
        if time.monotonic() > ends:
            with access.database.read() as connection:
                since = [row for row in chains.rows(connection, chain) if row.seq > signed]
            return len(since) if len({row.recorded_at for row in since}) > 1 else 0
        time.sleep(PATIENCE_S / 40)
    return 0


def _signed(access: Access, name: str) -> int:
    head = access.keys.head(name)
    return 0 if head is None else head[0]
