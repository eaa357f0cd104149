"""What a phone on which answers wait asks, and when it is told to forget everything."""

from __future__ import annotations

import hashlib
import hmac
from typing import cast

from flask import Blueprint, Response, current_app, g, jsonify, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.people import Person
from webui import auth, csrf

pages = Blueprint("answer_phone", __name__)

CLEARED = '"storage"'
"""What a browser forgets when a session ends: answers that wait, their key, and the page for offline."""

LEAVING = frozenset({"entering.log_out"})


@pages.get("/answer/standing")
def standing() -> BaseResponse | tuple[BaseResponse, int]:
    """Who is logged in, as a tag that tells nobody anything, and a token for what is sent."""
    who = g.get("person")
    if isinstance(who, Person):
        return jsonify(owner=owner(who), csrf=csrf.token())
    # A session that was ended (everywhere, or with its person) is not one that grew too old. For the latter answers
    # wait until the same person logs in again; after the former nothing of theirs stays on this phone.
    ended = _was_ended()
    response = jsonify(error=_("Log in first."), ended=ended)
    if ended:
        response.headers["Clear-Site-Data"] = CLEARED
    return response, 401


@pages.after_app_request
def _forget(response: Response) -> Response:
    if request.endpoint in LEAVING and request.method == "POST" and response.status_code < 400:
        response.headers["Clear-Site-Data"] = CLEARED
    return response


def owner(who: Person) -> str:
    """A tag under which a phone keeps somebody's answers: it is always the same, and names nobody."""
    key = cast(bytes, current_app.config["SECRET_KEY"])
    return hmac.new(key, f"answers|{who.id}".encode(), hashlib.sha256).hexdigest()[:32]


def _was_ended() -> bool:
    since = session.get("since")
    fresh = isinstance(since, int | float) and auth.now().timestamp() - since <= auth.LASTS.total_seconds()
    # Flask-Login keeps who it was, though nobody is found for it any more.
    return fresh and "_user_id" in session and not auth.logged_in()
