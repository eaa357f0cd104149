"""Say once more that it is oneself, before taking along, erasing, or changing how one logs in."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.domain.entering import How, Kind
from tracker.workflows import accounts
from webui import auth, journal, roles
from webui.account import second
from webui.services import services

pages = Blueprint("confirming", __name__)

LONGEST = 1024


@pages.route("/confirm", methods=["GET", "POST"])
def page() -> str | Response | tuple[str, int]:
    """Ask for the password, or a passkey; then go back to where it was asked for."""
    if request.method == "GET":
        if request.args.get("back") in _known():
            session["back"] = request.args["back"]
        return _form()
    access, whom, at = services().access, auth.whom(), auth.now()
    both, how = accounts.has_second_factor(access, whom, at), How.PASSWORD
    try:
        with services().hashing:
            password = request.form.get("password", "")[:LONGEST]
            accounts.confirm_password(access, whom, password, at, forgiving=not both)
    except accounts.LoginError:
        journal.tell("confirming_failed")
        return _form(_("That is not your password; nothing was changed.")), 401
    if both:
        found = second.given(whom, request.form.get("code", "")[: second.LONGEST])
        if found is None:
            journal.tell("second_factor_failed")
            return _form(second.wrong()), 401
        how = found
    auth.freshen(how)
    return redirect(url_for(back()), 303)


def back() -> str:
    """The endpoint to go back to: one that the table of roles names, once."""
    named: str = session.pop("back", "")
    return named if named in _known() else "entering.home"


def _known() -> frozenset[str]:
    """Where this page leads back to: nowhere else, whatever an address says."""
    fresh = {rule.fresh for rule in roles.RULES.values() if rule.fresh}
    return frozenset(fresh | {"consent.page", "entering.password"})


def _form(problem: str = "") -> str:
    kinds = {factor.kind for factor in accounts.factors(services().access, auth.whom(), auth.now())}
    return render_template(
        "confirm.html",
        problem=problem,
        passkey=Kind.PASSKEY in kinds,
        app=Kind.APP in kinds,
    )
