"""How the study goes: of those who share with researchers one by one, of everybody in noisy sums alone.

The same figures as in the researchers' room, from the same workflows: whoever looks at somebody leaves the same event
that they read. Each table can be had as the room gives it, too, as CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import OneOf
from werkzeug.exceptions import NotFound

from tracker.access.looks import Look
from tracker.domain.people import UnknownParticipantError
from tracker.domain.readers import NotForStaffError
from tracker.learning.shares import Share
from tracker.personal.figures import Figure, Stretch
from tracker.store.releases import values_of
from tracker.workflows import budgets, monitoring, rating
from tracker.workflows.monitoring import Arriving, Fared
from tracker.workflows.prompting import Asked
from webui import auth
from webui.api import problems
from webui.api.paging import Paging, page
from webui.api.parts import Instant, Strict, listed
from webui.api.room import Room
from webui.monitor import confusing, running, sureness
from webui.monitor import everybody as figures
from webui.monitor import people as shared
from webui.monitor import person as one
from webui.monitor import raters as agreeing
from webui.monitor.plots import SERIES
from webui.monitor.room import SPANS
from webui.services import services

room = Room("monitor", "How the study goes.")

USUAL = 14
VALUE = ("figure", "of", "cell", "value", "margin_95", "people_about")

TABLES: Mapping[str, Callable[[], Response]] = {
    "prompts": lambda: shared.prompts_csv(),
    "raters": lambda: agreeing.raters_csv(),
    "confusion": lambda: confusing.confusion_csv(),
    "everybody": lambda: figures.everybody_csv(),
    "jobs": lambda: running.jobs_csv(),
}
"""The room's tables as CSV, as its pages give them."""

TABLES_OF: Mapping[str, Callable[[str], Response]] = {
    "days": lambda who: one.days_csv(who),
    "learners": lambda who: one.learners_csv(who),
    "reliability": lambda who: sureness.reliability_csv(who),
}
"""The same of one person."""


class Span(Strict):
    """Of how many days."""

    days = fields.Integer(
        load_default=USUAL, validate=OneOf(SPANS), metadata={"description": "How many of the last days."}
    )


class PersonSharing(Schema):
    """Somebody who shares with researchers."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    simulated = fields.Boolean(
        required=True,
        metadata={"description": "Whether this person does not exist, and every figure is made up."},
    )
    since = Instant(required=True, metadata={"description": "From when on they let their series be seen."})
    prompts = fields.Boolean(
        required=True, metadata={"description": "Whether they share what they were asked."}
    )


class AskedOn(Schema):
    """What was asked of somebody on one day of theirs, and what came of it."""

    day = fields.Date(required=True)
    put = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    late = fields.Integer(required=True)
    missed = fields.Integer(required=True)
    put_away = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    withheld = fields.Integer(required=True)
    by_learner = fields.Integer(required=True)


class FigureTold(Schema):
    """A figure with what it rests on, and the interval at 95 % where there is one."""

    value = fields.Float(required=True)
    low = fields.Float(required=True, allow_none=True)
    high = fields.Float(required=True, allow_none=True)
    n = fields.Integer(required=True)


class Complied(Schema):
    """Somebody's prompts, by day."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    simulated = fields.Boolean(required=True)
    days = fields.List(fields.Nested(AskedOn), required=True)
    answered = fields.Nested(
        FigureTold, required=True, allow_none=True, metadata={"description": "Of those that are over."}
    )


class Compliance(Schema):
    """The prompts of those who share them; each of them reads that you looked."""

    items = fields.List(fields.Nested(Complied), required=True)


class CameOn(Schema):
    """What came on one day."""

    day = fields.Date(required=True)
    read = fields.Integer(required=True)
    without = fields.Dict(fields.String(), fields.Integer(), required=True)


class Nothing(Schema):
    """A day or more of which nothing came."""

    from_ = Instant(required=True, data_key="from")
    to = Instant(required=True)
    why = fields.String(required=True, allow_none=True)


class Week(Schema):
    """How a learner did in a stretch, beside what it should beat."""

    first = fields.Date(required=True)
    last = fields.Date(required=True)
    learner = fields.Nested(FigureTold, required=True, allow_none=True)
    network = fields.Nested(FigureTold, required=True, allow_none=True)
    majority = fields.Nested(FigureTold, required=True, allow_none=True)
    said_last = fields.Nested(FigureTold, required=True, allow_none=True)
    sure = fields.Float(required=True, allow_none=True)


class LearnerFared(Schema):
    """How one learner did."""

    target = fields.String(required=True)
    weeks = fields.List(fields.Nested(Week), required=True)
    drifts = fields.List(fields.Date(), required=True)


