"""Sessions: who asks, whether they may, and what they must have seen before anything else."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask, Response, abort, g, jsonify, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.consent import Recorder
from tracker.domain.members import Member, UnknownMemberError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.privacy.keys import KeyUnavailableError
from tracker.workflows import accounts, members
from webui import languages
from webui.services import services
from webui.study import text, texts

LASTS = timedelta(hours=12)
"""How long a session lasts; then the password is asked for again."""

PUBLIC = frozenset({"assets", "health", "languages"})
OPEN = frozenset(
    {
        "entering.log_in",
        "entering.enter",
        "erased.page",
        "erased.certificate",
        "leaving.page",
        "leaving.withdraw",
        "privacy.page",
    }
)
STAFF_ROOMS = frozenset({"rate"})
JSON = frozenset({"timeline.data", "capturing.look", "capturing.frames"})
# A notice that has changed meanwhile must keep nobody from saying no.
ENDING = frozenset({"consent.withdraw", "consent.refuse", "consent.answer"})
BEFORE_NOTICE = frozenset({"entering.notice_page", "entering.log_out"}) | ENDING
BEFORE_PASSWORD = BEFORE_NOTICE | {"entering.password"}


def protect(app: Flask) -> None:
    """Let nobody in without a session, on any page that is not named here as open."""
    app.before_request(_gate)


def person() -> Person:
    """Who is logged in."""
    found = g.get("person")
    assert isinstance(found, Person), "this endpoint must not be open"
    return found


def member() -> Member:
    """Which member of the staff is logged in."""
    found = g.get("member")
    assert isinstance(found, Member), "this endpoint must be a member's"
    return found


def now() -> datetime:
    """The instant at which this request is answered: one for the whole request."""
    if "now" not in g:
        g.now = services().clock()
    at: datetime = g.now
    return at


def start(who: Person, version: int, *, by_code: bool, noticed: bool = False) -> None:
    """Start a session, leaving nothing of the one before."""
    _begin()
    session["participant"] = who.id
    session["version"] = version
    session["since"] = now().timestamp()
    if by_code:
        session["by_code"] = True
    if noticed:
        session["notice"] = text().notice().sha256


def _begin() -> None:
    """Leave nothing of the session before but the language."""
    language = session.get(languages.KEY)
    session.clear()
    languages.keep(language)


def start_member(who: Member, version: int) -> None:
    """Start a member's session, leaving nothing of the one before."""
    _begin()
    session["member"] = who.id
    session["version"] = version
    session["since"] = now().timestamp()


def wants_json() -> bool:
    """Whether the answer to this request is read by a program."""
    return request.endpoint in JSON or request.is_json


def _gate() -> BaseResponse | None:
    if request.blueprint in PUBLIC:
        return None
    _recognise()
    if request.endpoint is None or request.endpoint in OPEN:
        return None
    if "person" not in g and "member" not in g:
        return _not_logged_in()
    # Until the table of roles stands: a room of its own for either, and each only in theirs.
    if ("member" in g) is not (request.blueprint in STAFF_ROOMS):
        abort(403, "This page is not for you.")
    if "member" in g:
        return None
    if not g.noticed and request.endpoint not in BEFORE_NOTICE:
        return _first("entering.notice_page")
    if session.get("by_code") and request.endpoint not in BEFORE_PASSWORD:
        return _first("entering.password")
    return None


def _recognise() -> None:
    participant, version = session.get("participant"), session.get("version")
    since = session.get("since", 0.0)
    if now().timestamp() - since > LASTS.total_seconds():
        return
    if isinstance(session.get("member"), str):
        _recognise_member(session["member"], version)
        return
    if not isinstance(participant, str):
        return
    try:
        with services().access.read(participant, now()) as unit:
            if accounts.session_version(unit) != version:
                return
            g.person = unit.person
            # Whoever chose something under this notice has seen it: it is the first thing on that page.
            shown = texts()
            g.noticed = session.get("notice") in shown or any(
                e.recorder is Recorder.PARTICIPANT and e.notice.sha256 in shown for e in unit.events
            )
    except (UnknownParticipantError, KeyUnavailableError):
        session.clear()


def _recognise_member(member: str, version: object) -> None:
    try:
        if accounts.member_session_version(services().access, member, now()) == version:
            g.member = members.by_id(services().access, member, now())
    except UnknownMemberError:
        session.clear()


def _not_logged_in() -> BaseResponse:
    if wants_json():
        return _json_error(401, "log in first")
    return redirect(url_for("entering.log_in"), 303)


def _first(endpoint: str) -> BaseResponse:
    if wants_json():
        return _json_error(403, f"read the page {url_for(endpoint)} first")
    if request.method not in ("GET", "HEAD"):
        abort(403, "Your session asks for something else first: open the start page. Nothing was changed.")
    return redirect(url_for(endpoint), 303)


def _json_error(status: int, message: str) -> Response:
    response = jsonify(error=message)
    response.status_code = status
    return response
