"""The second factor after a right password: a code of the authenticator app, a recovery code, or a passkey."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.credentials import Whom
from tracker.domain.entering import How, Kind
from tracker.workflows import accounts
from webui import auth, journal
from webui.auth_store import app_codes
from webui.services import services

pages = Blueprint("second", __name__)

LONGEST = 64
_DIGITS = 6


@pages.route("/login/second", methods=["GET", "POST"])
def page() -> str | Response | tuple[str, int]:
    """Ask for it, and begin the session when it is right."""
    waiting = auth.half()
    if waiting is None:
        return redirect(url_for("entering.log_in"), 303)
    user, by_code = waiting
    if request.method == "GET":
        return _form(user.whom)
    if not services().logins.allows(request.remote_addr or "", auth.now()):
        problem = _("Too many tries from this address. Wait a minute, then try again.")
        return _form(user.whom, problem), 429
    how = given(user.whom, request.form.get("code", "")[:LONGEST])
    if how is None:
        journal.tell("second_factor_failed", user.whom)
        return _form(user.whom, wrong()), 401
    auth.start(user.whom, user.version, how, by_code=by_code)
    return redirect(url_for("entering.home"), 303)


def wrong() -> str:
    """What is said of a wrong code."""
    return str(
        _(
            "That code is not the one of this moment, or it was used. After %(tries)s wrong tries wait "
            "%(minutes)s minutes.",
            tries=accounts.TRIES,
            minutes=accounts.LOCKED_FOR.seconds // 60,
        )
    )


def given(whom: Whom, code: str) -> How | None:
    """What a right code is, the app's or a recovery code, which is used up; None for a wrong one.

    Tries count as those at the password do, and before the code is looked at.
    """
    access, at = services().access, auth.now()
    if accounts.count_try(access, whom, at) is None:
        return None
    how = _how(whom, code)
    if how is not None:
        accounts.forgive(access, whom, at)
    return how


def _how(whom: Whom, code: str) -> How | None:
    access, at = services().access, auth.now()
    bare = "".join(code.split())
    if not (bare.isascii() and bare.isdigit() and len(bare) == _DIGITS):
        return How.RECOVERY_CODE if accounts.use_code(access, whom, code, at) else None
    app = accounts.app_secret(access, whom, at)
    if app is None:
        return None
    number, secret, last = app
    step = app_codes().step_of(bare, secret, last)
    # Of two requests with the same code, one is too late.
    return How.APP if step is not None and accounts.accept_app(access, whom, number, step, at) else None


def _form(whom: Whom, problem: str = "") -> str:
    kinds = {factor.kind for factor in accounts.factors(services().access, whom, auth.now())}
    return render_template(
        "second.html", problem=problem, app=Kind.APP in kinds, passkey=Kind.PASSKEY in kinds
    )
