"""The steps of an erasure: each can be done again, and none is called done before it was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tracker.access import Access
from tracker.access.naming import renew_name_digests
from tracker.domain.consent import Scope
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import (
    chains,
    compacting,
    erasing,
    exports,
    extents,
    keybackups,
    people,
    priors,
    requests,
    tombstones,
)
from tracker.store.tombstones import Step, Tombstone
from tracker.workflows.erasure import lineage, scoped, shelved
from tracker.workflows.erasure.errors import ErasureIncompleteError, rows_left
from tracker.workflows.erasure.looking import look as look_for
from tracker.workflows.erasure.whose import Whose


def keep(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Keep the tombstone with the keys too: an older backup of the database knows nothing of it."""
    access.keys.keep_tombstone(tombstone.id, tombstone.subject_digest, tombstone.scope, tombstone.erased_at)


def shred(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Destroy the keys."""
    if whose.scope is None:
        count = access.vault.destroy(whose.participant)
    elif tombstone.step is Step.OPENED:
        scopes = {whose.scope, *lineage.sealed_with(whose.scope)}
        count = sum(access.vault.destroy(whose.participant, scope.value) for scope in scopes)
    else:
        count = _shred_unused(access, whose, whose.scope, now)
    if count:
        with access.database.write() as connection:
            here = _standing(tombstones.get(connection, tombstone.id))
            tombstones.advance(connection, replace(here, keys=here.keys + count))


def empty(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Delete the rows, flag the exports and retire the priors, in one transaction."""
    if tombstone.step not in (Step.BEGUN, Step.OPENED):
        return
    if whose.scope is not None:
        _empty_scope(access, tombstone, whose, whose.scope, now)
        return
    participant, subject = whose.participant, whose.subject
    with access.database.write() as connection:
        people.lock(connection, participant)
        here = _standing(tombstones.get(connection, tombstone.id))
        if here.step is not Step.BEGUN:
            return
        here = replace(
            here,
            log=chains.positions_of(connection, chains.CONSENT, participant),
            looks=chains.positions_of(connection, chains.LOOKS, participant),
            exports=exports.flag(connection, participant, now),
            retired=tuple(priors.of_member(connection, subject)),
            priors=priors.retire_of(connection, subject, now),
            rows=erasing.delete_person(connection, subject, participant),
            step=Step.EMPTIED,
        )
        tombstones.advance(connection, replace(here, signature=access.vault.sign(here.evidence())))


def rename(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Digest the names of all who stay anew: under the old key a guessed name could be tried on an old backup."""
    if whose.scope is None:
        renew_name_digests(access)


def rebuild(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Rebuild the files, so that no page keeps the old bytes."""
    names = [table.name for table in erasing.owned(whose.subject, whose.participant)]
    if not compacting.compact(access.database, [*names, "tombstones"]):
        raise ErasureIncompleteError("another process still reads an older state of the database")
    if not access.keys.compact():
        raise ErasureIncompleteError("another process still reads an older state of the key store")


def prune(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Make the backups of the key store anew, as far as it knows where they are: none keeps a destroyed key."""
    missed = len(keybackups.prune(access.keys, now).out_of_reach)
    told = (f"backups of the key store in {missed} folders that cannot be reached now",) if missed else ()
    with access.database.write() as connection:
        here = _standing(tombstones.get(connection, tombstone.id))
        tombstones.advance(connection, replace(here, copies=told))


def unshelve(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Delete the exports with it that wait to be fetched."""
    found = shelved.clear(access)
    with access.database.write() as connection:
        here = _standing(tombstones.get(connection, tombstone.id))
        tombstones.advance(connection, replace(here, looked=found.at, unseen=found.unseen))


def look(access: Access, tombstone: Tombstone, whose: Whose, now: datetime) -> None:
    """Look whether it is gone."""
    if whose.scope is None:
        with access.database.read() as connection:
            left = erasing.left_of_person(connection, whose.subject, whose.participant)
        if left:
            raise rows_left(left)
        if access.keys.has(whose.participant):
            raise ErasureIncompleteError("a key is left")
    elif not _goes_on(access, whose, whose.scope, now):
        with access.database.read() as connection:
            rows = lineage.extents(whose.scope)
            left = extents.left_of_extents(connection, whose.subject, whose.participant, rows)
        if left:
            raise rows_left(left)
    looked = look_for(access, whose)
    with access.database.write() as connection:
        here = _standing(tombstones.get(connection, tombstone.id))
        copies = tuple(dict.fromkeys((*here.copies, *looked.copies)))
        at, unseen = (*looked.at, *here.looked), (*looked.unseen, *here.unseen)
        here = replace(here, looked=at, unseen=unseen, copies=copies)
        tombstones.advance(connection, here)


def close(access: Access, tombstone: Tombstone, whose: Whose, now: datetime, *, staged: bool = False) -> None:
    """Call it done, and forget whose it was; in a backup that is staged the key store stays as it is."""
    with access.database.write() as connection:
        here = _standing(tombstones.get(connection, tombstone.id))
        clean = now if not here.priors else None
        # Never at the instant of the erasure before: by it a backup tells which of them it has seen.
        at = max(now, here.erased_at)
        done = replace(here, step=Step.DONE, erased_at=at, clean_at=clean, pending=b"")
        tombstones.advance(connection, done)
        if not staged:  # before the commit: what is done in a backup is kept at the same instant
            keep(access, done, whose, now)
        if whose.scope is not None:
            carried_out = ("erase_scope", "unanswered", "keep")
            requests.cancel(connection, whose.participant, whose.scope, carried_out)


# The keys go twice: a consent that was being recorded meanwhile may have made one again.
STEPS: tuple[Callable[[Access, Tombstone, Whose, datetime], None], ...] = (
    keep,
    shred,
    empty,
    shred,
    rename,
    rebuild,
    prune,
    unshelve,
    look,
    close,
)
"""What is done between a tombstone's setting and its being called done, in this order."""

ON_KEYS = frozenset({keep, shred, rename, prune, unshelve})
"""The steps that change the key store, or what lies beside it."""

ENDING = frozenset({look, close})
"""The steps that are not taken while others are left to do."""


def _empty_scope(access: Access, tombstone: Tombstone, whose: Whose, scope: Scope, now: datetime) -> None:
    try:
        with access.write(whose.participant, now) as unit:
            connection = unit.connection
            here = _standing(tombstones.get(connection, tombstone.id))
            reaches = lineage.in_priors(scope)
            here = replace(
                here,
                retired=tuple(priors.of_member(connection, whose.subject)) if reaches else (),
                priors=priors.retire_of(connection, whose.subject, now) if reaches else 0,
                rows=scoped.delete(unit, scope),
                exports=exports.flag(connection, whose.participant, now),
                step=Step.EMPTIED,
            )
            tombstones.advance(connection, replace(here, signature=access.vault.sign(here.evidence())))
    except UnknownParticipantError:  # they were erased meanwhile, and this with them
        with access.database.write() as connection:
            here = _standing(tombstones.get(connection, tombstone.id))
            tombstones.advance(connection, replace(here, step=Step.EMPTIED))


def _shred_unused(access: Access, whose: Whose, scope: Scope, now: datetime) -> int:
    """Destroy a key that was made meanwhile, unless rows have come since that only it opens."""
    try:
        # Whoever seals a row holds the person, as this does.
        with access.write(whose.participant, now) as unit:
            rows = lineage.extents(scope)
            if extents.left_of_extents(unit.connection, whose.subject, whose.participant, rows):
                return 0
            return access.vault.destroy(whose.participant, scope.value)
    except (UnknownParticipantError, KeyDestroyedError):  # erased themselves meanwhile
        return access.vault.destroy(whose.participant, scope.value)


def _goes_on(access: Access, whose: Whose, scope: Scope, now: datetime) -> bool:
    """Whether the scope is still granted, so that new rows may stand already."""
    try:
        with access.read(whose.participant, now) as unit:
            return scope in unit.grants()
    except (UnknownParticipantError, KeyDestroyedError):
        return False


def _standing(tombstone: Tombstone | None) -> Tombstone:
    assert tombstone is not None, "a tombstone that was set never goes"
    return tombstone
