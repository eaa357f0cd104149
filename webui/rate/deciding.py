"""Adjudication: what raters said side by side, and one's own decision as a row of its own."""

from __future__ import annotations

from flask import Response, jsonify, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from tracker.workflows import rating
from webui import auth, words
from webui.pictures import picture_of
from webui.rate import room
from webui.rate.faces import ballot
from webui.rate.room import pages, said_words
from webui.services import services


@pages.get("/rate/adjudicate")
def adjudications() -> str:
    """The faces on which raters disagree and nobody has decided."""
    found = rating.to_adjudicate(services().access, auth.member(), auth.now())
    return room.shown("rate_adjudicate_list.html", items=found)


@pages.get("/rate/adjudicate/<item:item>")
def adjudicating(item: str) -> str:
    """One such face, with its votes."""
    found = rating.open_dispute(services().access, auth.member(), item, auth.now())
    return room.shown(
        "rate_adjudicate.html",
        item=item,
        picture=url_for("rate.disputed", item=item),
        votes=[
            {"who": v.who, "said": said_words(v.verdict, v.distribution), "distribution": v.distribution}
            for v in found.votes
        ],
        estimate=found.estimate and words.looks_like(found.estimate),
        decided=found.decided and said_words(*found.decided),
    )


@pages.get("/rate/adjudicate/<item:item>/picture")
def disputed(item: str) -> Response:
    """The face to decide about; no cache keeps it (`webui.headers`)."""
    found = rating.open_disputed_crop(services().access, auth.member(), item, auth.now())
    return picture_of(found)


@pages.get("/rate/adjudicate/<item:item>/open")
def disputed_open(item: str) -> Response:
    """Whether such a face may still be seen: the page asks while it is on the screen."""
    if not rating.dispute_open(services().access, auth.member(), item, auth.now()):
        raise rating.ItemClosedError
    return jsonify(open=True)


@pages.post("/rate/adjudicate/<item:item>")
def adjudicate(item: str) -> Response | BaseResponse:
    """Store a decision; the votes stay as they are."""
    rating.adjudicate(services().access, auth.member(), item, ballot(room.given()), auth.now())
    if request.is_json:
        return jsonify(words=gettext("Decided."))
    return redirect(url_for(".adjudications"), 303)
