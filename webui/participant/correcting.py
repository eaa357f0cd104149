"""Correct a moment: see what was read there, choose an emotion, see what that changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.instants import parse_instant
from tracker.domain.series import Correction, Moment
from tracker.workflows import feedback, showing, timeline
from tracker.workflows.feedback import Corrected
from webui import auth
from webui.errors import answer
from webui.services import services

pages = Blueprint("correcting", __name__)


WIDEST = 3600
_PANEL = "X-Panel"


@pages.get("/moment/<int:at>")
def moment(at: int) -> str:
    """A moment's readings and eight buttons; ``within`` seconds from it on the best reading is looked for."""
    within = request.args.get("within", 0, type=int)
    found = _moment(_instant(at), min(max(within, 0), WIDEST))
    return _render(found)


@pages.get("/moment/picture/<int:observation>")
def picture(observation: int) -> Response:
    """The kept face crop of one of one's own observations; no cache keeps it (`webui.headers`)."""
    found = showing.own_crop(services().access, auth.person(), observation, auth.now())
    if found is None:
        abort(404)
    return Response(found, mimetype="image/png")


@pages.get("/moment/frame/<int:observation>")
def frame(observation: int) -> Response:
    """The kept frame of one of one's own observations, covered but for what is around one's head; no cache keeps it."""
    found = showing.own_frame(services().access, auth.person(), observation, auth.now())
    if found is None:
        abort(404)
    return Response(found, mimetype="image/jpeg")


@pages.post("/correct")
def correct() -> str | Response | BaseResponse | tuple[BaseResponse | str, int]:
    """Store what the person says about a moment, and show what it changed.

    Takes a form, or JSON ``{"at": ISO 8601, "emotion": ..., "second": ..., "note": ...}``.
    """
    try:
        at, said, note = _read(request.get_json() if request.is_json else request.form)
        corrected = feedback.correct(
            services().access,
            auth.person(),
            Correction(at, "emotion", said, suggestion_shown=True),
            auth.now(),
            note=note,
        )
    except ValueError as error:
        return answer(400, str(error))
    if request.is_json:
        return jsonify(_as_json(corrected))
    return _render(_moment(at, 0), corrected, said)


def _read(given: Any) -> tuple[datetime, Distribution, str | None]:
    if not hasattr(given, "get"):
        raise ValueError("Send an object with at, emotion and, for a mixed state, second.")
    first = _emotion(given.get("emotion"))
    second = _emotion(given["second"]) if given.get("second") else None
    if second is first:
        raise ValueError(gettext("The second emotion is the same as the first; choose another or none."))
    return parse_instant(str(given.get("at", ""))), Distribution.said(first, second), _note(given.get("note"))


def _note(text: Any) -> str | None:
    if text is not None and not isinstance(text, str):
        raise ValueError(f"A note is a text, not {text!r}.")
    # A form sends its field also when nothing was written in it.
    return text if text and text.strip() else None


def _emotion(text: Any) -> Emotion:
    try:
        return Emotion(text)
    except ValueError:
        names = ", ".join(e.value for e in Emotion)
        raise ValueError(
            gettext(
                "%(text)s is none of the eight emotions; choose one of %(names)s.",
                text=repr(text),
                names=names,
            )
        ) from None


def _instant(seconds: int) -> datetime:
    try:
        return parse_instant(datetime.fromtimestamp(seconds, UTC).isoformat())
    except (OverflowError, OSError, ValueError):
        abort(404)


def _moment(at: datetime, within: int) -> Moment:
    """The reading nearest to the middle of a stretch, else the moment itself."""
    half = timedelta(seconds=within / 2)
    middle = at + half
    reach = max(half, feedback.NEAR)
    with timeline.moments(
        services().access, auth.person(), auth.now(), middle - reach, middle + reach
    ) as near:
        read = [m for m in near if m.observation is not None and m.machine is not None]
    nearest = min(read, key=lambda m: abs(m.at - middle), default=None)
    return nearest or Moment(middle if within else at, None, None, None, None)


def _render(found: Moment, corrected: Corrected | None = None, said: Distribution | None = None) -> str:
    template = "moment_panel.html" if request.headers.get(_PANEL) else "moment.html"
    kept = showing.own_moment(services().access, auth.person(), found.observation, found.at, auth.now())
    return render_template(template, moment=found, corrected=corrected, answered=said, kept=kept)


def _as_json(c: Corrected) -> dict[str, Any]:
    return {
        "correction": c.correction,
        "at": c.at.isoformat(),
        "machine": c.machine and c.machine.read_dict(),
        "before": c.before and c.before.as_dict(),
        "after": c.after and c.after.as_dict(),
        "superseded": c.superseded is not None,
        "noted": c.noted,
        "missing": [scope.value for scope in c.missing],
        "not_covered_since": c.not_covered_since and c.not_covered_since.isoformat(),
    }
