"""Leave of a frame what is reliably its participant's, and cover the rest; sealed is the only way out of here.

What is not covered is a part of the frame around the participant's face, as large as a head with its hair and its
neck. All else is filled with one grey: a detector misses faces that are small, dark or turned away, and what is filled
needs no detector. Inside that part every other face is filled too, wider than it was found, and stays filled for a
while after it was seen last, because a face that turns away is still somebody's; and in the frames just before it was
seen first, as far as they are not sealed yet, because a face that comes in is somebody's before it is found.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tracker.domain.video import EVERY_S, SIDE
from tracker.vision.face import Face
from tracker.vision.recording import Pixels, Sampling
from tracker.vision.tracks import Box, overlap

Seal = Callable[[bytes, str], bytes]
"""From plaintext and the place where its ciphertext will lie to the ciphertext."""

GREY = 128
"""What takes the place of whatever is covered."""

HELD_US = 2_000_000
"""How long the place of somebody else's face stays covered after it was seen last, and before, in microseconds."""

# In widths and heights of the face's box, which reaches from forehead to chin and is narrower than a head.
_BESIDE, _ABOVE, _BELOW = 0.75, 0.5, 0.9
_WIDER = 0.4
# A face that lies so much in a place that was somebody else's a moment ago was taken for somebody else's in doubt.
_SAME = 0.5
# With more of the participant's own face covered than this, nothing of it can be read in the frame.
_HIDDEN = 0.5
_QUALITY = 80
# Written as whole blocks: how well something could be packed would tell of what it shows, also when it is sealed.
_BLOCK = 4096
_COMMENT = b"\xff\xfe"


class CoveredFrame:
    """A frame in which only its participant is to be seen; what it holds is given sealed and not otherwise."""

    __slots__ = ("_jpeg", "_open")

    def __init__(self, jpeg: bytes = b"", still: _Open | None = None) -> None:
        self._jpeg, self._open = jpeg, still

    @property
    def shows(self) -> bool:
        """Whether its participant can be seen in it; not where somebody who was found a moment later hides them."""
        still = self._open
        return still is None or still.shows()

    def sealed(self, seal: Seal, place: str) -> bytes:
        """What `seal` makes of it: of a JPEG file in memory, at most `tracker.domain.video.SIDE` pixels long."""
        # Looked at first: `settle`, in the thread that looks at frames, writes the other one before it lets go of it.
        still = self._open
        return seal(self._jpeg if still is None else _jpeg(still.pixels), place)

    def cover(self, box: Box) -> None:
        """Fill what belongs to somebody who was found a moment later; a frame that was settled stays as it is."""
        if self._open is not None:
            self._open.cover(box)

    def settle(self) -> None:
        """Make it small: nothing more will be covered in it."""
        if (still := self._open) is not None and still.shows():
            self._jpeg, self._open = _jpeg(still.pixels), None


@dataclass(frozen=True, slots=True)
class _Open:
    """A frame in which something may yet be covered: its pixels, what is shown of them, and whose face they show."""

    pixels: Pixels
    shown: np.ndarray
    mine: Box
    scale: float

    def cover(self, box: Box) -> None:
        if overlap(box, self.mine) >= _SAME:
            return  # who came to where the participant was is not to be seen yet
        part = _outside(wider(box), self.scale, self.shown.shape)
        self.shown[part] = False
        self.pixels[part] = GREY

    def shows(self) -> bool:
        return _share(self.shown, self.mine, self.scale) >= 1 - _HIDDEN


