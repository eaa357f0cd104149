"""A rater's own: the notice they read, what they allow about themselves, their figures, taking along and erasing."""

from __future__ import annotations

import json
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Regexp

from tracker.domain.raters import NEEDED, RaterScope
from tracker.learning.shares import Share
from tracker.workflows import rating
from webui import auth, journal
from webui.api import problems, proving
from webui.api import rating as desk
from webui.api.parts import Instant, Strict
from webui.api.room import Room, demand_match
from webui.services import services

room = Room("rater", "What is stored and measured about a rater; for themselves alone.")

SCOPES = [scope.value for scope in RaterScope]


class RaterCard(Schema):
    """One thing that a rater can allow."""

    scope = fields.String(required=True, validate=OneOf(SCOPES))
    words = fields.String(required=True)
    needed = fields.Boolean(
        required=True, metadata={"description": "Whether nothing can be rated without it."}
    )


class RaterNotice(Schema):
    """The notice for raters, word for word. Show all of it, and let them choose each thing by itself."""

    sha256 = fields.String(required=True, metadata={"description": "What is allowed names it."})
    paragraphs = fields.List(fields.String(), required=True)
    cards = fields.List(fields.Nested(RaterCard), required=True)


class RaterAgreed(Schema):
    """What a rater allows about themselves, under the notice that stands."""

    notice = fields.String(required=True, metadata={"description": "`sha256` of the notice that stands."})
    scopes = fields.List(fields.String(), required=True)
    enough = fields.Boolean(required=True, metadata={"description": "Whether they may rate."})
    at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "When they last said something about it; null: never."},
    )


class RaterChoice(Strict):
    """What you allow about yourself; what is not named is refused."""

    notice = fields.String(
        required=True,
        validate=Regexp(r"^[0-9a-f]{64}$"),
        metadata={"description": "`sha256` of the notice that you read."},
    )
    scopes = fields.List(
        fields.String(validate=OneOf(SCOPES)), required=True, validate=Length(0, len(SCOPES))
    )


class Part(Schema):
    """How many of how many, between what limits that may lie (95 %)."""

    hits = fields.Integer(required=True)
    n = fields.Integer(required=True)
    value = fields.Float(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


def a_part(told: str) -> fields.Nested:
    """A share; null where nothing can be said yet, or it is not allowed to be computed."""
    return fields.Nested(Part, required=True, allow_none=True, metadata={"description": told})


class RaterFigures(Schema):
    """What is stored and measured about you; nobody is ranked, and no figure decides anything by itself."""

    stored = fields.Dict(
        fields.String(), fields.Integer(), required=True, metadata={"description": "Rows by table."}
    )
    done = fields.Integer(required=True, metadata={"description": "Rated today (UTC)."})
    goal = fields.Integer(required=True)
    total = fields.Integer(required=True)
    cannot_tell = a_part("Answers that no emotion could be said.")
    median_response_ms = fields.Float(required=True, allow_none=True)
    visible_p95_ms = fields.Integer(required=True, allow_none=True)
    with_others = a_part("Like other raters.")
    with_known = a_part("Like known answers.")
    with_network = a_part("Like the network.")


class ProofSent(Strict):
    """That it is you."""

    proof = proving.a_proof()


class RaterErased(Schema):
    """What is gone."""

    rows = fields.Dict(
        fields.String(),
        fields.Integer(),
        required=True,
        metadata={"description": "Rows that went, or lost a name, by table."},
    )


@room.at("GET", "/rater/notice", gives=RaterNotice)
def notice() -> dict[str, Any]:
    """Give the notice for raters that stands, word for word."""
    found = rating.notice(services().access)
    return {
        "sha256": found.sha256,
        "paragraphs": list(found.paragraphs),
        "cards": [{"scope": s.value, "words": words, "needed": s in NEEDED} for s, words in found.scopes],
    }


@room.at("GET", "/rater/grants", gives=RaterAgreed)
def standing() -> dict[str, Any]:
    """Say what you allow about yourself; its tag is what changing it demands."""
    return _agreed()


@room.at("PUT", "/rater/grants", takes=RaterChoice, gives=RaterAgreed, replaces=True)
def agree(said: dict[str, Any]) -> Any:
    """Allow what you name under the notice that you read, and refuse the rest."""
    demand_match(RaterAgreed, _agreed())
    access = services().access
    if said["notice"] != rating.notice(access).sha256:
        told = "The notice has changed since you read it; nothing was recorded. Read it again."
        return problems.problem(409, told, "notice-changed")
    chosen = frozenset(RaterScope(scope) for scope in said["scopes"])
    rating.agree(access, auth.member(), said["notice"], auth.now(), chosen)
    return _agreed()


@room.at("GET", "/rater/figures", gives=RaterFigures)
def figures() -> dict[str, Any]:
    """Say how far you are, how often you agree with others, and how much is stored about you."""
    access, member, now = services().access, auth.member(), auth.now()
    found = rating.progress(access, member, now)
    own = rating.own_figures(access, member, now)
    return {
        "stored": rating.stored(access, member),
        "done": found.done,
        "goal": found.goal,
        "total": found.total,
        "cannot_tell": _part(found.cannot_tell),
        "median_response_ms": found.median_response_ms,
        "visible_p95_ms": found.visible_p95_ms,
        "with_others": _part(own.with_others if own is not None else None),
        "with_known": _part(own.with_known if own is not None else None),
        "with_network": _part(own.with_network if own is not None else None),
    }


@room.at("POST", "/rater/archive", takes=ProofSent, media="application/json", stores=False)
def take_along(said: dict[str, Any]) -> Response:
    """Give everything that is stored about your ratings; say who you are. Whose faces you saw is not in it."""
    proving.demand(said["proof"])
    found = rating.own_data(services().access, auth.member())
    return Response(json.dumps(found, ensure_ascii=False), mimetype="application/json")


@room.at("POST", "/rater/erasure", takes=ProofSent, gives=RaterErased, stores=False)
def erase(said: dict[str, Any]) -> dict[str, Any]:
    """Erase what you said and what was measured of it, for good; say who you are. Sent again, it does no harm."""
    proving.demand(said["proof"])
    rows = rating.erase(services().access, auth.member(), auth.now())
    journal.tell("erased")
    return {"rows": rows}


def _agreed() -> dict[str, Any]:
    access = services().access
    found = rating.agreed(access, auth.member())
    return {
        "notice": rating.notice(access).sha256,
        "scopes": [scope.value for scope in RaterScope if scope in found.scopes],
        "enough": found.enough,
        "at": found.at,
    }


def _part(found: Share | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"hits": found.hits, "n": found.n, "value": found.value, "low": found.low, "high": found.high}


desk.explain(room)
proving.explain(room)
