"""The study: what it says, which versions governed, whether a file is sound, and what applying it would change."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema, fields
from werkzeug.exceptions import RequestEntityTooLarge, UnprocessableEntity, UnsupportedMediaType

from tracker.study import Study as StudyFile
from tracker.study import StudyError, parse
from tracker.study.differing import Difference as Differing
from tracker.study.differing import differences
from tracker.study.reading import LARGEST
from tracker.workflows import studies
from webui import auth
from webui.api import problems
from webui.api.parts import Instant
from webui.api.room import Room
from webui.services import services

room = Room("studies", "The study that governs.")

FORMS = {"application/toml": "study.toml", "application/yaml": "study.yaml"}
"""Media types of a study file, and what it is called in errors."""


class Study(Schema):
    """The study in force."""

    sha256 = fields.String(required=True)
    document = fields.Dict(required=True, metadata={"description": "Everything that it says; docs/study.md."})


class Version(Schema):
    """A version that was applied."""

    version = fields.String(required=True)
    sha256 = fields.String(required=True)
    at = Instant(required=True)
    by = fields.String(required=True)
    closed = fields.Boolean(required=True)


class Versions(Schema):
    """Every version that was applied, oldest first."""

    items = fields.List(fields.Nested(Version), required=True)


class Checked(Schema):
    """Whether a study file is sound."""

    sound = fields.Boolean(required=True)
    problems = fields.List(
        fields.String(), required=True, metadata={"description": "Each with its line and field."}
    )
    sha256 = fields.String(required=True, allow_none=True)
    document = fields.Dict(required=True, allow_none=True)


class Difference(Schema):
    """One key on which two studies differ."""

    place = fields.List(fields.String(), required=True, metadata={"description": "Keys from the outside in."})
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)
    told = fields.String(required=True)


class Differences(Schema):
    """What two studies say differently."""

    items = fields.List(fields.Nested(Difference), required=True)


class Preview(Schema):
    """What applying a study would change: as `affect-tracker study apply` tells it."""

    changed = fields.Boolean(required=True)
    takes_away = fields.Boolean(
        required=True, metadata={"description": "Whether anybody loses anything by it."}
    )
    over = fields.String(
        required=True, metadata={"description": "`sha256` of the study in force, with which it was compared."}
    )
    told = fields.List(fields.String(), required=True, metadata={"description": "In sentences."})


@room.at("GET", "/study", gives=Study)
def show() -> dict[str, Any]:
    """Give the study in force."""
    found = studies.in_force(services().access)
    return {"sha256": found.sha256, "document": found.document()}


@room.at("GET", "/study/versions", gives=Versions)
def versions() -> dict[str, Any]:
    """List every version that was applied, when and by whom."""
    found = studies.history(services().access)
    return {
        "items": [
            {"version": v.study.version, "sha256": v.sha256, "at": v.at, "by": v.by, "closed": v.study.closed}
            for v in found
        ]
    }


@room.at("POST", "/study/checks", carries=tuple(FORMS), gives=Checked, stores=False)
def check() -> dict[str, Any]:
    """Check a study file; nothing is stored. Each problem is one line, with its place."""
    try:
        found = sent()
    except StudyError as error:
        return {"sound": False, "problems": list(error.problems), "sha256": None, "document": None}
    return {"sound": True, "problems": [], "sha256": found.sha256, "document": found.document()}


@room.at("POST", "/study/diffs", carries=tuple(FORMS), gives=Differences, stores=False)
def diff() -> dict[str, Any]:
    """Say what a study file says otherwise than the study in force; nothing is changed."""
    present = studies.in_force(services().access)
    return {"items": [_difference(one) for one in differences(present, sent())]}


@room.at("POST", "/study/previews", carries=tuple(FORMS), gives=Preview, stores=False)
def preview() -> dict[str, Any]:
    """Say what applying a study file would change; nothing is changed. `/study/versions` applies it."""
    found = studies.preview(services().access, sent(), auth.now())
    return {
        "changed": found.changed,
        "takes_away": found.takes_away,
        "over": found.over,
        "told": found.sentences(),
    }


def _difference(one: Differing) -> dict[str, Any]:
    return {"place": list(one.place), "before": one.before, "after": one.after, "told": one.sentence()}


def sent() -> StudyFile:
    """The study file that is the body of this request."""
    if request.mimetype not in FORMS:
        raise UnsupportedMediaType(f"Send the file as {' or '.join(FORMS)}.")
    request.max_content_length = LARGEST
    try:
        raw = request.get_data()
    except RequestEntityTooLarge:
        raise RequestEntityTooLarge(f"A study file has at most {LARGEST} bytes.") from None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise UnprocessableEntity("A study file is written in UTF-8.") from None
    return parse(text, FORMS[request.mimetype])


def _unsound(error: StudyError) -> Any:
    return problems.problem(
        422, "This study file is not sound.", "study", errors={"file": list(error.problems)}
    )


def explain(of: Room) -> None:
    """Say what is wrong with a study file, wherever one is sent."""
    of.register_error_handler(StudyError, _unsound)


explain(room)
