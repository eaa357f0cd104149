"""Sessions: who asks, whether they may, and what they must have seen before anything else."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Response, abort, current_app, g, jsonify, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_security.utils import login_user
from werkzeug.wrappers import Response as BaseResponse

from tracker.access.credentials import Whom
from tracker.domain.entering import How
from tracker.domain.members import STRONG, Member, Role
from tracker.domain.people import Person
from tracker.workflows import accounts, prompting
from webui import auth_store, bearer, journal, languages, roles
from webui.auth_store import User
from webui.clock import now as now
from webui.roles import Rule
from webui.services import services
from webui.study import study, text, texts

LASTS = timedelta(hours=12)
"""How long a session lasts; then the password is asked for again."""

IDLE = timedelta(hours=1)
"""After how long without a request a session ends whose person sees other people's data."""

FRESH = timedelta(minutes=15)
"""For how long whoever said who they are may take along, erase, and change how they log in."""

HALF = timedelta(minutes=5)
"""How long a second factor is waited for after a right password."""

JSON = frozenset(
    {"timeline.data", "capturing.look", "capturing.frames", "uploading.chunk", "uploading.state"}
)
# A notice that has changed meanwhile must keep nobody from saying no.
ENDING = frozenset({"consent.withdraw", "consent.refuse", "consent.answer"})
BEFORE_NOTICE = frozenset({"entering.notice_page", "entering.log_out"}) | ENDING
BEFORE_PASSWORD = BEFORE_NOTICE | {"entering.password"}
# Researchers and operators set up a second factor first, and nothing else.
BEFORE_SECOND = BEFORE_PASSWORD | {endpoint for endpoint in roles.RULES if endpoint.startswith("account.")}
BEFORE_SECOND |= {"confirming.page"}

# What pages ask by themselves, while nobody may be there: it keeps no session going.
ASKED_BY_PAGES = frozenset(
    {"datasets.state", "rate.token", "rate.series_open", "rate.disputed_open", "answer_phone.standing"}
)

_HALF, _BY_CODE, _FRESH, _DEMO, _SINCE, _SEEN = "half", "by_code", "fresh", "demo", "since", "seen"
_MINUTE = timedelta(minutes=1)
_SIGN_IN = auth_store.SIGN_IN


def protect(app: Flask) -> None:
    """Let nobody in who may not, on any page: `webui.roles` says who."""
    app.before_request(_gate)


def person() -> Person:
    """Which participant is logged in."""
    found = g.get("person")
    assert isinstance(found, Person), "this endpoint must be a participant's"
    return found


def member() -> Member:
    """Which member of the staff is logged in."""
    found = g.get("member")
    assert isinstance(found, Member), "this endpoint must be a member's"
    return found


def whom() -> Whom:
    """Who is logged in, participant or member."""
    return member() if "member" in g else person()


def logged_in() -> bool:
    """Whether anybody is."""
    return "person" in g or "member" in g


def roles_here() -> frozenset[Role]:
    """What whoever is logged in is to the study in force; nothing for nobody."""
    if "member" in g:
        return member().in_study(study().id)
    return frozenset({Role.PARTICIPANT}) if "person" in g else frozenset()


def is_strong() -> bool:
    """Whether whoever is logged in has a role that demands a second factor, in whatever study."""
    return "member" in g and any(held & STRONG for held in member().roles.values())


def needs_second() -> bool:
    """Whether whoever is logged in has to set up a second factor before anything else."""
    return is_strong() and not g.second


def start(
    who: Whom,
    version: int,
    how: How,
    *,
    by_code: bool = False,
    noticed: bool = False,
    anew: bool = True,
) -> None:
    """Start a session, leaving nothing of the one before but the language.

    Parameters
    ----------
    who, version
        Whose, and the version that their sessions have now.
    how
        How they came in; noted for them.
    by_code
        Whether a password must be chosen before anything else.
    noticed
        Whether they have seen the notice already.
    anew
        Whether it is a sign-in; else the session goes on under another version.
    """
    demo = how is How.DEMO or (not anew and bool(session.get(_DEMO)))
    signed_in = None if anew else session.get(_SIGN_IN)
    clear()
    login_user(User(who, version), remember=False, authn_via=[how.value])
    session[_SINCE] = session[_FRESH] = now().timestamp()
    if by_code:
        session[_BY_CODE] = True
    if demo:
        session[_DEMO] = True
    if noticed:
        session["notice"] = text().notice().sha256
    if anew:
        agent = request.headers.get("User-Agent", "")
        signed_in = accounts.note_sign_in(services().access, who, how, agent, now())
        journal.tell("signed_in", who, how=how.value)
    if signed_in is not None:
        session[_SIGN_IN] = signed_in


def start_half(who: Whom, version: int, *, by_code: bool) -> None:
    """Remember whose password was right until their second factor is; nobody is logged in yet."""
    clear()
    session[_HALF] = {
        "id": User(who, version).fs_uniquifier,
        "since": now().timestamp(),
        "by_code": by_code,
    }


def half() -> tuple[User, bool] | None:
    """Whose second factor is waited for, and whether they came by code; None when nobody's, or it took too long."""
    waiting = session.get(_HALF)
    if not isinstance(waiting, dict) or _older(waiting.get("since"), HALF):
        return None
    user = current_app.extensions["security"].datastore.find_user(fs_uniquifier=waiting["id"])
    return None if user is None else (user, bool(waiting["by_code"]))


