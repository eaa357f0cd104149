"""Names that hold within one export alone: random pseudonyms from a key, and numbers in the files' order."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tracker.privacy.pseudonyms import pseudonym, rater_name

Ids = NDArray[np.int64]


class Pseudonyms:
    """Keyed pseudonyms (HMAC-SHA-256, 80 bits): nobody without the key can link or guess them.

    Parameters
    ----------
    key
        The export's own; another export has another, so its pseudonyms cannot be matched with these.

    Examples
    --------
    >>> one, other = Pseudonyms(b"key one"), Pseudonyms(b"another")
    >>> one.participant("7f") == one.participant("7f"), one.participant("7f") == other.participant("7f")
    (True, False)
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        # A recording has many rows; its name is computed once.
        self.recording = cache(self._recording)

    def participant(self, participant: str) -> str:
        """The pseudonym of a participant."""
        return pseudonym(self._key, "p", "participant", participant)

    def rater(self, rater: str) -> str:
        """The pseudonym of a rater; the participant's own word stays marked as such."""
        return rater if rater == "participant" else rater_name(self._key, rater)

    def _recording(self, participant: str, source: str) -> str:
        # Bound to the person: the same file of two people must not tell that they were recorded together.
        return pseudonym(self._key, "v", "recording", f"{participant}|{source}")


class Numbers:
    """Numbers of one table's rows in an export, instead of the database's ids.

    Rows are numbered 1, 2, 3 … over the whole table, in the order in which they come; ids of one person
    are kept until the next person begins, so that other tables can point to them.
    """

    def __init__(self) -> None:
        self.last = 0
        self._parts: list[Ids] = []
        self._first = 0
        self._sorted: Ids | None = None
        self._order: Ids | None = None

    def begin(self) -> None:
        """Forget the ids of the person before."""
        self._parts, self._sorted, self._order = [], None, None
        self._first = self.last + 1

    def add(self, ids: Ids) -> Ids:
        """Number the next rows."""
        self._parts.append(ids)
        numbers = np.arange(self.last + 1, self.last + 1 + len(ids), dtype=np.int64)
        self.last += len(ids)
        self._sorted = None
        return numbers

    def find(self, ids: Ids) -> Ids:
        """The numbers of ids; 0 for one that has none."""
        if self._sorted is None:
            every = np.concatenate(self._parts) if self._parts else np.empty(0, np.int64)
            # Mostly rows were stored in the order of their instants: then nothing has to be sorted or kept for it.
            self._order = None if (every[1:] > every[:-1]).all() else np.argsort(every, kind="stable")
            self._sorted = every if self._order is None else every[self._order]
            self._parts = [every]
        if not len(self._sorted):
            return np.zeros(len(ids), np.int64)
        places = np.minimum(np.searchsorted(self._sorted, ids), len(self._sorted) - 1)
        there = self._sorted[places] == ids
        ranks = places if self._order is None else self._order[places]
        return np.where(there, ranks + self._first, 0)
