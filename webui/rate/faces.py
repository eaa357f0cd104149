"""The desk: one face, one stroke, the next face; without scripts the same as plain forms."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.instants import InstantError, parse_instant
from tracker.domain.items import is_item
from tracker.domain.rating import Ballot, RatingError, Verdict
from tracker.workflows import rating
from tracker.workflows.rating import Decided, Item, Voted
from webui import auth, csrf, words
from webui.pictures import picture_of
from webui.rate import room
from webui.rate.room import Said, pages, said_words
from webui.services import services

AHEAD = 3
"""The face on the screen and the next two, which lie ready in the page's memory."""

_LONGEST = timedelta(hours=12)
_CHANCE = random.SystemRandom()


@pages.get("/rate")
def page() -> str | BaseResponse:
    """One face to rate; with ``item`` one of the last ten again."""
    wanted = request.args.get("item")
    if wanted:
        item, before = rating.reopen(services().access, auth.member(), room.item(wanted), auth.now())
        return _page(item, before)
    coming = _coming(1)
    return _page(coming[0] if coming else None, None)


@pages.get("/rate/next")
def coming() -> Response:
    """What comes next, and which of what the page holds may not be seen any more."""
    found = _coming(AHEAD)
    held = _held(request.args.get("hold"))
    return jsonify(items=[_item(item) for item in found], gone=_gone(held), **_state())


@pages.get("/rate/closed")
def closed() -> Response:
    """Which of what the page holds was taken back since."""
    return jsonify(gone=_gone(_held(request.args.get("hold"))))


@pages.get("/rate/token")
def token() -> Response:
    """Who is logged in, and the token of their session: an answer that waited is sent for nobody else."""
    return jsonify(csrf=csrf.token(), member=auth.member().id)


@pages.get("/rate/picture/<item:item>")
def picture(item: str) -> Response:
    """The face of an item; no cache keeps it (`webui.headers`)."""
    return picture_of(rating.open_crop(services().access, auth.member(), item, auth.now()))


@pages.post("/rate/vote")
def vote() -> Response | BaseResponse:
    """Store an answer. A form leads to the next face; JSON says what was stored and what is gone meanwhile."""
    fields = room.given()
    item = room.item(fields.get("item", ""))
    done = rating.vote(services().access, auth.member(), item, ballot(fields), auth.now())
    if not request.is_json:
        return redirect(url_for(".page"), 303)
    # Nothing that the next face does not need: figures and the list of ten come with what is asked behind it.
    return jsonify(words=_stored(room.read_answer(fields), done), gone=_gone(_held(fields.get("hold"))))


@pages.post("/rate/undo")
def undo() -> Response | BaseResponse:
    """Take the newest answer back, or the one that ``item`` names; the face comes again."""
    fields = room.given()
    item = room.item(fields.get("item") or _newest())
    last = rating.last_ten(services().access, auth.member(), auth.now())
    of_clip = any(vote.series for vote in last if vote.item == item)
    back = rating.undo(services().access, auth.member(), item, str(fields.get("key", "")), auth.now())
    if not request.is_json:
        return redirect(url_for(".page"), 303)
    told = gettext("Taken back. What does it look like?")
    # A clip opens on its own page, where the look is noted; the desk shows single faces.
    again = None if of_clip else _item(back)
    return jsonify(words=told, item=again, gone=_gone(_held(fields.get("hold"))))


def ballot(fields: dict[str, Any]) -> Ballot:
    """The answer that a page sent, as the workflow takes it; when it was shown is told by this clock."""
    answer = room.read_answer(fields)
    took = _took(fields)
    return Ballot(
        answer.verdict,
        str(fields.get("key", "")),
        auth.now() - timedelta(milliseconds=took or 0),
        took,
        answer.distribution,
        answer.valence,
        answer.arousal,
        visible_ms=_whole(fields, "wait_ms"),
    )


def _took(fields: dict[str, Any]) -> int | None:
    """Milliseconds from shown to answered: measured in the browser, or between two requests without scripts."""
    measured = _whole(fields, "response_ms")
    if measured is not None or not fields.get("shown_at"):
        return measured
    try:
        took = auth.now() - parse_instant(str(fields["shown_at"]))
    except InstantError:
        return None
    return int(took / timedelta(milliseconds=1)) if timedelta(0) <= took <= _LONGEST else None


def _whole(fields: dict[str, Any], name: str) -> int | None:
    value = room.number(fields, name)
    if value is not None and not 0 <= value <= _LONGEST / timedelta(milliseconds=1):
        raise RatingError(f"{name} is {value}; it lies between 0 and twelve hours")
    return None if value is None else round(value)


def _page(item: Item | None, before: Decided | None) -> str:
    return room.shown(
        "rate.html",
        item=None
        if item is None
        else _item(item) | {"said": before and said_words(before.verdict, before.distribution)},
        said=gettext("One face was taken back by its participant, so it is not shown any more.")
        if request.args.get("gone")
        else "",
        shown_at=auth.now().isoformat(),
        **_state(),
    )


def _coming(n: int) -> list[Item]:
    return rating.next_items(services().access, auth.member(), auth.now(), n, chance=_CHANCE)


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "picture": url_for("rate.picture", item=item.id),
        "why": str(room.BECAUSE[item.because]),
    }


def _held(given: object) -> list[str]:
    """The items that a page says it holds; a few, or it is no page of ours."""
    names = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    return [str(name) for name in names if name][: 2 * AHEAD]


def _gone(items: list[str]) -> list[str]:
    known = [item for item in items if is_item(item)]
    gone = rating.gone(services().access, auth.member(), known, auth.now())
    return sorted(gone | set(items).difference(known))


def _newest() -> str:
    last = rating.last_ten(services().access, auth.member(), auth.now())
    found = [vote for vote in last if not vote.series]
    if not found:
        raise RatingError(gettext("There is nothing to undo."))
    return found[0].item


def _state() -> dict[str, Any]:
    """How far today's goal is, and the last ten."""
    last = rating.last_ten(services().access, auth.member(), auth.now())
    return {
        "progress": room.progress(),
        "last": [
            {
                "item": vote.item,
                "href": url_for("rate.series" if vote.series else "rate.page", item=vote.item),
                "clip": vote.series,
                "said": said_words(vote.verdict, vote.distribution),
                "at": vote.at.isoformat(),
                "time": _clock(vote.at),
            }
            for vote in last
        ],
    }


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S} UTC"


def _stored(said: Said, done: Voted) -> str:
    told: str
    if said.verdict is Verdict.UNCOMFORTABLE:
        told = gettext("Skipped. You need not look at it again.")
    else:
        told = gettext("Saved: %(said)s.", said=said_words(said.verdict, said.distribution))
    if done.estimate is not None:
        told += " " + gettext("The network: %(words)s.", words=words.looks_like(done.estimate))
    return told
