"""What a challenge came to, before it is printed or drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tracker.lab.challenge.scoring import Block

LEARNER = "learner"
BASELINES = (
    "majority",
    "last_value",
    "pooled_logistic",
    "river_logistic",
    "river_arf",
    "hierarchical",
    "boosted_trees",
    "random_ask",
)


@dataclass(frozen=True, slots=True)
class About:
    """What stands beside every figure of a run.

    Attributes
    ----------
    data, target
        The file's name and the question put to it, in words.
    people, moments
        In the file, with a known truth.
    prior
        Where the pooled prior came from, in words.
    notes
        What was noticed when reading, or marks such as SIMULATED.
    """

    data: str
    target: str
    mode: str
    people: int
    moments: int
    draws: int
    seed: int
    warmup: int = 7
    budget: int | None = None
    prior: str = "the other people of this file"
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Every field by name."""
        return asdict(self) | {"notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class BlockReport:
    """One block of days: ours, and every baseline under the same rules."""

    learner: Block
    baselines: Mapping[str, Block]

    @property
    def methods(self) -> dict[str, Block]:
        """All of them, ours first, the others in the order of `BASELINES`."""
        known = [name for name in BASELINES if name in self.baselines]
        rest = [name for name in self.baselines if name not in BASELINES]
        return {LEARNER: self.learner} | {name: self.baselines[name] for name in known + rest}

    def as_json(self) -> dict[str, Any]:
        """Ours at the top; the baselines with the same three and, for fairness, the same people."""
        return {
            **self.learner.points.as_json(),
            "baselines": {
                name: block.points.as_json() | {"people": block.people_json()}
                for name, block in self.methods.items()
                if name != LEARNER
            },
            "people": self.learner.people_json(),
            "balance": dict(self.learner.balance),
        }
