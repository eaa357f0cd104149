"""Keep the covered frames of a recording, where the participant allows it: sealed, beside their observations."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from tracker.access import Access, Unit
from tracker.domain.consent import Permit, Scope, Use
from tracker.domain.series import Observation
from tracker.domain.video import A_DAY, Room
from tracker.store import crops, frames
from tracker.vision.covering import CoveredFrame


@dataclass(frozen=True, slots=True)
class Filmed:
    """What became of some frames.

    Attributes
    ----------
    kept
        How many were kept.
    over
        How many were dropped because `A_DAY` bytes of their day are kept already.
    """

    kept: int = 0
    over: int = 0


def permit_of(unit: Unit) -> Permit | None:
    """A permit to keep video of moments that the study keeps at all; None where it is not asked for or not allowed."""
    permit = unit.allowed(Use.KEEP_VIDEO)
    if permit is None or Scope.RAW_VIDEO not in unit.study.scopes:
        return None
    return unit.taking(permit, Scope.RAW_VIDEO)


def keep_frames(
    access: Access,
    unit: Unit,
    new: Mapping[Observation, CoveredFrame],
    most: int = A_DAY,
) -> Filmed:
    """Seal the frames of observations that this unit has stored, and keep them beside these.

    Nothing is kept where the grants of affect_series and raw_video are not both in force now, and none of a moment
    before what they cover; neither is an error, because the series goes on without video.

    Parameters
    ----------
    access, unit
        The keys, and the writing unit in which the observations were stored.
    new
        Frames of one source, by observations that were not stored before this unit (`keeping.unstored`).
    most
        Sealed bytes of a day at most.
    """
    permit = permit_of(unit)
    covered = (
        {o: f for o, f in new.items() if f.shows and o.at >= permit.covers_from} if permit is not None else {}
    )
    if permit is None or not covered:
        return Filmed()
    (source,) = {observation.source for observation in covered}
    connection, person = unit.connection, unit.person
    ids = crops.stored_at(connection, person.subject, source, [o.pts_us for o in covered])
    room = Room(lambda at: frames.held_on(connection, person.subject, at), most)
    # Fetched in this transaction: a key that was destroyed or changed before it must not seal anything in it.
    seal = access.vault.sealer(person.id, Scope.RAW_VIDEO.value)
    rows = []
    for observation, frame in covered.items():
        number = secrets.token_hex(16)
        sealed = frame.sealed(seal, frames.place(number))
        if room.take(observation.at, len(sealed)):
            rows.append(frames.NewFrame(number, ids[observation.pts_us], observation.at, sealed))
    frames.append(connection, permit, person.subject, rows, unit.now)
    return Filmed(len(rows), len(covered) - len(rows))
