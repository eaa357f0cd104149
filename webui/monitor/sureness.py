"""Whether learners mean what they say, as a plot, a sentence and a table: how sure they were beside how often right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask import Response
from flask_babel import gettext
from markupsafe import Markup, escape

from tracker.personal.reliability import Group, Reliability
from webui.monitor import room
from webui.monitor.person import look_at
from webui.monitor.room import pages
from webui.words import percent

COLUMNS = (
    "target",
    "who",
    "group",
    "said_least",
    "said_most",
    "said_mean",
    "n",
    "right",
    "right_low",
    "right_high",
    "simulated",
)
SHAPES = {"learner": "●", "network": "■", "majority": "▲"}
"""Whose points have which shape, in words and legends."""

_SIZE, _LEFT, _TOP, _BOTTOM = 320, 52, 16, 44
_WIDE = _LEFT + _SIZE + 16
_HIGH = _TOP + _SIZE + _BOTTOM
_ASIDE = {"learner": 0.0, "network": -3.0, "majority": 3.0}


@pages.get("/study/people/<item:who>/reliability.csv")
def reliability_csv(who: str) -> Response:
    """How sure each learner was beside how often it was right, group by group, and the same of what it should beat."""
    seen = look_at(who, room.days())
    rows = (
        [fared.target, *cells, seen.who.person.simulated]
        for fared in seen.fared
        for one in fared.reliability
        for cells in _cells(one)
    )
    return room.table("reliability", COLUMNS, rows)


@pages.context_processor
def _plots() -> dict[str, object]:
    return {
        "reliability_drawn": drawn,
        "reliability_sentence": sentence,
        "reliability_of": name_of,
        "reliability_shapes": SHAPES,
    }


def _cells(one: Reliability) -> Iterator[list[object]]:
    for number, g in enumerate(one.groups, 1):
        yield [one.who, number, g.low, g.high, g.said, g.right.n, g.right.value, g.right.low, g.right.high]


def name_of(who: str) -> str:
    """Whose points they are, in the reader's language."""
    names = {"learner": gettext("learner"), "network": gettext("network")}
    return str(names.get(who, gettext("most frequent so far")))


def sentence(one: Reliability) -> str:
    """The whole plot of one of them in a sentence, with its interval and what it rests on."""
    right = one.whole
    told = gettext(
        "%(who)s: %(said)s sure on average, right %(right)s of the time (%(low)s to %(high)s) of %(n)s answers",
        who=name_of(one.who),
        said=percent(one.said),
        right=percent(right.value),
        low=percent(right.low),
        high=percent(right.high),
        n=right.n,
    )
    if one.said > right.high:
        means = gettext("it claims too much")
    elif one.said < right.low:
        means = gettext("it claims too little")
    else:
        means = gettext("no difference that chance does not make")
    return f"{told}; {means}."


def drawn(target: str, found: Sequence[Reliability], *, simulated: bool = False) -> Markup:
    """The diagram: on the line, who says 70 % is right 70 % of the time; below it, too much is claimed."""
    title = gettext(
        "%(target)s: how sure, and how often right; the table below holds the same",
        target=target.replace("_", " "),
    )
    title = f"SIMULATED: {title}" if simulated else title
    parts = [
        f'<svg class="plot square" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(title)}">',
        *_axes(),
        f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>',
    ]
    if simulated:  # a plot is copied without its page
        parts.append(f'<text x="{_x(1)}" y="{_HIGH - 8}" text-anchor="end">SIMULATED</text>')
    for one in reversed(found):  # the learner last, on top
        parts += [_mark(one.who, group) for group in one.groups]
    counts = "n = " + ", ".join(f"{SHAPES[one.who]} {one.whole.n}" for one in found)
    parts.append(f'<text class="n" x="{_LEFT}" y="{_TOP - 3}">{escape(counts)}</text>')
    return Markup("".join(parts) + "</svg>")


def _axes() -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _x(share), _y(share)
        yield f'<line class="grid-line" x1="{_LEFT}" x2="{_x(1)}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>'
        yield f'<text x="{x}" y="{_y(0) + 16}" text-anchor="middle">{share:.0%}</text>'
    yield f'<text x="{_x(0.5)}" y="{_HIGH - 8}" text-anchor="middle">{escape(gettext("how sure"))}</text>'
    label = escape(gettext("how often right"))
    yield f'<text transform="translate(12 {_y(0.5)}) rotate(-90)" text-anchor="middle">{label}</text>'


def _mark(who: str, group: Group) -> str:
    x, y = _x(group.said) + _ASIDE[who], _y(group.right.value)
    shape = {
        "learner": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        "network": f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"/>',
        "majority": f'<path d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z"/>',
    }[who]
    low, high = _y(group.right.low), _y(group.right.high)
    return f'<g class="s-{who}"><line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>{shape}</g>'


def _x(share: float) -> float:
    return round(_LEFT + _SIZE * share, 1)


def _y(share: float) -> float:
    return round(_TOP + _SIZE * (1 - share), 1)
