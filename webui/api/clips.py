"""Clips that wait for a rater: opened, seen picture by picture, followed by a trace; voted on as faces are."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

from tracker.domain.instants import InstantError
from tracker.domain.rating import Dimension, Sample, Trace
from tracker.workflows import rating
from tracker.workflows.rating import Frame, watching
from webui import auth
from webui.api import once, problems
from webui.api import rating as desk
from webui.api.parts import Instant, Strict, a_reading, read
from webui.api.room import Room
from webui.pictures import PICTURES, picture_of
from webui.services import services

room = Room("clips", "Clips that raters see; votes and undo are as for faces (`/rating/items`).")

LONGEST_HELD = 8000
"""Characters of the list of pictures that somebody holds."""

MOST_AT_ONCE = 900
"""Samples of one request: more do not fit its body."""


class ClipWaits(Schema):
    """A clip that waits."""

    id = fields.String(required=True)
    because = fields.String(required=True)
    pictures = fields.Integer(required=True)
    seconds = fields.Float(required=True)


class Clips(Schema):
    """The clips that wait."""

    items = fields.List(fields.Nested(ClipWaits), required=True)


class FrameShown(Schema):
    """One picture of a clip."""

    observation = fields.Integer(required=True)
    at = Instant(required=True)
    network = a_reading(
        required=True, metadata={"description": "What the network says, after you said something yourself."}
    )


class Clip(Schema):
    """A clip that was opened."""

    id = fields.String(required=True)
    because = fields.String(required=True)
    frames = fields.List(fields.Nested(FrameShown), required=True)
    said = fields.Nested(desk.LastVote, required=True, allow_none=True)
    lag_s = fields.Float(
        required=True, metadata={"description": "The lag that the study proposes for traces."}
    )


class Watching(Strict):
    """Which pictures one has before one."""

    frames = fields.String(
        load_default="",
        validate=[Regexp(r"^([0-9]{1,18}(,[0-9]{1,18})*)?$"), Length(max=LONGEST_HELD)],
        metadata={"description": "Observations of the pictures that you hold, with commas between."},
    )


class StillOpen(Schema):
    """Whether something may still be seen."""

    open = fields.Boolean(required=True)


class SampleSent(Strict):
    """One point of a trace."""

    at = Instant(required=True, metadata={"description": "Of what was on the screen."})
    value = fields.Float(required=True, validate=Range(-1, 1))
    observation = fields.Integer(
        strict=True, allow_none=True, load_default=None, validate=Range(0, 2**63 - 1)
    )


class TraceSent(Strict):
    """What was followed while a clip played, as it was drawn."""

    dimension = fields.String(required=True, validate=OneOf([d.value for d in Dimension]))
    samples = fields.List(fields.Nested(SampleSent), required=True, validate=Length(1, MOST_AT_ONCE))
    lag_s = fields.Float(
        load_default=0.0,
        validate=Range(0, 10),
        metadata={"description": "By how much your hand is held to come after what you saw."},
    )


class TraceKept(Schema):
    """A trace that was kept."""

    trace = fields.Integer(required=True)


@room.at("GET", "/rating/clips", gives=Clips)
def listing() -> dict[str, Any]:
    """List the clips that wait for you."""
    found = rating.stretches(services().access, auth.member(), auth.now())
    return {
        "items": [
            {"id": one.item, "because": one.because.words, "pictures": one.pictures, "seconds": one.seconds}
            for one in found
        ]
    }


@room.at("GET", "/rating/clips/<item:item>", gives=Clip)
def show(item: str) -> dict[str, Any]:
    """Open a clip: its participant reads that you looked, and its pictures open for a while."""
    opened = rating.open_series(services().access, auth.member(), item, auth.now())
    return {
        "id": opened.item,
        "because": opened.because.words,
        "frames": [_frame(frame) for frame in opened.frames],
        "said": desk.decided(opened.decided) if opened.decided is not None else None,
        "lag_s": opened.lag_s,
    }


@room.at("GET", "/rating/clips/<item:item>/frames/<int:observation>", media=PICTURES)
def picture(item: str, observation: int) -> Response:
    """Give one picture of a clip that you opened; keep it nowhere."""
    found = rating.open_frame(services().access, auth.member(), item, observation, auth.now())
    return picture_of(found)


@room.at("GET", "/rating/clips/<item:item>/open", query=Watching, gives=StillOpen)
def standing(query: dict[str, Any], item: str) -> dict[str, Any]:
    """Say whether a clip may still be seen, with every picture that you hold; ask while it plays."""
    held = {int(number) for number in query["frames"].split(",") if number}
    return {"open": watching.may_go_on(services().access, auth.member(), item, held, auth.now())}


@room.at("POST", "/rating/clips/<item:item>/traces", takes=TraceSent, gives=TraceKept, status=201)
def trace(said: dict[str, Any], item: str) -> dict[str, Any]:
    """Keep a trace as it was drawn, with the lag of the hand beside it."""
    samples = tuple(Sample(s["at"], s["value"], s["observation"]) for s in said["samples"])
    drawn = Trace(Dimension(said["dimension"]), samples, said["lag_s"], once.key())
    return {"trace": rating.keep_trace(services().access, auth.member(), item, drawn, auth.now())}


def _frame(frame: Frame) -> dict[str, Any]:
    return {"observation": frame.observation, "at": frame.at, "network": read(frame.estimate)}


desk.explain(room)
room.register_error_handler(InstantError, problems.refused)
