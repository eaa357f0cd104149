"""``/healthz``: whether this process can serve, for whoever runs it; says nothing about anyone."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from tracker import shipped
from tracker.store import schema
from tracker.store.database import DatabaseError
from webui.services import services

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def healthz() -> tuple[Response, int]:
    """Answer 200 while the database answers and has this code's schema, else 503."""
    try:
        here = schema.current(services().access.database)
    except DatabaseError:
        return jsonify(status="database unavailable", schema=None), 503
    fits = here == schema.newest(shipped.migrations())
    return jsonify(status="ok" if fits else "schema differs from the code", schema=here), 200 if fits else 503
