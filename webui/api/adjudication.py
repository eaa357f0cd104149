"""Deciding where raters disagree: what they said side by side, the face, and one's own decision beside their votes."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from tracker.domain.rating import Ballot, Verdict
from tracker.workflows import rating
from webui import auth
from webui.api import once
from webui.api import rating as desk
from webui.api.clips import StillOpen
from webui.api.parts import Strict, a_distribution, a_reading, an_emotion, read, shown
from webui.api.room import Room
from webui.pictures import PICTURES, picture_of
from webui.services import services

room = Room("adjudication", "Faces on which raters disagree.")


class Disputed(Schema):
    """A face on which raters disagree, and nobody has decided."""

    id = fields.String(required=True)
    votes = fields.Integer(required=True)


class Disputes(Schema):
    """What waits for a decision."""

    items = fields.List(fields.Nested(Disputed), required=True)


class VoteSeen(Schema):
    """What one of them said; who it was is not told."""

    who = fields.String(required=True)
    verdict = fields.String(required=True)
    emotions = a_distribution(required=True)


class Verdicts(Schema):
    """What stands decided."""

    verdict = fields.String(required=True)
    emotions = a_distribution(required=True)


class Dispute(Schema):
    """A face with what raters said of it."""

    id = fields.String(required=True)
    votes = fields.List(fields.Nested(VoteSeen), required=True)
    network = a_reading(required=True, metadata={"description": "Where the study reveals it."})
    decided = fields.Nested(Verdicts, required=True, allow_none=True)


class DecisionSaid(Strict):
    """What a face looks like, as you decide."""

    verdict = fields.String(required=True, validate=OneOf([v.value for v in Verdict if v.counts]))
    emotion = an_emotion(metadata={"description": "With the verdict `emotion`."})
    second = an_emotion(metadata={"description": "In a mixed state."})


class DecisionKept(Schema):
    """A decision that was kept; the votes stay as they are."""

    decision = fields.Integer(required=True)


@room.at("GET", "/adjudication", gives=Disputes)
def listing() -> dict[str, Any]:
    """List the faces on which raters disagree, that nobody decided about, and that you did not rate."""
    found = rating.to_adjudicate(services().access, auth.member(), auth.now())
    return {"items": [{"id": one.item, "votes": one.votes} for one in found]}


@room.at("GET", "/adjudication/<item:item>", gives=Dispute)
def show(item: str) -> dict[str, Any]:
    """Give what raters said of such a face."""
    found = rating.open_dispute(services().access, auth.member(), item, auth.now())
    decided = found.decided
    return {
        "id": found.item,
        "votes": [
            {"who": v.who, "verdict": v.verdict.value, "emotions": shown(v.distribution)} for v in found.votes
        ],
        "network": read(found.estimate),
        "decided": decided and {"verdict": decided[0].value, "emotions": shown(decided[1])},
    }


@room.at("GET", "/adjudication/<item:item>/picture", media=PICTURES)
def picture(item: str) -> Response:
    """Give the face to decide about, keep it nowhere; its participant reads that you looked."""
    found = rating.open_disputed_crop(services().access, auth.member(), item, auth.now())
    return picture_of(found)


@room.at("GET", "/adjudication/<item:item>/open", gives=StillOpen)
def standing(item: str) -> dict[str, Any]:
    """Say whether such a face may still be seen."""
    return {"open": rating.dispute_open(services().access, auth.member(), item, auth.now())}


@room.at("POST", "/adjudication/<item:item>/decision", takes=DecisionSaid, gives=DecisionKept, status=201)
def decide(said: dict[str, Any], item: str) -> dict[str, Any]:
    """Decide; it takes the place of a decision before, and the votes stay."""
    ballot = Ballot(Verdict(said["verdict"]), once.key(), auth.now(), None, desk.distribution_of(said))
    return {"decision": rating.adjudicate(services().access, auth.member(), item, ballot, auth.now())}


desk.explain(room)
