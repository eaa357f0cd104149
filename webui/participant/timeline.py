"""The timeline: a page with a sentence and a table, a frame with the chart, and the chart's numbers."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.consent import Use
from tracker.workflows import blanks, consenting, timeline
from webui import auth
from webui.participant import learned
from webui.participant.around import bands
from webui.participant.chart_words import chart_words
from webui.participant.drawing import chart_json
from webui.participant.fine import refined
from webui.participant.overview import overview
from webui.participant.ranges import DAYS, Range
from webui.participant.rows import by_day, rows, step_of, summary, unread
from webui.services import services

pages = Blueprint("timeline", __name__)


@pages.get("/timeline")
def newest() -> BaseResponse:
    """Lead to the newest day of the series, or to today where there is none."""
    now, zone = auth.now(), ZoneInfo(auth.person().zone)
    with services().access.read(auth.person().id, now) as unit:
        span = timeline.page(unit, now, now).span
    last = (span[1] if span else now).astimezone(zone).date()
    return redirect(url_for(".page", unit="day", last=last.isoformat()), 303)


@pages.get("/timeline/<unit>/<last>")
def page(unit: str, last: str) -> str:
    """Show a day, a week or 30 days."""
    shown = _range(unit, last)
    now = auth.now()
    with services().access.read(auth.person().id, now) as work:
        drawn = timeline.page(work, shown.start, shown.end)
        may = {use: work.allowed(use) is not None for use in (Use.STORE_SERIES, Use.LEARN)}
        cards = learned.cards(work)
        news = [line for state in timeline.learners(work) for line in state.news]
        gone = blanks.blanks(services().access, work, shown.start, shown.end)
        unconfirmed = sum(state.in_force and not state.confirmed for state in consenting.show(work))
    drawn = refined(services().access, auth.person(), now, drawn)
    has_personal = any(p.personal is not None for p in drawn.points)
    series = request.args.get("show", "personal" if has_personal else "machine")
    if series not in ("personal", "machine"):
        abort(400, gettext("There is no series “%(name)s”; choose personal or machine.", name=series))
    table = rows(drawn, shown, series == "personal", gone)
    today = now.astimezone(shown.zone).date()
    return render_template(
        "timeline.html",
        shown=shown,
        units=DAYS,
        drawn=drawn,
        span=drawn.span and tuple(at.astimezone(shown.zone).date() for at in drawn.span),
        today=today,
        series=series,
        has_personal=has_personal,
        unread=unread(drawn, series == "personal"),
        days=list(by_day(table)),
        summary=summary(table, shown, gone),
        picture=overview(table, shown, step_of(drawn, shown)),
        chart=chart_json(drawn, shown.zone, gone),
        bands=bands(drawn.contexts, drawn.start, drawn.end),
        gone=gone,
        cards=cards,
        step=step_of(drawn, shown),
        granted=may[Use.STORE_SERIES],
        learns=may[Use.LEARN],
        unconfirmed=unconfirmed,
        news=news,
    )


@pages.get("/timeline/<unit>/<last>/chart")
def chart(unit: str, last: str) -> str:
    """The frame in which BokehJS draws; it holds numbers alone, no text of anybody."""
    return render_template("chart.html", shown=_range(unit, last), words=chart_words())


@pages.get("/timeline/<unit>/<last>/data")
def data(unit: str, last: str) -> Response:
    """The chart's numbers, as JSON: the same that the page itself carries."""
    shown = _range(unit, last)
    with services().access.read(auth.person().id, auth.now()) as work:
        drawn = timeline.page(work, shown.start, shown.end)
        gone = blanks.blanks(services().access, work, shown.start, shown.end)
    drawn = refined(services().access, auth.person(), auth.now(), drawn)
    return Response(chart_json(drawn, shown.zone, gone), mimetype="application/json")


def _range(unit: str, last: str) -> Range:
    try:
        day = date.fromisoformat(last)
    except ValueError:
        abort(404)
    # Python's calendar ends at both ends of history; a page must not fall off.
    if unit not in DAYS or not date(1971, 1, 1) <= day <= date(2900, 1, 1):
        abort(404)
    return Range(unit, day, ZoneInfo(auth.person().zone))