def end() -> None:
    """End this session, in this browser and wherever a copy of its cookie lies."""
    if (number := here()) is not None:
        accounts.log_out(services().access, whom(), number, now())
    clear()


def here() -> int | None:
    """The number of the sign-in that this session began with; None where it has none."""
    number = session.get(_SIGN_IN)
    return number if isinstance(number, int) else None


def clear() -> None:
    """Forget a session but for its language."""
    language = session.get(languages.KEY)
    session.clear()
    languages.keep(language)


def is_fresh() -> bool:
    """Whether whoever is logged in said a short while ago who they are; the demo's people cannot, and need not."""
    return bool(session.get(_DEMO)) or not _older(session.get(_FRESH), FRESH)


def has_second() -> bool:
    """Whether whoever is logged in has a second factor."""
    return accounts.has_second_factor(services().access, whom(), now())


def is_demo() -> bool:
    """Whether this session came through the demo's door."""
    return bool(session.get(_DEMO))


def freshen(how: How) -> None:
    """Note that whoever is logged in said just now who they are: their session goes on as another sign-in.

    A copy of the session of before is worth nothing from then on.

    Parameters
    ----------
    how
        What they said it with.
    """
    access, before = services().access, here()
    agent = request.headers.get("User-Agent", "")
    session[_SIGN_IN] = accounts.note_sign_in(access, whom(), how, agent, now())
    session[_FRESH] = now().timestamp()
    if before is not None:
        if "person" in g:
            prompting.follow(access, person(), before, session[_SIGN_IN], now())
        accounts.log_out(access, whom(), before, now())
    journal.tell("confirmed", how=how.value)


def confirm_first(back: str) -> BaseResponse:
    """Ask them to say first that it is them; `back` is the endpoint to return to."""
    if wants_json():
        return _json_error(403, _("Say first that it is you: %(page)s", page=url_for("confirming.page")))
    session["back"] = back
    return redirect(url_for("confirming.page"), 303)


def wants_json() -> bool:
    """Whether the answer to this request is read by a program."""
    return request.endpoint in JSON or request.is_json


def _gate() -> BaseResponse | None:
    if request.endpoint is None:
        _recognise()
        return None
    rule = roles.rule(request.endpoint)
    if rule.program:
        if not rule.anybody:
            _program(rule)
        return None
    if rule.looked_up:
        _recognise()
    if rule.anybody:
        return None
    if not logged_in():
        return _not_logged_in()
    if not rule.allows(roles_here()):
        abort(403, _("This page is for somebody else: your account has no part in it."))
    if first := _before_this():
        return _first(first)
    if rule.fresh and not is_fresh():
        return confirm_first(rule.fresh)
    return None


def _program(rule: Rule) -> None:
    """Let in whoever has a token for it, and no session: a cookie is not even looked at."""
    bearer.recognise()
    if not rule.allows(roles_here()):
        abort(403, _("This page is for somebody else: your account has no part in it."))
    bearer.demand(rule)


def _before_this() -> str | None:
    """The page that has to come first, if any."""
    if "person" in g and not g.noticed and request.endpoint not in BEFORE_NOTICE:
        return "entering.notice_page"
    if session.get(_BY_CODE) and request.endpoint not in BEFORE_PASSWORD:
        return "entering.password"
    if needs_second() and request.endpoint not in BEFORE_SECOND:
        return "account.page"
    return None


def _recognise() -> None:
    if _older(session.get(_SINCE), LASTS) or not isinstance(user := _user(), User):
        return
    if isinstance(user.whom, Member):
        if not _left_alone(user.whom):
            g.member, g.second = user.whom, user.second
        return
    g.person = user.whom
    # Whoever chose something under this notice has seen it: it is the first thing on that page.
    shown = texts()
    g.noticed = session.get("notice") in shown or not shown.isdisjoint(user.chose_under)


def _left_alone(who: Member) -> bool:
    """Whether nobody asked for long in a session that sees other people's data; else note that somebody does."""
    if not any(held & STRONG for held in who.roles.values()):
        return False
    seen = session.get(_SEEN, session.get(_SINCE))
    if _older(seen, IDLE):
        return True
    if request.endpoint not in ASKED_BY_PAGES and _older(seen, _MINUTE):
        session[_SEEN] = now().timestamp()
    return False


def _user() -> object:
    """Whom Flask-Login knows this session to be of."""
    return current_user._get_current_object()


def _older(since: object, than: timedelta) -> bool:
    # Asked this way round, what is no number at all (NaN) is old too.
    return not (isinstance(since, int | float) and now().timestamp() - since <= than.total_seconds())


def _not_logged_in() -> BaseResponse:
    if wants_json():
        return _json_error(401, _("Log in first."))
    return redirect(url_for("entering.log_in"), 303)


def _first(endpoint: str) -> BaseResponse:
    if wants_json():
        return _json_error(403, _("Read the page %(page)s first.", page=url_for(endpoint)))
    if request.method not in ("GET", "HEAD"):
        abort(
            403,
            _("Your session asks for something else first: open the start page. Nothing was changed."),
        )
    return redirect(url_for(endpoint), 303)


def _json_error(status: int, message: str) -> Response:
    response = jsonify(error=message)
    response.status_code = status
    return response
