"""Keep one face one person: which face of a frame, if any, is the participant's.

What is remembered is only what an observation stores: instant, the participant's box, how many faces there
were, the reason for nothing. Bystanders' positions are no business of ours, and a run that resumes can
`recall` the stored observations and goes on exactly as if it had never stopped.

A face is held to be the participant's when

- it is the only face ever seen: until a frame with two has been borne out by others, a single face is the
  participant's, also after a gap (who records themselves comes back to their own camera); or
- the first face was confirmed (`confirm_first_face`), and this one continues its track: same place, same
  size, and no other face nearly as close. The longer the gap, the closer it has to be; or
- the participant said which face is theirs (`FaceTracker.confirm`), and this one continues it. Then nothing else
  makes a face theirs: after ten seconds without it they are asked again.

Everything else is doubt, and doubt is "ambiguous": another person's face must not be read, while a
participant's that was not read costs one observation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tracker.vision.face import Face
from tracker.vision.quality import BLURRED_BELOW

Reason = Literal["no_face", "ambiguous", "blurred"]
Box = tuple[float, float, float, float]

# The overlap (intersection over union) with the last known box that continues a track, by the gap in
# seconds since it was known. Between frames 0.2 s apart a head that turns or leans keeps more than half of
# it; after 10 s nothing about a place tells persons apart any more.
_CONTINUES: tuple[tuple[float, float], ...] = ((0.5, 0.2), (2.0, 0.4), (10.0, 0.6))
# Another face this near to the best one's overlap could be the participant's as well: people who cross.
_RIVAL = 0.5
# A detector sees a face in a curtain once; a person stays. So many frames with two or more faces among the
# last so many taken frames make others certain, for the rest of the recording.
_SUPPORT, _MEMORY = 3, 10


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one frame showed of the participant.

    Attributes
    ----------
    face
        The participant's face; None when there is none or it is in doubt. Also given when blurred.
    faces
        How many faces the frame shows, the participant's included.
    reason
        Why no emotion is to be read; None when the face is to be read.
    """

    face: Face | None
    faces: int
    reason: Reason | None


