"""Consent: one card per scope, given and withdrawn in the same place with the same number of steps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tracker.domain.consent import Recorder, Scope
from tracker.domain.notice import Card
from tracker.workflows import consenting, erasure
from tracker.workflows.consenting import Answer, ScopeState
from webui import auth
from webui.participant.waiting import Waiting, waiting_of
from webui.services import services
from webui.study import study, text

pages = Blueprint("consent", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """A card with where it stands, and what waits for an answer."""

    card: Card
    state: ScopeState
    waiting: Waiting | None

    @property
    def recorded_for_them(self) -> bool:
        """Whether an operator recorded it and the participant has not confirmed it."""
        return self.state.in_force and not self.state.confirmed


@pages.get("/consent")
def page() -> str:
    """Show every choice, and the history of all choices."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        states = {state.scope: state for state in consenting.show(unit)}
        waiting = waiting_of(unit)
        history = unit.events
    shown = text()
    choices = [Choice(card, states[card.scope], waiting.get(card.scope)) for card in shown.cards]
    return render_template(
        "consent.html",
        text=shown,
        notice=shown.notice(),
        closed=study().closed,
        choices=choices,
        titles={card.scope: card.title for card in shown.cards},
        unconfirmed=[c for c in choices if c.recorded_for_them],
        unanswered=[c.waiting for c in choices if c.waiting is not None and c.waiting.unanswered],
        history=history[::-1],
        today=auth.now().astimezone(ZoneInfo(auth.person().zone)).date(),
    )


@pages.post("/consent/<scope>/grant")
def grant(scope: str) -> Response:
    """Allow one thing, from now on or, where a date is stated, from that day on."""
    chosen = _scope(scope)
    consenting.grant(
        services().access,
        auth.person(),
        [chosen],
        auth.now(),
        recorder=Recorder.PARTICIPANT,
        covers_from=_covers_from(request.form.get("since", "").strip()),
        shown=request.form.get("notice"),
    )
    return _back_to(chosen)


@pages.post("/consent/<scope>/refuse")
def refuse(scope: str) -> Response:
    """Say no to one thing that is not granted."""
    chosen = _scope(scope)
    with services().access.read(auth.person().id, auth.now()) as unit:
        if chosen in unit.grants():
            abort(400, "This is allowed now; withdraw it instead.")
    consenting.refuse(services().access, auth.person(), [chosen], auth.now(), recorder=Recorder.PARTICIPANT)
    return _back_to(chosen)


@pages.post("/consent/<scope>/withdraw")
def withdraw(scope: str) -> Response:
    """Withdraw one thing, at once; what becomes of what is stored is asked on the next page."""
    chosen = _scope(scope)
    with services().access.read(auth.person().id, auth.now()) as unit:
        if chosen not in unit.grants():
            return _back_to(chosen)
    consenting.withdraw(services().access, auth.person(), [chosen], auth.now(), recorder=Recorder.PARTICIPANT)
    return _back_to(chosen)


@pages.post("/consent/confirm")
def confirm() -> Response:
    """Confirm everything that an operator recorded, or with ``scope`` one thing of it."""
    only = request.form.get("scope")
    if not only:
        consenting.confirm(services().access, auth.person(), auth.now(), shown=request.form.get("notice"))
        return redirect(url_for(".page"), 303)
    chosen = _scope(only)
    with services().access.read(auth.person().id, auth.now()) as unit:
        event = unit.grants().get(chosen)
    if event is None or event.recorder is not Recorder.OPERATOR:
        abort(400, "There is nothing to confirm here.")
    consenting.grant(
        services().access,
        auth.person(),
        [chosen],
        auth.now(),
        recorder=Recorder.PARTICIPANT,
        covers_from=event.covers_from,
        shown=request.form.get("notice"),
    )
    return _back_to(chosen)


@pages.post("/consent/answer")
def answer() -> Response:
    """Take what the participant wants done with what withdrawn scopes cover."""
    try:
        chosen = Answer(request.form.get("answer", ""))
    except ValueError:
        _bad_answer()
    if chosen is Answer.UNANSWERED:
        _bad_answer()
    if chosen is Answer.ERASE_ALL:
        return redirect(url_for("mydata.page", _anchor="erase"), 303)
    with services().access.read(auth.person().id, auth.now()) as unit:
        unanswered = [w.scope for w in waiting_of(unit).values() if w.unanswered]
    consenting.answer_withdrawal(services().access, auth.person(), chosen, auth.now())
    for scope in unanswered if chosen is Answer.ERASE_SCOPE else ():
        # What cannot be finished now stays due, the page says so, and the jobs carry it out.
        with suppress(erasure.ErasureIncompleteError):
            erasure.erase_scope(services().access, auth.person(), scope, auth.now())
    return redirect(url_for(".page"), 303)


def _bad_answer() -> NoReturn:
    abort(400, "Choose keep, erase_scope or erase_all.")


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        abort(404)


def _covers_from(since: str) -> datetime | None:
    if not since:
        return None
    try:
        day = datetime.strptime(since, "%Y-%m-%d").replace(tzinfo=ZoneInfo(auth.person().zone))
    except ValueError:
        abort(400, f"{since!r} is no date; write it like 2026-03-01.")
    start = day.astimezone(UTC)
    if start > auth.now():
        abort(400, f"{since} lies in the future; recordings made from today on are covered anyway.")
    return start


def _back_to(scope: Scope) -> Response:
    return redirect(url_for(".page", _anchor=scope.value), 303)
