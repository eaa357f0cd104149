"""Exports for researchers: what was exported, what is outdated, and a new one, made in the background."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.readers import Reader, Role
from webui import auth
from webui.services import services

pages = Blueprint("datasets", __name__)

_FORMATS = ("parquet", "csv", "openesm")
_SHAPES = ("wide", "long")
_STEPS = {"": None, "60": 60, "300": 300, "3600": 3600, "86400": 86_400}


@pages.get("/study/exports")
def page() -> str:
    """What is being made and waits, what was exported, and the form for a new one."""
    from tracker.workflows import export  # noqa: PLC0415 - pyarrow takes a while

    found = services()
    return render_template(
        "datasets.html",
        jobs=found.shelf.jobs(),
        me=auth.member().name,
        exports=export.registered(found.access),
        formats=_FORMATS,
        shapes=_SHAPES,
        steps=_STEPS,
    )


@pages.get("/study/exports/state")
def state() -> Response:
    """How far each has come, for the page's script."""
    return jsonify(
        jobs=[{"id": job.id, "stage": job.stage.value, "share": job.share} for job in services().shelf.jobs()]
    )


@pages.post("/study/exports")
def begin() -> BaseResponse:
    """Begin a new one."""
    from tracker.workflows.export import BusyError  # noqa: PLC0415 - pyarrow takes a while

    reader = Reader(auth.member().name, Role.RESEARCHER)
    try:
        services().shelf.begin(reader, **_asked())
    except BusyError:
        abort(409, gettext("Another export is being made. Wait until it is done."))
    return redirect(url_for(".page"), 303)


@pages.get("/study/exports/<item:item>")
def download(item: str) -> Response:
    """One that is done, as an archive, for who asked for it."""
    from tracker.workflows.export import GoneError  # noqa: PLC0415 - pyarrow takes a while

    try:
        archive = services().shelf.open(item, auth.member().name)
        return send_file(
            archive, mimetype="application/zip", as_attachment=True, download_name=f"export-{item[:8]}.zip"
        )
    except (GoneError, FileNotFoundError):
        abort(
            404,
            gettext("This export is not here any more: it waited too long, or somebody in it has withdrawn."),
        )


@pages.post("/study/exports/<item:item>/discard")
def discard(item: str) -> BaseResponse:
    """Delete one, or stop making it."""
    from tracker.workflows.export import GoneError  # noqa: PLC0415 - pyarrow takes a while

    try:
        services().shelf.discard(item)
    except GoneError:
        abort(
            404,
            gettext("This export is not here any more: it waited too long, or somebody in it has withdrawn."),
        )
    return redirect(url_for(".page"), 303)


def _asked() -> dict[str, Any]:
    formats = {f for f in request.form.getlist("format") if f in _FORMATS}
    shape, step = request.form.get("shape", ""), request.form.get("every", "")
    if not formats or shape not in ("", *_SHAPES) or step not in _STEPS:
        abort(400, gettext("Choose at least one format, and a shape and a step of those that are offered."))
    every_s = _STEPS[step] if shape else None
    return {"formats": formats, "shape": shape or None, "every_s": every_s}
