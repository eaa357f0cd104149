"""What stands in an address: numbers that a database can hold, and the ids of items."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from tracker.domain.items import ITEM

LARGEST = 2**63 - 1
"""What a column of whole numbers holds on SQLite and on PostgreSQL; there is no page about any larger."""


class Whole(IntegerConverter):
    """``<int:...>``: a whole number up to `LARGEST`; an address with a larger one is none."""

    regex = r"\d{1,19}"  # int() refuses thousands of digits with an error of its own

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST)


class ItemId(BaseConverter):
    """``<item:...>``: the id of an item, as `tracker.domain.items.is_item` has it."""

    regex = ITEM


def teach(app: Flask) -> None:
    """Let the addresses of the app be read so; before its pages are registered."""
    app.url_map.converters.update(int=Whole, item=ItemId)
