"""How a challenge is run: what stands on the command line beside the data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_BLOCKS = ((8, 14), (15, 21), (24, 30))


class Mode(StrEnum):
    """When the truth is revealed to the system."""

    DEPLOYED = "deployed"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class ChallengeSettings:
    """Knobs of a run; every figure depends on them and on nothing else but the data.

    Parameters
    ----------
    blocks
        First and last day, both included, of each span that is reported.
    mode
        `Mode.DEPLOYED` reveals the truth only where the system asked; `Mode.FULL` always.
    warmup
        Days in which everything is asked.
    budget
        Most questions a day; None for any number.
    draws
        Repetitions of the closed loop with other random audits.
    seed
        Of all randomness.
    jobs
        Processes that share the work; the figures do not depend on it.
    """

    blocks: tuple[tuple[int, int], ...] = DEFAULT_BLOCKS
    mode: Mode = Mode.DEPLOYED
    warmup: int = 7
    budget: int | None = None
    draws: int = 10
    seed: int = 0
    jobs: int = 1
