"""My data: pause and resume, take along, erase everything."""

from __future__ import annotations

import io

from flask import Blueprint, Response, redirect, render_template, request, send_file, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from tracker.workflows import accounts, budgets, enrolment, erasure
from tracker.workflows.portability.bundle import write_bundle
from webui import auth
from webui.services import services

pages = Blueprint("mydata", __name__)

WORD = "erase"
"""What someone without a password types to say that they mean it."""


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


@pages.post("/my-data/download")
def download() -> Response:
    """Everything that is stored about the person, in one file, made in memory and kept nowhere."""
    bundle = io.BytesIO()
    write_bundle(services().access, auth.person(), auth.now(), bundle)
    bundle.seek(0)
    name = f"my-data-{auth.now():%Y-%m-%d}.zip"
    return send_file(bundle, mimetype="application/zip", as_attachment=True, download_name=name)


@pages.post("/my-data/erase")
def erase() -> str | BaseResponse | tuple[str, int]:
    """Erase everything, after the password or the typed word; there is no way back."""
    person, access = auth.person(), services().access
    if _has_password():
        try:
            with services().hashing:
                accounts.confirm_password(access, person, request.form.get("password", ""), auth.now())
        except accounts.LoginError:
            return _page("That is not your password; nothing was erased."), 400
    elif request.form.get("word", "").strip().lower() != WORD:
        return _page(f"Type the word {WORD} to say that you mean it; nothing was erased."), 400
    erased = erasure.erase_person(access, person, auth.now())
    session.clear()
    return render_template("erased.html", rows=sum(erased.counts.values()))


def _page(problem: str = "") -> str:
    with services().access.read(auth.person().id, auth.now()) as unit:
        has_password, counted = accounts.has_password(unit), budgets.account(unit)
    return render_template(
        "mydata.html",
        person=auth.person(),
        has_password=has_password,
        counted=counted,
        word=WORD,
        problem=problem,
    )


def _has_password() -> bool:
    with services().access.read(auth.person().id, auth.now()) as unit:
        return accounts.has_password(unit)


def _back() -> BaseResponse:
    return redirect(url_for("timeline.newest" if request.form.get("back") == "timeline" else ".page"), 303)
