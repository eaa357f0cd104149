"""The instant at which a request is answered: one for the whole request."""

from __future__ import annotations

from datetime import datetime

from flask import g

from webui.services import services


def now() -> datetime:
    """The instant at which this request is answered (UTC)."""
    if "now" not in g:
        g.now = services().clock()
    at: datetime = g.now
    return at
