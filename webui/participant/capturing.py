"""Capture in the browser: which face is mine, frames one at a time, the newest estimate, the context of the moment."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.consent import ConsentError, Use
from tracker.domain.people import UnknownParticipantError
from tracker.domain.series import Context
from tracker.study import NetworkNotNamedError
from tracker.vision.errors import MediaError
from tracker.vision.received import NotAPictureError, TooManyPixelsError
from tracker.workflows import feedback, ingest
from tracker.workflows.ingest import CaptureEndedError, ClockOffError, Ended, LookAgainError, Progress
from webui import auth, limits
from webui.errors import answer, consent_sentence
from webui.participant.answering_form import chips
from webui.services import services
from webui.study import study
from webui.words import REASONS, exact, looks_like

pages = Blueprint("capturing", __name__)

TIME, CAPTURE, FRAME = "X-Capture-Time", "X-Capture", "X-Capture-Frame"
_LAST_MS = 4_102_444_800_000
"""The year 2100: no device's clock says more."""

Answer = Response | tuple[BaseResponse | str, int]


@pages.get("/capture")
def page() -> str:
    """Show the camera's page; without consent it says what is missing, and there is nothing to start."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        refusal = _refusal(unit.capture_permit)
        contexts = unit.allowed(Use.KEEP_CONTEXT) is not None
        crops = unit.allowed(Use.KEEP_CROPS) is not None
        video = ingest.video_permit(unit) is not None
    captures = services().captures
    if captures is not None and refusal is None:
        captures.warm()
    return render_template(
        "capture.html",
        refusal=refusal,
        able=captures is not None,
        contexts=chips(study()) if contexts and refusal is None else (),
        crops=crops,
        video=video,
    )


@pages.post("/capture/look")
def look() -> Answer:
    """Find the faces in one picture, for the person to say which is theirs; nothing is stored."""
    found = _captures().look(auth.person(), _body(), _number(TIME))
    return jsonify(capture=found.capture, faces=[_box(box) for box in found.boxes])


@pages.post("/capture/start")
def start() -> Answer:
    """Begin a capture with the face that was chosen: JSON ``{"capture": id, "face": its place in the list}``."""
    given = _object()
    face = given.get("face")
    if not isinstance(face, int):
        raise BadRequest(_("Say which face is yours."))
    told = _captures().start(auth.person(), str(given.get("capture")), face, _number(TIME))
    return jsonify(_progress(told))


@pages.post("/capture/frames")
def frames() -> Answer:
    """Take one frame: the picture is the body; its capture, number and time are headers."""
    capture = request.headers.get(CAPTURE, "")
    told = _captures().offer(auth.person(), capture, _number(FRAME), _number(TIME), _body())
    return jsonify(_progress(told))


@pages.post("/capture/stop")
def stop() -> Answer:
    """End a capture: JSON ``{"capture": id}``; what was seen is stored."""
    return jsonify(_progress(_captures().stop(auth.person(), str(_object().get("capture")))))


@pages.post("/capture/context")
def context() -> Answer:
    """Keep what surrounds the person from now on: JSON with a place, an activity or a company."""
    given = _object()
    known = dict(study().contexts)
    said = {kind: given.get(kind) for kind in known}
    unknown = [word for kind, word in said.items() if word is not None and word not in known[kind]]
    if unknown or not any(said.values()):
        raise BadRequest(_("Choose one of the words on the page."))
    feedback.add_context(services().access, auth.person(), Context(auth.now(), **said), auth.now())
    return jsonify(kept=[word for word in said.values() if word])


@pages.errorhandler(CaptureEndedError)
def _ended(error: CaptureEndedError) -> Answer:
    if isinstance(error.cause, NetworkNotNamedError):
        told = _("The study has changed which network reads faces, so capturing stopped. Start again.")
        return jsonify(error=told, ended=Ended.FAILED.value), 409
    if isinstance(error.cause, ConsentError):
        return jsonify(error=consent_sentence(error.cause), ended="refused"), 403
    if isinstance(error.cause, UnknownParticipantError):
        return jsonify(
            error=_("Everything about you was erased; nothing more is stored."), ended="refused"
        ), 403
    words = {
        Ended.STOPPED: _("This capture was stopped."),
        Ended.ELSEWHERE: _("Capturing goes on in another tab or on another device; here it stopped."),
        Ended.IDLE: _("Nothing came for half a minute, so capturing stopped. Start again when you like."),
        Ended.FAILED: _("Something went wrong on our side and capturing stopped. Start again."),
        Ended.REFUSED: _("Your consent does not allow this; nothing was saved."),
        Ended.UNKNOWN: _("This capture is over. Start again."),
    }
    return jsonify(error=words[error.ended], ended=error.ended.value), 409


@pages.errorhandler(LookAgainError)
def _again(error: LookAgainError) -> Answer:
    return jsonify(
        error=_("Some time has passed, so please show once more which face is yours."), ended="look"
    ), 409


@pages.errorhandler(ClockOffError)
def _clock(error: ClockOffError) -> Answer:
    return answer(422, str(error))


@pages.errorhandler(MediaError)
def _media(error: MediaError) -> Answer:
    statuses = ((NotAPictureError, 415), (TooManyPixelsError, 413))
    return answer(next((status for kind, status in statuses if isinstance(error, kind)), 422), str(error))


@pages.errorhandler(ingest.FullError)
def _full(error: ingest.FullError) -> Answer:
    return answer(
        503, _("As many people as this machine can look at are capturing now. Try again in a few minutes.")
    )


@pages.errorhandler(ingest.NoReaderError)
def _unable(error: ingest.NoReaderError) -> Answer:
    return answer(503, _("Faces cannot be read here right now. Tell the help contact."))


def _captures() -> ingest.Captures:
    captures = services().captures
    if captures is None:
        abort(503, _("This installation reads no faces in the browser."))
    return captures


def _refusal(permit: Any) -> str | None:
    try:
        permit()
    except ConsentError as error:
        return consent_sentence(error)
    return None


def _body() -> bytes:
    request.max_content_length = limits.LARGEST_FRAME
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        most = limits.LARGEST_FRAME // 1024
        abort(413, _("A picture weighs at most %(most)s KiB; nothing was stored.", most=most))


def _object() -> dict[str, Any]:
    given = request.get_json()
    if not isinstance(given, dict):
        raise BadRequest(_("Send an object."))
    return given


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isascii() or not text.isdigit() or int(text[:14]) > _LAST_MS or len(text) > 13:
        raise BadRequest(_("The header %(header)s is a whole number; nothing was stored.", header=header))
    return int(text)


def _box(box: tuple[float, float, float, float]) -> dict[str, float]:
    return dict(zip(("x", "y", "width", "height"), box, strict=True))


def _progress(told: Progress) -> dict[str, Any]:
    said: dict[str, Any] = {
        "taken": told.taken,
        "dropped": told.dropped,
        "stored": told.stored,
        "filmed": told.filmed,
        "unfilmed": told.unfilmed,
        "faces": told.faces,
        "lost": told.lost,
        "box": _box(told.box) if told.box is not None else None,
        "reason": told.reason.value if told.reason is not None else None,
        "said": str(REASONS[told.reason]) if told.reason is not None else None,
    }
    if told.read is not None:
        said["looks"] = looks_like(told.read.distribution)
        said["own"] = told.read.own
        said["at"] = exact(told.read.at)
    return said
