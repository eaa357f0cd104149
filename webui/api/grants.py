"""Allowing things: the notice is read first, and what is allowed names the very text that was read.

It is the participant's own word, so nobody else can make a token for it (`tracker.domain.tokens.THEIR_OWN`); and it is
said of a state: whatever was said since, also by another program or on the page, comes first (``If-Match``). So a grant
that is sent again late never undoes a withdrawal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import g
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Regexp
from werkzeug.exceptions import NotFound, PreconditionFailed

from tracker.access import Unit
from tracker.domain.consent import Recorder, Scope
from tracker.domain.instants import InstantError
from tracker.domain.notice import NoticeText
from tracker.study import notice_texts
from tracker.workflows import consenting
from tracker.workflows.consenting import NoticeChangedError
from webui import auth, errors
from webui.api import consent, problems
from webui.api.consent import SCOPES, ConsentState
from webui.api.parts import Instant, Strict
from webui.api.room import Room, demand_match
from webui.services import services
from webui.study import study, text

room = Room("grants", "The notice, and allowing things under it.")

_SHA256 = r"^[0-9a-f]{64}$"


class InLanguage(Strict):
    """In which language."""

    language = fields.String(
        validate=Length(1, 35),
        metadata={"description": "One of `languages`; unless said, what Accept-Language prefers."},
    )


class NoticeWhole(Schema):
    """A notice, word for word. Show all of it to whoever shall choose, and let them choose each thing by itself."""

    version = fields.String(required=True)
    language = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    sha256 = fields.String(
        required=True,
        metadata={"description": "Of `document` as JSON with sorted keys; what is allowed names it."},
    )
    document = fields.Dict(
        required=True,
        metadata={"description": "`preamble`, `cards` by scope, and what the study says of itself."},
    )
    asked = fields.List(
        fields.String(), required=True, metadata={"description": "Scopes that the study asks for."}
    )
    guardians = fields.Boolean(
        required=True, metadata={"description": "Whether a guardian's consent is needed beside it."}
    )


class Grant(Strict):
    """What you allow, under which notice."""

    notice = fields.String(
        required=True,
        validate=Regexp(_SHA256),
        metadata={"description": "`sha256` of the notice that you read."},
    )
    scopes = fields.List(
        fields.String(validate=OneOf(SCOPES)), required=True, validate=Length(1, len(SCOPES))
    )
    covers_from = Instant(
        metadata={
            "description": "From when on, where recordings made earlier are meant too; unless said, now."
        }
    )


class Confirmation(Strict):
    """Under which notice you confirm what an operator recorded for you."""

    notice = fields.String(
        required=True,
        validate=Regexp(_SHA256),
        metadata={"description": "`sha256` of the notice that you read."},
    )


@room.at("GET", "/consent/notice", query=InLanguage, gives=NoticeWhole)
def notice(query: dict[str, Any]) -> dict[str, Any]:
    """Give the notice that stands, word for word; in a language of the study."""
    known = {found.language: found for found in notice_texts(study())}
    wanted = query.get("language")
    if wanted is not None and wanted not in known:
        raise NotFound(f"The study has no notice in this language; it has {', '.join(known)}.")
    found: NoticeText = known[wanted] if wanted is not None else text()
    with services().access.read(auth.person().id, auth.now()) as unit:
        guardians = unit.rules.guardians
    return {
        "version": found.version,
        "language": found.language,
        "languages": list(known),
        "sha256": found.notice().sha256,
        "document": found.document(),
        "asked": [scope.value for scope in study().scopes],
        "guardians": guardians,
    }


@room.at("GET", "/consent/grants", gives=ConsentState)
def standing() -> dict[str, Any]:
    """Say where each scope stands; its tag is what allowing something demands."""
    return consent.state()


@room.at("POST", "/consent/grants", takes=Grant, gives=ConsentState, replaces=True)
def grant(said: dict[str, Any]) -> dict[str, Any]:
    """Allow scopes under the notice that you read, in the state that you saw (`/consent/grants`)."""
    unchanged = _unchanged()
    consenting.grant(
        services().access,
        auth.person(),
        [Scope(scope) for scope in said["scopes"]],
        auth.now(),
        recorder=Recorder.PARTICIPANT,
        covers_from=said.get("covers_from"),
        evidence=f"by a program, with token {g.bearer.token}",
        shown=said["notice"],
        proof=unchanged,
    )
    return consent.state()


@room.at("POST", "/consent/confirmations", takes=Confirmation, gives=ConsentState, replaces=True)
def confirm(said: dict[str, Any]) -> dict[str, Any]:
    """Confirm everything that an operator recorded for you, in the state that you saw (`/consent/grants`)."""
    unchanged = _unchanged()
    consenting.confirm(services().access, auth.person(), auth.now(), proof=unchanged, shown=said["notice"])
    return consent.state()


def _unchanged() -> Callable[[Unit], None]:
    """Raise unless the state that was seen stands; return what says so again in the transaction that writes."""
    seen = consent.state()
    demand_match(ConsentState, seen)

    def still(unit: Unit) -> None:
        if max((event.seq for event in unit.events), default=0) != seen["newest"]:
            raise PreconditionFailed("Something was said meanwhile; look again. Nothing was recorded.")

    return still


def _changed(error: NoticeChangedError) -> Any:
    return problems.problem(409, errors.consent_sentence(error), "notice-changed")


room.register_error_handler(NoticeChangedError, _changed)
room.register_error_handler(InstantError, problems.refused)
