"""Consent: one card per scope, given and withdrawn in the same place with the same number of steps."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import Unit
from tracker.domain.consent import Recorder, Scope
from tracker.domain.notice import Card, NoticeText
from tracker.domain.notice_changes import Change, changes
from tracker.privacy import signed
from tracker.privacy.receipts import NothingToShowError
from tracker.privacy.standing import Standing, Why
from tracker.store import notices
from tracker.workflows import consenting, erasure, receipts
from tracker.workflows.consenting import Answer
from webui import auth
from webui.participant.waiting import Waiting, waiting_of
from webui.services import services
from webui.study import study, text

pages = Blueprint("consent", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """A card with where it stands, what waits for an answer, and whether the study still asks for it."""

    card: Card
    stand: Standing
    waiting: Waiting | None
    asked: bool = True

    @property
    def in_force(self) -> bool:
        """Whether it is allowed now."""
        return self.stand.why is Why.IN_FORCE

    @property
    def recorded_for_them(self) -> bool:
        """Whether an operator recorded it and the participant has not confirmed it."""
        return self.in_force and not self.stand.confirmed


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A notice under which something was allowed, and which does not stand any more."""

    version: str
    published: datetime | None
    changes: tuple[Change, ...]


@pages.get("/consent")
def page() -> str:
    """Show every choice, and the history of all choices."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        shown, stands, waiting, history = text(), unit.standing(), waiting_of(unit), unit.events
        asked_again = _asked_again(unit, list(stands.values()), shown)
        published = notices.published_at(unit.connection, shown.notice().sha256)
        guardians = unit.rules.guardians
    choices = [
        Choice(shown.card(scope), stand, waiting.get(scope), scope in study().scopes)
        for scope, stand in stands.items()
        # What the study does not ask for any more can be withdrawn and erased all the same.
        if scope in study().scopes or stand.said_yes or scope in waiting
    ]
    return render_template(
        "consent.html",
        text=shown,
        notice=shown.notice(),
        published=published,
        asked_again=asked_again,
        guardians=guardians,
        Why=Why,
        closed=study().closed,
        choices=choices,
        titles=shown.titles(),
        unconfirmed=[c for c in choices if c.recorded_for_them],
        unanswered=[c.waiting for c in choices if c.waiting is not None and c.waiting.unanswered],
        history=history[::-1],
        today=auth.now().astimezone(ZoneInfo(auth.person().zone)).date(),
    )


@pages.get("/consent/receipt")
def receipt() -> Response:
    """Everything that they allowed, refused and withdrew, signed, for them to keep."""
    try:
        made = receipts.receipt(services().access, auth.person(), auth.now())
    except NothingToShowError:
        abort(404, _("You have not chosen anything yet, so there is no receipt."))
    name = f"consent-receipt-{auth.now():%Y-%m-%d}.json"
    return send_file(
        io.BytesIO(signed.written(made).encode()),
        mimetype="application/ld+json",
        as_attachment=True,
        download_name=name,
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
    if _said_yes(chosen):
        abort(400, _("You have allowed this; withdraw it instead, and say what becomes of what is stored."))
    consenting.refuse(services().access, auth.person(), [chosen], auth.now(), recorder=Recorder.PARTICIPANT)
    return _back_to(chosen)


@pages.post("/consent/<scope>/withdraw")
def withdraw(scope: str) -> Response:
    """Withdraw one thing, at once; what becomes of what is stored is asked on the next page."""
    chosen = _scope(scope)
    if not _said_yes(chosen):
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
        abort(400, _("There is nothing to confirm here."))
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
    if chosen is Answer.ERASE_SCOPE and not auth.is_fresh():
        return auth.confirm_first("consent.page")
    with services().access.read(auth.person().id, auth.now()) as unit:
        unanswered = [w.scope for w in waiting_of(unit).values() if w.unanswered]
    consenting.answer_withdrawal(services().access, auth.person(), chosen, auth.now())
    for scope in unanswered if chosen is Answer.ERASE_SCOPE else ():
        # What cannot be finished now stays due, the page says so, and the jobs carry it out.
        with suppress(erasure.ErasureIncompleteError):
            erasure.erase_scope(services().access, auth.person(), scope, auth.now())
    return redirect(url_for(".page"), 303)


def _said_yes(scope: Scope) -> bool:
    """Whether it can be withdrawn: allowed once and not ended since, though it may not be in force any more."""
    with services().access.read(auth.person().id, auth.now()) as unit:
        return unit.standing()[scope].said_yes


def _asked_again(unit: Unit, stands: Sequence[Standing], shown: NoticeText) -> list[AskedAgain]:
    found: dict[str, AskedAgain] = {}
    for stand in stands:
        if stand.why is not Why.NOTICE_CHANGED or stand.own is None or stand.own.notice.sha256 in found:
            continue
        old = stand.own.notice
        kept = notices.document(unit.connection, old.sha256)
        # Between two languages everything is different, and nothing of it is news.
        comparable = kept is not None and old.language == shown.language
        said = NoticeText.from_document(old.version, old.language, kept) if kept and comparable else None
        found[old.sha256] = AskedAgain(
            old.version,
            notices.published_at(unit.connection, old.sha256),
            changes(said, shown) if said is not None else (),
        )
    return list(found.values())


def _bad_answer() -> NoReturn:
    abort(400, _("Choose keep, erase_scope or erase_all."))


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
        abort(400, _("%(text)s is no date; write it like 2026-03-01.", text=repr(since)))
    start = day.astimezone(UTC)
    if start > auth.now():
        abort(
            400,
            _("%(day)s lies in the future; recordings made from today on are covered anyway.", day=since),
        )
    return start


def _back_to(scope: Scope) -> Response:
    return redirect(url_for(".page", _anchor=scope.value), 303)
