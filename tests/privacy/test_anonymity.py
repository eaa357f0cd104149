"""Generalised tables reach k and lose no more than they must: held against a search through everything."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.privacy.anonymity import AS_IT_IS, WITHHELD, Level, generalise, smallest_class

TENS = Level("tens", lambda n: n // 10 if isinstance(n, int) else n)
HUNDREDS = Level("hundreds", lambda n: n // 100 if isinstance(n, int) else n)
HIERARCHIES = {
    "age": (AS_IT_IS, TENS, HUNDREDS, WITHHELD),
    "zone": (AS_IT_IS, Level("continent", lambda z: str(z)[0]), WITHHELD),
    "granted": (AS_IT_IS, WITHHELD),
}

people = st.lists(
    st.tuples(st.integers(0, 199), st.sampled_from(["Ea", "Eb", "Aa"]), st.booleans()), min_size=1, max_size=9
)


def reaches(rows: list[tuple[object, ...]], k: int) -> bool:
    """By the definition: everybody equals at least k - 1 others in every column. Quadratic, and without counting."""
    return all(sum(a == b for b in rows) >= k for a in rows)


@settings(deadline=None)
@given(rows=people, k=st.integers(1, 9))
def test_k_is_reached_with_the_least_loss_and_no_row_is_dropped(
    rows: list[tuple[int, str, bool]], k: int
) -> None:
    columns = {name: [row[i] for row in rows] for i, name in enumerate(HIERARCHIES)}
    if k > len(rows):
        with pytest.raises(ValueError, match=f"{len(rows)} people cannot hide each other among {k}"):
            generalise(columns, HIERARCHIES, k)
        return
    found = generalise(columns, HIERARCHIES, k)
    told = list(zip(*found.columns.values(), strict=True))
    assert len(told) == len(rows)
    assert reaches(told, k)
    assert found.k == max(n for n in range(1, len(rows) + 1) if reaches(told, n))
    cost = sum(found.levels[name] / (len(levels) - 1) for name, levels in HIERARCHIES.items())
    for levels in product(*(range(len(h)) for h in HIERARCHIES.values())):
        other = [
            tuple(h[i].tell(v) for h, i, v in zip(HIERARCHIES.values(), levels, row, strict=True))
            for row in rows
        ]
        if reaches(other, k):
            spent = sum(i / (len(h) - 1) for h, i in zip(HIERARCHIES.values(), levels, strict=True))
            assert cost <= spent + 1e-6


@given(rows=people)
def test_the_smallest_class_is_that_of_the_definition(rows: list[tuple[int, str, bool]]) -> None:
    columns = {str(i): list(column) for i, column in enumerate(zip(*rows, strict=True))}
    assert smallest_class(columns) == min(sum(a == b for b in rows) for a in rows)


@settings(deadline=None)
@given(rows=people)
def test_a_coarser_level_never_tells_people_apart_whom_a_finer_one_does_not(
    rows: list[tuple[int, str, bool]],
) -> None:
    for name, column in zip(HIERARCHIES, zip(*rows, strict=True), strict=True):
        for finer, coarser in combinations(HIERARCHIES[name], 2):
            for a, b in combinations(column, 2):
                assert finer.tell(a) != finer.tell(b) or coarser.tell(a) == coarser.tell(b)


def test_people_who_are_alike_are_told_as_they_are() -> None:
    found = generalise({"age": [31] * 5, "zone": ["Ea"] * 5, "granted": [True] * 5}, HIERARCHIES, 5)
    assert set(found.levels.values()) == {0}
    assert found.k == 5
