"""Hide a stretch of one's timeline from everybody else, show it again, or delete it for good."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from tracker.domain.instants import InstantError
from tracker.domain.stretches import Stretch
from tracker.workflows import erasure, hiding
from webui import auth
from webui.participant.ranges import DAYS, Range
from webui.services import services

pages = Blueprint("hiding", __name__)

Answer = str | Response | tuple[str, int]


@pages.get("/stretch")
def page() -> str:
    """Choose a stretch, and see what is hidden; ``unit`` and ``last`` name a page of the timeline to begin with."""
    return _page()


@pages.post("/stretch")
def ask() -> Answer:
    """Tell what a stretch holds, and ask what to do with it: nothing is changed yet."""
    try:
        stretch = _stretch()
    except InstantError as error:
        return _page(str(error)), 400
    with services().access.read(auth.person().id, auth.now()) as work:
        held = hiding.held(work, stretch)
    return render_template("stretch_confirm.html", stretch=stretch, held=held)


@pages.post("/stretch/hide")
def hide() -> Answer:
    """Hide a stretch."""
    try:
        hiding.hide(services().access, auth.person(), _stretch(), auth.now())
    except InstantError as error:
        return _page(str(error)), 400
    return redirect(url_for(".page", done="hidden") + "#hidden", 303)


@pages.post("/stretch/show")
def show() -> Answer:
    """Show a hidden stretch again."""
    try:
        hiding.show_again(
            services().access, auth.person(), request.form.get("number", 0, type=int), auth.now()
        )
    except hiding.HiddenError:
        return _page(gettext("That stretch is not hidden any more.")), 404
    return redirect(url_for(".page", done="shown") + "#hidden", 303)


@pages.post("/stretch/delete")
def delete() -> Answer:
    """Delete a stretch for good, after it was confirmed with a tick."""
    try:
        stretch = _stretch()
    except InstantError as error:
        return _page(str(error)), 400
    if not request.form.get("sure"):
        return _page(gettext("Nothing was deleted: set the tick to say that you mean it.")), 400
    access, person, now = services().access, auth.person(), auth.now()
    try:
        done = erasure.erase_stretch(access, person, stretch, now)
    except erasure.ErasureIncompleteError:
        # The rows are gone; what is left to do with the files is done by the jobs.
        return redirect(url_for(".page", done="deleting"), 303)
    return redirect(url_for(".page", done="deleted", rows=done.rows), 303)


def _page(problem: str = "") -> str:
    with services().access.read(auth.person().id, auth.now()) as work:
        hidden = hiding.hidden(work)
    start, end = _shown()
    return render_template(
        "stretch.html",
        problem=problem,
        hidden=hidden,
        deleted=erasure.of_stretches(services().access, auth.person()),
        start=request.form.get("from") or start,
        end=request.form.get("to") or end,
        done=request.args.get("done", ""),
        rows=request.args.get("rows", 0, type=int),
    )


def _shown() -> tuple[str, str]:
    """The edges of the timeline page that one comes from, on one's own clock; else of today."""
    zone = ZoneInfo(auth.person().zone)
    unit = request.args.get("unit", "day")
    try:
        last = date.fromisoformat(request.args.get("last", ""))
    except ValueError:
        last = auth.now().astimezone(zone).date()
    if unit not in DAYS or not date(1971, 1, 1) <= last <= date(2900, 1, 1):
        unit, last = "day", auth.now().astimezone(zone).date()
    shown = Range(unit, last, zone)
    end = min(shown.end, auth.now())
    return _local(min(shown.start, end)), _local(end)


def _local(at: datetime) -> str:
    return at.astimezone(ZoneInfo(auth.person().zone)).strftime("%Y-%m-%dT%H:%M")


def _stretch() -> Stretch:
    """The stretch of a form in which times are of the person's own clock."""
    zone = ZoneInfo(auth.person().zone)
    edges: list[datetime] = []
    for name in ("from", "to"):
        try:
            at = datetime.fromisoformat(request.form.get(name, ""))
        except ValueError:
            raise InstantError(gettext("Give a day and a time for both ends of the stretch.")) from None
        if not 1971 <= at.year <= 2900:  # sums with the calendar's own ends overflow
            raise InstantError(gettext("There is nothing that long ago, or that far ahead."))
        edges.append((at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC))
    start, end = edges
    if end <= start:
        raise InstantError(gettext("The stretch ends before it begins; swap the two times."))
    return Stretch(start, min(end, auth.now()) if start < auth.now() else end)
