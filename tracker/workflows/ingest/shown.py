"""Pictures in which somebody is asked which face is theirs: the newest of each person, in memory, for a minute."""

from __future__ import annotations

from collections.abc import Callable

from tracker.workflows.ingest.capture import Shot
from tracker.workflows.ingest.captured import FullError, LookAgainError

_ALONE_S, _AMONG_OTHERS_S = 60.0, 10.0
"""How long a face may take to be chosen, in seconds: among others, no longer than a place tells people apart."""


class Shown:
    """Where faces were in the pictures that people were shown; the pictures themselves are gone.

    Parameters
    ----------
    monotonic
        Monotonic seconds.
    most
        How many people are asked at once.
    """

    def __init__(self, monotonic: Callable[[], float], most: int) -> None:
        self._monotonic, self._most = monotonic, most
        self._shots: dict[str, tuple[str, Shot, float]] = {}

    def put(self, person: str, capture: str, shot: Shot) -> None:
        """Remember where the faces of a person's newest picture are.

        Raises
        ------
        FullError
            When so many are asked already.
        """
        now = self._monotonic()
        self._shots = {who: kept for who, kept in self._shots.items() if now - kept[2] <= _ALONE_S}
        if len(self._shots) >= self._most and person not in self._shots:
            raise FullError
        self._shots[person] = (capture, shot, now)

    def take(self, person: str, capture: str, face: int) -> Shot:
        """The picture in which a person chose a face; it cannot be chosen from again.

        Raises
        ------
        LookAgainError
            When it is not the newest, has no such face, or was taken too long ago.
        """
        known = self._shots.get(person)
        if known is None or known[0] != capture or not 0 <= face < len(known[1].faces):
            raise LookAgainError("This is not the newest picture of you: show your face once more.")
        del self._shots[person]
        shot, at = known[1], known[2]
        if self._monotonic() - at > (_ALONE_S if len(shot.faces) == 1 else _AMONG_OTHERS_S):
            raise LookAgainError("Some time has passed since this picture: choose your face once more.")
        return shot
