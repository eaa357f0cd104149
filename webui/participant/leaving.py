"""Withdraw without logging in: with a name and the password or a one-time code, also while the account is locked.

Whoever knows a name can lock its account with wrong passwords; nobody may keep a person from withdrawing that way. What
does not fit together is told in one sentence, whoever it was for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from tracker.access import Unit
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import EnrolmentError
from tracker.workflows import accounts, consenting, enrolment, erasure
from tracker.workflows.consenting import Answer
from webui import auth, journal
from webui.participant import answering_phone, erased
from webui.participant.entering import LONGEST, TOO_FAST
from webui.participant.waiting import waiting_of
from webui.services import services
from webui.study import text

pages = Blueprint("leaving", __name__)

WRONG = lazy_gettext(
    "That name and that password or code do not fit together, or the code was used or is too old. Nothing was "
    "changed. Try again, or ask for a new code."
)


@dataclass(frozen=True, slots=True)
class Left:
    """What was withdrawn, and when it is erased unless something else is said; None: it is kept, or erased already."""

    scopes: tuple[Scope, ...]
    answer: Answer
    due_at: datetime | None


@pages.get("/withdraw")
def page() -> str:
    """Ask for a name and a password or code; everything is withdrawn unless single things are chosen."""
    return _form()


@pages.post("/withdraw")
def withdraw() -> str | Response | tuple[str, int]:
    """Withdraw at once, and do with what is stored as was said."""
    name, secret = request.form.get("name", "").strip(), request.form.get("secret", "")[:LONGEST]
    chosen, answer = _chosen(), _answer()
    if not services().leavings.allows(request.remote_addr or "", auth.now()):
        return _form(TOO_FAST, name), 429
    try:
        with services().hashing:
            holder = accounts.holder_of(services().access, name, secret, auth.now())
        left = _withdraw(holder, chosen, answer, secret)
    except (accounts.LoginError, EnrolmentError) as error:
        journal.tell("leaving_failed", getattr(error, "whom", None))
        return _form(WRONG, name), 401
    journal.tell("left", holder.person)
    if answer is Answer.ERASE_ALL:
        gone = erased.remember(erasure.erase_person(services().access, holder.person, auth.now()))
        answering_phone.leave(holder.person)
        return gone
    return render_template("left.html", left=left, titles=text().titles())


def _withdraw(holder: accounts.Holder, chosen: list[Scope], answer: Answer, secret: str) -> Left:
    access, person, now = services().access, holder.person, auth.now()

    def used_up(unit: Unit) -> None:
        if holder.by_code:
            enrolment.use_code(unit, secret)

    with access.read(person.id, now) as unit:
        allowed = [s.scope for s in unit.standing().values() if s.said_yes and s.scope in chosen]
    consenting.withdraw(
        access,
        person,
        allowed,
        now,
        recorder=Recorder.PARTICIPANT,
        answer=answer,
        proof=used_up,
    )
    for scope in allowed if answer is Answer.ERASE_SCOPE else ():
        # What cannot be finished now stays due, and the jobs carry it out.
        with suppress(erasure.ErasureIncompleteError):
            erasure.erase_scope(access, person, scope, now)
    with access.read(person.id, now) as unit:
        dues = [w.due_at for w in waiting_of(unit).values() if w.scope in allowed and w.due_at is not None]
    return Left(tuple(allowed), answer, min(dues, default=None))


def _chosen() -> list[Scope]:
    named = request.form.getlist("scope")
    try:
        return [Scope(scope) for scope in named] or list(Scope)
    except ValueError:
        abort(400, _("Choose things from the list, or none to withdraw everything."))


def _answer() -> Answer:
    try:
        return Answer(request.form.get("answer") or Answer.UNANSWERED)
    except ValueError:
        abort(400, _("Choose keep, erase_scope or erase_all, or nothing to decide later."))


def _form(problem: str = "", name: str = "") -> str:
    shown = text()
    return render_template(
        "withdraw.html",
        problem=problem,
        name=name,
        cards=shown.cards,
        language_of_notice=shown.language,
    )
