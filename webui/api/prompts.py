"""Questions that you were asked: the one to answer now, and what became of the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length
from werkzeug.exceptions import UnprocessableEntity

from tracker.domain.instants import InstantError
from tracker.workflows import prompting
from tracker.workflows.prompting import Live, NoPromptError, Past, PromptOverError
from webui import auth
from webui.api import cursors, problems
from webui.api.parts import Instant, Paged, Strict, listed
from webui.api.room import Room, demand_match
from webui.services import services

room = Room("prompts", "Questions that you are asked.")

BACK = timedelta(days=30)
"""Of how many days questions are listed unless the stretch is said."""

LONGEST = timedelta(days=366)
_LISTING = "prompts"


class Waits(Schema):
    """A question that can be answered now."""

    id = fields.Integer(required=True)
    schedule = fields.String(
        required=True, metadata={"description": "Whose it is; empty where it was put by hand."}
    )
    scheduled_at = Instant(required=True)
    notified_at = Instant(required=True, allow_none=True)
    started = fields.Boolean(required=True)
    ends_at = Instant(required=True, allow_none=True)
    asks = fields.List(fields.String(), required=True, metadata={"description": "Which targets, in order."})
    why = fields.String(required=True)


class Waiting(Schema):
    """The question to answer now."""

    prompt = fields.Nested(
        Waits, required=True, allow_none=True, metadata={"description": "Null where none waits."}
    )


class Prompt(Schema):
    """A question, and what became of it."""

    id = fields.Integer(required=True)
    schedule = fields.String(required=True)
    scheduled_at = Instant(required=True)
    notified_at = Instant(required=True, allow_none=True)
    started_at = Instant(required=True, allow_none=True)
    completed_at = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)
    state = fields.String(required=True)
    why = fields.String(required=True)
    zone = fields.String(required=True)


class Zone(Schema):
    """The clock by which questions come."""

    zone = fields.String(required=True, metadata={"description": "IANA name, such as Europe/Berlin."})


class ZoneWanted(Strict):
    """Where one is."""

    zone = fields.String(required=True, validate=Length(1, 64))


@room.at("GET", "/prompts", query=Paged, gives=listed("Prompts", Prompt))
def listing(query: dict[str, Any]) -> dict[str, Any]:
    """List the questions that fell due in a stretch, oldest first; unless said, of the last 30 days."""
    now, limit, passed = auth.now(), query["limit"], 0
    end = query.get("to") or now
    start = query.get("from_") or end - BACK
    if cursor := query.get("cursor"):
        first, last, passed = cursors.read(_LISTING, cursor)
        start, end = Instant().deserialize(first), Instant().deserialize(last)
    if not timedelta(0) < end - start <= LONGEST:
        raise UnprocessableEntity(f"The stretch ends after it begins, and has at most {LONGEST.days} days.")
    with services().access.read(auth.person().id, now) as unit:
        found = prompting.history(unit, start, end)
    page = found[passed : passed + limit]
    more = passed + limit < len(found)
    after = cursors.write(_LISTING, [start.isoformat(), end.isoformat(), passed + limit]) if more else None
    return {"items": [_past(one) for one in page], "next": after}


@room.at("GET", "/prompts/waiting", gives=Waiting)
def waiting() -> dict[str, Any]:
    """Give the question to answer now, if one waits."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        found = prompting.live(unit)
    return {"prompt": None if found is None else _live(found)}


@room.at("POST", "/prompts/<int:prompt>/start", gives=Waits)
def start(prompt: int) -> dict[str, Any]:
    """Note that you opened a question."""
    return _live(prompting.start(services().access, auth.person(), prompt, auth.now()))


@room.at("POST", "/prompts/<int:prompt>/dismiss", status=204)
def dismiss(prompt: int) -> Response:
    """Put a question away unanswered, for good."""
    prompting.dismiss(services().access, auth.person(), prompt, auth.now())
    return Response(status=204)


@room.at("GET", "/zone", gives=Zone)
def zone() -> dict[str, Any]:
    """Say by which clock your questions come."""
    return _zone()


@room.at("PUT", "/zone", takes=ZoneWanted, gives=Zone, replaces=True)
def move(wanted: dict[str, Any]) -> dict[str, Any]:
    """Say where you are: what falls due follows the clock there from now on."""
    demand_match(Zone, _zone())
    prompting.move(services().access, auth.person(), wanted["zone"], auth.now())
    return _zone()


def _zone() -> dict[str, Any]:
    with services().access.read(auth.person().id, auth.now()) as unit:
        return {"zone": unit.person.zone}


def explain(of: Room) -> None:
    """Say what keeps a question from being answered, wherever one is."""
    of.register_error_handler(PromptOverError, over)
    of.register_error_handler(NoPromptError, unknown)


def over(error: PromptOverError) -> Response:
    """A question that cannot be answered any more."""
    return problems.problem(409, str(error), "prompt-over")


def unknown(_: NoPromptError) -> Response:
    """A question that is none of theirs, or was never put."""
    return problems.problem(404, "There is no such question of yours; nothing was stored.")


def _live(found: Live) -> dict[str, Any]:
    return {
        "id": found.prompt,
        "schedule": found.schedule,
        "scheduled_at": found.scheduled_at,
        "notified_at": found.notified_at,
        "started": found.started,
        "ends_at": found.ends_at,
        "asks": list(found.asks),
        "why": found.why,
    }


def _past(one: Past) -> dict[str, Any]:
    return {
        "id": one.prompt,
        "schedule": one.schedule,
        "scheduled_at": one.scheduled_at,
        "notified_at": one.notified_at,
        "started_at": one.started_at,
        "completed_at": one.completed_at,
        "expires_at": one.expires_at,
        "state": one.state.value,
        "why": one.words,
        "zone": one.zone,
    }


explain(room)
room.register_error_handler(InstantError, problems.refused)
