"""Error over days as a page, marked SIMULATED."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokeh.embed import file_html
from bokeh.layouts import gridplot
from bokeh.models import DataRange1d
from bokeh.plotting import figure
from bokeh.resources import INLINE

from tracker.lab.simulation import MARK

if TYPE_CHECKING:
    from tracker.lab.emotion_challenge.report import EmotionReport, Gap

_FILE = "emotion-simulated.html"
_LINES = {
    "network": ("#b2182b", "dashed"),
    "other_people": ("#777777", "dotdash"),
    "oracle": ("#1b7837", "dashed"),
}
_PERSONAL = "#2166ac"
_WORDS = {"cross_entropy": "cross-entropy (nats)", "brier": "Brier score", "error_rate": "error rate"}


def draw(report: EmotionReport, folder: Path) -> Path:
    """Write a page with one plot per strength and score, against what was felt."""
    rows: list[list[Any]] = [
        [_plot(f"strength {strength:g}", _WORDS[score], gap) for score, gap in truths["felt"].items()]
        for strength, truths in report.gaps.items()
    ]
    path = folder / _FILE
    title = f"{MARK}: error of the personal estimate over days"
    path.write_text(file_html(gridplot(rows), INLINE, title), encoding="utf-8")
    return path


def _plot(title: str, score: str, gap: Gap) -> figure:
    days = list(gap.days)
    plot = figure(
        title=f"{MARK} {title}",
        width=380,
        height=280,
        x_axis_label="day",
        y_axis_label=score,
        toolbar_location=None,
        y_range=DataRange1d(start=0),
    )
    low, high = ([getattr(m, side) for m in gap.days.values()] for side in ("low", "high"))
    plot.varea(days, low, high, color=_PERSONAL, alpha=0.2)
    plot.line(
        [0, *days],
        [gap.network.mean, *(m.mean for m in gap.days.values())],
        color=_PERSONAL,
        line_width=2,
        legend_label="personal",
    )
    for name, (color, dash) in _LINES.items():
        level = getattr(gap, name).mean
        plot.line(
            [0, days[-1]], [level, level], color=color, line_dash=dash, legend_label=name.replace("_", " ")
        )
    plot.legend.label_text_font_size = "8pt"
    return plot
