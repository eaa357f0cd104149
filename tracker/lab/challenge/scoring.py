"""The figures of one method in one block of days: at two operating points, always deciding, and over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracker.lab.challenge.figures import always, at_decided, at_system
from tracker.lab.challenge.intervals import Figure, Resample
from tracker.lab.challenge.outcomes import Outcomes
from tracker.lab.challenge.people import MET, over_people
from tracker.lab.challenge.tallies import Tally, answers, right


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures that belong together.

    Attributes
    ----------
    n
        What they were counted over, by name.
    met
        Whether the promise of the operating point was kept: a realised accuracy of at least .945. Deciding nothing
        keeps none.
    """

    figures: Mapping[str, Figure]
    n: Mapping[str, float] = field(default_factory=dict)
    met: bool | None = None

    def __getitem__(self, name: str) -> float | None:
        """Return a figure's value."""
        return self.figures[name].value

    def as_json(self) -> dict[str, Any]:
        """Plain numbers, with ``spread``, ``interval`` and ``n`` beside them; what is undefined is null."""
        found: dict[str, Any] = {name: figure.value for name, figure in self.figures.items()}
        if self.met is not None:
            found["met"] = self.met
        found["spread"] = {name: figure.spread for name, figure in self.figures.items()}
        found["interval"] = {
            name: None if figure.interval is None else list(figure.interval)
            for name, figure in self.figures.items()
        }
        return found | {"n": dict(self.n)}


@dataclass(frozen=True, slots=True)
class Points:
    """One method's figures on some people."""

    at_decided_95: Scores
    at_system_95: Scores
    always: Scores

    def as_json(self) -> dict[str, Any]:
        """The three, by name."""
        return {
            "at_decided_95": self.at_decided_95.as_json(),
            "at_system_95": self.at_system_95.as_json(),
            "always": self.always.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Block:
    """One method in one block of days.

    Attributes
    ----------
    points
        Of everybody.
    people
        How ``accuracy`` (always deciding), ``decided_accuracy``, ``coverage`` and ``system_accuracy`` lie over people.
    both_answers
        The figures of people with both answers in at least a tenth of their moments; none without such people.
    balance
        People, moments, and how one-sided their answers are.
    """

    first_day: int
    last_day: int
    points: Points
    people: Mapping[str, Scores]
    both_answers: Points | None
    both_answers_people: int
    balance: Mapping[str, float | None]

    def people_json(self) -> dict[str, Any]:
        """Accuracy over people at the top, the other figures and both answers within."""
        both = self.both_answers.as_json() if self.both_answers else dict.fromkeys(_THREE)
        found = self.people["accuracy"].as_json()
        found |= {name: scores.as_json() for name, scores in self.people.items() if name != "accuracy"}
        return found | {"both_answers": both | {"people": self.both_answers_people}}


_THREE = ("at_decided_95", "at_system_95", "always")


def figures(
    outcomes_at_decided: Sequence[Outcomes],
    outcomes_at_system: Sequence[Outcomes],
    first_day: int,
    last_day: int,
) -> Block:
    """Score one method in one block.

    Parameters
    ----------
    outcomes_at_decided, outcomes_at_system
        One per draw, of the loops run at either operating point. `always` is taken from the first.
    first_day, last_day
        Of the block, both included.

    Raises
    ------
    ValueError
        Without a draw, or where the draws are of different people.
    """
    decided = Tally.of(outcomes_at_decided, first_day, last_day)
    system = Tally.of(outcomes_at_system, first_day, last_day)
    if decided.draws[0].names != system.draws[0].names:
        raise ValueError("the two operating points must be scored on the same people")
    either = any(draw.either.any() for draw in outcomes_at_decided)
    both = decided.has_both_answers()
    chosen = int(both.sum())
    varied = _points(decided.keep(both), system.keep(both), either) if chosen else None
    return Block(
        first_day,
        last_day,
        _points(decided, system, either),
        _people(decided, system),
        varied,
        chosen,
        _balance(decided) | {"both_answers_people": chosen},
    )


def _points(decided: Tally, system: Tally, either: bool) -> Points:
    drawn = Resample.of(decided.people)
    n = {"people": decided.people, "moments": _mean(decided.scored)}
    one = at_decided(decided, drawn, definite=either)
    two = at_system(system, drawn)
    three, counted = always(decided, drawn, definite=either)
    return Points(
        Scores(one, n | {"decided": _mean(decided.decided)}, _met(one["decided_accuracy"])),
        Scores(two, n | {"asked": _mean(system.asked)}, _met(two["system_accuracy"])),
        Scores(three, n | counted),
    )


def _people(decided: Tally, system: Tally) -> dict[str, Scores]:
    drawn = Resample.of(decided.people)
    ratios = {
        "accuracy": (decided.count(right), decided.scored),
        "decided_accuracy": (decided.decided_right, decided.decided),
        "coverage": (decided.decided, decided.scored),
        "system_accuracy": (system.asked + system.decided_right, system.scored),
    }
    return {
        name: Scores(over_people(above, below, drawn), {"people": float((below > 0).sum(axis=1).mean())})
        for name, (above, below) in ratios.items()
    }


def _balance(tally: Tally) -> dict[str, float | None]:
    true = tally.count(lambda d: answers(d)[0])[0]
    false = tally.count(lambda d: answers(d)[1])[0]
    scored = tally.scored[0]
    moments = float(scored.sum())
    majority = (scored - (true + false) + [max(pair) for pair in zip(true, false, strict=True)]) / scored
    return {
        "people": tally.people,
        "moments": moments,
        "share_true": float(true.sum()) / moments if moments else None,
        "share_either": float((scored - true - false).sum()) / moments if moments else None,
        "majority_within_person": float(majority.mean()) if len(majority) else None,
    }


def _met(figure: Figure) -> bool:
    return figure.value is not None and figure.value >= MET


def _mean(counts: Any) -> float:
    return float(counts.sum(axis=1).mean())
