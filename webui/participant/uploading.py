"""Upload a clip in pieces, go on after a break, and see it read in the background; its bytes stay in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.consent import ConsentError
from tracker.domain.instants import InstantError, parse_instant, require_past
from tracker.vision.errors import MediaError
from tracker.workflows import ingest
from tracker.workflows.ingest import (
    ClipTooLargeError,
    NotAClipError,
    OffsetError,
    Plan,
    StartUnknownError,
    Upload,
    UploadBusyError,
    UploadGoneError,
)
from webui import auth, limits
from webui.errors import answer, consent_sentence
from webui.services import services
from webui.words import REASONS

pages = Blueprint("uploading", __name__)

_LONGEST_KEY = 300
Answer = Response | tuple[BaseResponse | str, int]


@pages.post("/capture/uploads")
def begin() -> Answer:
    """Begin an upload, or go on: JSON with ``key`` (what the page knows the file by) and ``size`` in bytes."""
    given = _object()
    key, size = given.get("key"), given.get("size")
    if (
        not isinstance(key, str)
        or len(key) > _LONGEST_KEY
        or not isinstance(size, int)
        or isinstance(size, bool)
    ):
        raise BadRequest(_("Send the key and the size of the clip."))
    return jsonify(_told(_uploads().begin(auth.person(), key, size)))


@pages.post("/capture/uploads/<upload>/<int:offset>")
def chunk(upload: str, offset: int) -> Answer:
    """Take the piece that begins at a byte: the body, as it is."""
    request.max_content_length = limits.LARGEST_PIECE
    try:
        piece = request.get_data(cache=False)
    except RequestEntityTooLarge:
        abort(413, _("A piece weighs at most %(most)s KiB.", most=limits.LARGEST_PIECE // 1024))
    return jsonify(_told(_uploads().add(auth.person(), upload, offset, piece)))


@pages.get("/capture/uploads/<upload>")
def state(upload: str) -> Answer:
    """Where an upload stands: how much came, how much was read, and what of it was stored."""
    return jsonify(_told(_uploads().of(auth.person(), upload)))


@pages.post("/capture/uploads/<upload>/read")
def read(upload: str) -> Answer:
    """Read a whole clip in the background: JSON with ``started_at`` where the clip does not say it."""
    given = _object()
    plan = Plan(
        started_at=_start(given.get("started_at")), confirm_first_face=given.get("first_face") is True
    )
    return jsonify(_told(_uploads().read(auth.person(), upload, plan)))


@pages.post("/capture/uploads/<upload>/discard")
def discard(upload: str) -> Answer:
    """Drop a clip, or read it no further; what was stored of it stays."""
    _uploads().discard(auth.person(), upload)
    return jsonify(stage="discarded")


@pages.errorhandler(UploadGoneError)
def _gone(error: UploadGoneError) -> Answer:
    return answer(
        404, _("This clip is not held any more: choose it again. What was read of it before stays read.")
    )


@pages.errorhandler(OffsetError)
def _offset(error: OffsetError) -> Answer:
    return jsonify(error=_("The upload goes on at another place."), offset=error.offset), 409


@pages.errorhandler(UploadBusyError)
def _busy(error: UploadBusyError) -> Answer:
    return answer(409, _("The clip is not whole yet, or one of yours is being read just now."))


@pages.errorhandler(InstantError)
def _instant(error: InstantError) -> Answer:
    return answer(422, _("That time lies in the future, or is none. Say when the clip was recorded."))


@pages.errorhandler(MediaError)
def _media(error: MediaError) -> Answer:
    statuses = ((NotAClipError, 415), (ClipTooLargeError, 413))
    return answer(next((status for kind, status in statuses if isinstance(error, kind)), 422), str(error))


@pages.errorhandler(ingest.FullError)
def _full(error: ingest.FullError) -> Answer:
    return answer(503, _("Others are uploading clips just now; try again in a few minutes."))


def _uploads() -> ingest.Uploads:
    uploads = services().uploads
    if uploads is None:
        abort(503, _("This installation reads no faces in the browser."))
    return uploads


def _object() -> dict[str, Any]:
    given = request.get_json()
    if not isinstance(given, dict):
        raise BadRequest(_("Send an object."))
    return given


def _start(stated: Any) -> datetime | None:
    if stated is None or stated == "":
        return None
    return require_past(parse_instant(str(stated)), auth.now())


def _told(upload: Upload) -> dict[str, Any]:
    result = upload.result
    return {
        "upload": upload.id,
        "offset": upload.offset,
        "size": upload.size,
        "piece": limits.LARGEST_PIECE,
        "stage": upload.stage.value,
        "share": round(upload.share, 3),
        "stored": result.added,
        "known": result.observations - result.added,
        "read": result.with_face,
        "without": {str(REASONS[reason]): count for reason, count in result.reasons.items() if count},
        "problem": result.problem or _why(upload.problem),
        "ask_start": isinstance(upload.problem, StartUnknownError | InstantError),
    }


def _why(problem: Exception | None) -> str | None:
    match problem:
        case None:
            return None
        case ConsentError():
            return consent_sentence(problem)
        case StartUnknownError():
            return str(_("The clip does not say when it was recorded. Say it here, then it is read."))
        case InstantError():
            return str(
                _(
                    "It would end in the future, or was taken in before as begun at another time. "
                    "Say when it began."
                )
            )
        case MediaError():
            return str(problem)
    return str(_("Something went wrong on our side; what was read before is stored. Choose the clip again."))
