"""How I log in: password, passkeys, authenticator app, recovery codes, my own sign-ins."""

from __future__ import annotations

import io

import qrcode
import qrcode.image.svg
from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.entering import How, Kind
from tracker.workflows import accounts
from tracker.workflows.accounts import TooManyPasskeysError
from webui import auth, journal, roles
from webui.account import ceremonies
from webui.account.ceremonies import PasskeyError
from webui.auth_store import app_codes
from webui.services import services

pages = Blueprint("account", __name__)

LONGEST_NAME = 40
_SECRET = "app_secret"

HOWS = {
    How.PASSWORD: lazy_gettext("password"),
    How.ONE_TIME_CODE: lazy_gettext("one-time code"),
    How.INVITATION: lazy_gettext("invitation"),
    How.PASSKEY: lazy_gettext("passkey"),
    How.APP: lazy_gettext("password and app"),
    How.RECOVERY_CODE: lazy_gettext("password and recovery code"),
    How.DEMO: lazy_gettext("the demo’s door"),
}
"""How a sign-in is told."""


@pages.get("/account")
def page() -> str:
    """Show how one logs in, and one's own sign-ins."""
    return _page()


@pages.route("/account/app", methods=["GET", "POST"])
def app() -> str | BaseResponse | tuple[str, int]:
    """Set up an authenticator app: show its secret, and keep it once a code proves that the app has it."""
    _no_demo()
    if request.method == "GET" or _SECRET not in session:
        session[_SECRET] = app_codes().generate_totp_secret()
        return _app_form()
    step = app_codes().step_of("".join(request.form.get("code", "").split()), session[_SECRET], None)
    if step is None:
        return _app_form(_("That code is not the one of this moment; look again, and type the newest.")), 400
    first = not _has_codes()
    accounts.add_app(services().access, auth.whom(), session.pop(_SECRET), step, auth.now())
    journal.tell("factor_added", kind=Kind.APP.value)
    return _with_codes() if first else _back()


@pages.post("/account/passkey/options")
def passkey_options() -> Response:
    """What the browser needs to make a passkey."""
    _no_demo()
    return Response(ceremonies.ask_for_new(auth.whom()), mimetype="application/json")


@pages.post("/account/passkey")
def passkey() -> Response | tuple[Response, int]:
    """Keep the passkey that the browser made; say where to go on."""
    _no_demo()
    given = request.get_json(silent=True)
    given = given if isinstance(given, dict) else {}
    name = " ".join(str(given.get("name", "")).split())[:LONGEST_NAME] or _("Passkey")
    try:
        made = ceremonies.made(given.get("credential"), name)
        accounts.add_passkey(services().access, auth.whom(), made, auth.now())
        journal.tell("factor_added", kind=Kind.PASSKEY.value)
    except PasskeyError:
        return jsonify(error=_("That passkey could not be kept; nothing was changed. Try again.")), 400
    except TooManyPasskeysError:
        return jsonify(error=_("You have too many passkeys; remove one first.")), 400
    return jsonify(next=url_for(".page", _anchor="passkeys"))


@pages.post("/account/codes")
def codes() -> str:
    """Make recovery codes and show them, once; those before stop working."""
    _no_demo()
    if not accounts.has_second_factor(services().access, auth.whom(), auth.now()):
        abort(400, _("Recovery codes take the place of a passkey or an app: set up one of these first."))
    return _with_codes()


@pages.post("/account/remove")
def remove() -> BaseResponse:
    """Remove a passkey or the app."""
    _no_demo()
    mine = accounts.factors(services().access, auth.whom(), auth.now())
    number = request.form.get("factor", "")
    if number not in {factor.id for factor in mine}:
        abort(404)
    if len(mine) == 1 and auth.is_strong():
        abort(400, _("Your role asks for a second factor: add another one before you remove this."))
    accounts.remove_factor(services().access, auth.whom(), number, auth.now())
    journal.tell("factor_removed")
    return _back()


@pages.post("/account/sessions/end")
def end_session() -> BaseResponse:
    """End one session of one's own, wherever it is; the others go on."""
    number = request.form.get("sign_in", "")
    if number not in {
        str(one.number) for one in accounts.sign_ins(services().access, auth.whom(), auth.now())
    }:
        abort(404)
    accounts.log_out(services().access, auth.whom(), int(number), auth.now())
    journal.tell("signed_out", which="one")
    return redirect(url_for(".page", _anchor="sign-ins"), 303)


@pages.app_template_global("staff_menu")
def staff_menu() -> list[tuple[str, str, bool]]:
    """Where a member of the staff can go: what their roles allow of the pages there are, and whether they are there."""
    entries = [
        ("rate.page", _("Faces"), {"rate.notice"}),
        ("rate.series_list", _("Clips"), {"rate.series"}),
        ("rate.adjudications", _("Decide"), {"rate.adjudicating"}),
        (
            "monitor.people",
            _("Study"),
            {"monitor.prompts", "monitor.person", "monitor.raters", "monitor.everybody", "monitor.jobs"},
        ),
        ("rate.me", _("About me"), set()),
        ("rate.keys", _("Keys"), set()),
        ("account.page", _("Account"), {"account.app", "account.codes", "entering.password"}),
    ]
    here = auth.roles_here()
    return [
        (endpoint, text, request.endpoint == endpoint or request.endpoint in below)
        for endpoint, text, below in entries
        if roles.rule(endpoint).allows(here)
    ]


def _page() -> str:
    access, whom, at = services().access, auth.whom(), auth.now()
    mine = accounts.factors(access, whom, at)
    return render_template(
        "account.html",
        name=whom.name,
        passkeys=[factor for factor in mine if factor.kind is Kind.PASSKEY],
        app=next((factor for factor in mine if factor.kind is Kind.APP), None),
        left=accounts.codes_left(access, whom, at),
        sign_ins=accounts.sign_ins(access, whom, at),
        hows=HOWS,
        here=auth.here(),
        gone_before=at - auth.LASTS,
        demanded=auth.needs_second(),
        fresh=auth.is_fresh(),
        longest_name=LONGEST_NAME,
    )


def _app_form(problem: str = "") -> str:
    secret, name = session[_SECRET], auth.whom().name
    return render_template(
        "account_app.html",
        problem=problem,
        picture=_qr(app_codes().get_totp_uri(name, secret)),
        key=app_codes().get_totp_pretty_key(secret),
    )


def _with_codes() -> str:
    made = accounts.new_codes(services().access, auth.whom(), auth.now())
    journal.tell("codes_made")
    return render_template("account_codes.html", codes=made)


def _has_codes() -> bool:
    return accounts.codes_left(services().access, auth.whom(), auth.now()) > 0


def _qr(text: str) -> Markup:
    """A QR code as SVG inside the page: our policy for pictures allows no data address."""
    drawn = io.BytesIO()
    qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, box_size=10, border=2).save(drawn)
    svg = drawn.getvalue().decode()
    return Markup(svg[svg.index("<svg") :])


def _no_demo() -> None:
    if auth.is_demo():
        abort(403, _("You came through the demo’s door: how this person logs in is not changed from here."))


def _back() -> BaseResponse:
    return redirect(url_for(".page"), 303)
