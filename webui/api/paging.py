"""Pages of listings that are read whole and are in an order that stays: where the next begins is told by a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from marshmallow import fields
from marshmallow.validate import Range

from webui.api import cursors
from webui.api.parts import Strict

MOST, USUAL = 1000, 200

Item = TypeVar("Item")


class Paging(Strict):
    """A page of a listing."""

    cursor = fields.String(metadata={"description": "`next` of the page before."})
    limit = fields.Integer(
        load_default=USUAL, validate=Range(1, MOST), metadata={"description": "How many at most."}
    )


def page(listing: str, found: Sequence[Item], query: dict[str, Any]) -> tuple[Sequence[Item], str | None]:
    """A page of what was found, and the cursor of the page after; None at the end.

    Raises
    ------
    BadRequest
        When the cursor is none of this listing.
    """
    (passed,) = cursors.read(listing, query["cursor"]) if "cursor" in query else (0,)
    end = passed + query["limit"]
    return found[passed:end], cursors.write(listing, [end]) if end < len(found) else None
