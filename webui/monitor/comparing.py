"""Raters side by side as a plot: how often each says what others and the network say, and that they cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext
from markupsafe import Markup, escape

from tracker.learning.shares import Share
from tracker.workflows.rating import RaterFigures

SERIES = ("with_others", "with_network", "cannot_tell")
"""What a plot shows of each, in this order."""

_WIDTH, _LEFT, _RIGHT, _TOP, _STEP, _BOTTOM = 640, 84, 130, 16, 48, 30
_ASIDE = {"with_others": -13, "with_network": 0, "cannot_tell": 13}


def drawn(raters: Sequence[RaterFigures]) -> Markup:
    """One line of marks for each rater, with ranges, and how many answers each mark rests on; nobody is ranked."""
    high = _TOP + _STEP * len(raters) + _BOTTOM
    title = gettext("How often each rater agrees, with ranges; the table below holds the same")
    parts = [f'<svg class="plot" viewBox="0 0 {_WIDTH} {high}" role="img" aria-label="{escape(title)}">']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        parts.append(f'<line class="grid-line" x1="{x}" x2="{x}" y1="{_TOP}" y2="{high - _BOTTOM}"/>')
        parts.append(f'<text x="{x}" y="{high - 10}" text-anchor="middle">{share:.0%}</text>')
    for i, rater in enumerate(raters):
        y = _TOP + _STEP * (i + 0.5)
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(rater.member[:8])}</text>')
        parts += [_mark(name, getattr(rater, name), y + _ASIDE[name]) for name in SERIES]
    return Markup("".join(parts) + "</svg>")


def _mark(name: str, share: Share | None, y: float) -> str:
    if share is None:
        return ""
    x = _x(share.value)
    shape = {
        "with_others": f'<circle cx="{x}" cy="{y}" r="5"/>',
        "with_network": f'<rect x="{x - 4.5}" y="{y - 4.5}" width="9" height="9"/>',
        "cannot_tell": f'<path d="M{x - 5} {y + 4}h10l-5 -9z"/>',
    }[name]
    colour = {"with_others": "learner", "with_network": "network", "cannot_tell": "majority"}[name]
    whisker = f'<line x1="{_x(share.low)}" x2="{_x(share.high)}" y1="{y}" y2="{y}"/>'
    n = f'<text class="n" x="{_WIDTH}" y="{y + 4}" text-anchor="end">n = {share.n}</text>'
    return f'<g class="s-{colour}">{whisker}{shape}</g>{n}'


def _x(share: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * share, 1)
