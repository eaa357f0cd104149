"""From people's contributions to what is told: noise first, then everything else from what the noise left."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.privacy import aggregates
from tracker.privacy.aggregates import Noisy
from tracker.privacy.budget import Charge
from tracker.workflows.aggregates.contributing import Table
from tracker.workflows.aggregates.queries import Figure, Query

Parts = Sequence[Mapping[str, Table]]


def told(parts: Parts, query: Query, cost: Charge, least: int) -> tuple[Charge, dict[str, Any]]:
    """What is told about people, and what that costs each of them.

    The count of people comes first. Where it is too low, nothing else is computed, and only the count is paid
    for.

    Parameters
    ----------
    parts
        One per person in it.
    query
        What was asked.
    cost
        Of the whole release.
    least
        Fewer people than this are told nothing of.

    Returns
    -------
    Charge, dict
        The result holds no exact number of anything about people.
    """
    counting, shares = aggregates.split(cost.epsilon, query.figures)
    counted = aggregates.noisy_count(len(parts), counting)
    enough = aggregates.threshold(counting, cost.delta, least)
    if not aggregates.passed(len(parts), counted, least, enough):
        return Charge(counting, cost.delta), {"refused": True}
    figures = []
    for figure in query.described():
        shape = (len(figure.rows), len(figure.cells))
        sums = aggregates.noisy_sums([part[figure.name] for part in parts], shape, shares[figure.name])
        figures.append(_figure(figure, sums, least))
    people = {"about": counted, "margin_95": math.ceil(math.log(20) / counting)}
    return cost, {"refused": False, "people": people, "figures": figures}


def _figure(figure: Figure, noisy: Noisy, least: int) -> dict[str, Any]:
    people, means = noisy.people, noisy.shares()
    margins, shown = noisy.margins(), noisy.certain(least)
    return {
        "name": figure.name,
        "meaning": figure.meaning,
        "rows": [
            {
                "of": label,
                **_row(figure, float(people[i]), [float(m) for m in means[i]], float(margins[i].max())),
            }
            if shown[i]
            else {"of": label, "withheld": True}
            for i, label in enumerate(figure.rows)
        ],
    }


def _row(figure: Figure, people: float, shares: Sequence[float], margin: float) -> dict[str, Any]:
    extent = figure.high - figure.low
    mean = (
        {"mean": round(figure.low + extent * shares[0], 6)}
        if figure.is_number
        else {cell: round(share, 6) for cell, share in zip(figure.cells, shares, strict=True)}
    )
    return {
        "withheld": False,
        "people": {"about": round(people)},
        "values": mean,
        "margin_95": round(extent * margin, 6) if figure.is_number else round(margin, 6),
    }
