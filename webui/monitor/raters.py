"""How raters agree: by number, with ranges, and only those who let it be computed; nothing follows from it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, render_template

from tracker.domain.affect import EMOTIONS
from tracker.learning.agreement_shares import Share
from tracker.workflows import rating
from tracker.workflows.rating import RaterFigures
from webui import auth
from webui.monitor import room
from webui.monitor.room import pages
from webui.services import services
from webui.words import named, percent

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
        told=told,
        alpha=asdict,
    )


@pages.get("/study/raters.csv")
def raters_csv() -> Response:
    """The same as a table."""
    found = rating.agreement(services().access, auth.now())
    bounds = [f"{name}{end}" for name in SHARES for end in ("", "_low", "_high", "_n")]
    labels = [f"said_{emotion.value}" for emotion in EMOTIONS]
    columns = ("rater", "answers", *bounds, "speed_ms", "time_s", "counts", *labels)
    rows = (
        [
            row.member[:8],
            row.votes,
            *(cell for name in SHARES for cell in _cells(getattr(row, name))),
            *("" if value is None else value for value in (row.speed_ms, row.time_s)),
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
    return f"{percent(share.value)} ({percent(share.low)}–{percent(share.high)}), n = {share.of}"


def _cells(share: Share | None) -> list[Any]:
    return ["", "", "", 0] if share is None else [share.value, share.low, share.high, share.of]


def _labels(row: RaterFigures) -> str:
    most = sorted(row.labels.items(), key=lambda pair: -pair[1])[:3]
    return ", ".join(f"{named(emotion)} {percent(share)}" for emotion, share in most if share > 0)
