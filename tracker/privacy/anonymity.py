"""k-anonymity of a table by full-domain generalisation: columns are told more coarsely until nobody stands out.

A table is k-anonymous over its quasi-identifiers (what somebody outside could know of a person) when each
combination of their values is shared by at least k people (Samarati and Sweeney 1998; Sweeney, *Achieving
k-Anonymity Privacy Protection Using Generalization and Suppression*, 2002). Here a whole column is told at one
level, no row is dropped, and of the ways to get there the one that tells most is taken. Neither l-diversity nor
anything else is claimed: whoever knows more of a person than these columns may still find them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class Level:
    """One way to tell a column.

    Attributes
    ----------
    name
        In words, for the manifest.
    tell
        From a value to what is told of it. Each level of a column is a function of the level before: what one
        level tells alike, the next does too.
    """

    name: str
    tell: Callable[[Hashable], Hashable]


AS_IT_IS = Level("as it is", lambda value: value)
WITHHELD = Level("withheld", lambda value: None)

Table = Mapping[str, Sequence[Hashable]]
"""Columns by name, one entry per person."""


@dataclass(frozen=True, slots=True)
class Generalised:
    """A table as it may be told.

    Attributes
    ----------
    levels
        How far each column went: the index in its hierarchy.
    columns
        The table.
    k
        How many people share the rarest combination; 0 where there is nobody.
    """

    levels: Mapping[str, int]
    columns: Table
    k: int


def smallest_class(columns: Table) -> int:
    """How many people share the rarest combination of values: the k that a table reaches.

    Examples
    --------
    >>> smallest_class({"zone": ["A", "A", "B"], "granted": [True, True, True]})
    1
    >>> smallest_class({"granted": [True, True, True]}), smallest_class({})
    (3, 0)
    """
    shared = Counter(zip(*columns.values(), strict=True))
    return min(shared.values(), default=0)


def generalise(columns: Table, hierarchies: Mapping[str, Sequence[Level]], k: int) -> Generalised:
    """Tell columns as exactly as k-anonymity lets them be told.

    Parameters
    ----------
    columns
        The quasi-identifiers, one entry per person.
    hierarchies
        For each column its levels, from the value as it is to the coarsest. Where the last of each withholds the
        value, any k up to the number of people can be reached.
    k
        How many people at least share each combination.

    Returns
    -------
    Generalised
        The levels with the least loss: the sum over columns of how far up its hierarchy each went, from 0 to 1.
        Of equal ones, the one that leaves the earlier columns more exact.

    Raises
    ------
    ValueError
        When even the coarsest levels do not reach k.

    Examples
    --------
    >>> zones = (AS_IT_IS, Level("continent", lambda zone: str(zone).split("/")[0]), WITHHELD)
    >>> table = {"zone": ["Europe/Berlin", "Europe/Paris", "Europe/Berlin"], "simulated": [False] * 3}
    >>> found = generalise(table, {"zone": zones, "simulated": (AS_IT_IS, WITHHELD)}, k=3)
    >>> found.levels, found.columns["zone"], found.k
    ({'zone': 1, 'simulated': 0}, ['Europe', 'Europe', 'Europe'], 3)
    """
    names = list(columns)
    told = {name: [[level.tell(v) for v in columns[name]] for level in hierarchies[name]] for name in names}

    def loss(levels: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        shares = (
            level / max(len(hierarchies[name]) - 1, 1) for name, level in zip(names, levels, strict=True)
        )
        return round(sum(shares), 9), levels

    for levels in sorted(product(*(range(len(hierarchies[name])) for name in names)), key=loss):
        table = {name: told[name][level] for name, level in zip(names, levels, strict=True)}
        if (reached := smallest_class(table)) >= k:
            return Generalised(dict(zip(names, levels, strict=True)), table, reached)
    people = len(next(iter(columns.values()), ()))
    raise ValueError(f"{people} people cannot hide each other among {k}")
