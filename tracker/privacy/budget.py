"""The privacy budget of each participant: what differentially private releases have cost them, and what is left.

The unit is the person: a release is (ε, δ)-differentially private for the whole of what somebody has given, not
for one row of it. Losses add up (basic composition; Dwork and Roth, *The Algorithmic Foundations of Differential
Privacy*, 2014, theorem 3.16), person by person: a release costs those whose data it was made of, and nobody else.
Leaving out whoever cannot pay any more is a privacy filter with individual accounts, and sound when each
release is chosen after looking at the earlier ones (Feldman and Zrnic, *Individual Privacy Accounting via a Rényi
Filter*, 2021).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

LEAST_PEOPLE = 10
"""No study may publish a figure of fewer people."""


class BudgetError(ValueError):
    """A budget, or what is asked of it, is no possible one."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a release costs each person in it.

    Examples
    --------
    >>> Charge(0.5, 1e-7)
    Charge(epsilon=0.5, delta=1e-07)
    """

    epsilon: float
    delta: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and self.epsilon >= 0):
            raise BudgetError(f"an epsilon is a number of at least 0, not {self.epsilon}")
        if not 0 <= self.delta < 1:
            raise BudgetError(f"a delta lies from 0 to below 1, not at {self.delta}")


NOTHING = Charge(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a study may cost one participant in all its aggregate figures together.

    Parameters
    ----------
    epsilon
        The whole loss allowed. At 1, no set of figures can be more than e = 2.7 times as likely with
        somebody's data as without; raise it for figures with less noise, lower it for more cover.
    delta
        How probable it may be that this does not hold; far below 1 / people. With 0 no figures can be made.
    least_people
        No figure is made of fewer people than this; at least 10.

    Raises
    ------
    BudgetError
        When a value is out of range.
    """

    epsilon: float = 1.0
    delta: float = 1e-6
    least_people: int = LEAST_PEOPLE

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and self.epsilon > 0):
            raise BudgetError(f"a budget's epsilon is a number above 0, not {self.epsilon}")
        if not 0 <= self.delta <= 1e-3:
            raise BudgetError(f"a budget's delta lies from 0 to 0.001, not at {self.delta}")
        if self.least_people < LEAST_PEOPLE:
            raise BudgetError(
                f"no figure is made of fewer than {LEAST_PEOPLE} people, not {self.least_people}"
            )

    def whole(self) -> Charge:
        """All of it."""
        return Charge(self.epsilon, self.delta)

    def charge(self, epsilon: float) -> Charge:
        """What a release of this ε costs: it takes the same share of δ, so that both last equally long.

        Examples
        --------
        >>> Budget(epsilon=2.0, delta=1e-6).charge(0.5)
        Charge(epsilon=0.5, delta=2.5e-07)

        Raises
        ------
        BudgetError
            When ε is not above 0, or more than the whole budget; or when δ is 0.
        """
        if not self.delta:
            raise BudgetError(
                "the study's delta is 0, so no figures can be made: that enough people are in them cannot be told "
                "privately for certain. Set [aggregates] delta in the study file, for example to 1e-6"
            )
        if not (math.isfinite(epsilon) and epsilon > 0):
            raise BudgetError(f"an epsilon is a number above 0, not {epsilon}")
        if epsilon > self.epsilon:
            raise BudgetError(
                f"an epsilon of {epsilon:g} is more than the study's whole budget for a participant, {self.epsilon:g}"
            )
        # Cut down to 12 digits, never up: shares must not add up to more than the whole.
        share = _exact(self.delta) * _exact(epsilon) / _exact(self.epsilon)
        return Charge(epsilon, _down(share))


def composed(charges: Iterable[Charge]) -> Charge:
    """What several releases cost together: the sums (basic composition).

    Examples
    --------
    >>> composed([Charge(0.1, 1e-7)] * 3)
    Charge(epsilon=0.3, delta=3e-07)
    """
    epsilon, delta = Decimal(0), Decimal(0)
    for charge in charges:
        epsilon, delta = epsilon + _exact(charge.epsilon), delta + _exact(charge.delta)
    return Charge(float(epsilon), float(delta))


def affords(budget: Budget, spent: Charge, charge: Charge) -> bool:
    """Whether somebody who has spent so much can pay a further charge.

    Examples
    --------
    >>> nine_tenths = composed([Charge(0.1)] * 9)
    >>> affords(Budget(), nine_tenths, Charge(0.1)), affords(Budget(), nine_tenths, Charge(0.11))
    (True, False)
    """
    return (
        _exact(spent.epsilon) + _exact(charge.epsilon) <= _exact(budget.epsilon)
        and _exact(spent.delta) + _exact(charge.delta) <= _exact(budget.delta)
    )  # fmt: skip


def left(budget: Budget, spent: Charge) -> Charge:
    """What is left of a budget; nothing where it was lowered below what is spent already.

    Examples
    --------
    >>> left(Budget(), Charge(0.75, 1e-7))
    Charge(epsilon=0.25, delta=9e-07)
    """
    return Charge(
        float(max(_exact(budget.epsilon) - _exact(spent.epsilon), Decimal(0))),
        float(max(_exact(budget.delta) - _exact(spent.delta), Decimal(0))),
    )


def _exact(value: float) -> Decimal:
    # The decimal that a person wrote: ten times 0.1 is 1, which binary sums do not always say.
    return Decimal(repr(value))


def _down(value: Decimal) -> float:
    if not value:
        return 0.0
    unit = Decimal(1).scaleb(value.adjusted() - 11)
    return float(value // unit * unit)
