"""What you allow, and taking it back; allowing (`webui.api.grants`) and erasing are for tokens of their own."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf
from werkzeug.exceptions import NotFound

from tracker.domain.consent import Recorder, Scope
from tracker.privacy import signed
from tracker.privacy.receipts import NothingToShowError
from tracker.privacy.standing import Why
from tracker.workflows import consenting, enrolment, receipts
from tracker.workflows.consenting import Answer
from webui import auth
from webui.api.parts import Instant, Strict
from webui.api.room import Room, demand_match
from webui.services import services
from webui.study import study, text

room = Room("consent", "What you allow, and taking it back.")

SCOPES = [scope.value for scope in Scope]
THEN = {"ask": Answer.UNANSWERED, "keep": Answer.KEEP}


class ScopeState(Schema):
    """Where one scope stands."""

    scope = fields.String(required=True)
    title = fields.String(required=True)
    in_force = fields.Boolean(required=True)
    why = fields.String(required=True, metadata={"description": "Why it is in force, or is not."})
    confirmed = fields.Boolean(required=True, metadata={"description": "Whether you said it yourself."})
    covers_from = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)


class Notice(Schema):
    """The notice that stands."""

    version = fields.String(required=True)
    language = fields.String(required=True)
    sha256 = fields.String(required=True)


class ConsentState(Schema):
    """Where everything stands."""

    notice = fields.Nested(Notice, required=True)
    closed = fields.Boolean(
        required=True, metadata={"description": "Whether the study takes in nothing new."}
    )
    newest = fields.Integer(
        required=True, metadata={"description": "`seq` of the last event; 0 where nothing was said yet."}
    )
    scopes = fields.List(fields.Nested(ScopeState), required=True)


class Event(Schema):
    """Something that you said about a scope, or that was recorded for you."""

    seq = fields.Integer(required=True)
    scope = fields.String(required=True)
    state = fields.String(required=True)
    recorded_at = Instant(required=True)
    covers_from = Instant(required=True)
    recorder = fields.String(required=True)
    notice = fields.Nested(Notice, required=True)


class Events(Schema):
    """Everything that was said."""

    items = fields.List(fields.Nested(Event), required=True)


class Withdrawal(Strict):
    """What you allow no longer."""

    scopes = fields.List(
        fields.String(validate=OneOf(SCOPES)), required=True, validate=Length(1, len(SCOPES))
    )
    then = fields.String(
        validate=OneOf(list(THEN)),
        load_default="ask",
        metadata={
            "description": "What becomes of what is stored: `keep` it for you alone; `ask` you on the page Consent, "
            "and erase it when the time for an answer is over."
        },
    )


class LaterAnswer(Strict):
    """What becomes of what you withdrew without saying it."""

    answer = fields.String(
        required=True,
        validate=OneOf(["keep"]),
        metadata={"description": "To erase it instead is for `/erasures`, with a proof."},
    )


class Refusal(Strict):
    """What you do not allow."""

    scopes = fields.List(
        fields.String(validate=OneOf(SCOPES)), required=True, validate=Length(1, len(SCOPES))
    )


class Pause(Strict):
    """Whether storing rests."""

    paused = fields.Boolean(required=True, truthy={True}, falsy={False})


class Paused(Schema):
    """Whether storing rests, and since when."""

    paused = fields.Boolean(required=True)
    since = Instant(required=True, allow_none=True)


@room.at("GET", "/consent", gives=ConsentState)
def standing() -> dict[str, Any]:
    """Say where each scope stands, and which notice does."""
    return state()


@room.at("GET", "/consent/events", gives=Events)
def history() -> dict[str, Any]:
    """List everything that was said about your scopes, oldest first."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        events = sorted(unit.events, key=lambda e: e.seq)
    return {"items": events}


@room.at("GET", "/consent/receipt", media="application/ld+json")
def receipt() -> Response:
    """Give your receipt: everything that you allowed, refused and withdrew, signed."""
    try:
        made = receipts.receipt(services().access, auth.person(), auth.now())
    except NothingToShowError:
        raise NotFound("You have not chosen anything yet, so there is no receipt.") from None
    return Response(signed.written(made), mimetype="application/ld+json")


@room.at("POST", "/consent/withdrawals", takes=Withdrawal, gives=ConsentState)
def withdraw(said: dict[str, Any]) -> dict[str, Any]:
    """Withdraw scopes, at once: nothing new is stored, and what is stored is yours alone to see."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        stands = unit.standing()
    # What was never allowed needs no withdrawal, and gets none in the log.
    scopes = [scope for scope in Scope if scope.value in said["scopes"] and stands[scope].said_yes]
    if scopes:
        consenting.withdraw(
            services().access,
            auth.person(),
            scopes,
            auth.now(),
            recorder=Recorder.PARTICIPANT,
            answer=THEN[said["then"]],
        )
    return state()


@room.at("POST", "/consent/answers", takes=LaterAnswer, gives=ConsentState)
def answer(said: dict[str, Any]) -> dict[str, Any]:
    """Say that what withdrawn scopes cover is kept for you alone; it would be erased when the time is over."""
    consenting.answer_withdrawal(services().access, auth.person(), THEN[said["answer"]], auth.now())
    return state()


@room.at("POST", "/consent/refusals", takes=Refusal, gives=ConsentState)
def refuse(said: dict[str, Any]) -> dict[str, Any]:
    """Say no to scopes that you have not allowed; what you have allowed stays as it is."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        stands = unit.standing()
    scopes = [scope for scope in Scope if scope.value in said["scopes"] and not stands[scope].said_yes]
    if scopes:
        consenting.refuse(services().access, auth.person(), scopes, auth.now(), recorder=Recorder.PARTICIPANT)
    return state()


@room.at("GET", "/pause", gives=Paused)
def pausing() -> dict[str, Any]:
    """Say whether storing rests."""
    return _paused()


@room.at("PUT", "/pause", takes=Pause, gives=Paused, replaces=True)
def pause(wanted: dict[str, Any]) -> dict[str, Any]:
    """Pause storing your series, or resume it."""
    demand_match(Paused, _paused())
    change = enrolment.pause if wanted["paused"] else enrolment.resume
    change(services().access, auth.person(), auth.now())
    return _paused()


def _paused() -> dict[str, Any]:
    with services().access.read(auth.person().id, auth.now()) as unit:
        since = unit.person.paused_at
    return {"paused": since is not None, "since": since}


def state() -> dict[str, Any]:
    """Where everything stands, as `ConsentState` has it."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        stands = unit.standing()
        newest = max((event.seq for event in unit.events), default=0)
    shown = text()
    return {
        "notice": shown.notice(),
        "closed": study().closed,
        "newest": newest,
        "scopes": [
            {
                "scope": card.scope.value,
                "title": card.title,
                "in_force": stands[card.scope].why is Why.IN_FORCE,
                "why": stands[card.scope].why.value,
                "confirmed": stands[card.scope].why is Why.IN_FORCE and stands[card.scope].confirmed,
                "covers_from": held.covers_from if (held := stands[card.scope].held) is not None else None,
                "expires_at": held.expires_at if held is not None else None,
            }
            for card in shown.cards
        ],
    }
