"""What releases cost adds up by hand, person by person, and a spent budget is spent."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.privacy.budget import NOTHING, Budget, BudgetError, Charge, affords, composed, left

thousandths = st.integers(1, 1000)


@given(parts=st.lists(thousandths, max_size=60), other=thousandths)
def test_losses_add_up_exactly_as_written(parts: list[int], other: int) -> None:
    """Against sums of fractions: what was written in thousandths adds up in thousandths."""
    charges = [Charge(n / 1000, n * 1e-9) for n in parts]
    spent = composed(charges)
    assert spent.epsilon == float(Fraction(sum(parts), 1000))
    assert spent.delta == pytest.approx(sum(parts) * 1e-9, rel=1e-12)
    assert affords(Budget(epsilon=20.0, delta=1e-3), spent, Charge(other / 1000)) == (
        sum(parts) + other <= 20_000
    )


def test_a_budget_of_one_pays_ten_releases_of_a_tenth_and_not_eleven() -> None:
    budget, spent, paid = Budget(), NOTHING, 0
    while affords(budget, spent, budget.charge(0.1)):
        spent, paid = composed([spent, budget.charge(0.1)]), paid + 1
    assert paid == 10
    assert spent.epsilon == 1.0
    assert left(budget, spent).epsilon == 0.0
    assert not affords(budget, spent, budget.charge(0.001))


@given(
    parts=st.lists(thousandths, min_size=1, max_size=40), epsilon=st.sampled_from([0.3, 0.7, 1.0, 3.0, 9.9])
)
def test_delta_lasts_exactly_as_long_as_epsilon(parts: list[int], epsilon: float) -> None:
    """Whatever the order and size of releases: while ε is left for one, δ is too."""
    budget, spent = Budget(epsilon=epsilon, delta=1e-6), NOTHING
    for part in parts:
        if part / 1000 > epsilon:
            continue
        charge = budget.charge(part / 1000)
        enough = Fraction(str(spent.epsilon)) + Fraction(part, 1000) <= Fraction(str(epsilon))
        assert affords(budget, spent, charge) == enough
        if enough:
            spent = composed([spent, charge])
        assert spent.delta <= budget.delta


def test_delta_alone_can_refuse() -> None:
    assert not affords(Budget(epsilon=5.0, delta=1e-6), Charge(0.1, 9e-7), Charge(0.1, 2e-7))


def test_what_was_spent_before_the_budget_was_lowered_leaves_nothing() -> None:
    assert left(Budget(epsilon=0.5), Charge(0.8, 1e-7)).epsilon == 0.0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"epsilon": 0.0}, "above 0, not 0.0"),
        ({"epsilon": float("nan")}, "not nan"),
        ({"epsilon": float("inf")}, "not inf"),
        ({"delta": -1e-9}, "delta lies from 0"),
        ({"delta": 0.5}, "not at 0.5"),
        ({"least_people": 9}, "fewer than 10 people, not 9"),
    ],
)
def test_impossible_budgets_are_refused(values: dict[str, float], told: str) -> None:
    with pytest.raises(BudgetError, match=told):
        Budget(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("epsilon", [0.0, -0.1, float("nan"), float("inf"), 1.01])
def test_impossible_charges_are_refused(epsilon: float) -> None:
    with pytest.raises(BudgetError):
        Budget().charge(epsilon)


def test_without_a_delta_there_are_no_figures() -> None:
    with pytest.raises(BudgetError, match="delta is 0, so no figures"):
        Budget(delta=0.0).charge(0.5)
