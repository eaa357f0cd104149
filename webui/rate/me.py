"""A rater's own page: progress, figures with their uncertainty, everything stored about them, and erasing it."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, redirect, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from tracker.domain.raters import NEEDED
from tracker.learning.shares import Share
from tracker.workflows import rating
from webui import auth, words
from webui.rate import room
from webui.rate.room import pages
from webui.services import services

WORD = "ERASE"
"""What they type to say that they mean it."""

_STORED = {
    "rating_votes": lazy_gettext("Answers, with those you took back"),
    "rating_traces": lazy_gettext("Traces that you drew"),
    "rating_tasks": lazy_gettext("Items that were given to you"),
    "rating_gold": lazy_gettext("Known answers that you set"),
    "adjudications": lazy_gettext("Decisions where raters disagreed"),
    "rater_consents": lazy_gettext("What you allowed or refused"),
    "rater_settings": lazy_gettext("Your keys"),
}


@pages.get("/rate/me")
def me() -> str:
    """Everything about whoever is logged in; nobody else sees this page."""
    return _page()


@pages.post("/rate/me/export")
def export() -> Response:
    """Everything stored about them, as JSON."""
    found = rating.own_data(services().access, auth.member())
    body = json.dumps(found, ensure_ascii=False, indent=1)
    name = f"my-ratings-{auth.now():%Y-%m-%d}.json"
    return Response(
        body,
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@pages.post("/rate/me/erase")
def erase() -> BaseResponse | tuple[str, int]:
    """Erase what they said and what was measured of it, once they typed the word."""
    if request.form.get("word", "").strip().upper() != WORD:
        told = gettext("Nothing was erased: type %(word)s to say that you mean it.", word=WORD)
        return _page(problem=told), 400
    rating.erase(services().access, auth.member(), auth.now())
    return redirect(url_for(".me", erased=1), 303)


def _page(problem: str = "") -> str:
    access, member = services().access, auth.member()
    agreed = rating.agreed(access, member)
    rows = rating.stored(access, member)
    return room.shown(
        "rate_me.html",
        problem=problem,
        done=gettext("What was stored about your ratings is erased.") if "erased" in request.args else "",
        progress=room.progress() if agreed.enough else None,
        figures=_figures() if agreed.enough else [],
        stored=[{"name": _STORED.get(table, table), "rows": n} for table, n in sorted(rows.items())],
        notice=rating.notice(access),
        agreed=agreed.scopes,
        needed=NEEDED,
        word=WORD,
    )


def _figures() -> list[dict[str, Any]]:
    found = rating.progress(services().access, auth.member(), auth.now())
    figures: list[dict[str, Any]] = [
        {"name": gettext("Rated in all"), "value": found.total, "beside": ""},
    ]
    if found.cannot_tell is not None:
        figures.append(share_figure(gettext("“Cannot tell” or “not a face”"), found.cannot_tell))
    if found.median_response_ms is not None:
        figures.append(
            {
                "name": gettext("Until you answered"),
                "value": gettext("%(s)s s", s=f"{found.median_response_ms / 1000:.1f}"),
                "beside": gettext("the middle one of your answers; no goal"),
            }
        )
    if found.visible_p95_ms is not None:
        figures.append(
            {
                "name": gettext("Until the next face was visible"),
                "value": gettext("%(ms)s ms", ms=found.visible_p95_ms),
                "beside": gettext(
                    "or less in 19 of 20 cases, measured in your browser; under 200 ms is meant"
                ),
            }
        )
    return figures + _agreement()


def _agreement() -> list[dict[str, Any]]:
    """How often they agree, where they allow that it is computed; each beside its range."""
    found = rating.own_figures(services().access, auth.member(), auth.now())
    if found is None:
        return []
    shares = (
        (gettext("Like other raters"), found.with_others),
        (gettext("Like known answers"), found.with_known),
        (gettext("Like the network"), found.with_network),
    )
    return [
        share_figure(name, share)
        if share is not None
        else {"name": name, "value": "–", "beside": gettext("not enough shared faces yet")}
        for name, share in shares
    ]


def share_figure(name: str, found: Share) -> dict[str, Any]:
    """A share, never without how many and between what limits it may lie."""
    return {
        "name": name,
        "value": words.percent(found.value),
        "beside": gettext(
            "%(hits)s of %(of)s; between %(low)s and %(high)s",
            hits=found.hits,
            of=found.n,
            low=words.percent(found.low),
            high=words.percent(found.high),
        ),
    }
