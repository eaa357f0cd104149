"""After an erasure: how far it is, in its two stages, and its certificate. Nobody is logged in any more."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, abort, redirect, render_template, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from tracker.workflows import erasure
from webui import auth, languages
from webui.services import services
from webui.words import plain_day

pages = Blueprint("erased", __name__)

_TOMBSTONE, _SINCE = "erased", "since"


def remember(done: erasure.Erased) -> BaseResponse:
    """End the session, leaving only which erasure this browser asked for and its language, and lead to its page.

    The tombstone's id names nobody, and opens nothing but that page.
    """
    language = session.get(languages.KEY)
    session.clear()
    languages.keep(language)
    session[_TOMBSTONE] = done.tombstone
    session[_SINCE] = auth.now().timestamp()
    return redirect(url_for("erased.page"), 303)


@pages.get("/erased")
def page() -> str | BaseResponse:
    """Show both stages."""
    done = _done()
    if done is None:
        return redirect(url_for("entering.log_in"), 303)
    return render_template("erased.html", done=done, told=_told)


@pages.get("/erased/certificate.json")
def certificate() -> Response:
    """The signed certificate, as it stands now."""
    done = _done()
    if done is None:
        abort(404)
    return _certificate(done)


@pages.get("/my-data/erased/<scope>.json")
def of_scope(scope: str) -> Response:
    """The certificate of what one scope covered, for the person who had it erased and who stays."""
    erasures = erasure.of_scopes(services().access, auth.person())
    found = [done for done in erasures if done.scope is not None and done.scope.value == scope]
    if not found:
        abort(404)
    return _certificate(found[0])


def _certificate(done: erasure.Erased) -> Response:
    text = erasure.certificate.written(erasure.certify(services().access, done, auth.now()))
    name = f"erasure-{done.gone_at:%Y-%m-%d}.json"
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _done() -> erasure.Erased | None:
    tombstone, since = session.get(_TOMBSTONE), session.get(_SINCE, 0.0)
    if not isinstance(tombstone, str) or auth.now().timestamp() - since > auth.LASTS.total_seconds():
        return None
    try:
        return erasure.stages(services().access, tombstone)
    except LookupError:
        return None


def _told(at: datetime) -> str:
    return f"{plain_day(at.date())}, {at:%H:%M} UTC"
