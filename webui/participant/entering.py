"""Come in and go out: log in, choose a password, read the notice, log out."""

from __future__ import annotations

import hmac

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from tracker.domain.passwords import SHORTEST, WeakPasswordError
from tracker.workflows import accounts, consenting
from webui import auth
from webui.services import services
from webui.study import text

pages = Blueprint("entering", __name__)
TOO_FAST = "Too many tries from this address. Wait a minute, then try again."
LONGEST = 1024


@pages.get("/")
def home() -> Response:
    """Lead to where a participant has something to do."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        granted = [state for state in consenting.show(unit) if state.in_force]
    settled = granted and all(state.confirmed for state in granted)
    return redirect(url_for("timeline.newest" if settled else "consent.page"), 303)


@pages.route("/login", methods=["GET", "POST"])
def log_in() -> str | Response | tuple[str, int]:
    """Name and one-time code the first time; name and password later."""
    if request.method == "GET":
        return redirect(url_for(".home"), 303) if "person" in g else render_template("login.html")
    name, secret = request.form.get("name", "").strip(), request.form.get("secret", "")
    if not services().logins.allows(request.remote_addr or "", auth.now()):
        return render_template("login.html", name=name, problem=TOO_FAST), 429
    try:
        with services().hashing:
            login = accounts.log_in(services().access, name, secret[:LONGEST], auth.now())
    except accounts.LoginError as error:
        return render_template("login.html", name=name, problem=str(error)), 401
    auth.start(login.person, login.version, by_code=login.by_code)
    return redirect(url_for(".home"), 303)


@pages.get("/enter/<token>")
def enter(token: str) -> Response:
    """The demo's door: a token that the demo made logs one demo person in, once."""
    entries: dict[str, str] = current_app.config["DEMO_ENTRIES"]
    known = next((t for t in entries if hmac.compare_digest(t.encode(), token.encode())), None)
    participant = entries.pop(known, None) if known else None
    if participant is None:
        abort(
            404, "This link was used already, or it is none of this demo. Start the demo again for a new one."
        )
    with services().access.read(participant, auth.now()) as unit:
        auth.start(unit.person, accounts.session_version(unit), by_code=False)
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
    """Choose a password; it takes the place of the one-time code."""
    if request.method == "GET":
        return render_template("password.html", shortest=SHORTEST)
    if not session.get("by_code"):
        abort(403, "A password is chosen after logging in with a one-time code: ask for a new code.")
    chosen, again = request.form.get("password", ""), request.form.get("again", "")
    problem = "The two are not the same; type them again." if chosen != again else ""
    if len(chosen) > LONGEST:
        problem = f"A password has at most {LONGEST} characters."
    if not problem:
        try:
            with services().hashing:
                version = accounts.choose_password(services().access, auth.person(), chosen, auth.now())
        except WeakPasswordError:
            problem = f"A password has at least {SHORTEST} characters; a few words make a good one."
        else:
            auth.start(auth.person(), version, by_code=False, noticed=g.noticed)
            return redirect(url_for(".home"), 303)
    return render_template("password.html", shortest=SHORTEST, problem=problem), 400


@pages.post("/logout")
def log_out() -> Response:
    """End this session, or with ``everywhere`` all of them."""
    if request.form.get("everywhere"):
        accounts.end_sessions(services().access, auth.person(), auth.now())
    session.clear()
    return redirect(url_for(".log_in"), 303)
