"""Erase again, in a backup that is brought back, whoever and whatever was erased since it was made.

By then its rows cannot be linked to anybody: the keys that could are destroyed. They are recognised by keyed digests of
their ids, which the tombstones in the key store hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.domain.stretches import Stretch
from tracker.store import erasing, exports, people, priors, tombstones
from tracker.store.database import Connection
from tracker.store.keystore import KeptTombstone
from tracker.store.tombstones import Step, Tombstone
from tracker.workflows.erasure import carrying
from tracker.workflows.erasure.whose import Whose

Then = Mapping[str, Tombstone]
"""The tombstones that a backup itself holds, by id: what it has seen of erasures."""


def replay(access: Access, then: Then, now: datetime) -> int:
    """Erase again; return how many rows went.

    Parameters
    ----------
    access
        The backup, staged where nobody else sees it, with the keys of today.
    then
        Its own tombstones, before today's took their place: what rows it holds of a scope that was erased since,
        and what was said after it, no clock can tell.
    now
        The instant (UTC).

    Raises
    ------
    ErasureIncompleteError
        When something of somebody is still there.
    """
    kept = access.keys.tombstones_kept()
    count = _people(access, [t for t in kept if t.scope is None], now)
    count += _scopes(access, [t for t in kept if t.scope is not None], then, now)
    return count + _stretches(access, kept, then, now)


def _people(access: Access, kept: list[KeptTombstone], now: datetime) -> int:
    by_subject, by_id = {t.subject_digest: t for t in kept}, {t.id: t for t in kept}
    found: dict[str, tuple[str, str]] = {}
    with access.database.read() as connection:
        for subject in erasing.subject_ids(connection):
            if tombstone := by_subject.get(carrying.subject_digest(access, subject, None)):
                found[tombstone.id] = ("", subject)
        for row in people.everyone(connection):
            if tombstone := by_id.get(access.tombstone_of(row.id)):
                found[tombstone.id] = (row.id, found.get(tombstone.id, ("", ""))[1])
    count = 0
    for number, (participant, subject) in found.items():
        count += _person(
            access, by_id[number], Whose(participant, subject, needles=_ids(participant, subject)), now
        )
    return count


def _person(access: Access, kept: KeptTombstone, whose: Whose, now: datetime) -> int:
    with access.database.write() as connection:
        standing = tombstones.get(connection, kept.id)
        if standing is not None and standing.step is Step.DONE:
            # What today's tombstone says of the logs stays true; only the series of then has come back.
            return _series(connection, whose, now)
        carrying.begin(access, connection, kept.id, kept.subject_digest, whose, now)
    # Killed before their keys were destroyed, their erasure is left to `resume`.
    ends = standing is None and not access.keys.has(whose.participant)
    return carrying.finish(access, kept.id, now, staged=True, ends=ends).rows


def _series(connection: Connection, whose: Whose, now: datetime) -> int:
    exports.flag(connection, whose.participant, now)
    priors.retire_of(connection, whose.subject, now)
    return sum(erasing.delete_person(connection, whose.subject, whose.participant).values())


def _scopes(access: Access, kept: list[KeptTombstone], then: Then, now: datetime) -> int:
    by_id = {t.id: t for t in kept}
    count = 0
    for person in access.everyone():
        for scope in Scope:
            tombstone = by_id.get(access.tombstone_of(person.id, scope))
            if tombstone is None:
                continue
            with access.database.read() as connection:
                standing = tombstones.get(connection, tombstone.id)
            if _has_seen(then.get(tombstone.id), tombstone) and _has_seen(standing, tombstone):
                continue
            at = tombstone.erased_at if standing is None else max(tombstone.erased_at, standing.erased_at)
            # One that was interrupted may have left keys, which a staged backup does not touch.
            ends = standing is None or standing.step is Step.DONE
            count += carrying.erase_scope_staged(access, person, scope, at, now, ends=ends)
    return count


def _stretches(access: Access, kept: list[KeptTombstone], then: Then, now: datetime) -> int:
    parts = [(t, part) for t in kept if (part := Stretch.read(t.scope)) is not None]
    count = 0
    for person in access.everyone() if parts else ():
        for tombstone, stretch in parts:
            if tombstone.id != access.tombstone_of(person.id, stretch):
                continue
            if not _has_seen(then.get(tombstone.id), tombstone):
                count += carrying.erase_stretch_staged(access, person, stretch, tombstone.erased_at, now)
    return count


def _has_seen(stone: Tombstone | None, kept: KeptTombstone) -> bool:
    """Whether a database has an erasure behind it: the very one, since a scope can be erased again."""
    return stone is not None and stone.step is Step.DONE and stone.erased_at == kept.erased_at


def _ids(*ids: str) -> tuple[bytes, ...]:
    return tuple(one.encode() for one in ids if one)
