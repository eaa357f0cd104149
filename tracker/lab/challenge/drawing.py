"""Small still charts as SVG text: lines, bands, dots and bars on two linear axes, in a browser or a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 760, 520
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 74, 96
Range = tuple[float, float]
Point = tuple[float, float]


@dataclass
class Chart:
    """A chart that is drawn on, then written.

    Parameters
    ----------
    title, note
        Above and below the chart; the note says what it rests on.
    x, y
        First and last value of each axis.
    across, up
        What the axes show.
    """

    title: str
    note: Sequence[str]
    x: Range
    y: Range
    across: str
    up: str
    marks: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)

    def line(self, points: Sequence[Point], colour: str, *, bold: bool = False, dashed: bool = False) -> None:
        """Join points in order."""
        path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        width = 3 if bold else 1.5
        self.marks.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>'
        )

    def dot(self, at: Point, colour: str, radius: float = 4, hint: str = "") -> None:
        """Put a dot, with words shown when pointed at."""
        self.marks.append(
            f'<circle cx="{self._x(at[0]):.1f}" cy="{self._y(at[1]):.1f}" r="{radius}" fill="{colour}">'
            f"<title>{escape(hint)}</title></circle>"
        )

    def bar(self, x: float, height: float, width: float, colour: str, hint: str = "") -> None:
        """Stand a bar on the horizontal axis; width in units of that axis."""
        left, right, top = self._x(x - width / 2), self._x(x + width / 2), self._y(height)
        self.marks.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{self._y(self.y[0]) - top:.1f}" fill="{colour}"><title>{escape(hint)}</title></rect>'
        )

    def interval(self, x: float, span: Range, colour: str) -> None:
        """Draw a vertical interval."""
        self.line([(x, span[0]), (x, span[1])], colour)

    def text(self, ticks_x: Sequence[float], ticks_y: Sequence[float]) -> str:
        """Write the whole picture."""
        grid = [self._tick_x(t) for t in ticks_x] + [self._tick_y(t) for t in ticks_y]
        foot = [
            f'<text x="{LEFT}" y="{HEIGHT - 38 + 15 * i}" class="note">{escape(words)}</text>'
            for i, words in enumerate(self.note)
        ]
        keys = [
            f'<rect x="{WIDTH - RIGHT + 16}" y="{TOP + 20 * i}" width="14" height="10" fill="{colour}"/>'
            f'<text x="{WIDTH - RIGHT + 36}" y="{TOP + 9 + 20 * i}">{escape(name)}</text>'
            for i, (name, colour) in enumerate(self.legend)
        ]
        middle = (TOP + HEIGHT - BOTTOM) / 2
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}" role="img" aria-label="{escape(self.title)}">',
                "<style>text{font:12px system-ui,sans-serif;fill:#333}.note{font-size:11px;fill:#666}"
                ".title{font-size:16px;font-weight:600}</style>",
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
                f'<text x="{LEFT}" y="34" class="title">{escape(self.title)}</text>',
                *grid,
                *self.marks,
                f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - BOTTOM + 36}" text-anchor="middle">'
                f"{escape(self.across)}</text>",
                f'<text transform="translate(20 {middle}) rotate(-90)" text-anchor="middle">'
                f"{escape(self.up)}</text>",
                *keys,
                *foot,
                "</svg>\n",
            ]
        )

    def _x(self, value: float) -> float:
        return LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        inside = min(max(value, self.y[0]), self.y[1])
        return HEIGHT - BOTTOM - (inside - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)

    def _tick_x(self, value: float) -> str:
        x = self._x(value)
        return (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#eee"/>'
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>'
        )

    def _tick_y(self, value: float) -> str:
        y = self._y(value)
        return (
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#eee"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
