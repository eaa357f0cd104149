"""The timeline: every moment a page at a time, and the points that a chart draws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Range
from werkzeug.exceptions import NotFound, UnprocessableEntity

from tracker.domain.series import Moment as MomentRow
from tracker.workflows import showing, timeline
from webui import auth
from webui.addresses import LARGEST
from webui.api import cursors
from webui.api.parts import Instant, Paged, Stretch, Strict, a_distribution, a_reading, listed, read, shown
from webui.api.room import Room
from webui.services import services

room = Room("timeline", "Your series: what your face looked like, and what you said.")

LONGEST = timedelta(days=366)
"""Of how much time the points are given at once."""

_LISTING = "moments"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(Schema):
    """One moment: what the network read, what your learner makes of it, what you said."""

    at = Instant(required=True)
    observation = fields.Integer(required=True, allow_none=True)
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why nothing was read; null where something was."},
    )
    network = a_reading(required=True)
    learner = a_distribution(required=True)
    said = a_distribution(required=True)


class Point(Schema):
    """The mean of a stretch."""

    at = Instant(required=True)
    n = fields.Integer(required=True)
    network = a_reading(required=True)
    learner = a_distribution(required=True)


class Gap(Schema):
    """Observations of a stretch without a reading, by reason."""

    at = Instant(required=True)
    reason = fields.String(required=True)
    n = fields.Integer(required=True)


class WordSaid(Schema):
    """What you said of a moment, to one target."""

    id = fields.Integer(required=True)
    at = Instant(required=True)
    target = fields.String(required=True)
    emotions = a_distribution(required=True)
    value = fields.Float(required=True, allow_none=True)
    by = fields.String(required=True, metadata={"description": "`participant`: you. Else `somebody else`."})
    prompt = fields.Integer(required=True, allow_none=True)


class Context(Schema):
    """What surrounded you from an instant on."""

    at = Instant(required=True)
    place = fields.String(required=True, allow_none=True)
    activity = fields.String(required=True, allow_none=True)
    company = fields.String(required=True, allow_none=True)


class Asked(Schema):
    """A question that was put."""

    at = Instant(required=True)
    state = fields.String(required=True)


class Points(Schema):
    """A stretch of your series as a chart draws it."""

    from_ = Instant(required=True, data_key="from")
    to = Instant(required=True)
    step_s = fields.Float(required=True, metadata={"description": "Seconds behind each point."})
    network = fields.String(
        required=True, allow_none=True, metadata={"description": "Which network read it last."}
    )
    points = fields.List(fields.Nested(Point), required=True)
    gaps = fields.List(fields.Nested(Gap), required=True)
    said = fields.List(fields.Nested(WordSaid), required=True)
    contexts = fields.List(fields.Nested(Context), required=True)
    asked = fields.List(fields.Nested(Asked), required=True)


class Which(Strict):
    """A moment of yours, as `/timeline/moments` lists it."""

    at = Instant(required=True)
    observation = fields.Integer(
        strict=False,
        load_default=None,
        validate=Range(0, LARGEST),
        metadata={"description": "Leave it out where the moment has none."},
    )


class KeptOf(Schema):
    """What is kept sealed of one moment, for you alone."""

    picture = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether your face is kept: see it at `/timeline/observations/OBSERVATION/picture`."
        },
    )
    note = fields.String(
        required=True, allow_none=True, metadata={"description": "What you wrote beside what you said of it."}
    )
    may_note = fields.Boolean(
        required=True, metadata={"description": "Whether a note of yours would be kept now."}
    )


@room.at("GET", "/timeline/moments", query=Paged, gives=listed("Moments", Moment))
def moments(query: dict[str, Any]) -> dict[str, Any]:
    """List your moments in order of time, a page at a time."""
    start, end, limit = query.get("from_"), query.get("to"), query["limit"]
    passed = 0
    if cursor := query.get("cursor"):
        at, passed = cursors.read(_LISTING, cursor)
        start = datetime.fromisoformat(at)
    with timeline.moments(services().access, auth.person(), auth.now(), start, end) as found:
        # A moment's instant is not its own alone: the page before may have ended among several of one instant.
        page = list(islice((m for i, m in enumerate(found) if i >= passed), limit + 1))
    more = len(page) > limit
    page = page[:limit]
    return {"items": [_moment(m) for m in page], "next": _after(page, start, passed) if more else None}


@room.at("GET", "/timeline/points", query=Stretch, gives=Points)
def points(query: dict[str, Any]) -> dict[str, Any]:
    """Give a stretch as the timeline's page draws it; unless said, the 24 hours before now."""
    end = query.get("to") or auth.now()
    start = query.get("from_") or end - timedelta(days=1)
    if not timedelta(0) < end - start <= LONGEST:
        raise UnprocessableEntity(f"The stretch ends after it begins, and has at most {LONGEST.days} days.")
    with services().access.read(auth.person().id, auth.now()) as unit:
        page = timeline.page(unit, start, end)
    return {
        "from_": page.start,
        "to": page.end,
        "step_s": page.step.total_seconds(),
        "network": page.network,
        "points": [
            {"at": p.at, "n": p.n, "network": read(p.machine), "learner": shown(p.personal)}
            for p in page.points
        ],
        "gaps": page.gaps,
        "said": [
            {
                "id": c.id,
                "at": c.at,
                "target": c.target,
                "emotions": shown(c.distribution),
                "value": c.value,
                "by": c.rater if c.rater == "participant" else "somebody else",
                "prompt": c.prompt,
            }
            for c in page.corrections
        ],
        "contexts": page.contexts,
        "asked": page.asked,
    }


@room.at("GET", "/timeline/kept", query=Which, gives=KeptOf)
def kept(query: dict[str, Any]) -> Any:
    """Say what is kept sealed of a moment: whether there is a picture, and your own words."""
    return showing.own_moment(services().access, auth.person(), query["observation"], query["at"], auth.now())


@room.at("GET", "/timeline/observations/<int:observation>/picture", media="image/png")
def picture(observation: int) -> Response:
    """Give your face as it was kept of one of your observations."""
    found = showing.own_crop(services().access, auth.person(), observation, auth.now())
    if found is None:
        raise NotFound("No picture of yours is kept of such an observation.")
    return Response(found, mimetype="image/png")


def _moment(m: MomentRow) -> dict[str, Any]:
    return {
        "at": m.at,
        "observation": m.observation,
        "reason": m.reason.value if m.reason is not None else None,
        "network": read(m.machine),
        "learner": shown(m.personal),
        "said": shown(m.correction),
    }


def _after(page: list[MomentRow], start: datetime | None, passed: int) -> str:
    """A cursor to what comes after a page: an instant, and how many moments of that instant were given."""
    last = page[-1].at
    given = sum(m.at == last for m in page)
    if last == (start or _EARLIEST):
        given += passed
    return cursors.write(_LISTING, [last.isoformat(), given])
