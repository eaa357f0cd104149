"""What correcting brought, over people and seeds, in figures that say what they do not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tracker.lab.emotion_challenge.drawing import draw
from tracker.lab.emotion_challenge.faces import Floats
from tracker.lab.emotion_challenge.living import METHODS, STEADY, Lived
from tracker.lab.emotion_challenge.scoring import SCORES, TRUTHS
from tracker.lab.emotion_challenge.tables import show
from tracker.lab.simulation import MARK

DRAWS = 1000
"""Bootstrap draws: seeds first, then people within them."""

NO_GAP = 0.01
"""An oracle that is better than the network by less leaves nothing to remove, and no share of it is given."""


@dataclass(frozen=True)
class Plan:
    """What was simulated."""

    people: int
    seeds: int
    days: int
    per_day: int
    strengths: tuple[float, ...]
    network: str
    uneven: bool
    first_seed: int


@dataclass(frozen=True)
class Measured:
    """A mean over people and seeds with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Gap:
    """What one score, against one truth, says at one strength.

    Attributes
    ----------
    network, other_people, oracle, felt_oracle, personal
        Expected on held-out faces at the end of the last day (`tracker.lab.emotion_challenge.living.STEADY`).
    removed
        Share of the gap from the network to the oracle that the personal estimate removes; None without a gap.
    removed_beyond_others
        The same of the gap from the average person's estimate to the oracle: what is personal.
    worse
        Share of people whose personal estimate is worse than the network's.
    days
        The personal estimate by day.
    last_week
        Moment by moment before each answer, last seven days: mean by method.
    worse_last_week
        Share of people who were worse off in those moments: the personal estimate, and, since chance alone
        makes some worse, the oracle.
    """

    network: Measured
    other_people: Measured
    oracle: Measured
    felt_oracle: Measured
    personal: Measured
    removed: Measured | None
    removed_beyond_others: Measured | None
    worse: Measured
    days: dict[int, Measured]
    last_week: dict[str, Measured]
    worse_last_week: dict[str, float]

    @property
    def met(self) -> bool | None:
        """Whether half of the gap is removed and at most 5 % end worse; None without a gap."""
        return None if self.removed is None else self.removed.mean >= 0.5 and self.worse.mean <= 0.05


@dataclass(frozen=True)
class EmotionReport:
    """The experiment's figures: ``gaps[strength][truth][score]``."""

    plan: Plan
    gaps: dict[float, dict[str, dict[str, Gap]]]

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "marked": MARK,
            "experiment": "emotion",
            "plan": asdict(self.plan),
            "strengths": {
                f"{strength:g}": {
                    truth: {score: {**asdict(gap), "met": gap.met} for score, gap in scores.items()}
                    for truth, scores in truths.items()
                }
                for strength, truths in self.gaps.items()
            },
        }

    def table(self, console: Console) -> None:
        """Print it."""
        show(self, console)

    def plot(self, folder: Path) -> Path:
        """Draw error over days as one HTML page in a folder; says where."""
        return draw(self, folder)


def summarise(plan: Plan, days: Sequence[int], lived: Sequence[Lived]) -> EmotionReport:
    """Turn what people lived into figures."""
    gaps: dict[float, dict[str, dict[str, Gap]]] = {}
    for strength in plan.strengths:
        runs = [one for one in lived if one.strength == strength]
        steady, personal, last = (
            np.stack([getattr(one, name) for one in runs]) for name in ("steady", "personal", "prequential")
        )
        gaps[strength] = {
            truth: {
                score: _gap(steady[..., k, j], personal[..., k, j], last[..., k, j], days)
                for j, score in enumerate(SCORES)
            }
            for k, truth in enumerate(TRUTHS)
        }
    return EmotionReport(plan, gaps)


def _gap(steady: Floats, personal: Floats, last: Floats, days: Sequence[int]) -> Gap:
    # Shapes: (seeds, people, ...), where ... are estimates, days or methods.
    resample = _Resampled(*personal.shape[:2])
    fixed = {name: steady[..., i] for i, name in enumerate(STEADY)}
    own, network, oracle, others = (
        personal[..., -1], fixed["network"], fixed["oracle"], fixed["other_people"],
    )  # fmt: skip
    by_method = {name: last[..., i] for i, name in enumerate(METHODS) if not np.isnan(last[0, 0, i])}
    better = {name: float(np.mean(by_method[name] > by_method["network"])) for name in ("personal", "oracle")}
    return Gap(
        **{name: resample.mean(values) for name, values in fixed.items()},
        personal=resample.mean(own),
        removed=resample.share(network - own, network - oracle),
        removed_beyond_others=resample.share(others - own, others - oracle),
        worse=resample.mean((own > network).astype(np.float64)),
        days={day: resample.mean(personal[..., i]) for i, day in enumerate(days)},
        last_week={name: resample.mean(_tried(values)) for name, values in by_method.items()},
        worse_last_week=better,
    )


def _tried(values: Floats) -> Floats:
    return values[~np.isnan(values[:, 0])]


class _Resampled:
    """Means of (seeds, people) with percentile intervals: seeds are drawn, then people of each."""

    def __init__(self, seeds: int, people: int) -> None:
        self.seeds, self.people = seeds, people

    def means(self, *values: Floats) -> list[Floats]:
        """Give the means of the draws, the same draws for all."""
        random = np.random.default_rng(0)
        found = np.empty((len(values), DRAWS))
        for draw_ in range(DRAWS):
            seed = random.integers(0, values[0].shape[0], (values[0].shape[0], 1))
            person = random.integers(0, self.people, (values[0].shape[0], self.people))
            for row, value in zip(found, values, strict=True):
                row[draw_] = value[seed, person].mean()
        return list(found)

    def mean(self, values: Floats) -> Measured:
        """Mean and interval."""
        (draws,) = self.means(values)
        return Measured(float(values.mean()), *_between(draws))

    def share(self, part: Floats, whole: Floats) -> Measured | None:
        """Ratio of two means and its interval; None where the whole is next to nothing."""
        if whole.mean() < NO_GAP:
            return None
        parts, wholes = self.means(part, whole)
        return Measured(float(part.mean() / whole.mean()), *_between(parts / wholes))


def _between(draws: Floats) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
