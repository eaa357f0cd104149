"""Which of my devices are told that a question waits: switched on here, one by one, and off again."""

from __future__ import annotations

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.domain.entering import browser
from tracker.domain.pushing import LONGEST, EndpointError
from tracker.workflows import prompting
from tracker.workflows.prompting import NoPushError, TooManyDevicesError
from webui import auth, journal
from webui.services import services
from webui.study import study, text

pages = Blueprint("telling", __name__)


@pages.get("/answer/devices")
def page() -> str:
    """Show what leaves this server when a device is told, which of mine are, and how to stop it."""
    access = services().access
    with access.read(auth.person().id, auth.now()) as unit:
        possible, mine = prompting.possible(unit), prompting.devices_of(access, unit)
    return render_template(
        "devices.html",
        offered=study().asking.web_push and not study().closed,
        possible=possible,
        devices=mine,
        card=text().titles(),
        rules=study().asking,
        key=prompting.application_key(access) if possible else "",
    )


@pages.post("/answer/devices")
def switch_on() -> Response | tuple[Response, int]:
    """Have the device told that asks; JSON with its ``endpoint`` at a push service."""
    given = request.get_json(silent=True)
    endpoint = given.get("endpoint") if isinstance(given, dict) else None
    if not isinstance(endpoint, str) or len(endpoint) > LONGEST:
        return jsonify(error=_("Your browser named no address to send to; nothing was switched on.")), 400
    agent = request.headers.get("User-Agent", "")
    try:
        made = prompting.switch_on(
            services().access,
            auth.person(),
            endpoint,
            auth.now(),
            browser=browser(agent),
            sign_in=auth.here(),
        )
    except EndpointError:
        told = _(
            "We do not know the maker of this browser, so nothing is sent there; nothing was switched on."
        )
        return jsonify(error=told), 400
    except NoPushError:
        return jsonify(error=_("This study sends nothing to devices.")), 409
    except TooManyDevicesError:
        return jsonify(error=_("You have enough devices switched on; stop one of them first.")), 409
    journal.tell("device_on", maker=made.maker)
    return jsonify(next=url_for(".page")), 201


@pages.post("/answer/devices/stop")
def stop() -> Response:
    """Stop one device of mine, or with ``all`` every one; what is stored of it is deleted."""
    everything = bool(request.form.get("all"))
    device = None if everything else request.form.get("device", "")
    stopped = prompting.switch_off(services().access, auth.person(), auth.now(), device)
    if not everything and not stopped:
        abort(404, _("There is no such device of yours."))
    journal.tell("device_off", devices=stopped)
    return redirect(url_for(".page"), 303)


def stop_here(endpoint: str) -> None:
    """Stop the device that logs out, as far as its page says which it is."""
    if endpoint and len(endpoint) <= LONGEST:
        prompting.switch_off_at(services().access, auth.person(), endpoint, auth.now())
