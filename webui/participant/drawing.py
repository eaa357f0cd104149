"""A timeline page as numbers for the chart: columns of integers, small and quick to write.

The horizontal axis is the participant's own clock, written as if it were UTC, because that is how
BokehJS labels it; the true instant of each point stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.learning.kinds import AROUSAL, LEAVE_ME_ALONE, VALENCE
from tracker.workflows.blanks import Blank
from tracker.workflows.timeline import Page
from webui.participant.around import bands, fate_of
from webui.words import MARKERS

POSITIONS = [derived_valence_arousal(Distribution.of({e: 1.0})) for e in EMOTIONS]
"""Valence and arousal of each emotion, of which the chart's derived lines are means."""


LANES = {LEAVE_ME_ALONE: "alone", VALENCE: "valence", AROUSAL: "arousal"}
"""Answers other than emotions that the chart draws; a study's own questions stand in the table."""


def chart_json(page: Page, zone: ZoneInfo, blanks: Sequence[Blank] = ()) -> str:
    """What the chart draws: numbers and words of ours alone, no text of anybody.

    Parameters
    ----------
    page
        Points, gaps, answers, contexts and questions.
    zone
        The participant's.
    blanks
        What explains where nothing stands.

    Returns
    -------
    str
        JSON: ``start``, ``end``, ``step`` in ms; ``points`` with columns ``x`` (ms on the local clock),
        ``at`` (s, UTC), ``n``, and ``machine`` and ``personal``, each eight columns of thousandths or null;
        ``gaps``, ``corrections``, ``answers``, ``asked``, ``contexts`` (by the letter that the page explains) and
        ``blanks`` likewise.
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
            "answers": [
                {
                    "x": wall_ms(c.at, zone),
                    "at": int(c.at.timestamp()),
                    "lane": LANES[c.target],
                    "value": c.value,
                }
                for c in page.corrections
                if c.value is not None and c.target in LANES
            ],
            "asked": [
                {"x": wall_ms(a.at, zone), "fate": fate.value}
                for a in page.asked
                if (fate := fate_of(a)) is not None
            ],
            "contexts": [
                {"left": wall_ms(b.start, zone), "right": wall_ms(b.end, zone), "letter": b.letter}
                for b in bands(page.contexts, page.start, page.end)
            ],
            "blanks": [
                {"left": wall_ms(b.start, zone), "right": wall_ms(b.end, zone), "why": b.why.value}
                for b in blanks
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
