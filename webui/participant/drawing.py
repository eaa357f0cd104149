"""A timeline page as numbers for the chart: columns of integers, small and quick to write.

The horizontal axis is the participant's own clock, written as if it were UTC, because that is how
BokehJS labels it; the true instant of each point stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.workflows.timeline import Page
from webui.words import MARKERS

POSITIONS = [derived_valence_arousal(Distribution.of({e: 1.0})) for e in EMOTIONS]
"""Valence and arousal of each emotion, of which the chart's derived lines are means."""


def chart_json(page: Page, zone: ZoneInfo) -> str:
    """What the chart draws.

    Parameters
    ----------
    page
        Points, gaps and corrections.
    zone
        The participant's.

    Returns
    -------
    str
        JSON: ``start``, ``end``, ``step`` in ms; ``points`` with columns ``x`` (ms on the local clock),
        ``at`` (s, UTC), ``n``, and ``machine`` and ``personal``, each eight columns of thousandths or null;
        ``gaps`` and ``corrections`` likewise.
    """
    points = page.points
    return json.dumps(
        {
            "emotions": [{"name": e.value, "marker": MARKERS[e]} for e in EMOTIONS],
            "positions": POSITIONS,
            "start": wall_ms(page.start, zone),
            "end": wall_ms(page.end, zone),
            "step": int(page.step.total_seconds() * 1000),
            "points": {
                "x": [wall_ms(p.at, zone) for p in points],
                "at": [int(p.at.timestamp()) for p in points],
                "n": [p.n for p in points],
                "machine": _columns(p.machine for p in points),
                "personal": _columns(p.personal for p in points),
            },
            "gaps": {
                "x": [wall_ms(g.at, zone) for g in page.gaps],
                "reason": [g.reason.value for g in page.gaps],
                "n": [g.n for g in page.gaps],
            },
            "corrections": [
                {
                    "x": wall_ms(c.at, zone),
                    "at": int(c.at.timestamp()),
                    "emotion": EMOTIONS.index(c.distribution.top),
                }
                for c in page.corrections
                if c.distribution is not None
            ],
        },
        separators=(",", ":"),
    )


def wall_ms(at: datetime, zone: ZoneInfo) -> int:
    """What a clock on the wall shows, as milliseconds since 1970 on that wall.

    Examples
    --------
    >>> wall_ms(datetime(1970, 1, 1, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    3600000
    """
    return int(at.astimezone(zone).replace(tzinfo=UTC).timestamp() * 1000)


def _columns(said: Iterable[Distribution | None]) -> list[list[Any]]:
    empty: tuple[None, ...] = (None,) * len(EMOTIONS)
    rows = [empty if d is None else tuple(round(p * 1000) for p in d.probabilities) for d in said]
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in EMOTIONS]
