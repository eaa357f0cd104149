"""The interface's languages: English in the source, others beside it as ``translations/LANGUAGE/messages.po``.

The catalogues are read as they are written, once at start: nothing is compiled that could be older than its source.
What people were asked to agree to is the study's own text, in the study's languages, and is never translated here.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Blueprint, Flask, abort, redirect, request, session
from flask_babel import Babel, get_locale
from werkzeug.wrappers import Response

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""By their code; each called as its own speakers call it."""

FOLDER = Path(__file__).parent / "translations"
KEY = "language"
_SOURCE = "en"

pages = Blueprint("languages", __name__)


def teach(app: Flask) -> None:
    """Let the app speak the language that each request asks for."""
    babel = Babel(app, default_locale=_SOURCE, locale_selector=chosen)
    with app.app_context():
        domain = babel.domain_instance
    for code in LANGUAGES:
        domain.cache[code, "messages"] = catalogue(code)
    app.jinja_env.globals.update(LANGUAGES=LANGUAGES, language=current)


def chosen() -> str:
    """What this browser chose with the switch, else what it prefers of what there is, else English."""
    own = session.get(KEY)
    return own if own in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or _SOURCE


def current() -> str:
    """The code of the language that this request is answered in."""
    locale = get_locale()
    return locale.language if locale is not None else _SOURCE


def keep(language: object) -> None:
    """Put a choice into a session that was begun anew."""
    if language in LANGUAGES:
        session[KEY] = language


@cache
def catalogue(code: str) -> Translations:
    """The translations into a language; none for English."""
    path = FOLDER / code / "messages.po"
    if code == _SOURCE:
        return Translations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code, abort_invalid=True))
    compiled.seek(0)
    return Translations(compiled)


@pages.post("/language")
def choose() -> Response:
    """Switch the language, and go back to where one was."""
    code, back = request.form.get("language", ""), request.form.get("back", "/")
    if code not in LANGUAGES:
        abort(400, f"{code!r} is none of the languages here: {', '.join(LANGUAGES)}.")
    session[KEY] = code
    # Only to a page of our own: // and /\ lead to another host.
    own = back.startswith("/") and back[1:2] not in ("/", "\\") and back.isprintable()
    return redirect(back if own else "/", 303)
