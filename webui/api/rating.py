"""The desk of a rater: what comes next, its picture, what it looks like, and taking that back."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import OneOf, Range

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.keymap import KEYS, KeyMap, KeyMapError
from tracker.domain.rating import Ballot, RatingError, Verdict
from tracker.workflows import rating
from tracker.workflows.rating import Decided, Item, ItemClosedError, NoRaterError, UnknownItemError
from webui import auth, refusals
from webui.api import once, problems
from webui.api.parts import Instant, Strict, a_distribution, a_reading, an_emotion, read, shown
from webui.api.room import Room, demand_match
from webui.pictures import PICTURES, picture_of
from webui.services import services

room = Room("rating", "The desk of a rater.")

MOST = 10
SAID = [verdict.value for verdict in Verdict if verdict is not Verdict.UNDONE]
_LONGEST_MS = int(timedelta(hours=12) / timedelta(milliseconds=1))
_CHANCE = random.SystemRandom()


class Many(Strict):
    """How many items."""

    limit = fields.Integer(
        load_default=1, validate=Range(1, MOST), metadata={"description": "How many at most."}
    )


class ItemShown(Schema):
    """A face to rate; nothing tells whose it is, or whether its answer is known."""

    id = fields.String(required=True)
    because = fields.String(required=True)
    kept_until = Instant(required=True, metadata={"description": "Until when it is kept for you."})


class Items(Schema):
    """What comes next."""

    items = fields.List(fields.Nested(ItemShown), required=True)


class Vote(Strict):
    """What a face looks like to you."""

    verdict = fields.String(required=True, validate=OneOf(SAID))
    emotion = an_emotion(metadata={"description": "With the verdict `emotion`."})
    second = an_emotion(metadata={"description": "In a mixed state."})
    valence = fields.Float(validate=Range(-1, 1))
    arousal = fields.Float(validate=Range(-1, 1))
    response_ms = fields.Integer(strict=True, validate=Range(0, _LONGEST_MS))


class Voted(Schema):
    """What became of a vote."""

    vote = fields.Integer(required=True)
    network = a_reading(required=True, metadata={"description": "Where the study reveals it afterwards."})


class LastVote(Schema):
    """A decision of yours."""

    item = fields.String(required=True)
    at = Instant(required=True)
    verdict = fields.String(required=True)
    emotions = a_distribution(required=True)
    clip = fields.Boolean(required=True)


class Votes(Schema):
    """Your last decisions, the newest first."""

    items = fields.List(fields.Nested(LastVote), required=True)


class Progress(Schema):
    """How far you are."""

    done = fields.Integer(required=True)
    goal = fields.Integer(required=True)
    total = fields.Integer(required=True)


class KeysShown(Schema):
    """Which key does what on your desk."""

    on = fields.Boolean(required=True)
    keys = fields.Dict(fields.String(), fields.String(), required=True)


class KeysWanted(Strict):
    """Which key shall do what; what is left out stays as it is."""

    on = fields.Boolean(truthy={True}, falsy={False})
    keys = fields.Dict(fields.String(validate=OneOf(list(KEYS))), fields.String(), load_default=dict)


@room.at("GET", "/rating/items", query=Many, gives=Items)
def coming(query: dict[str, Any]) -> dict[str, Any]:
    """Give what comes next, and keep it for you for a while."""
    found = rating.next_items(services().access, auth.member(), auth.now(), query["limit"], chance=_CHANCE)
    return {"items": [_item(item) for item in found]}


@room.at("GET", "/rating/items/<item:item>/picture", media=PICTURES)
def picture(item: str) -> Response:
    """Give the face of an item; keep it nowhere."""
    return picture_of(rating.open_crop(services().access, auth.member(), item, auth.now()))


@room.at("POST", "/rating/items/<item:item>/vote", takes=Vote, gives=Voted, status=201)
def vote(said: dict[str, Any], item: str) -> dict[str, Any]:
    """Say what a face looks like; it takes the place of what you said of it before."""
    took = said.get("response_ms")
    ballot = Ballot(
        Verdict(said["verdict"]),
        once.key(),
        auth.now() - timedelta(milliseconds=took or 0),
        took,
        distribution_of(said),
        said.get("valence"),
        said.get("arousal"),
    )
    done = rating.vote(services().access, auth.member(), item, ballot, auth.now())
    return {"vote": done.vote, "network": read(done.estimate)}


@room.at("POST", "/rating/items/<item:item>/undo", gives=ItemShown)
def undo(item: str) -> dict[str, Any]:
    """Take back what you said of an item; it is open again."""
    return _item(rating.undo(services().access, auth.member(), item, once.key(), auth.now()))


@room.at("GET", "/rating/votes", gives=Votes)
def last() -> dict[str, Any]:
    """List your last ten decisions."""
    found = rating.last_ten(services().access, auth.member(), auth.now())
    return {"items": [decided(one) for one in found]}


@room.at("GET", "/rating/progress", gives=Progress)
def progress() -> dict[str, Any]:
    """Say how far you are today, and in all."""
    found = rating.progress(services().access, auth.member(), auth.now())
    return {"done": found.done, "goal": found.goal, "total": found.total}


@room.at("GET", "/rating/keys", gives=KeysShown)
def keys() -> dict[str, Any]:
    """Say which key does what on your desk."""
    return _keys()


@room.at("PUT", "/rating/keys", takes=KeysWanted, gives=KeysShown, replaces=True)
def change_keys(wanted: dict[str, Any]) -> dict[str, Any]:
    """Change your keys."""
    demand_match(KeysShown, _keys())
    present = rating.key_map(services().access, auth.member())
    chosen = present.changed(wanted["keys"], on=wanted.get("on"))
    rating.set_key_map(services().access, auth.member(), chosen, auth.now())
    return _keys()


def distribution_of(vote: dict[str, Any]) -> Distribution | None:
    """What was said, as a distribution; None where it is no emotion."""
    if "emotion" not in vote:
        if "second" in vote:
            raise RatingError("say a first emotion before the second")
        return None
    second = Emotion(vote["second"]) if "second" in vote else None
    return Distribution.said(Emotion(vote["emotion"]), second)


def _item(item: Item) -> dict[str, Any]:
    return {"id": item.id, "because": item.because.words, "kept_until": item.leased_until}


def decided(one: Decided) -> dict[str, Any]:
    """A decision as `LastVote` has it."""
    return {
        "item": one.item,
        "at": one.at,
        "verdict": one.verdict.value,
        "emotions": shown(one.distribution),
        "clip": one.series,
    }


def _keys() -> dict[str, Any]:
    found: KeyMap = rating.key_map(services().access, auth.member())
    return {"on": found.on, "keys": {action: found[action] for action in KEYS}}


def _closed(error: ItemClosedError) -> Response:
    return problems.problem(410, str(error), "closed")


def _no_rater(error: NoRaterError) -> Response:
    return problems.problem(403, refusals.said(error), "no-rater")


def _unknown(_: UnknownItemError) -> Response:
    return problems.problem(
        404, "This is no item of yours, or it was opened too long ago. Go on with the next one."
    )


def explain(of: Room) -> None:
    """Say what keeps a face from being seen or rated, wherever one is."""
    of.register_error_handler(ItemClosedError, _closed)
    of.register_error_handler(NoRaterError, _no_rater)
    of.register_error_handler(UnknownItemError, _unknown)
    of.register_error_handler(RatingError, problems.refused)


explain(room)
room.register_error_handler(KeyMapError, problems.refused)
