"""What one closed loop over everybody came to: the only thing that scoring sees of a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

DECIDED = 0
ASKED = 1
SILENT = 2
ACTIONS = {DECIDED: "decided", ASKED: "asked", SILENT: "silent"}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Every scored moment (its truth is known) of one closed loop with one draw of audits.

    Parameters
    ----------
    person
        Index into ``names``, one per moment; moments stand in the order of person, then time.
    day
        The person's day, from 1.
    probability
        What was said, before the truth was known, of the target being true.
    truth
        Whether it was.
    either
        Whether the answer is one that no decision contradicts.
    action
        What the system did: ``DECIDED``, ``ASKED`` or ``SILENT``.
    audit
        Whether it asked at random (which is also ``ASKED``).
    names
        The people, in order.

    Examples
    --------
    >>> import numpy as np
    >>> yes, no = np.array([True, False]), np.array([False, False])
    >>> two = Outcomes(np.array([0, 0]), np.array([1, 2]), np.array([0.9, 0.2]), yes, no,
    ...                np.array([ASKED, DECIDED]), no, ("anna",))
    >>> two.between(2, 9).probability.tolist()
    [0.2]
    """

    person: IntArray
    day: IntArray
    probability: FloatArray
    truth: BoolArray
    either: BoolArray
    action: IntArray
    audit: BoolArray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Say at once where a loop handed over something that cannot be scored."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "names"}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"outcomes need columns of one length, not {lengths}")
        if not self.person.size:
            return
        if not (self.person.min() >= 0 and self.person.max() < len(self.names)):
            raise ValueError(f"a person's index must lie in 0..{len(self.names) - 1}")
        if not (
            np.isfinite(self.probability).all() and ((self.probability >= 0) & (self.probability <= 1)).all()
        ):
            worst = int(np.argmax(~((self.probability >= 0) & (self.probability <= 1))))
            raise ValueError(
                f"a probability must lie in 0..1, not {self.probability[worst]} (moment {worst})"
            )
        if not np.isin(self.action, list(ACTIONS)).all():
            raise ValueError("an action is one of DECIDED, ASKED and SILENT")
        if (self.audit & (self.action != ASKED)).any():
            raise ValueError("an audit is a question: its action must be ASKED")

    def __len__(self) -> int:
        """Scored moments."""
        return int(self.person.size)

    def where(self, mask: BoolArray) -> Outcomes:
        """Return only the moments that the mask keeps; the people keep their index."""
        kept = {f.name: getattr(self, f.name)[mask] for f in fields(self) if f.name != "names"}
        return Outcomes(**kept, names=self.names)

    def between(self, first_day: int, last_day: int) -> Outcomes:
        """Return only the moments of these days, both included."""
        return self.where((first_day <= self.day) & (self.day <= last_day))


@dataclass(frozen=True, slots=True)
class Loops:
    """One method's closed loops, one `Outcomes` per draw, at its two operating points.

    Attributes
    ----------
    at_decided
        Run so that what it decides alone is right 95 % of the time.
    at_system
        Run so that 95 % of all moments end right, where asking ends right.
    """

    at_decided: Sequence[Outcomes]
    at_system: Sequence[Outcomes]
