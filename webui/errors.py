"""What goes wrong is said on the page, with the right status and a way back."""

from __future__ import annotations

from flask import Flask, jsonify, render_template
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from tracker.domain.consent import ConsentError
from tracker.store.database import DatabaseError
from tracker.workflows.erasure import ErasureIncompleteError
from webui.auth import wants_json
from webui.limits import BusyError

_PLAIN = {
    404: "There is no such page here.",
    405: "This address does not do that.",
    413: "That was too large; nothing was stored.",
    500: "Something went wrong on our side; nothing was changed. If it stays, tell the help contact.",
}


def explain(app: Flask) -> None:
    """Answer every error of the app in plain words."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(ConsentError, _consent)
    app.register_error_handler(ErasureIncompleteError, _incomplete)
    app.register_error_handler(DatabaseError, _database)
    app.register_error_handler(BusyError, _busy)


def answer(status: int, message: str) -> tuple[Response | str, int]:
    """A page or JSON that says what is wrong."""
    if wants_json():
        return jsonify(error=message), status
    return render_template("error.html", status=status, message=message), status


def _http(error: HTTPException) -> tuple[Response | str, int] | Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    own = error.description if error.description != type(error).description else None
    return answer(status, own or _PLAIN.get(status, error.name))


def _consent(error: ConsentError) -> tuple[Response | str, int]:
    return answer(403, f"{error}.")


def _incomplete(error: ErasureIncompleteError) -> tuple[Response | str, int]:
    return answer(
        503,
        "Your keys are destroyed and your rows deleted, but not every trace could be cleared yet. It is finished by "
        "itself within the hour; nobody can read what is left.",
    )


def _database(error: DatabaseError) -> tuple[Response | str, int]:
    return answer(503, "The database cannot be used right now; nothing was changed. Try again in a minute.")


def _busy(error: BusyError) -> tuple[Response | str, int]:
    return answer(503, "Many people are logging in right now. Try again in a moment; nothing was changed.")
