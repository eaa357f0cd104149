"""The door for invitations: a link that lets somebody in once, to choose a password."""

from __future__ import annotations

from typing import NoReturn

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.credentials import Whom
from tracker.domain.entering import How
from tracker.workflows import accounts
from tracker.workflows.accounts import InvitationError
from webui import auth, journal
from webui.services import services

pages = Blueprint("invited", __name__)


@pages.get("/invited/<token>")
def page(token: str) -> str:
    """Show whom the link lets in; only the button uses it up, for programs look at links before people do."""
    return render_template("invited.html", name=_whom(token).name)


@pages.post("/invited/<token>")
def come_in(token: str) -> Response:
    """Use the link up and begin a session that must choose a password, after a second factor where there is one."""
    _whom(token)
    try:
        whom, version = accounts.accept_invitation(services().access, token, auth.now())
    except InvitationError:
        _gone()
    journal.tell("invitation_used", whom)
    if accounts.has_second_factor(services().access, whom, auth.now()):
        auth.start_half(whom, version, by_code=True)
        return redirect(url_for("second.page"), 303)
    auth.start(whom, version, How.INVITATION, by_code=True)
    return redirect(url_for("entering.home"), 303)


def _whom(token: str) -> Whom:
    if not services().logins.allows(request.remote_addr or "", auth.now()):
        abort(429, _("Too many tries from this address. Wait a minute, then try again."))
    try:
        return accounts.invited(services().access, token, auth.now())
    except InvitationError:
        _gone()


def _gone() -> NoReturn:
    journal.tell("invitation_failed")
    abort(404, _("This link was used already, is too old, or is incomplete. Ask for a new one."))
