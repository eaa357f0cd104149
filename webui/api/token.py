"""What the token at hand is good for."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import Schema, fields

from webui import auth
from webui.api.room import Room
from webui.study import study

room = Room("token", "What your token is good for.")


class Token(Schema):
    """Whose token it is, and what for."""

    kind = fields.String(required=True, metadata={"description": "`participant` or `member`."})
    name = fields.String(required=True)
    study = fields.String(required=True, metadata={"description": "The study it is good for."})
    roles = fields.List(fields.String(), required=True)
    purposes = fields.List(fields.String(), required=True)
    zone = fields.String(allow_none=True, metadata={"description": "A participant's IANA time zone."})
    simulated = fields.Boolean(
        required=True,
        metadata={"description": "Whether this person does not exist, and every figure is made up."},
    )


@room.at("GET", "/token", gives=Token)
def show() -> dict[str, Any]:
    """Say whose token this is, and what it is for."""
    person = g.get("person")
    return {
        "kind": "participant" if person is not None else "member",
        "name": auth.whom().name,
        "study": study().id,
        "roles": sorted(auth.roles_here()),
        "purposes": sorted(g.bearer.purposes),
        "zone": person.zone if person is not None else None,
        "simulated": person is not None and person.simulated,
    }
