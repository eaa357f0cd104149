"""Programs: whoever asks with a token instead of a session. No cookie lets a program in, and no token opens a page."""

from __future__ import annotations

from flask import abort, g, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized

from tracker.domain.consent import Recorder
from tracker.domain.members import Member
from tracker.domain.people import UnknownParticipantError
from tracker.domain.tokens import Purpose
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.workflows import tokens
from tracker.workflows.tokens import Bearer, TokenRefusedError
from webui import journal
from webui.clock import now
from webui.limits import Rate
from webui.roles import Rule
from webui.services import services
from webui.study import study, texts

UNNOTICED = frozenset({Purpose.CONSENT, Purpose.GRANTS, Purpose.ARCHIVE, Purpose.ERASURE, None})
"""Purposes for which no notice must have been seen: one that has changed meanwhile keeps nobody from saying no, from
taking along what is theirs, or from erasing it; and who allows something names the notice that they read."""


def recognise() -> None:
    """Find out whose token was given, and count the request.

    Raises
    ------
    Unauthorized
        Without a token that works.
    TooManyRequests
        When the token, or an address with tokens that do not work, asks too often.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    address = request.remote_addr or ""
    if scheme.lower() != "bearer":
        raise _unauthorized("Send a token: Authorization: Bearer aff_…")
    try:
        found = tokens.bearer(services().access, text.strip(), now())
    except TokenRefusedError as error:
        _count(services().strangers, address)
        raise _unauthorized(str(error)) from None
    except (UnknownParticipantError, KeyDestroyedError):
        # Whose it was is erased, or is being erased: the key goes before the token does.
        raise gone() from None
    _count(services().programs, found.token)
    g.bearer = found
    if isinstance(found.whom, Member):
        # One of a role that demands a second factor works only while there is one.
        g.member, g.second = found.whom, True
    else:
        g.person = found.whom
    if services().told.allows(found.token, now()):
        journal.tell("token_used")


def demand(rule: Rule) -> None:
    """Raise `Forbidden` where the token is not for this, or for another study, or its person has to see the notice."""
    found: Bearer = g.bearer
    if found.study != study().id:
        abort(403, "This token is for another study than the one in force; make a new one.")
    if rule.purpose is not None and rule.purpose not in found.purposes:
        abort(403, f"This token is not for {rule.purpose.value}; make one that is.")
    if "person" in g and rule.purpose not in UNNOTICED:
        _demand_noticed()


def gone() -> Unauthorized:
    """What is answered when whoever asks is erased meanwhile."""
    return _unauthorized(str(TokenRefusedError()))


def _demand_noticed() -> None:
    """Nothing is read of a face, kept or shown before its person has seen the notice that stands, and chosen."""
    with services().access.read(g.person.id, now()) as unit:
        own = {e.notice.sha256 for e in unit.events if e.recorder is Recorder.PARTICIPANT}
    if own.isdisjoint(texts()):
        abort(403, "Read the notice of the study first, and choose on its page Consent.")


def _count(rate: Rate, whom: str) -> None:
    if not rate.allows(whom, now()):
        raise TooManyRequests("Too many requests; wait a moment.", retry_after=rate.wait(whom, now()))


def _unauthorized(why: str) -> Unauthorized:
    return Unauthorized(why, www_authenticate=WWWAuthenticate("bearer", {"realm": "affect-tracker"}))
