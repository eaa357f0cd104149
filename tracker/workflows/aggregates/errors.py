"""What can go wrong with aggregate figures, in words for the researcher who asked for them."""

from __future__ import annotations

from tracker.privacy.budget import Budget, Charge


class AggregateError(ValueError):
    """Figures cannot be made as asked."""


class TooFewError(Exception):
    """Too few people to tell anything of, or so few more that telling would tell about one of them.

    Which of the two, and why they are few, is not said: it would be a figure of fewer than ten people.

    Parameters
    ----------
    budget
        The study's.
    cost
        What the attempt cost each person it was about.
    at_most
        What all releases so far have cost together.
    """

    def __init__(self, budget: Budget, cost: Charge, at_most: Charge) -> None:
        super().__init__(
            f"no figures: those who are in them and have budget left are fewer than {budget.least_people} people, or "
            "too few for noise to hide one; take in more days, more people or a larger --epsilon. Having asked cost "
            f"each of them epsilon {cost.epsilon:g}; all that was asked so far costs {at_most.epsilon:g} together, and "
            f"each person has {budget.epsilon:g}"
        )
        self.cost = cost
