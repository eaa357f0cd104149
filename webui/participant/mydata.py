"""My data: pause and resume, take along, erase everything."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.instants import InstantError
from tracker.workflows import accounts, budgets, enrolment, erasure, prompting
from webui import auth, journal
from webui.limits import BusyError
from webui.participant import answering_phone, downloads, erased
from webui.services import services

pages = Blueprint("mydata", __name__)

WORD = "erase"
"""What someone without a password types to say that they mean it."""

MOST_LOOKS = 20
"""Looks of the staff that the page lists, newest first; all of them are in the archive."""


@pages.get("/my-data")
def page() -> str:
    """Show what can be done with everything that is stored."""
    return _page()


@pages.post("/pause")
def pause() -> BaseResponse:
    """Stop storing the series until it is resumed."""
    enrolment.pause(services().access, auth.person(), auth.now())
    return _back()


@pages.post("/resume")
def resume() -> BaseResponse:
    """Store the series again."""
    enrolment.resume(services().access, auth.person(), auth.now())
    return _back()


@pages.post("/my-data/zone")
def zone() -> BaseResponse | tuple[str, int]:
    """Say where one is: what falls due follows the clock there from now on."""
    named = request.form.get("zone", "").strip()
    try:
        prompting.move(services().access, auth.person(), named, auth.now())
    except InstantError:
        return _page(_("There is no such place in the list: choose one, for example Europe/Berlin.")), 400
    return redirect(url_for(".page", _anchor="zone"), 303)


@pages.post("/my-data/download")
def download() -> Response | tuple[str, int]:
    """Everything that is stored about the person, in one file that is sent while it is made and kept nowhere."""
    try:
        pieces = downloads.archive(services().access, auth.person(), auth.now(), services().archives)
    except BusyError:
        return _page(_("Others are taking their data along just now; try again in a few minutes.")), 503
    name = f"my-data-{auth.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(pieces, mimetype="application/zip", headers=headers)


@pages.post("/my-data/erase")
def erase() -> str | BaseResponse | tuple[str, int]:
    """Erase everything, after the password or the typed word, of who has a second factor not long after both."""
    person, access = auth.person(), services().access
    both = auth.has_second()
    if both and not auth.is_fresh():
        return auth.confirm_first("mydata.page")
    if _has_password():
        try:
            with services().hashing:
                password = request.form.get("password", "")
                accounts.confirm_password(access, person, password, auth.now(), forgiving=not both)
        except accounts.LoginError:
            journal.tell("confirming_failed")
            return _page(_("That is not your password; nothing was erased.")), 400
    elif request.form.get("word", "").strip().lower() != WORD:
        return _page(_("Type the word %(word)s to say that you mean it; nothing was erased.", word=WORD)), 400
    journal.tell("erased")
    gone = erased.remember(erasure.erase_person(access, person, auth.now()))
    answering_phone.leave(person)
    return gone


def _page(problem: str = "") -> str:
    with services().access.read(auth.person().id, auth.now()) as unit:
        has_password, counted = accounts.has_password(unit), budgets.account(unit)
        looks = services().access.looks(unit)[::-1]
    return render_template(
        "mydata.html",
        person=auth.person(),
        has_password=has_password,
        counted=counted,
        erasures=erasure.of_scopes(services().access, auth.person()),
        looks=looks,
        zones=_zones(),
        most_looks=MOST_LOOKS,
        word=WORD,
        problem=problem,
    )


@cache
def _zones() -> tuple[str, ...]:
    """What can be chosen: places, not the abbreviations and offsets that the time zone database holds too."""
    return tuple(
        sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    )


def _has_password() -> bool:
    with services().access.read(auth.person().id, auth.now()) as unit:
        return accounts.has_password(unit)


def _back() -> BaseResponse:
    return redirect(url_for("timeline.newest" if request.form.get("back") == "timeline" else ".page"), 303)
