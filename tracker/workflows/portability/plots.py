"""The drawings of an archive's page: plain SVG, which loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.workflows.portability.overview import Line

_COLOURS = ("#2f6f8f", "#c2622d")
"""Of what stands first, and second."""


def bars(means: Mapping[str, Distribution]) -> str:
    """Draw the mean share of each emotion, for each series."""
    if not means:
        return ""
    drawn = []
    for row, emotion in enumerate(EMOTIONS):
        y = 10 + 34 * row
        drawn.append(f'<text x="110" y="{y + 18}" text-anchor="end">{emotion.value}</text>')
        for i, (said, colour) in enumerate(zip(means.values(), _COLOURS, strict=False)):
            width, top = 780 * said[emotion], y + 13 * i
            drawn.append(f'<rect x="120" y="{top}" width="{width:.1f}" height="11" fill="{colour}"/>')
            drawn.append(
                f'<text x="{126 + width:.1f}" y="{top + 10}" font-size="11">{said[emotion]:.0%}</text>'
            )
    return (
        "<p>What your face looked like on average, over all moments with an estimate.</p>"
        '<svg viewBox="0 0 1000 290" role="img" aria-label="Mean share of each emotion">'
        f'<g font-size="14" fill="#5a564d">{"".join(drawn)}</g></svg>'
    )


def dots(lines: Sequence[Line], zone: ZoneInfo) -> str:
    """Draw derived valence over time, for each series."""
    instants = [at for line in lines for at, _ in line.points]
    if not instants:
        return "<p>There is none.</p>"
    first, last = min(instants), max(instants)
    width = max((last - first).total_seconds(), 1.0)

    def dot(at: datetime, valence: float) -> str:
        x, y = 50 + 930 * (at - first).total_seconds() / width, 110 - 90 * valence
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/>'

    drawn = []
    for line, colour in zip(lines, _COLOURS, strict=False):
        drawn.append(f'<g fill="{colour}">{"".join(dot(*point) for point in line.points)}</g>')
    legend = " and ".join(
        f'<b style="color:{colour}">{escape(line.name)}</b>'
        for line, colour in zip(lines, _COLOURS, strict=False)
    )
    return (
        f"<p>Valence, derived from the estimates of {legend}: up is pleasant, down is unpleasant.</p>"
        '<svg viewBox="0 0 1000 230" role="img" aria-label="Valence over time">'
        '<path d="M50 20V200M50 110H980" stroke="#8a8578" fill="none"/>'
        '<g font-size="14" fill="#5a564d"><text x="4" y="26">+1</text><text x="14" y="115">0</text>'
        f'<text x="4" y="205">−1</text><text x="50" y="222">{local(first, zone)}</text>'
        f'<text x="980" y="222" text-anchor="end">{local(last, zone)}</text></g>{"".join(drawn)}</svg>'
    )


def local(at: datetime, zone: ZoneInfo) -> str:
    """An instant on a wall clock, to the minute."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