class LookTold(Schema):
    """A look of the staff."""

    at = Instant(required=True)
    reader = fields.String(required=True)
    what = fields.String(required=True)


class PersonSeen(Schema):
    """How the study goes with one of them."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    simulated = fields.Boolean(required=True)
    last = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "The last quarter hour of which anything came."},
    )
    arrived = fields.List(fields.Nested(CameOn), required=True)
    gaps = fields.List(fields.Nested(Nothing), required=True)
    asked = fields.List(fields.Nested(AskedOn), required=True, allow_none=True)
    learners = fields.List(fields.Nested(LearnerFared), required=True)
    looks = fields.List(fields.Nested(LookTold), required=True)


class RaterTold(Schema):
    """A rater's figures; nothing follows from them by itself."""

    rater = fields.String(required=True)
    answers = fields.Integer(required=True)
    with_others = fields.Nested(FigureTold, required=True, allow_none=True)
    with_network = fields.Nested(FigureTold, required=True, allow_none=True)
    with_known = fields.Nested(FigureTold, required=True, allow_none=True)
    with_self = fields.Nested(FigureTold, required=True, allow_none=True)
    cannot_tell = fields.Nested(FigureTold, required=True, allow_none=True)
    speed_ms = fields.Float(required=True, allow_none=True)
    speed_low_ms = fields.Float(required=True, allow_none=True)
    speed_high_ms = fields.Float(required=True, allow_none=True)
    time_s = fields.Float(required=True, allow_none=True)
    timed = fields.Integer(required=True, metadata={"description": "How many answers the times rest on."})
    weight = fields.Float(required=True)
    labels = fields.Dict(fields.String(), fields.Float(), required=True)


class RatersTold(Schema):
    """Those who let it be computed how they agree."""

    items = fields.List(fields.Nested(RaterTold), required=True)


class CellTold(Schema):
    """One noisy value; nothing of a row that was withheld but that it is."""

    figure = fields.String(required=True)
    of = fields.Raw(required=True, allow_none=True)
    cell = fields.Raw(required=True, allow_none=True)
    value = fields.Float(required=True, allow_none=True)
    margin_95 = fields.Float(required=True, allow_none=True)
    people_about = fields.Float(required=True, allow_none=True)


class Release(Schema):
    """Figures about everybody, as they were given out."""

    at = Instant(required=True)
    study = fields.String(required=True)
    epsilon = fields.Float(required=True)
    delta = fields.Float(required=True)
    query = fields.Dict(required=True)
    figures = fields.List(fields.Nested(CellTold), required=True)


class Releases(Schema):
    """What was told about everybody together, newest first."""

    items = fields.List(fields.Nested(Release), required=True)
    epsilon_left = fields.Float(required=True)
    delta_left = fields.Float(required=True)


class JobRun(Schema):
    """A slot of a job."""

    job = fields.String(required=True)
    slot = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "`done`, `running` or `stopped`."})
    ended_at = Instant(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)


class Jobs(Schema):
    """What ran by itself, newest first."""

    items = fields.List(fields.Nested(JobRun), required=True)


@room.at("GET", "/monitor/people", query=Paging, gives=listed("People", PersonSharing))
def people(query: dict[str, Any]) -> dict[str, Any]:
    """List those who share with researchers; nothing of anybody is looked at, and of nobody else told."""
    found, after = page("people", monitoring.sharing(services().access, auth.now()), query)
    return {
        "next": after,
        "items": [
            {
                "id": who.person.id,
                "name": who.person.name,
                "simulated": who.person.simulated,
                "since": who.since,
                "prompts": who.prompts,
            }
            for who in found
        ],
    }


@room.at("GET", "/monitor/people/<item:who>", query=Span, gives=PersonSeen)
def person(query: dict[str, Any], who: str) -> dict[str, Any]:
    """Say how the study goes with one of them: one look, which they read."""
    seen = one.look_at(who, query["days"])
    about = seen.who.person
    return {
        "id": about.id,
        "name": about.name,
        "simulated": about.simulated,
        "last": seen.arriving.last,
        "arrived": _arrived(seen.arriving),
        "gaps": [
            {"from_": gap.start, "to": gap.end, "why": gap.why and gap.why.value}
            for gap in seen.arriving.gaps
        ],
        "asked": None
        if seen.asked is None
        else [_asked(day, found) for day, found in sorted(seen.asked.items())],
        "learners": [_fared(fared) for fared in seen.fared],
        "looks": [_look(look) for look in seen.looks[::-1][: one.LOOKS]],
    }


