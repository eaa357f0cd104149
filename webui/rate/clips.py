"""Clips: a stretch of pictures at their own instants, rated as a whole or followed by a trace while it plays."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, abort, jsonify, redirect, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.affect import derived_valence_arousal
from tracker.domain.instants import InstantError, parse_instant
from tracker.domain.rating import Dimension, RatingError, Sample, Trace
from tracker.workflows import rating
from tracker.workflows.rating import Frame, watching
from webui import auth, words
from webui.pictures import picture_of
from webui.rate import room
from webui.rate.faces import ballot
from webui.rate.room import pages, said_words
from webui.services import services


@pages.get("/rate/series")
def series_list() -> str:
    """The clips that wait."""
    found = rating.stretches(services().access, auth.member(), auth.now())
    return room.shown("rate_series_list.html", stretches=found, because=room.BECAUSE)


@pages.get("/rate/series/<item:item>")
def series(item: str) -> str:
    """A clip with its player; the network's estimates stand below once the rater has said something."""
    opened = rating.open_series(services().access, auth.member(), item, auth.now())
    frames = [_frame(item, frame) for frame in opened.frames]
    decided = opened.decided
    return room.shown(
        "rate_series.html",
        item=item,
        why=str(room.BECAUSE[opened.because]),
        frames=frames,
        frames_json=json.dumps(frames),
        voted=decided and said_words(decided.verdict, decided.distribution),
        lag_s=opened.lag_s,
        **_estimates(opened.frames if decided else None),
    )


@pages.get("/rate/series/<item:item>/frames/<int:observation>")
def frame(item: str, observation: int) -> Response:
    """One picture of a clip that was opened; no cache keeps it (`webui.headers`)."""
    found = rating.open_frame(services().access, auth.member(), item, observation, auth.now())
    return picture_of(found)


@pages.get("/rate/series/<item:item>/open")
def series_open(item: str) -> Response:
    """Whether a clip may still be seen, with every picture that the page holds: it asks while it plays."""
    held = {int(n) for n in request.args.get("frames", "").split(",") if re.fullmatch("[0-9]{1,18}", n)}
    if not watching.may_go_on(services().access, auth.member(), item, held, auth.now()):
        abort(410, gettext("This clip was taken back by its participant, so it is not shown any more."))
    return jsonify(open=True)


@pages.post("/rate/series/<item:item>/vote")
def series_vote(item: str) -> Response | BaseResponse:
    """Store what a clip looks like as a whole."""
    rating.vote(services().access, auth.member(), item, ballot(room.given()), auth.now())
    if request.is_json:
        return jsonify(words=gettext("Saved."))
    return redirect(url_for(".series", item=item), 303)


@pages.post("/rate/series/<item:item>/trace")
def trace(item: str) -> Response:
    """Keep a trace as it was drawn, with the lag of the hand beside it."""
    rating.keep_trace(services().access, auth.member(), item, _trace(room.given()), auth.now())
    return jsonify(words=gettext("The trace is saved as you drew it."))


def _trace(given: dict[str, Any]) -> Trace:
    samples = given.get("samples")
    if not isinstance(samples, list):
        raise RatingError("a trace has samples, a list of objects with at, value and observation")
    try:
        dimension = Dimension(str(given.get("dimension")))
    except ValueError:
        raise RatingError(f"{given.get('dimension')!r} is not followed; send valence or arousal") from None
    lag = room.number(given, "lag_s")
    return Trace(
        dimension, tuple(_sample(s) for s in samples), 0.0 if lag is None else lag, str(given.get("key", ""))
    )


def _sample(given: Any) -> Sample:
    if not isinstance(given, dict):
        raise RatingError("a sample is an object with at, value and observation")
    value, observation = room.number(given, "value"), given.get("observation")
    if value is None or isinstance(observation, bool) or not isinstance(observation, int | None):
        raise RatingError("a sample has a value between -1 and 1 and the number of an observation")
    try:
        return Sample(parse_instant(str(given.get("at", ""))), value, observation)
    except InstantError as error:
        raise RatingError(str(error)) from None


def _frame(item: str, frame: Frame) -> dict[str, Any]:
    return {
        "observation": frame.observation,
        "at": frame.at.isoformat(),
        "time": _time(frame.at),
        "picture": url_for("rate.frame", item=item, observation=frame.observation),
    }


def _time(at: datetime) -> str:
    """An instant to the millisecond; the day stands in the table of nobody."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def _estimates(frames: Sequence[Frame] | None) -> dict[str, Any]:
    """What the network says of each picture, as a table, one sentence and a line; nothing before one's own vote."""
    if frames is None:
        return {"estimates": None}
    read = [(f, f.estimate) for f in frames if f.estimate is not None]
    if not read:
        return {"estimates": []}
    valences = [derived_valence_arousal(estimate)[0] for _, estimate in read]
    rows = [
        {
            "time": _time(f.at),
            "observation": f.observation,
            "distribution": estimate,
            "valence": valence,
        }
        for (f, estimate), valence in zip(read, valences, strict=True)
    ]
    tops = [estimate.top for _, estimate in read]
    most = max(dict.fromkeys(tops), key=tops.count)
    sentence = gettext(
        "Of %(n)s pictures %(most)s look most like %(emotion)s to the network; valence, derived from its "
        "estimates, runs from %(low)s to %(high)s.",
        n=len(read),
        most=tops.count(most),
        emotion=words.named(most),
        low=words.signed(min(valences)),
        high=words.signed(max(valences)),
    )
    return {
        "estimates": rows,
        "estimates_words": sentence,
        "estimates_picture": _line([(f.at, v) for (f, _), v in zip(read, valences, strict=True)], sentence),
    }


def _line(points: Sequence[tuple[datetime, float]], label: str) -> Markup:
    """Valence over time, each point at its own instant."""
    start, span = points[0][0], max((points[-1][0] - points[0][0]).total_seconds(), 1e-6)
    drawn = " ".join(
        f"{(at - start).total_seconds() / span * 1000:.1f},{100 - 100 * value:.1f}" for at, value in points
    )
    return Markup(
        '<svg class="lines" viewBox="0 -4 1000 208" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<line class="zero" x1="0" x2="1000" y1="100" y2="100"/><polyline points="{}"/></svg>'
    ).format(label, drawn)
