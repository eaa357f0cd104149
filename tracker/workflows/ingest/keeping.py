"""Keep the crops that were read, where the participant allows it: sealed, in the transaction of their observations."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TypeVar

from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.series import Observation
from tracker.store import crops
from tracker.vision import pictures
from tracker.vision.recording import Pixels

_Kept = TypeVar("_Kept")


def unstored(unit: Unit, seen: Mapping[Observation, _Kept]) -> dict[Observation, _Kept]:
    """Those of one source's read crops or frames whose observation is not stored yet: only they are kept with it."""
    if not seen:
        return {}
    (source,) = {observation.source for observation in seen}
    times = [observation.pts_us for observation in seen]
    there = crops.stored_at(unit.connection, unit.person.subject, source, times)
    return {observation: what for observation, what in seen.items() if observation.pts_us not in there}


def keep(access: Access, unit: Unit, new: Mapping[Observation, Pixels]) -> int:
    """Seal the crops of observations that this unit has stored, and keep them beside these.

    Nothing is kept where the grants of affect_series and face_crops are not both in force now, and none of a
    moment before what they cover; neither is an error, because the series goes on without pictures.

    Parameters
    ----------
    access, unit
        The keys, and the writing unit in which the observations were stored.
    new
        What was read for observations of one source, from `unstored`.

    Returns
    -------
    int
        How many were kept.
    """
    permit = unit.allowed(Use.KEEP_CROPS)
    if permit is None:
        return 0
    covered = {o: pixels for o, pixels in new.items() if o.at >= permit.covers_from}
    if not covered:
        return 0
    (source,) = {observation.source for observation in covered}
    person = unit.person
    ids = crops.stored_at(unit.connection, person.subject, source, [o.pts_us for o in covered])
    # Fetched in this transaction: a key that was destroyed or changed before it must not seal anything in it.
    seal = access.vault.sealer(person.id, Scope.FACE_CROPS.value)
    rows = []
    for observation, pixels in covered.items():
        number = secrets.token_hex(16)
        sealed = pictures.sealed(pixels, seal, crops.place(number))
        rows.append(crops.NewCrop(number, ids[observation.pts_us], observation.at, sealed))
    crops.append(unit.connection, permit, person.subject, rows, unit.now)
    return len(rows)
