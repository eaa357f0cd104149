"""How a face is cut out for a network: part of the network, because it was trained on one framing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CropSpec:
    """The framing that a network expects of its input.

    Parameters
    ----------
    size
        Height and width of the square crop in pixels.
    margin
        What is added around the detector's box (as YuNet draws it) on each side, as a share of the box's
        larger side. Negative values cut into the box.
    alignment
        ``"eyes"`` rotates and scales the face so that the eyes come to `eye_line` and
        `eye_distance`; ``"none"`` cuts the box as it stands.
    eye_line
        Height of the eyes in the crop, as a share of its height, for ``alignment="eyes"``.
    eye_distance
        Distance between the eyes, as a share of the crop's width.

    The defaults of the last two reproduce FER2013's framing (docs/decisions/0003-framing.md).
    """

    size: int
    margin: float = 0.0
    alignment: Literal["eyes", "none"] = "none"
    eye_line: float = 0.385
    eye_distance: float = 0.363

    def __post_init__(self) -> None:
        if self.size < 8:
            raise ValueError(f"a crop of {self.size} px is too small; use at least 8")
        if not -0.4 <= self.margin <= 2.0:
            raise ValueError(f"margin {self.margin} is outside [-0.4, 2.0]")
        if not 0.0 < self.eye_line < 1.0:
            raise ValueError(f"eye_line {self.eye_line} is outside (0, 1)")
        if not 0.05 <= self.eye_distance <= 1.0:
            raise ValueError(f"eye_distance {self.eye_distance} is outside [0.05, 1]")
        if self.alignment not in ("eyes", "none"):
            raise ValueError(f"alignment {self.alignment!r} is neither 'eyes' nor 'none'")
