"""What a phone on which answers wait asks, and when it is told to forget everything."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response, current_app, g, jsonify, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.people import Person
from webui import auth, auth_store, csrf
from webui.participant.asked import question_waits

pages = Blueprint("answer_phone", __name__)

CLEARED = '"storage"'
"""What a browser forgets when somebody leaves: answers that wait, their key, and the page for offline."""

_LEFT = "left"


@pages.get("/answer/standing")
def standing() -> BaseResponse | tuple[BaseResponse, int]:
    """Who is logged in, as a tag that tells nobody anything, and a token for what is sent."""
    who = g.get("person")
    if isinstance(who, Person):
        return jsonify(owner=owner(who), csrf=csrf.token(), now=auth.now().isoformat())
    # A session that was ended (everywhere, or with its person) is not one that grew too old. For the latter answers
    # wait until the same person logs in again; after the former nothing of theirs stays on this phone.
    gone = _who_was_ended()
    return jsonify(error=_("Log in first."), ended=gone is not None, owner=gone or None), 401


def leave(who: Person) -> None:
    """Have this browser forget what somebody keeps on it, as they log out or erase everything.

    The page that follows tells its script whose it is. Without scripts, and where nobody else's answers wait, the
    browser forgets everything of this site: the page says in ``others`` where that would take what others left.
    """
    session[_LEFT] = owner(who)
    g.phone_cleared = not request.form.get("others")


@pages.after_app_request
def _forget(response: Response) -> Response:
    if g.get("phone_cleared") and response.status_code < 400:
        response.headers["Clear-Site-Data"] = CLEARED
    return response


@pages.app_context_processor
def _words() -> dict[str, Callable[[], str | bool]]:
    return {"phone_tag": _tag, "question_waits": question_waits}


def owner(who: Person) -> str:
    """A tag under which a phone keeps somebody's answers: it is always the same, and names nobody."""
    return _owner(who.id)


def _owner(participant: str) -> str:
    key = cast(bytes, current_app.config["SECRET_KEY"])
    return hmac.new(key, f"answers|{participant}".encode(), hashlib.sha256).hexdigest()[:32]


def _tag() -> str:
    who = g.get("person")
    return owner(who) if isinstance(who, Person) else ""


def _who_was_ended() -> str | None:
    """The tag of whose session was ended, empty for one of the staff; None where none was."""
    since = session.get("since")
    fresh = isinstance(since, int | float) and auth.now().timestamp() - since <= auth.LASTS.total_seconds()
    if not fresh or auth.logged_in():
        return None
    if _LEFT in session:
        return str(session[_LEFT])
    # Flask-Login keeps who it was, though nobody is found for it any more.
    if "_user_id" not in session:
        return None
    participant = auth_store.participant_of(str(session["_user_id"]))
    return _owner(participant) if participant else ""
