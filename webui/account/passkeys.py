"""Use a passkey: to log in, as the second factor, or to say once more that it is oneself."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, url_for
from flask_babel import gettext as _

from tracker.domain.entering import How
from tracker.workflows import accounts
from webui import auth, journal
from webui.account import ceremonies
from webui.account.ceremonies import PasskeyError
from webui.account.confirming import back
from webui.services import services

pages = Blueprint("passkeys", __name__)


@pages.post("/passkey/options")
def options() -> Response:
    """What the browser needs to ask for a passkey."""
    return Response(ceremonies.ask(), mimetype="application/json")


@pages.post("/passkey")
def check() -> Response | tuple[Response, int]:
    """Take the passkey's answer; say where to go on."""
    if not services().logins.allows(request.remote_addr or "", auth.now()):
        return jsonify(error=_("Too many tries from this address. Wait a minute, then try again.")), 429
    asking = auth.whom() if auth.logged_in() else None
    try:
        whom = ceremonies.used(request.get_json(silent=True))
    except PasskeyError:
        journal.tell("passkey_failed")
        return jsonify(error=_("That passkey was not accepted. Try again, or use your password.")), 400
    if asking is not None:
        if whom.id != asking.id:
            return jsonify(error=_("That passkey is somebody else’s. Nothing was changed.")), 400
        auth.freshen(How.PASSKEY)
        return jsonify(next=url_for(back()))
    version, _second = accounts.standing(services().access, whom, auth.now())
    auth.start(whom, version, How.PASSKEY)
    accounts.forgive(services().access, whom, auth.now())
    return jsonify(next=url_for("entering.home"))
