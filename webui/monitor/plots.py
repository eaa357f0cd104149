"""Plots as SVG with presentation attributes alone: the page's rules allow no inline style, and no script is needed."""

from __future__ import annotations

from flask_babel import gettext
from markupsafe import Markup, escape

from tracker.personal.figures import Figure, Misses, Stretch
from tracker.workflows.monitoring import Fared

SERIES = ("learner", "network", "majority", "said_last")
"""Whom a plot shows, the learner first."""

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 240, 52, 14, 44
_FURTHEST = 2.0
"""No number lies further off than one end from the other, however wide a range of two answers is."""
_OFFSETS = {"learner": -18, "network": -6, "majority": 6, "said_last": 18}


def over_weeks(fared: Fared, *, simulated: bool = False) -> Markup:
    """A learner week by week: right of how many with its range, beside what it should beat; n below."""
    weeks = fared.weeks
    numbers = any(isinstance(week.learner, Misses) for week in weeks)
    ceiling = max((_high(week) for week in weeks), default=1.0) if numbers else 1.0
    ceiling = min(ceiling, _FURTHEST) or 1.0
    step = (_WIDTH - _LEFT) / max(len(weeks), 1)
    title = gettext("%(target)s, week by week", target=fared.target.replace("_", " "))
    title = f"SIMULATED: {title}" if simulated else title
    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_axis(ceiling, numbers),
    ]
    if simulated:  # a plot is copied without its page
        parts.append(f'<text x="{_WIDTH}" y="{_TOP - 3}" text-anchor="end">SIMULATED</text>')
    for i, week in enumerate(weeks):
        x = _LEFT + step * (i + 0.5)
        parts += [_mark(name, getattr(week, name), x + _OFFSETS[name], ceiling) for name in SERIES]
        if week.sure is not None:
            y = _y(week.sure, ceiling)
            parts.append(
                f'<line class="sure" x1="{x - 26:.1f}" x2="{x - 10:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
        label = f"{week.first.day}.{week.first.month}."
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{label}</text>')
        parts.append(
            f'<text class="n" x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">n = {week.learner.n}</text>'
        )
    return Markup("".join(parts) + "</svg>")


def _high(week: Stretch) -> float:
    figures = (getattr(week, name) for name in SERIES)
    return max((figure.high for figure in figures if figure is not None and figure.n), default=0.0)


def _axis(ceiling: float, numbers: bool) -> list[str]:
    found = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share * ceiling, ceiling)
        text = f"{share * ceiling:.2f}" if numbers else f"{share:.0%}"
        found.append(f'<line class="grid-line" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        found.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    return found


def _mark(name: str, figure: Figure | None, x: float, ceiling: float) -> str:
    if figure is None or not figure.n:
        return ""
    value = figure.mean if isinstance(figure, Misses) else figure.value
    y, low, high = (_y(v, ceiling) for v in (value, figure.low, figure.high))
    shape = {
        "learner": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        "network": f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"/>',
        "majority": f'<path d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z"/>',
        "said_last": f'<path d="M{x:.1f} {y - 6:.1f}l5 6l-5 6l-5 -6z"/>',
    }[name]
    whisker = f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>' if figure.ranged else ""
    return f'<g class="s-{name}">{whisker}{shape}</g>'


def _y(value: float, ceiling: float) -> float:
    inner = _HEIGHT - _TOP - _BOTTOM
    return _TOP + inner * (1 - min(max(value / ceiling, 0.0), 1.0))