class Covering:
    """Covers one recording, frame after frame in order of time.

    Examples
    --------
    >>> me = Face((100, 60, 40, 50), 0.9, None, "yunet")
    >>> white, covering = np.full((200, 300, 3), 255, np.uint8), Covering()
    >>> frame = covering.see(0, white, me, [me], read=True)
    >>> len(frame.sealed(lambda jpeg, place: jpeg, "here")) % 4096
    0
    >>> covering.see(200_000, white, me, [me], read=True) is None  # another was kept a moment ago
    True
    >>> covering.see(600_000, white, me, [me], read=False) is None  # it is blurred, and nothing was read in it
    True
    """

    def __init__(self) -> None:
        self._others: list[tuple[int, Box]] = []
        self._open: list[tuple[int, CoveredFrame]] = []
        self._mine: tuple[int, Box] | None = None
        self._due = Sampling(EVERY_S)

    def see(
        self, pts_us: int, pixels: Pixels, mine: Face | None, faces: Sequence[Face], *, read: bool
    ) -> CoveredFrame | None:
        """Cover a frame, where it is one to keep.

        Parameters
        ----------
        pts_us
            Its time in microseconds.
        pixels
            (H, W, 3) uint8 RGB; stays as it is.
        mine
            The participant's face, one of `faces`; None: it was not found or is in doubt, and nothing is kept.
        faces
            Every face that was found in it.
        read
            Whether the participant's face is to be read; nothing is kept of a frame in which it is not.

        Returns
        -------
        CoveredFrame or None
            None too where another frame was kept a moment ago, or where others hide the participant.
        """
        if mine is not None and not self._goes_on(pts_us, mine.box):
            mine = None
        self._note(pts_us, mine, faces)
        if mine is None or not read or not self._due.due(pts_us):
            return None
        scale = min(1.0, SIDE / max(pixels.shape[:2]))
        covered = _reduced(pixels, scale)
        shown = np.zeros(covered.shape[:2], bool)
        shown[_inside(around(mine.box), scale, shown.shape)] = True
        for _, box in self._others:
            shown[_outside(wider(box), scale, shown.shape)] = False
        still = _Open(covered, shown, mine.box, scale)
        if not still.shows():
            return None
        covered[~shown] = GREY
        frame = CoveredFrame(still=still)
        self._open.append((pts_us, frame))
        return frame

    def _goes_on(self, pts_us: int, box: Box) -> bool:
        """Whether a face that is held to be the participant's lies where theirs was, or was in sight a moment ago.

        Where only one face is ever seen it is held to be theirs after any gap. For an estimate that may do; of
        somebody who stands elsewhere when the participant has left no picture is kept.
        """
        if self._mine is not None:
            at, before = self._mine
            if pts_us - at > HELD_US and overlap(box, before) == 0:
                return False
        self._mine = pts_us, box
        return True

    def _note(self, pts_us: int, mine: Face | None, faces: Sequence[Face]) -> None:
        """Remember where others are; for seconds, and nowhere but here."""
        self._others = [
            (at, box)
            for at, box in self._others
            if pts_us - at <= HELD_US and (mine is None or overlap(box, mine.box) < _SAME)
        ]
        others = [face.box for face in faces if face is not mine]
        self._others += [(pts_us, box) for box in others]
        for at, frame in self._open:
            if pts_us - at > HELD_US:
                frame.settle()
            else:
                for box in others:
                    frame.cover(box)
        self._open = [(at, frame) for at, frame in self._open if pts_us - at <= HELD_US]


def around(box: Box) -> Box:
    """The part of a frame that is held to be somebody's, by their face's box.

    Examples
    --------
    >>> around((100, 100, 40, 50))
    (70.0, 75.0, 100.0, 120.0)
    """
    x, y, w, h = box
    return x - _BESIDE * w, y - _ABOVE * h, w * (1 + 2 * _BESIDE), h * (1 + _ABOVE + _BELOW)


def wider(box: Box) -> Box:
    """What is covered of somebody else, by their face's box: with hair, ears and chin.

    Examples
    --------
    >>> wider((100, 100, 40, 50))
    (84.0, 80.0, 72.0, 90.0)
    """
    x, y, w, h = box
    return x - _WIDER * w, y - _WIDER * h, w * (1 + 2 * _WIDER), h * (1 + 2 * _WIDER)


def _reduced(pixels: Pixels, scale: float) -> Pixels:
    if scale == 1.0:
        return pixels.copy()
    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _inside(box: Box, scale: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels that lie wholly in a box: one that is mixed from both sides of its edge is none of them."""
    x, y, w, h = (value * scale for value in box)
    return _slices(math.ceil(x) + 1, math.ceil(y) + 1, math.floor(x + w) - 1, math.floor(y + h) - 1, shape)


def _outside(box: Box, scale: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The pixels that a box touches."""
    x, y, w, h = (value * scale for value in box)
    return _slices(math.floor(x) - 1, math.floor(y) - 1, math.ceil(x + w) + 1, math.ceil(y + h) + 1, shape)


def _slices(left: int, top: int, right: int, bottom: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    height, width = shape[:2]
    rows = slice(min(max(0, top), height), min(max(0, bottom), height))
    return rows, slice(min(max(0, left), width), min(max(0, right), width))


def _share(shown: np.ndarray, box: Box, scale: float) -> float:
    """How much of a face's box can be seen; 0 where none of it lies in the frame."""
    part = shown[_outside(box, scale, shown.shape)]
    return float(part.mean()) if part.size else 0.0


def _jpeg(pixels: Pixels) -> bytes:
    """A JPEG file without a word about how it was made, filled up to whole blocks by a comment of zeros."""
    done, written = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"a frame of {pixels.shape[1]} x {pixels.shape[0]} pixels cannot be written as JPEG")
    plain = written.tobytes()
    # ITU-T T.81, B.2.4.5: a marker, the length of what follows with its own two bytes, the comment.
    room = -(len(plain) + 4) % _BLOCK
    return plain[:2] + _COMMENT + struct.pack(">H", room + 2) + bytes(room) + plain[2:]
