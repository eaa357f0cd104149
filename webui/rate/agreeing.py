"""What a rater reads before the first face, and what they allow to be kept about themselves."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from tracker.domain.raters import NEEDED, RaterScope
from tracker.workflows import rating
from webui import auth
from webui.rate import room
from webui.rate.room import pages
from webui.services import services


@pages.get("/rate/notice")
def notice() -> str:
    """The notice for raters; nothing is ticked in advance."""
    return _page()


@pages.post("/rate/notice")
def agree() -> Response | tuple[str, int]:
    """Keep what they allow, from now on; what is not ticked is refused."""
    back = "rate.me" if request.form.get("back") == "me" else "rate.page"
    shown = request.form.get("sha256", "")
    if shown != rating.notice(services().access).sha256:
        return _page(
            gettext("The notice has changed since you read it; nothing was saved. Read it again.")
        ), 409
    chosen = frozenset(scope for scope in RaterScope if request.form.get(scope.value))
    agreed = rating.agree(services().access, auth.member(), shown, auth.now(), chosen)
    if not agreed.enough:
        told = gettext("Saved. You cannot rate as long as your answers may not be kept.")
        return _page(told), 200
    return redirect(url_for(back), 303)


def _page(problem: str = "") -> str:
    access, member = services().access, auth.member()
    return room.shown(
        "rate_notice.html",
        notice=rating.notice(access),
        agreed=rating.agreed(access, member).scopes,
        needed=NEEDED,
        problem=problem,
    )
