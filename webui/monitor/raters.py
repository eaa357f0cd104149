"""How raters agree: by number, with ranges, and only those who let it be computed; nothing follows from it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from flask import Response, render_template

from tracker.domain.affect import EMOTIONS
from tracker.learning.shares import Share, share
from tracker.workflows import rating
from tracker.workflows.rating import RaterFigures
from webui import auth
from webui.monitor import comparing, confusing, room
from webui.monitor.room import pages
from webui.services import services
from webui.words import decimal, named, percent

SHARES = ("with_others", "with_network", "with_known", "with_self", "cannot_tell")
"""The columns that are shares."""


@pages.get("/study/raters")
def raters() -> str:
    """Agreement beyond chance, and each rater's figures."""
    found = rating.agreement(services().access, auth.now())
    return render_template(
        "monitor_raters.html",
        found=found,
        rows=[(row, _labels(row)) for row in found.raters],
        plot=comparing.drawn(found.raters),
        between=between,
        each=label_shares,
        confusing=confusing,
        told=told,
        alpha=asdict,
    )


@pages.get("/study/raters.csv")
def raters_csv() -> Response:
    """The same as a table."""
    found = rating.agreement(services().access, auth.now())
    bounds = [f"{name}{end}" for name in SHARES for end in ("", "_low", "_high", "_n")]
    labels = [f"said_{emotion.value}" for emotion in EMOTIONS]
    times = ("speed_ms", "speed_ms_low", "speed_ms_high", "time_s", "timed_n")
    columns = ("rater", "answers", *bounds, *times, "counts", *labels)
    rows = (
        [
            row.member[:8],
            row.votes,
            *(cell for name in SHARES for cell in _cells(getattr(row, name))),
            *("" if value is None else value for value in (row.speed_ms, *_ends(row), row.time_s)),
            row.timed,
            row.weight,
            *(row.labels.get(emotion, 0.0) for emotion in EMOTIONS),
        ]
        for row in found.raters
    )
    return room.table("raters", columns, rows)


def told(share: Share | None) -> str:
    """A share of raters' answers with its range, as everywhere in this room."""
    if share is None:
        return "–"
    return f"{percent(share.value)} ({percent(share.low)}–{percent(share.high)}), n = {share.n}"


def between(row: RaterFigures) -> str:
    """How long an answer takes, by the middle one, with its range and what it rests on."""
    if row.speed_ms is None:
        return "–"
    middle = f"{decimal(row.speed_ms / 1000, 1)} s"
    if row.speed_between_ms is not None:
        low, high = (decimal(end / 1000, 1) for end in row.speed_between_ms)
        middle += f" ({low}–{high} s)"
    return f"{middle}, n = {row.timed}"


def label_shares(row: RaterFigures) -> list[tuple[str, float, str]]:
    """How often they say each emotion, mixed answers in parts, most often first: word, share, and it with its range."""
    n = row.votes - (row.cannot_tell.hits if row.cannot_tell is not None else 0)
    found = []
    for emotion, said in sorted(row.labels.items(), key=lambda pair: -pair[1]):
        if said > 0:
            # Parts of answers are no whole number of them: the range holds those of both whole numbers beside.
            low, high = share(math.floor(said * n + 1e-9), n), share(math.ceil(said * n - 1e-9), n)
            ends = (
                f" ({percent(low.low)}–{percent(high.high)})" if low is not None and high is not None else ""
            )
            found.append((named(emotion), said, f"{percent(said)}{ends}, n = {n}"))
    return found


def _ends(row: RaterFigures) -> tuple[float | None, float | None]:
    return row.speed_between_ms or (None, None)


def _cells(share: Share | None) -> list[Any]:
    return ["", "", "", 0] if share is None else [share.value, share.low, share.high, share.n]


def _labels(row: RaterFigures) -> str:
    most = sorted(row.labels.items(), key=lambda pair: -pair[1])[:3]
    return ", ".join(f"{named(emotion)} {percent(share)}" for emotion, share in most if share > 0)
