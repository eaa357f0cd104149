"""What goes wrong when somebody rates: said in words, with the status a script can read, and a way on for everybody."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from tracker.domain.rating import RatingError
from tracker.workflows.rating import ItemClosedError, NoRaterError, NoticeFirstError, UnknownItemError
from webui import auth, refusals
from webui.errors import answer
from webui.rate.room import pages

Answer = Response | tuple[Response | str, int]


@pages.errorhandler(ItemClosedError)
def closed(_: ItemClosedError) -> Answer:
    """The participant took it back: on to the next one."""
    told = gettext("One face was taken back by its participant, so it is not shown any more.")
    if auth.wants_json() or request.endpoint in (
        "rate.picture",
        "rate.frame",
        "rate.disputed",
        "rate.disputed_open",
    ):
        return answer(410, told)
    back = "rate.adjudications" if "adjudicate" in request.path else "rate.page"
    return redirect(url_for(back, gone=1), 303)


@pages.errorhandler(NoticeFirstError)
def notice_first(error: NoticeFirstError) -> Answer:
    """Nothing is shown before they agreed."""
    if auth.wants_json() or request.method != "GET":
        return answer(403, refusals.said(error))
    return redirect(url_for("rate.notice"), 303)


@pages.errorhandler(NoRaterError)
def no_part(_: NoRaterError) -> Answer:
    """They have no such role in this study."""
    return answer(403, gettext("You have no part in this yet. Somebody who runs the study can give you one."))


@pages.errorhandler(UnknownItemError)
def unknown(_: UnknownItemError) -> Answer:
    """No item of theirs, or one that was opened too long ago."""
    return answer(
        404, gettext("This is no item of yours, or it was opened too long ago. Go on with the next one.")
    )


@pages.errorhandler(RatingError)
def refused(error: RatingError) -> Answer:
    """What was sent cannot be stored; it says why."""
    return answer(400, gettext("Nothing was saved: %(why)s.", why=refusals.said(error).rstrip(".")))
