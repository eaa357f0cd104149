"""Figures about everybody hide each single one: a budget that is composed and refused when spent, noise that suffices,
and nobody who stands out in a public table (DESIGN's section on aggregates, in place of suppressed cells)."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from tests.builders import NOW, installation
from tests.invariants.conftest import Tell
from tests.processes import close
from tests.workflows.exported import read, someone
from tests.workflows.test_aggregates import ask, cohort
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.privacy import aggregates as mechanisms
from tracker.privacy.budget import Budget
from tracker.store import tables
from tracker.workflows import consenting
from tracker.workflows.aggregates import AggregateError, TooFewError, release
from tracker.workflows.export import TooFewPeopleError, export_dataset

RUNS = 6000


@pytest.mark.parametrize("epsilon", [0.5, 1.0])
def test_one_person_more_or_less_is_hidden_as_well_as_is_said(epsilon: float, figure: Tell) -> None:
    """Neighbouring cohorts, thousands of releases each: no outcome is e^epsilon times likelier, with wide margins."""
    share = np.array([[1.0, 0.0]])
    worst = 0.0
    with_them, without = (
        np.array([mechanisms.noisy_sums([share] * n, (1, 2), epsilon).sums[0, 0] for _ in range(RUNS // 4)])
        for n in (11, 10)
    )
    for cut in range(8, 14):
        p, q = (with_them > cut).mean(), (without > cut).mean()
        for a, b in ((p, q), (q, p), (1 - p, 1 - q), (1 - q, 1 - p)):
            # Five standard errors in favour of the mechanism.
            slack = 5 * math.sqrt(max(a, 1e-3) / len(with_them))
            worst = max(worst, math.log(max(a - slack, 1e-9) / max(b, 1e-3)))
    assert worst <= epsilon, f"a loss of {worst:.2f} was seen where {epsilon} was promised"
    figure(
        f"{len(with_them) * 2:,} releases of neighbours at epsilon {epsilon}: loss seen at most {max(worst, 0):.2f}"
    )


def test_counts_are_hidden_too() -> None:
    counts = {n: Counter(mechanisms.noisy_count(n, 1.0) > 10 for _ in range(RUNS)) for n in (10, 11)}
    p, q = counts[11][True] / RUNS, counts[10][True] / RUNS
    assert p <= math.exp(1.0) * q + 5 * math.sqrt(p / RUNS)
    assert (1 - q) <= math.exp(1.0) * (1 - p) + 5 * math.sqrt((1 - q) / RUNS)


def test_what_is_spent_is_composed_and_no_more_is_given(access: Access) -> None:
    people = cohort(access, 30)
    budget = Budget(epsilon=20.0)
    for days in (1, 2):
        release(access, ask(epsilon=10.0, first=(NOW.date().replace(day=10 + days))), budget, NOW)
    with pytest.raises(TooFewError):
        release(access, ask(epsilon=10.0, first=NOW.date().replace(day=15)), budget, NOW)
    paid = _paid(access)
    assert all(sum(paid[who.subject]) <= budget.epsilon for who in people)
    assert {len(paid[who.subject]) for who in people} == {2}


def test_whoever_withdraws_is_in_no_later_figure_and_few_are_in_none(access: Access) -> None:
    people = cohort(access, 10)
    for who in people[:1]:
        consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises((TooFewError, AggregateError)):
        release(access, ask(epsilon=10.0), Budget(epsilon=20.0), NOW)
    assert people[0].subject not in _paid(access)


def test_nobody_stands_out_in_a_public_export(access: Access, tmp_path: Path) -> None:
    zones = ["Europe/Berlin"] * 3 + ["Europe/Paris"] * 2 + ["America/New_York"]
    for n, zone in enumerate(zones):
        someone(access, f"p{n}", zone=zone)
    plain = export_dataset(access, tmp_path / "plain", NOW)
    result = export_dataset(access, tmp_path / "public", NOW, public=True)
    rows = read(result.folder, "participants")
    classes = Counter(tuple(v for c, v in row.items() if c != "participant") for row in rows)
    assert min(classes.values()) >= 5
    assert result.k == min(classes.values())
    assert result.rows == plain.rows, "rows were dropped"


@pytest.mark.parametrize("people", [1, 4])
def test_a_study_of_few_people_has_no_public_export(tmp_path: Path, sqlite_url: str, people: int) -> None:
    access = installation(sqlite_url, tmp_path)
    for n in range(people):
        someone(access, f"p{n}")
    with pytest.raises(TooFewPeopleError):
        export_dataset(access, tmp_path / "out", NOW, public=True)
    assert not (tmp_path / "out").exists()
    close(access)


def _paid(access: Access) -> dict[str, list[float]]:
    members, releases = tables.release_members.c, tables.releases.c
    with access.database.read() as connection:
        rows = connection.execute(
            select(members.subject, releases.epsilon).join(tables.releases, members.release == releases.id)
        ).all()
    found: dict[str, list[float]] = {}
    for subject, epsilon in rows:
        found.setdefault(subject, []).append(epsilon)
    return found
