"""Forged requests are refused: every POST carries a token that only our own pages of this session know."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import cast

from flask import Flask, abort, current_app, request, session
from flask_babel import gettext
from markupsafe import Markup

from webui import roles

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def token() -> str:
    """The token of this session, made with it; pages put it into every form."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return _of(session["csrf"])


def protect(app: Flask) -> None:
    """Check every request that changes something, before anything else looks at it."""
    app.before_request(_check)
    app.jinja_env.globals["csrf"] = _field


def _field() -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def _check() -> None:
    if request.method in _SAFE or _is_for_a_program():
        return
    # Browsers say where a request comes from; a token that leaked would still be of no use elsewhere.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, gettext("This request came from another site and was not carried out."))
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    known = session.get("csrf")
    if not known or not hmac.compare_digest(_of(known).encode(), given.encode()):
        abort(
            403,
            gettext(
                "This form is too old: load the page again and repeat what you did. Nothing was changed."
            ),
        )


def _is_for_a_program() -> bool:
    """Whether a token alone lets in here: a browser sends none by itself, so no other site can forge a request."""
    rule = roles.RULES.get(request.endpoint or "")
    return request.path.startswith(roles.PROGRAMS) if rule is None else rule.program


def _of(nonce: str) -> str:
    key = cast(bytes, current_app.config["SECRET_KEY"])
    return hmac.new(key, f"csrf|{nonce}".encode(), hashlib.sha256).hexdigest()
