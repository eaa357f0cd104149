"""What is told to whoever runs this of how it is used and attacked: one line of JSON for each event.

Lines go to the logger ``affect-tracker.security``; `webui.server` has it write to standard error, nothing else does. A
line says when (UTC), what, at which endpoint with which answer, and, as tags, who and from where. No name, no address,
no secret, no text that anybody sent and no path stand in it, for paths hold the tokens of links. The tag of a person is
the same as long as the installation has its key; that of an address changes with each start.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response, current_app, g, has_request_context, request

from webui.clock import now

if TYPE_CHECKING:
    from tracker.access.credentials import Whom

NAME = "affect-tracker.security"
REFUSED = frozenset({400, 401, 403, 405, 409, 411, 413, 414, 415, 422, 428, 429, 431})
"""Answers that tell of somebody who may not, of something that cannot be taken, or of too much of it."""

_KEY = "affect-tracker-journal"
_log = logging.getLogger(NAME)
_Raised = tuple[type, BaseException, TracebackType] | tuple[None, None, None]


def teach(app: Flask) -> None:
    """Let an app tell what happens."""
    app.extensions[_KEY] = secrets.token_bytes(32)
    app.after_request(_answered)
    app.log_exception = _failed  # type: ignore  # Flask's names the path and what was sent


def to_standard_error() -> None:
    """Write what is told to standard error, whatever else a process logs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.handlers, _log.propagate = [handler], False
    _log.setLevel(logging.INFO)


def tell(event: str, whom: Whom | None = None, **more: str | int | list[str]) -> None:
    """Tell of an event in the request at hand.

    Parameters
    ----------
    event
        A word of the inventory in ``docs/security.md``.
    whom
        Of whom; None: whoever is logged in, if anybody is.
    more
        Words and numbers of ours; never what somebody sent.
    """
    line: dict[str, Any] = {"at": now().isoformat(timespec="milliseconds"), "event": event}
    if has_request_context():
        if "request_number" not in g:
            g.request_number = secrets.token_hex(8)
        line |= {
            "request": g.request_number,
            "endpoint": request.endpoint or "",
            "method": request.method if request.method.isalpha() else "",
            "from": _tag(current_app.extensions[_KEY], request.remote_addr or ""),
        }
    known = whom or g.get("person") or g.get("member")
    if known is not None:
        line["who"] = tag_of(known.id)
    # ASCII alone: what is escaped begins no line and no sequence of a terminal.
    _log.info(json.dumps(line | more, ensure_ascii=True))


def tag_of(number: str) -> str:
    """The tag that stands for somebody, by the number of their account."""
    return _tag(cast(bytes, current_app.config["SECRET_KEY"]), f"journal|{number}")


def _tag(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]


def _answered(response: Response) -> Response:
    if response.status_code in REFUSED:
        tell("refused", status=response.status_code)
    return response


def _failed(raised: _Raised) -> None:
    """An error that nobody expected: its kind and its place. Its words may hold what somebody sent."""
    kind, _, trace = raised
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
    tell("error", status=500, kind="" if kind is None else kind.__name__, places=places[-12:])