class FaceTracker:
    """Follows the participant's face through a recording, frame after frame in order of time.

    Parameters
    ----------
    confirm_first_face
        Somebody vouches that the first face to be seen alone in the first frame with faces is the
        participant's; it is then followed among others. Without, a second person makes the rest of the
        recording ambiguous.

    Examples
    --------
    >>> me, other = Face((10, 10, 40, 50), 0.9, None, "yunet"), Face((200, 10, 40, 50), 0.9, None, "yunet")
    >>> tracker = FaceTracker(confirm_first_face=True)
    >>> tracker.see(0, [me]).reason, tracker.see(200_000, [other, me]).face == me
    (None, True)
    >>> tracker.see(400_000, [other]).reason
    'ambiguous'
    """

    def __init__(self, *, confirm_first_face: bool = False) -> None:
        self._confirm = confirm_first_face
        self._confirmed = False
        self._shown = False
        self._begun = False
        self._others = False
        self._recent: deque[bool] = deque(maxlen=_MEMORY)
        self._box: Box | None = None
        self._at_us = 0
        self._last_us: int | None = None

    def see(self, pts_us: int, faces: Sequence[Face]) -> Sighting:
        """Decide which of a frame's faces is the participant's.

        Parameters
        ----------
        pts_us
            The frame's time in microseconds, later than that of any frame before.
        faces
            The detector's.

        Raises
        ------
        ValueError
            When the frame is not later than the one before.
        """
        face = self._choose(pts_us, faces)
        reason: Reason | None = None
        if face is None:
            reason = "ambiguous" if faces else "no_face"
        self.recall(pts_us, None if face is None else face.box, len(faces))
        return Sighting(face, len(faces), reason)

    def confirm(self, pts_us: int, box: Box, faces: int) -> None:
        """Take the participant's own word for which of a picture's faces is theirs.

        From then on only a face that continues this one is theirs, also where it is the only one: somebody else
        may have sat down in their place.

        Parameters
        ----------
        pts_us
            The picture's time in microseconds.
        box
            The face that they said is theirs.
        faces
            How many the picture shows.

        Examples
        --------
        >>> tracker = FaceTracker()
        >>> tracker.confirm(0, (200, 10, 40, 50), 2)
        >>> me, other = Face((204, 10, 40, 50), 0.9, None, "yunet"), Face((10, 10, 40, 50), 0.9, None, "yunet")
        >>> tracker.see(400_000, [other, me]).face == me, tracker.see(800_000, [other]).reason
        (True, 'ambiguous')
        >>> tracker.lost(9_000_000), tracker.lost(11_000_000)
        (False, True)
        """
        self.recall(pts_us, box, faces)
        self._confirmed = self._shown = True

    def lost(self, pts_us: int) -> bool:
        """Whether the participant's face was last seen so long ago that no face could be held to be theirs."""
        return self._shown and (pts_us - self._at_us) / 1e6 > _CONTINUES[-1][0]

    def recall(self, pts_us: int, box: Box | None, faces: int) -> None:
        """Take over what an earlier run saw, in order of time, instead of looking again.

        Parameters
        ----------
        pts_us
            The observation's time in microseconds.
        box
            The participant's box as the sighting gave it, unrounded; None where there was none.
        faces
            How many faces the sighting counted.

        Raises
        ------
        ValueError
            When it is not later than the one before.
        """
        if self._last_us is not None and pts_us <= self._last_us:
            raise ValueError(f"frames come in order of time: {pts_us} us after {self._last_us} us")
        self._last_us = pts_us
        self._recent.append(faces > 1)
        self._others = self._others or sum(self._recent) >= _SUPPORT
        if faces and not self._begun:
            self._begun = True
            self._confirmed = self._confirm and faces == 1
        if box is not None:
            self._box, self._at_us = box, pts_us

    def _choose(self, pts_us: int, faces: Sequence[Face]) -> Face | None:
        if not faces:
            return None
        gap_s = (pts_us - self._at_us) / 1e6
        if self._box is None:  # never seen: only a face that is alone, and always was, can be the one
            alone = len(faces) == 1 and not self._others and not any(self._recent)
            return faces[0] if alone else None
        if len(faces) == 1 and not self._others:
            return faces[0] if self._may_be_the_only_one(faces[0], gap_s) else None
        if not self._confirmed:
            return None
        return self._continuing(faces, gap_s)

    def _may_be_the_only_one(self, face: Face, gap_s: float) -> bool:
        """Whether a single face, in a recording without others, is not plainly somewhere else."""
        if gap_s > _CONTINUES[1][0]:
            if self._shown:
                return self._continuing([face], gap_s) is not None
            return not self._confirmed or self._box is None or overlap(face.box, self._box) > 0
        return self._box is None or _near(face.box, self._box)

    def _continuing(self, faces: Sequence[Face], gap_s: float) -> Face | None:
        needed = next((least for longest, least in _CONTINUES if gap_s <= longest), None)
        if needed is None or self._box is None:
            return None
        last = self._box
        ranked = sorted(faces, key=lambda face: (-overlap(face.box, last), face.box))
        best = overlap(ranked[0].box, last)
        rival = overlap(ranked[1].box, last) if len(ranked) > 1 else 0.0
        return ranked[0] if best >= needed and rival < _RIVAL * best else None


def judged(sighting: Sighting, sharpness: float) -> Sighting:
    """Mark a sighting blurred when its crop is; one without a face stays as it is.

    Examples
    --------
    >>> seen = Sighting(Face((0, 0, 9, 9), 1.0, None, "haar"), 1, None)
    >>> judged(seen, 0.001).reason, judged(seen, 0.5).reason
    ('blurred', None)
    """
    if sighting.face is None or sharpness >= BLURRED_BELOW:
        return sighting
    return Sighting(sighting.face, sighting.faces, "blurred")


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes.

    Examples
    --------
    >>> overlap((0, 0, 2, 2), (1, 0, 2, 2))
    0.3333333333333333
    """
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    union = one[2] * one[3] + other[2] * other[3] - shared
    return shared / union if union > 0 else 0.0


def _near(one: Box, other: Box) -> bool:
    """Whether a head could have got from one box to the other in the blink that passed."""
    reach = max(one[2], one[3], other[2], other[3])
    apart_x = abs(one[0] + one[2] / 2 - other[0] - other[2] / 2)
    apart_y = abs(one[1] + one[3] / 2 - other[1] - other[3] / 2)
    bigger = max(one[3], other[3]) / max(1e-9, min(one[3], other[3]))
    return apart_x <= reach and apart_y <= reach and bigger <= 2.0
