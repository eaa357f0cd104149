"""Show a participant what is kept of one moment under their own keys: their picture and their words, to them alone.

Whoever calls this has made sure who is asking: it is the participant's own session. It needs no grant, because
what is kept stays readable to the participant after a withdrawal too, until it is erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.notes import from_bytes
from tracker.domain.people import Person
from tracker.learning.weights import RaterKind
from tracker.store import crops, feedback, frames, notes, timeline


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept sealed of a moment, and whether more may be.

    Attributes
    ----------
    picture, frame
        Whether the face crop of its observation is kept, and whether its frame of the video is.
    note
        What the participant wrote beside the correction that stands, opened; None where there is none.
    may_note
        Whether a note may be kept now.
    """

    picture: bool
    frame: bool
    note: str | None
    may_note: bool


def own_moment(access: Access, person: Person, observation: int | None, at: datetime, now: datetime) -> Kept:
    """What is kept sealed of one's own moment: of an observation, or of the instant where there is none."""
    with access.read(person.id, now) as unit:
        correction = feedback.standing_correction(
            unit.connection,
            person.subject,
            personal.EMOTION,
            RaterKind.PARTICIPANT.value,
            observation=observation,
            at=at,
        )
        since = unit.readable_from(Scope.NOTES)
        shown = correction is not None and (since is None or at >= since)
        note = _note(access, unit, correction) if shown and correction is not None else None
        kept, filmed = (
            observation is not None
            and _readable(unit, observation, scope)
            and table.is_kept(unit.connection, person.subject, observation)
            for table, scope in ((crops, Scope.FACE_CROPS), (frames, Scope.RAW_VIDEO))
        )
        return Kept(kept, filmed, note, unit.allowed(Use.KEEP_NOTES) is not None)


def own_crop(access: Access, person: Person, observation: int, now: datetime) -> bytes | None:
    """Open the face crop of one of a person's own observations, a PNG file; None where none of theirs is kept.

    The bytes go into the response to the participant, and nowhere else.
    """
    with access.read(person.id, now) as unit:
        found = crops.of_observation(unit.connection, person.subject, observation)
        if found is None or not _readable(unit, observation, Scope.FACE_CROPS):
            return None
        crop, sealed = found
        return access.vault.open(person.id, Scope.FACE_CROPS.value, sealed, crops.place(crop))


def own_frame(access: Access, person: Person, observation: int, now: datetime) -> bytes | None:
    """Open the kept frame of one of a person's own observations, a JPEG file; None where none of theirs is kept.

    The bytes go into the response to the participant, and nowhere else.
    """
    with access.read(person.id, now) as unit:
        found = frames.of_observation(unit.connection, person.subject, observation)
        if found is None or not _readable(unit, observation, Scope.RAW_VIDEO):
            return None
        frame, sealed = found
        return access.vault.open(person.id, Scope.RAW_VIDEO.value, sealed, frames.place(frame))


def _readable(unit: Unit, observation: int, scope: Scope) -> bool:
    since = unit.readable_from(scope)
    reading = timeline.reading_of(unit.connection, observation)
    return since is None or (reading is not None and reading.at >= since)


def _note(access: Access, unit: Unit, correction: int) -> str | None:
    found = notes.of_correction(unit.connection, unit.person.subject, correction)
    if found is None:
        return None
    note, sealed = found
    return from_bytes(access.vault.open(unit.person.id, Scope.NOTES.value, sealed, notes.place(note)))
