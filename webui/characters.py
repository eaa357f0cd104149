"""Texts that no database can keep are refused in every request, before any page reads one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask, abort, request

from tracker.domain.texts import unkeepable

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def protect(app: Flask) -> None:
    """Check the address, the headers, and the form or the JSON of every request that has a page."""
    app.before_request(_check)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value, the names in its objects too, however deep.

    Examples
    --------
    >>> sorted(texts_of({"key": ["a", {"b": 1}], "c": None}))
    ['a', 'b', 'c', 'key']
    """
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):
                waiting += items
            case dict(fields):
                waiting += fields.keys()
                waiting += fields.values()


def _check() -> None:
    if request.endpoint is None:
        return
    if any(unkeepable(text) for text in texts_of(request.view_args or {})):
        abort(404)
    for text in _texts():
        if found := unkeepable(text):
            abort(400, f"This holds {found}, which no text has; leave that character out. Nothing was saved.")


def _texts() -> Iterator[str]:
    yield from request.headers.values()
    yield from texts_of(request.args.to_dict(flat=False))
    # A body that is neither is left for its page to read: it may be a clip.
    if request.mimetype in _FORMS:
        yield from texts_of(request.form.to_dict(flat=False))
    elif request.is_json:
        try:
            yield from texts_of(request.get_json(silent=True))
        except RecursionError:
            abort(400, "This is nested too deeply. Nothing was saved.")
