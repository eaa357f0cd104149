"""One person's live capture: the newest frame that waits, the face that is followed, and what is to be stored.

Nothing here knows threads or the database; `tracker.workflows.ingest.live` does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tracker.domain.framing import CropSpec
from tracker.domain.people import Person
from tracker.domain.series import Observation, Observed, Reason, TimeSource
from tracker.vision.covering import CoveredFrame, Covering
from tracker.vision.crops import Crop, crop
from tracker.vision.faces import Face
from tracker.vision.recording import Pixels
from tracker.vision.tracks import FaceTracker, Sighting, judged
from tracker.workflows.ingest.captured import LATE, Box, ClockOffError, Progress, Read

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture and the faces in it: (height, width), when it was taken by the device's clock and by ours."""

    shape: tuple[int, int]
    faces: tuple[Face, ...]
    device_ms: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame that waits to be looked at: its bytes as they came, in memory and nowhere else."""

    data: bytes
    pts_us: int
    at: datetime


class Capture:
    """A capture from the picture on in which its person showed which face is theirs.

    Parameters
    ----------
    person, id
        Whose it is, and its random id, from which the source of its observations is made.
    shot, face
        The picture that was confirmed, and which of its faces.
    confirmed_ms
        When it was confirmed, by the device's clock. Who was alone in the picture is there at that instant too, because
        they answer; among others a face is known to be theirs for the instant of the picture only.
    """

    def __init__(self, person: Person, id: str, shot: Shot, face: int, confirmed_ms: int) -> None:
        self.person, self.id = person, id
        self.source = hashlib.sha256(id.encode()).hexdigest()
        self.waiting: Picture | None = None
        self.rows: list[Observed] = []
        self.crops: dict[Observation, Pixels] = {}
        self.frames: dict[Observation, CoveredFrame] = {}
        self.filmed = self.unfilmed = 0
        self.dropped = self.stored = 0
        self.read: Read | None = None
        self._looked = Progress()
        self._held: Picture | None = None
        self._shot, self._zero = shot, shot.at
        alone = len(shot.faces) == 1
        known_us = max(0, min(confirmed_ms - shot.device_ms, _DAY_MS)) * 1000 if alone else 0
        self._newest = (-1, known_us)
        self._missed: tuple[int, datetime] | None = None
        self._covering = Covering()
        self._tracker = FaceTracker()
        self._tracker.confirm(known_us, shot.faces[face].box, len(shot.faces))

    def time(self, device_ms: int, now: datetime) -> tuple[int, datetime]:
        """A frame's presentation time in microseconds, and its instant; the device counts, our clock says from when.

        Raises
        ------
        ClockOffError
            When the frame would be of the future by more than a slow connection explains, or is `LATE`.
        """
        # No further off than a day, so that no sum leaves the calendar; that is refused just as well.
        elapsed = timedelta(milliseconds=max(-_DAY_MS, min(device_ms - self._shot.device_ms, _DAY_MS)))
        at = self._zero + elapsed
        if at < now - LATE or (at > now and at - now > LATE - (self._shot.at - self._zero)):
            off = round(abs(at - now) / timedelta(seconds=1))
            raise ClockOffError(
                f"A picture is {off} seconds {'ahead of' if at > now else 'behind'} the time here: the clock of this "
                "device changed, or the connection is too slow. It was not stored; start again."
            )
        if at > now:
            # The picture that began it took longer to arrive than this one: it was taken earlier than we thought.
            self._zero -= at - now
            at = now
        return elapsed // timedelta(microseconds=1), at

    def offer(self, picture: Picture, sequence: int) -> bool:
        """Let a frame wait; the newest takes the place of one that waits already. False for one that came before."""
        if sequence <= self._newest[0] or picture.pts_us <= self._newest[1]:
            return False
        self._newest = sequence, picture.pts_us
        if self.waiting is not None:
            self.drop()
        self.waiting = picture
        return True

    def drop(self) -> None:
        """Count the waiting frame as one that was not read in time."""
        if self.waiting is None:
            return
        self._missed = self._missed or (self.waiting.pts_us, self.waiting.at)
        self.waiting = None
        self.dropped += 1

    def take(self) -> Picture | None:
        """The frame that waits, which then is in somebody's hands until it is kept or put away."""
        self._held, self.waiting = self.waiting, None
        return self._held

    def put_away(self) -> None:
        """Let go of the frame that is in hand because it is no picture, or must not be looked at."""
        self._held = None

    def give_up(self) -> None:
        """Count the frame that is in hand as one that was not read in time: its capture ended before it was kept."""
        if self._held is None:
            return
        if self._missed is None or self._held.pts_us < self._missed[0]:
            self._missed = self._held.pts_us, self._held.at
        self._held = None
        self.dropped += 1

    def see(
        self, picture: Picture, pixels: Pixels, faces: Sequence[Face], spec: CropSpec, *, films: bool = False
    ) -> Seen:
        """Say which face of a frame is theirs, and cut that one out where it can be read; cover it where it is kept."""
        height, width = pixels.shape[:2]
        sighting = self._sighting(picture.pts_us, faces, turned=(height, width) != self._shot.shape)
        cut = crop(pixels, sighting.face, spec) if sighting.face is not None else None
        if cut is not None:
            sighting = judged(sighting, cut.sharpness)
        reason = Reason(sighting.reason) if sighting.reason is not None else None
        face = sighting.face
        looked = Progress(
            taken=self._looked.taken + 1,
            reason=reason,
            faces=sighting.faces,
            box=shares(face, height, width) if face is not None else None,
            lost=self._tracker.lost(picture.pts_us),
        )
        observation = Observation(
            source=self.source,
            pts_us=picture.pts_us,
            at=picture.at,
            time_source=TimeSource.CLOCK,
            reason=reason,
            faces=sighting.faces,
            box=face.box if face is not None else None,
            detector=face.detector if face is not None else None,
            score=face.score if face is not None else None,
            sharpness=cut.sharpness if cut is not None else None,
            aligned=cut.aligned if cut is not None else None,
        )
        film = self._covering.see(picture.pts_us, pixels, face, faces, read=reason is None) if films else None
        return Seen(observation, cut if reason is None else None, looked, film)

    def keep(
        self,
        observed: Observed,
        pixels: Pixels | None,
        looked: Progress,
        film: CoveredFrame | None = None,
    ) -> None:
        """Let a moment wait to be stored, after the row that tells of frames that were not read in time.

        Only now is its frame told as looked at (`Seen.looked`): whoever reads that it was can count on its row.
        """
        self.tell_missed()
        self._held, self._looked = None, looked
        self.rows.append(observed)
        if pixels is not None:
            self.crops[observed.observation] = pixels
        if film is not None:
            self.frames[observed.observation] = film

    def tell_missed(self) -> None:
        """Add one row for all frames since the last row that were not read in time."""
        if self._missed is None:
            return
        (pts_us, at), self._missed = self._missed, None
        gap = Observation(self.source, pts_us, at, TimeSource.CLOCK, Reason.OVERLOAD, faces=0)
        self.rows.append(Observed(gap))

    @property
    def progress(self) -> Progress:
        """Where it stands; each part is written by one thread at a time."""
        return replace(
            self._looked,
            dropped=self.dropped,
            stored=self.stored,
            read=self.read,
            filmed=self.filmed,
            unfilmed=self.unfilmed,
        )

    def crops_of(self, rows: Sequence[Observed]) -> dict[Observation, Pixels]:
        """The crops that wait of some moments."""
        return {r.observation: self.crops[r.observation] for r in rows if r.observation in self.crops}

    def frames_of(self, rows: Sequence[Observed]) -> dict[Observation, CoveredFrame]:
        """The covered frames that wait of some moments."""
        return {r.observation: self.frames[r.observation] for r in rows if r.observation in self.frames}

    def forget(self) -> None:
        """Let go of the moments that wait, because they are stored or may not be."""
        self.rows, self.crops, self.frames = [], {}, {}

    def _sighting(self, pts_us: int, faces: Sequence[Face], *, turned: bool) -> Sighting:
        if not turned:
            return self._tracker.see(pts_us, faces)
        # In a picture of another shape no place means what it meant where the face was confirmed.
        self._tracker.recall(pts_us, None, len(faces))
        return Sighting(None, len(faces), "ambiguous" if faces else "no_face")


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame after vision: its observation, the crop to read where there is one, what it tells the page, and what
    may be kept of it.
    """

    observation: Observation
    crop: Crop | None
    looked: Progress
    film: CoveredFrame | None = None


def shares(face: Face, height: int, width: int) -> Box:
    """A face's box as shares of the picture's width and height.

    Examples
    --------
    >>> shares(Face((32, 24, 64, 48), 0.9, None, "yunet"), 240, 320)
    (0.1, 0.1, 0.2, 0.2)
    """
    x, y, w, h = face.box
    return x / width, y / height, w / width, h / height
