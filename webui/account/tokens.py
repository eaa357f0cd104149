"""My tokens: what programs ask with in my name, made and revoked here."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from tracker.domain.tokens import LONGEST, LONGEST_NAME, USUAL, Purpose, TokenError, possible
from tracker.workflows import tokens
from tracker.workflows.tokens import Made
from webui import auth, journal
from webui.services import services
from webui.study import study

pages = Blueprint("tokens", __name__)

WHAT = {
    Purpose.TIMELINE: lazy_gettext("read my timeline"),
    Purpose.ANSWERS: lazy_gettext("answer and correct in my name, and see my questions"),
    Purpose.CAPTURE: lazy_gettext("send frames and clips of my face"),
    Purpose.CONSENT: lazy_gettext("see what I allow, pause, and withdraw it"),
    Purpose.GRANTS: lazy_gettext("read the notice, and allow things in my name"),
    Purpose.HIDING: lazy_gettext("hide stretches of my time, and show them again"),
    Purpose.ARCHIVE: lazy_gettext("take my data along, with my password each time"),
    Purpose.ERASURE: lazy_gettext("erase what is stored about me, with my password each time"),
    Purpose.RATING: lazy_gettext("see faces that are mine to rate, and rate them"),
    Purpose.ADJUDICATION: lazy_gettext("decide where raters disagree"),
    Purpose.MONITOR: lazy_gettext("see how the study goes, with those who share it; they read that I looked"),
    Purpose.STUDIES: lazy_gettext("read the study, and check a study file"),
    Purpose.APPLYING: lazy_gettext("let another study govern, with a code of my app each time"),
    Purpose.EXPORTS: lazy_gettext("start and download exports"),
}
"""What a token may do, in its person's words."""

DAYS = (7, 30, USUAL.days, LONGEST.days)
"""For how long a token can be made to work."""


@pages.get("/account/tokens")
def page() -> str:
    """Show my tokens, and the form for a new one."""
    return _page()


@pages.post("/account/tokens")
def make() -> str | tuple[str, int]:
    """Make a token, and show it: now, and never again."""
    _no_demo()
    try:
        days = int(request.form.get("days", ""))
        chosen = [Purpose(text) for text in request.form.getlist("purpose")]
        made = tokens.make(
            services().access,
            auth.whom(),
            auth.roles_here(),
            request.form.get("name", ""),
            chosen,
            study().id,
            auth.now(),
            lasts=timedelta(days=days),
        )
    except (TokenError, ValueError, OverflowError):
        problem = _("Nothing was made: give it a name, say what it is for, and for how long.")
        return _page(problem=problem), 400
    journal.tell("token_made", purposes=sorted(p.value for p in made.token.purposes))
    return _page(made=made)


@pages.post("/account/tokens/revoke")
def revoke() -> Response:
    """End a token of mine, at once."""
    _no_demo()
    if not tokens.revoke(services().access, auth.whom(), request.form.get("token", ""), auth.now()):
        abort(404)
    journal.tell("token_revoked")
    return redirect(url_for(".page"), 303)


def _page(made: Made | None = None, problem: str = "") -> str:
    return render_template(
        "account_tokens.html",
        tokens=tokens.mine(services().access, auth.whom(), auth.now()),
        purposes=[(purpose, WHAT[purpose]) for purpose in possible(auth.roles_here())],
        what=WHAT,
        order=list(Purpose),
        days=DAYS,
        usual=USUAL.days,
        longest_name=LONGEST_NAME,
        made=made,
        problem=problem,
    )


def _no_demo() -> None:
    if auth.is_demo():
        abort(403, _("You came through the demo’s door: how this person logs in is not changed from here."))
