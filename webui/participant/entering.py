"""Come in and go out: log in, choose a password, read the notice, log out."""

from __future__ import annotations

import hmac

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from tracker.domain.entering import How
from tracker.domain.guessed import Guess
from tracker.domain.members import Role
from tracker.domain.passwords import SHORTEST, WeakPasswordError
from tracker.workflows import accounts, consenting
from tracker.workflows.accounts import LOCKED_FOR, TRIES
from webui import auth, journal
from webui.participant import answering_phone, telling
from webui.services import services
from webui.study import text

pages = Blueprint("entering", __name__)
TOO_FAST = lazy_gettext("Too many tries from this address. Wait a minute, then try again.")
LONGEST = 1024


@pages.get("/")
def home() -> Response:
    """Lead to where whoever is logged in has something to do."""
    if "member" in g:
        rates = Role.RATER in auth.roles_here() and "rate.page" in current_app.view_functions
        return redirect(url_for("rate.page" if rates else "account.page"), 303)
    with services().access.read(auth.person().id, auth.now()) as unit:
        granted = [state for state in consenting.show(unit) if state.in_force]
    settled = granted and all(state.confirmed for state in granted)
    return redirect(url_for("timeline.newest" if settled else "consent.page"), 303)


@pages.route("/login", methods=["GET", "POST"])
def log_in() -> str | Response | tuple[str, int]:
    """Name and one-time code the first time; name and password later."""
    if request.method == "GET":
        return redirect(url_for(".home"), 303) if auth.logged_in() else render_template("login.html")
    name, secret = request.form.get("name", "").strip(), request.form.get("secret", "")
    if not services().logins.allows(request.remote_addr or "", auth.now()):
        return render_template("login.html", name=name, problem=TOO_FAST), 429
    try:
        with services().hashing:
            login = accounts.log_in(services().access, name, secret[:LONGEST], auth.now())
    except accounts.LoginError as error:
        journal.tell("sign_in_failed", error.whom)
        return render_template("login.html", name=name, problem=_problem()), 401
    if login.second:
        auth.start_half(login.whom, login.version, by_code=login.by_code)
        return redirect(url_for("second.page"), 303)
    how = How.ONE_TIME_CODE if login.by_code else How.PASSWORD
    auth.start(login.whom, login.version, how, by_code=login.by_code)
    return redirect(url_for(".home"), 303)


def _problem() -> str:
    return str(
        _(
            "That name and that code or password do not fit together. After %(tries)s wrong tries wait "
            "%(minutes)s minutes; a one-time code that is used or too old can be replaced by the person who gave "
            "it to you.",
            tries=TRIES,
            minutes=LOCKED_FOR.seconds // 60,
        )
    )


@pages.get("/enter/<token>")
def enter(token: str) -> Response:
    """The demo's door: a token that the demo made logs one demo person in, once."""
    entries: dict[str, str] = current_app.config["DEMO_ENTRIES"]
    known = next((t for t in entries if hmac.compare_digest(t.encode(), token.encode())), None)
    participant = entries.pop(known, None) if known else None
    if participant is None:
        abort(
            404,
            _("This link was used already, or it is none of this demo. Start the demo again for a new one."),
        )
    with services().access.read(participant, auth.now()) as unit:
        person, version = unit.person, accounts.session_version(unit)
    auth.start(person, version, How.DEMO)
    return redirect(url_for("timeline.newest"), 303)


@pages.route("/notice", methods=["GET", "POST"])
def notice_page() -> str | Response:
    """Say what this is before anything else (EU AI Act, Art. 50(3))."""
    if request.method == "GET":
        return render_template("notice.html", text=text())
    session["notice"] = text().notice().sha256
    return redirect(url_for(".home"), 303)


@pages.route("/password", methods=["GET", "POST"])
def password() -> str | Response | tuple[str, int]:
    """Choose a password: in the place of the one-time code or the invitation, or of the password before."""
    first = bool(session.get("by_code"))
    if not first and auth.is_demo():
        abort(403, _("You came through the demo’s door: how this person logs in is not changed from here."))
    if not first and auth.has_second() and not auth.is_fresh():
        return auth.confirm_first("entering.password")
    if request.method == "GET":
        return render_template("password.html", shortest=SHORTEST, first=first, name=auth.whom().name)
    chosen, again = request.form.get("password", ""), request.form.get("again", "")
    problem = _("The two are not the same; type them again.") if chosen != again else ""
    if len(chosen) > LONGEST:
        problem = _("A password has at most %(most)s characters.", most=LONGEST)
    if not problem:
        try:
            with services().hashing:
                version = _chosen(chosen, first)
        except accounts.LoginError:
            journal.tell("confirming_failed")
            problem = _("That is not your password of now; nothing was changed.")
        except WeakPasswordError as error:
            problem = _weak(error.guess)
        else:
            journal.tell("password_chosen")
            noticed = bool(g.get("noticed"))
            auth.start(auth.whom(), version, How.PASSWORD, noticed=noticed, anew=False)
            return redirect(url_for(".home" if first else "account.page"), 303)
    page = render_template(
        "password.html", shortest=SHORTEST, first=first, name=auth.whom().name, problem=problem
    )
    return page, 400


def _chosen(chosen: str, first: bool) -> int:
    """Change it, whoever has one by giving that as well; return the version that sessions have then."""
    access, whom, at = services().access, auth.whom(), auth.now()
    if not first:
        current = request.form.get("current", "")[:LONGEST]
        # The password of now alone must not make the tries forgotten that were made at the second factor.
        accounts.confirm_password(access, whom, current, at, forgiving=not auth.has_second())
    return accounts.choose_password(access, whom, chosen, at, here=auth.here())


def _weak(guess: Guess | None) -> str:
    """Why a password is not taken, in words."""
    if guess is Guess.COMMON:
        said = _(
            "This password is known from break-ins elsewhere and is among the first that somebody would try."
        )
    elif guess is Guess.ABOUT:
        said = _("This password says little but your name or what this is; choose something else.")
    else:
        said = _("A password has at least %(least)s characters; a few words make a good one.", least=SHORTEST)
    return str(said)


@pages.post("/logout")
def log_out() -> Response:
    """End this session, or with ``everywhere`` all of them."""
    if request.form.get("everywhere"):
        accounts.end_sessions(services().access, auth.whom(), auth.now())
    leaving = g.get("person")
    journal.tell("signed_out", which="all" if request.form.get("everywhere") else "this")
    if leaving is not None:
        telling.stop_here(request.form.get("device", ""))
    auth.end()
    if leaving is not None:
        answering_phone.leave(leaving)
    return redirect(url_for(".log_in"), 303)
