"""What aggregate figures have cost: the installation's releases, and one participant's account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracker.access import Access, Unit
from tracker.privacy.budget import Budget, Charge, composed, left
from tracker.store import releases, studies
from tracker.store.releases import ReleaseRow
from tracker.study import Study


@dataclass(frozen=True, slots=True)
class Ledger:
    """The installation's releases, those under earlier studies too: another study begins no budget anew.

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

    @property
    def used(self) -> float:
        """How much of the ε is spent, from 0 to 1."""
        whole = self.spent.epsilon + self.left.epsilon
        return self.spent.epsilon / whole if whole else 0.0

    def as_json(self) -> dict[str, Any]:
        """As commands and archives say it."""
        return {
            "releases": self.releases,
            "epsilon_spent": self.spent.epsilon,
            "delta_spent": self.spent.delta,
            "epsilon_left": self.left.epsilon,
            "delta_left": self.left.delta,
        }


def budget_of(study: Study) -> Budget:
    """What a study's figures may cost each participant."""
    rules = study.aggregates
    return Budget(rules.epsilon, rules.delta, rules.min_people)


def governing(access: Access) -> tuple[str, Budget]:
    """The study in force: its id, and what its figures may cost each participant."""
    with access.database.read() as connection:
        study = studies.in_force(connection)
    return study.id, budget_of(study)


def ledger(access: Access, budget: Budget) -> Ledger:
    """All releases and what they have cost at most; it tells of nobody."""
    with access.database.read() as connection:
        rows = tuple(releases.every(connection))
    spent = composed(Charge(row.epsilon, row.delta) for row in rows)
    return Ledger(rows, spent, left(budget, spent))


def account(unit: Unit) -> Account:
    """A participant's own account, for themselves: all they spent, of what the study in force allows."""
    [charges] = releases.charges(unit.connection, {unit.person.subject}).values()
    spent = composed(Charge(*charge) for charge in charges)
    return Account(len(charges), spent, left(budget_of(unit.study), spent))
