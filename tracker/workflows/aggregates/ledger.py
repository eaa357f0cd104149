"""What aggregate figures have cost: the study's releases, and one participant's account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracker.access import Access, Unit
from tracker.privacy.budget import Budget, Charge, composed, left
from tracker.store import releases, studies
from tracker.store.releases import ReleaseRow


@dataclass(frozen=True, slots=True)
class Ledger:
    """A study's releases.

    Attributes
    ----------
    releases
        Oldest first; refusals are among them, since they cost something too.
    at_most
        What one person who was in all of them has spent: more than anybody has, if nobody was.
    left
        What that person has left.
    """

    releases: tuple[ReleaseRow, ...]
    at_most: Charge
    left: Charge


@dataclass(frozen=True, slots=True)
class Account:
    """What one participant has spent.

    Attributes
    ----------
    releases
        How many releases counted them.
    spent, left
        Of their budget.
    """

    releases: int
    spent: Charge
    left: Charge

    def as_json(self) -> dict[str, Any]:
        """As commands and archives say it."""
        return {
            "releases": self.releases,
            "epsilon_spent": self.spent.epsilon,
            "delta_spent": self.spent.delta,
            "epsilon_left": self.left.epsilon,
            "delta_left": self.left.delta,
        }


def governing(access: Access) -> tuple[str, Budget]:
    """The study in force: its id, and what it may cost each participant.

    Raises
    ------
    BudgetError
        When the study allows no figures: its delta is 0, which no cohort can be counted with.
    """
    with access.database.read() as connection:
        study = studies.in_force(connection)
    rules = study.aggregates
    return study.id, Budget(rules.epsilon, rules.delta, rules.min_people)


def ledger(access: Access, budget: Budget, *, study: str = "default") -> Ledger:
    """A study's releases and what they have cost at most; it tells of nobody."""
    with access.database.read() as connection:
        rows = tuple(releases.every(connection, study))
    spent = composed(Charge(row.epsilon, row.delta) for row in rows)
    return Ledger(rows, spent, left(budget, spent))


def account(unit: Unit, budget: Budget, *, study: str = "default") -> Account:
    """A participant's own account, for themselves."""
    [charges] = releases.charges(unit.connection, study, {unit.person.subject}).values()
    spent = composed(Charge(*charge) for charge in charges)
    return Account(len(charges), spent, left(budget, spent))