@room.at("GET", "/monitor/prompts", query=Span, gives=Compliance)
def prompts(query: dict[str, Any]) -> dict[str, Any]:
    """Say how many prompts are answered, by person and day; each of them reads that you looked."""
    return {
        "items": [
            {
                "id": row.person.id,
                "name": row.person.name,
                "simulated": row.person.simulated,
                "days": [_asked(day, asked) for day, asked in row.days if asked is not None],
                "answered": _told(row.answered),
            }
            for row in shared.rows_of(query["days"])
        ]
    }


@room.at("GET", "/monitor/raters", gives=RatersTold)
def raters() -> dict[str, Any]:
    """Say how raters agree, of those who let it be computed."""
    shares = ("with_others", "with_network", "with_known", "with_self", "cannot_tell")
    return {
        "items": [
            {
                "rater": row.member[:8],
                "answers": row.votes,
                **{name: _share(getattr(row, name)) for name in shares},
                "speed_ms": row.speed_ms,
                **dict(
                    zip(("speed_low_ms", "speed_high_ms"), row.speed_between_ms or (None, None), strict=True)
                ),
                "time_s": row.time_s,
                "timed": row.timed,
                "weight": row.weight,
                "labels": {emotion.value: value for emotion, value in row.labels.items()},
            }
            for row in rating.agreement(services().access, auth.now()).raters
        ]
    }


@room.at("GET", "/monitor/everybody", gives=Releases)
def everybody() -> dict[str, Any]:
    """Say what was told about everybody together, with noise, and what may be spent still."""
    access = services().access
    _, allowed = budgets.governing(access)
    ledger = budgets.ledger(access, allowed)
    return {
        "items": [
            {
                "at": release.at,
                "study": release.study,
                "epsilon": release.epsilon,
                "delta": release.delta,
                "query": release.query,
                "figures": [
                    dict(zip(VALUE, value, strict=True)) for value in values_of(release.result["figures"])
                ],
            }
            for release in ledger.releases[::-1]
            if not release.result["refused"]
        ],
        "epsilon_left": ledger.left.epsilon,
        "delta_left": ledger.left.delta,
    }


@room.at("GET", "/monitor/jobs", gives=Jobs)
def jobs() -> dict[str, Any]:
    """Say what ran by itself, and how it ended."""
    return {"items": [asdict(slot) for slot in monitoring.jobs(services().access, auth.now())]}


@room.at("GET", "/monitor/tables/<table>", query=Span, media="text/csv")
def table(query: dict[str, Any], table: str) -> Response:
    """Give a table as the researchers' room does, as CSV: `prompts`, `raters`, `confusion`, `everybody`, `jobs`."""
    if table not in TABLES:
        raise NotFound(f"There is no such table; there are {', '.join(TABLES)}.")
    return TABLES[table]()


@room.at("GET", "/monitor/people/<item:who>/tables/<table>", query=Span, media="text/csv")
def table_of(query: dict[str, Any], who: str, table: str) -> Response:
    """Give a table of one of them, as CSV: `days`, `learners` or `reliability`; one look, which they read."""
    if table not in TABLES_OF:
        raise NotFound(f"There is no such table; there are {', '.join(TABLES_OF)}.")
    return TABLES_OF[table](who)


def _arrived(found: Arriving) -> list[dict[str, Any]]:
    return [
        {"day": day, "read": came.read, "without": {r.value: n for r, n in came.without.items() if n}}
        for day, came in sorted(found.days.items())
    ]


def _asked(day: date, asked: Asked) -> dict[str, Any]:
    return {"day": day, **asdict(asked)}


def _fared(fared: Fared) -> dict[str, Any]:
    return {
        "target": fared.target,
        "weeks": [_week(week) for week in fared.weeks],
        "drifts": list(fared.drifts),
    }


def _week(week: Stretch) -> dict[str, Any]:
    told = {name: _told(getattr(week, name)) for name in SERIES}
    return {"first": week.first, "last": week.last, "sure": week.sure, **told}


def _told(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None or not figure.n:
        return None
    value = figure.value if isinstance(figure, Share) else figure.mean
    ends = (figure.low, figure.high) if figure.ranged else (None, None)
    return {"value": value, "low": ends[0], "high": ends[1], "n": figure.n}


def _share(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    return {"value": share.value, "low": share.low, "high": share.high, "n": share.n}


def _look(look: Look) -> dict[str, Any]:
    return {"at": look.at, "reader": look.reader, "what": look.what}


def _not_shared(_: Exception) -> Any:
    return problems.http(NotFound("Nobody of this study shares this with researchers, or not any more."))


room.register_error_handler(UnknownParticipantError, _not_shared)
room.register_error_handler(NotForStaffError, _not_shared)
