"""Letting another study govern: by an operator who was told what that changes, and says who they are.

The token alone is not enough: without the code of the operator's own authenticator app, a token that was stolen could
take grants, prompts and rows from everybody at once.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Regexp

from tracker.study.reading import LARGEST
from tracker.workflows import studies
from webui import auth, journal
from webui.api import problems, proving
from webui.api import studies as files
from webui.api.parts import Strict
from webui.api.room import Room
from webui.services import services

room = Room("applying", "Letting another study govern.")


class Meant(Strict):
    """What the file was compared with, and whether what it takes away is meant."""

    over = fields.String(
        required=True,
        validate=Regexp("^[0-9a-f]{64}$"),
        metadata={"description": "`over` of the preview that you read: the study that governed then."},
    )
    takes_away = fields.Boolean(
        truthy={"true"},
        falsy={"false"},
        load_default=False,
        metadata={
            "description": "Say `true` where the preview says that it takes something away, and you mean it."
        },
    )


class Governs(Schema):
    """Which study governs now."""

    applied = fields.Boolean(required=True, metadata={"description": "False where it governed already."})
    sha256 = fields.String(required=True)
    told = fields.List(fields.String(), required=True, metadata={"description": "What that changed."})


@room.at(
    "POST",
    "/study/versions",
    query=Meant,
    carries=tuple(files.FORMS),
    gives=Governs,
    status=201,
    headers=[proving.PARAMETER],
    largest=LARGEST,
)
def apply(said: dict[str, Any]) -> dict[str, Any]:
    """Let a study file govern from now on, over the study that it was compared with."""
    proving.demand_code(proving.sent())
    access, now = services().access, auth.now()
    wanted = files.sent()
    found = studies.preview(access, wanted, now)
    told = found.sentences()
    if found.takes_away and not said["takes_away"]:
        raise TakesAwayError(told)
    applied = studies.apply(access, wanted, auth.member().name, now, over=said["over"])
    if applied:
        journal.tell("study_applied", takes_away=int(found.takes_away))
    return {"applied": applied, "sha256": wanted.sha256, "told": told if applied else []}


class TakesAwayError(Exception):
    """It would take something away, and nobody said that this is meant."""

    def __init__(self, told: list[str]) -> None:
        super().__init__("This takes something away: read what, and say takes_away. Nothing was changed.")
        self.told = told


def _takes_away(error: TakesAwayError) -> Any:
    return problems.problem(409, str(error), "takes-away", errors={"study": error.told})


room.register_error_handler(TakesAwayError, _takes_away)
files.explain(room)
proving.explain(room)
