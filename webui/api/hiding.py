"""Stretches of time that one hides from everybody else, and shows again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validates_schema
from werkzeug.exceptions import NotFound

from tracker.domain.instants import InstantError
from tracker.domain.stretches import Stretch
from tracker.store.hiding import HiddenRow
from tracker.workflows import hiding
from webui import auth
from webui.api import problems
from webui.api.paging import Paging, page
from webui.api.parts import Instant, Strict, listed
from webui.api.room import Room
from webui.services import services

room = Room("hiding", "Stretches of time that you hide from everybody else.")

EARLIEST, LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2900, 1, 1, tzinfo=UTC)


class Edges(Strict):
    """A stretch of time: from its begin on, to before its end."""

    from_ = Instant(required=True, data_key="from", metadata={"description": "The first instant."})
    to = Instant(required=True, metadata={"description": "The instant before which it ends."})

    @validates_schema
    def _in_order(self, said: dict[str, Any], **_: Any) -> None:
        if not EARLIEST <= said["from_"] < said["to"] <= LATEST:
            raise ValidationError(
                f"A stretch ends after it begins, and lies between {EARLIEST.year} and {LATEST.year}."
            )


class Hidden(Schema):
    """A stretch that is hidden."""

    number = fields.Integer(required=True)
    from_ = Instant(required=True, data_key="from")
    to = Instant(required=True)
    hidden_at = Instant(required=True)


class Held(Schema):
    """What a stretch holds."""

    rows = fields.Dict(
        fields.String(), fields.Integer(), required=True, metadata={"description": "How many rows, by table."}
    )


class HidingDone(Schema):
    """What hiding changed."""

    number = fields.Integer(required=True)
    learners = fields.Integer(
        required=True, metadata={"description": "How many of your learners learned anew without it."}
    )
    exports = fields.Integer(
        required=True, metadata={"description": "How many earlier exports are marked as outdated."}
    )


@room.at("GET", "/hidden", query=Paging, gives=listed("HiddenStretches", Hidden))
def listing(query: dict[str, Any]) -> dict[str, Any]:
    """List the stretches that you hide, in order of time."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        rows, after = page("hidden", hiding.hidden(unit), query)
    return {"items": [_told(row) for row in rows], "next": after}


@room.at("GET", "/stretches/rows", query=Edges, gives=Held)
def holds(edges: dict[str, Any]) -> dict[str, Any]:
    """Say what a stretch holds, before you hide or delete it."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        return {"rows": dict(hiding.held(unit, Stretch(edges["from_"], edges["to"])))}


@room.at("POST", "/hidden", takes=Edges, gives=HidingDone, status=201)
def hide(edges: dict[str, Any]) -> dict[str, Any]:
    """Hide a stretch that has passed: nobody else sees it, and nothing learns from it."""
    stretch = Stretch(edges["from_"], edges["to"])
    done = hiding.hide(services().access, auth.person(), stretch, auth.now())
    return {"number": done.number, "learners": done.learners, "exports": done.exports}


@room.at("DELETE", "/hidden/<int:number>", status=204)
def show(number: int) -> Response:
    """Show a stretch again to whom you allow it."""
    hiding.show_again(services().access, auth.person(), number, auth.now())
    return Response(status=204)


def _told(row: HiddenRow) -> dict[str, Any]:
    return {
        "number": row.id,
        "from_": row.stretch.start,
        "to": row.stretch.end,
        "hidden_at": row.recorded_at,
    }


def _not_hidden(_: hiding.HiddenError) -> Any:
    return problems.http(NotFound("You hide nothing of this number; it may be shown again already."))


room.register_error_handler(hiding.HiddenError, _not_hidden)
room.register_error_handler(InstantError, problems.refused)
