"""Fields and schemas that several subjects share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields
from marshmallow.validate import OneOf, Range

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.instants import InstantError, parse_instant
from webui.api.room import Strict as Strict

EMOTIONS = [emotion.value for emotion in Emotion]


class Instant(fields.DateTime):
    """An instant: ISO 8601 with an offset, given in UTC."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:
        if not isinstance(value, str):
            raise ValidationError("An instant is a text like 2026-03-01T10:00:00+00:00.")
        try:
            return parse_instant(value)
        except InstantError as error:
            raise ValidationError(str(error)) from None


def an_emotion(**options: Any) -> fields.String:
    """One of the eight emotions."""
    return fields.String(validate=OneOf(EMOTIONS), **options)


def share() -> fields.Float:
    """A number from 0 to 1."""
    return fields.Float(required=True, validate=Range(0, 1))


Emotions = Schema.from_dict({name: share() for name in EMOTIONS}, name="Emotions")
"""A probability for each of the eight emotions, summing to one."""


Read = Schema.from_dict(
    {
        name: fields.Float(
            required=True,
            allow_none=True,
            validate=Range(0, 1),
            metadata={"description": "null: the network does not read it."},
        )
        for name in EMOTIONS
    },
    name="Read",
)
"""What a network reads: a probability for each emotion that it knows, summing to one."""


def a_reading(**options: Any) -> fields.Nested:
    """What a network reads; null where it read nothing."""
    return fields.Nested(Read, allow_none=True, **options)


def read(said: Distribution | None) -> dict[str, float | None] | None:
    """A network's distribution as `Read` has it."""
    return None if said is None else said.read_dict()


def a_distribution(**options: Any) -> fields.Nested:
    """A distribution; null where there is none."""
    return fields.Nested(Emotions, allow_none=True, **options)


def shown(said: Distribution | None) -> dict[str, float] | None:
    """A distribution as `Emotions` has it."""
    return None if said is None else said.as_dict()


class Stretch(Strict):
    """A stretch of time: from its begin on, to before its end; either may be left open."""

    from_ = Instant(data_key="from", metadata={"description": "The first instant."})
    to = Instant(metadata={"description": "The instant before which it ends."})


class Paged(Stretch):
    """A stretch, a page of it at a time."""

    cursor = fields.String(metadata={"description": "`next` of the page before; the rest must be the same."})
    limit = fields.Integer(
        load_default=200, validate=Range(1, 1000), metadata={"description": "How many at most."}
    )


def listed(name: str, item: type[Schema]) -> type[Schema]:
    """The schema of a page of a listing."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(
                required=True,
                allow_none=True,
                metadata={"description": "Cursor of the page after; null at the end."},
            ),
        },
        name=name,
    )
