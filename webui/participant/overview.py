"""The timeline as one still picture (SVG): for browsers without scripts, and for print."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext
from markupsafe import Markup, escape

from tracker.domain.affect import EMOTIONS
from webui.participant.ranges import Range
from webui.participant.rows import STEPS, Row

WIDTH, HEIGHT = 960, 200


def overview(table: list[Row], shown: Range, step: timedelta) -> Markup:
    """Draw stacked shares; where nothing was read the ground shows. Colours come from the style sheet."""
    start, end = shown.start, shown.end
    if step < STEPS["day"] and table:  # a short recording is shown large
        start, end = table[0].at, table[-1].until
    length = (end - start).total_seconds()
    width = step.total_seconds() / length * WIDTH
    bars = []
    for row in table:
        mean = row.mean
        if mean is None:
            continue
        x = (row.at - start).total_seconds() / length * WIDTH
        top = float(HEIGHT)
        for emotion in EMOTIONS:
            height = mean[emotion] * HEIGHT
            top -= height
            if height >= 0.5:
                bars.append(
                    f'<rect class="fill-{emotion.value}" x="{x:.1f}" y="{top:.1f}" '
                    f'width="{width:.2f}" height="{height:.1f}"/>'
                )
    label = gettext("Shares of the eight emotions over time; the table below has the numbers")
    return Markup(
        f'<svg class="overview" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">'
        f"{''.join(bars)}</svg>"
    )
