"""What goes wrong is said on the page, with the right status and a way back."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, g, has_request_context, jsonify, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from tracker.domain.consent import (
    ClockBehindError,
    ConsentError,
    ConsentMissingError,
    NotCoveredError,
    PausedError,
    Scope,
)
from tracker.domain.notice import BUILT_IN
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.store.database import DatabaseError
from tracker.study import ScopeNotAskedError, StudyClosedError
from tracker.workflows.consenting import NoticeChangedError
from tracker.workflows.erasure import ErasureIncompleteError
from webui.auth import wants_json
from webui.limits import BusyError
from webui.study import text

_PLAIN = {
    404: lazy_gettext("There is no such page here."),
    405: lazy_gettext("This address does not do that."),
    413: lazy_gettext("That was too large; nothing was stored."),
    500: lazy_gettext(
        "Something went wrong on our side; nothing was changed. If it stays, tell the help contact."
    ),
}


def explain(app: Flask) -> None:
    """Answer every error of the app in plain words."""
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(ConsentError, _consent)
    app.register_error_handler(ErasureIncompleteError, _incomplete)
    app.register_error_handler(DatabaseError, _database)
    app.register_error_handler(BusyError, _busy)
    for kind in (UnknownParticipantError, KeyDestroyedError):
        app.register_error_handler(kind, _erased)


def answer(status: int, message: str) -> tuple[Response | str, int]:
    """A page or JSON that says what is wrong."""
    if wants_json():
        return jsonify(error=message), status
    return render_template("error.html", status=status, message=message), status


def consent_sentence(error: ConsentError) -> str:
    """Say to the participant what consent does not allow; the error's own words are an operator's.

    Examples
    --------
    >>> from tracker.domain.consent import Refusal, Use
    >>> consent_sentence(ConsentMissingError(Refusal("p", Use.STORE_SERIES, (Scope.AFFECT_SERIES,)), "ada"))
    'You have not allowed “Keep my series of estimates”; nothing was saved. You can change that under Consent.'
    """
    match error:
        case ConsentMissingError(refusal=refusal):
            parts = []
            if refusal.missing:
                parts.append(
                    _("You have not allowed %(what)s; nothing was saved.", what=_titles(refusal.missing))
                )
            if refusal.unconfirmed:
                parts.append(
                    _(
                        "An operator recorded %(what)s for you, and you have not confirmed it; nothing was saved.",
                        what=_titles(refusal.unconfirmed),
                    )
                )
            return " ".join([*parts, _("You can change that under Consent.")])
        case StudyClosedError():
            return str(
                _(
                    "This study is closed: nothing was saved. You can still withdraw, look at and erase everything."
                )
            )
        case ScopeNotAskedError():
            return str(_("This study does not ask for that, so it cannot be allowed; nothing was changed."))
        case NoticeChangedError():
            return str(
                _(
                    "The notice has changed since you read it; nothing was saved. Read it under Consent, and choose."
                )
            )
        case ClockBehindError():
            return str(
                _(
                    "The clock of this machine is wrong, so your choice could not be recorded; nothing was changed. "
                    "Tell the help contact. Withdrawing works all the same."
                )
            )
        case PausedError():
            return str(_("You paused storing; nothing was saved. You can resume it under My data."))
        case NotCoveredError():
            return str(
                _(
                    "This lies before the time from which you allow storing; nothing was saved. "
                    "You can allow earlier recordings under Consent."
                )
            )
    return str(_("Your consent does not allow this; nothing was changed. You can look at it under Consent."))


def _titles(scopes: Iterable[Scope]) -> str:
    # Outside of a request there is no study to ask.
    titles = (text() if has_request_context() else BUILT_IN).titles()
    return ", ".join(_("“%(title)s”", title=titles[scope]) for scope in scopes)


def http(error: HTTPException) -> tuple[Response | str, int] | Response:
    """Say what HTTP calls an error."""
    status = error.code or 500
    if status < 400:
        return error.get_response()
    own = error.description if error.description != type(error).description else None
    return answer(status, str(own or _PLAIN.get(status, error.name)))


def _consent(error: ConsentError) -> tuple[Response | str, int]:
    return answer(403, consent_sentence(error))


def _incomplete(error: ErasureIncompleteError) -> tuple[Response | str, int]:
    return answer(
        503,
        _(
            "Your keys are destroyed and your rows deleted, but not every trace could be cleared yet. It is "
            "finished by itself within the hour; nobody can read what is left."
        ),
    )


def _database(error: DatabaseError) -> tuple[Response | str, int]:
    return answer(
        503, _("The database cannot be used right now; nothing was changed. Try again in a minute.")
    )


def _erased(error: Exception) -> tuple[Response | str, int]:
    """Somebody was erased while this request was carried out: who asks, or of whom they asked."""
    # The page that says so knows nobody: its menu would read what is gone.
    asked_themselves = g.pop("person", None) is not None
    return answer(401, _("Log in first.")) if asked_themselves else answer(404, str(_PLAIN[404]))


def _busy(error: BusyError) -> tuple[Response | str, int]:
    return answer(503, _("Many people are logging in right now. Try again in a moment; nothing was changed."))
