"""Erasing: everything, what scopes cover, or a stretch; begun with a proof, and carried out in the background.

Whoever is erased has no token any more, so each erasure has a number that tells how far it is without one. It is
signed, names nobody, and opens nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from flask import after_this_request
from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf

from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.store.database import DatabaseError
from tracker.workflows import consenting, erasure
from tracker.workflows.consenting import Answer
from tracker.workflows.erasure import Erased
from webui import auth, journal
from webui.api import cursors, proving
from webui.api.consent import SCOPES
from webui.api.hiding import EARLIEST, LATEST
from webui.api.paging import Paging, page
from webui.api.parts import Instant, Strict, listed
from webui.api.room import Room
from webui.services import Services, services

room = Room("erasures", "Erasing what is stored about you, for good.")

KIND = "erasure"
STAGES = ("under_way", "data_gone", "clean")
EVERYTHING, STRETCH = "everything", "stretch"


class ErasureWanted(Strict):
    """What is to be erased: everything, what scopes cover, or a stretch of time; one of them."""

    proof = proving.a_proof()
    everything = fields.Boolean(truthy={True}, falsy=set(), metadata={"enum": [True]})
    scopes = fields.List(
        fields.String(validate=OneOf(SCOPES)),
        validate=Length(1, len(SCOPES)),
        metadata={"description": "What is allowed of them still is withdrawn first."},
    )
    from_ = Instant(data_key="from", metadata={"description": "The first instant of a stretch."})
    to = Instant(metadata={"description": "The instant before which the stretch ends."})

    @validates_schema
    def _one(self, said: dict[str, Any], **_: Any) -> None:
        stretch = "from_" in said or "to" in said
        if [said.get("everything", False), "scopes" in said, stretch].count(True) != 1:
            raise ValidationError("Say everything, scopes, or from and to; one of them.")
        if stretch and not ("from_" in said and "to" in said):
            raise ValidationError("A stretch has both ends.")
        if stretch and not EARLIEST <= said["from_"] < said["to"] <= LATEST:
            raise ValidationError(
                f"A stretch ends after it begins, and lies between {EARLIEST.year} and {LATEST.year}."
            )


class Erasure(Schema):
    """An erasure, and how far it is; nothing here names anybody."""

    id = fields.String(
        required=True,
        metadata={"description": "Keep it: it tells how far the erasure is, also when your token is gone."},
    )
    what = fields.String(required=True, metadata={"description": "`everything`, `stretch`, or a scope."})
    stage = fields.String(
        required=True,
        validate=OneOf(STAGES),
        metadata={
            "description": "`under_way`; `data_gone`: it was looked for and none is left; `clean`: no learner of "
            "another person holds anything of it either."
        },
    )
    gone_at = Instant(required=True, allow_none=True)
    clean_at = Instant(required=True, allow_none=True)
    rows = fields.Integer(required=True, allow_none=True)
    keys = fields.Integer(required=True, allow_none=True)
    learners_left = fields.Integer(required=True, allow_none=True)
    told = fields.List(fields.String(), required=True, metadata={"description": "For people."})


class Erasures(Schema):
    """Erasures."""

    items = fields.List(fields.Nested(Erasure), required=True)


@room.at("GET", "/erasures", query=Paging, gives=listed("ErasuresDone", Erasure))
def listing(query: dict[str, Any]) -> dict[str, Any]:
    """List what you had erased and stayed: the last of each scope, and every stretch; newest first."""
    access, person = services().access, auth.person()
    done = [*erasure.of_scopes(access, person), *erasure.of_stretches(access, person)]
    done.sort(key=lambda one: one.gone_at, reverse=True)
    found, after = page("erasures", done, query)
    numbered = ((number_of(one.tombstone, _what(one.stretch or one.scope)), one) for one in found)
    return {"items": [told(number, one) for number, one in numbered], "next": after}


@room.at("POST", "/erasures", takes=ErasureWanted, gives=Erasures, status=202)
def begin(said: dict[str, Any]) -> dict[str, Any]:
    """Erase for good; say who you are. From now on nothing stops it: it is finished whatever happens here."""
    proving.demand(said["proof"])
    access, person, now = services().access, auth.person(), auth.now()
    begun = {erasure.begun(access, person, what, now): _what(what) for what in _wanted(said)}
    if said.get("everything"):
        journal.tell("erased")

    @after_this_request
    def later(response: Any) -> Any:
        # Not before the answer is kept for its key: whose key of theirs is destroyed keeps none.
        for tombstone in begun:
            services().background.soon(partial(_go_on, services(), person, tombstone))
        return response

    return {"items": [told(number_of(*one), None, one[1]) for one in begun.items()]}


def _wanted(said: dict[str, Any]) -> list[Scope | Stretch | None]:
    if said.get("everything"):
        return [None]
    if "scopes" in said:
        scopes = [scope for scope in Scope if scope.value in said["scopes"]]
        _withdraw(scopes)
        return list(scopes)
    # Of what is to come there is nothing yet.
    end = min(said["to"], auth.now()) if said["from_"] < auth.now() else said["to"]
    return [Stretch(said["from_"], end)]


def _withdraw(scopes: list[Scope]) -> None:
    """What is erased is allowed no longer: it would be stored again in the next moment."""
    access, person, now = services().access, auth.person(), auth.now()
    with access.read(person.id, now) as unit:
        allowed = [scope for scope, stands in unit.standing().items() if stands.said_yes and scope in scopes]
    if allowed:
        consenting.withdraw(
            access, person, allowed, now, recorder=Recorder.PARTICIPANT, answer=Answer.ERASE_SCOPE
        )


def _go_on(found: Services, person: Person, tombstone: str) -> None:
    with suppress(DatabaseError):  # the tombstone stands, and the jobs finish it
        erasure.go_on(found.access, person, tombstone, found.clock())


def _what(what: Scope | Stretch | None) -> str:
    return what.value if isinstance(what, Scope) else STRETCH if isinstance(what, Stretch) else EVERYTHING


def number_of(tombstone: str, what: str) -> str:
    """What tells how far an erasure is, to whoever was told it."""
    return cursors.write(KIND, [tombstone, what])


def told(number: str, done: Erased | None, what: str = "") -> dict[str, Any]:
    """An erasure as `Erasure` has it; None: it is under way, and `what` says of what."""
    if done is None:
        why = "It is under way, and is finished within the hour whatever happens."
        empty = dict.fromkeys(("gone_at", "clean_at", "rows", "keys", "learners_left"))
        return {"id": number, "what": what, "stage": STAGES[0], "told": [why], **empty}
    return {
        "id": number,
        "what": _what(done.stretch or done.scope),
        "stage": STAGES[2] if done.learners_clean else STAGES[1],
        "gone_at": done.gone_at,
        "clean_at": done.clean_at,
        "rows": done.rows,
        "keys": done.keys,
        "learners_left": done.learners_left,
        "told": done.sentences(),
    }


proving.explain(room)
