"""The API of an app: its blueprints, and its description, which is made when somebody first asks for it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from flask import Flask, current_app
from flask_smorest import Api

from webui.api import (
    adjudication,
    answers,
    applying,
    archives,
    capture,
    clips,
    consent,
    docs,
    erased,
    erasures,
    exports,
    grants,
    hiding,
    monitor,
    problems,
    prompts,
    rater,
    rating,
    studies,
    timeline,
    token,
    uploads,
)

ROOMS = (
    token.room,
    timeline.room,
    answers.room,
    prompts.room,
    consent.room,
    grants.room,
    hiding.room,
    archives.room,
    erasures.room,
    erased.room,
    capture.room,
    uploads.room,
    rating.room,
    rater.room,
    clips.room,
    adjudication.room,
    monitor.room,
    studies.room,
    applying.room,
    exports.room,
)
"""Every blueprint for programs, in the order of the description."""

OPENAPI = "3.1.0"
_NAME = "affect-api"
_ABOUT = (
    "What the pages do, for programs. Every request carries a token of its person's (`Authorization: Bearer aff_…`), "
    "made on the page Account; a token is for stated purposes in one study, and opens never more than its person may. "
    "What is not allowed is said as a problem document (RFC 9457). Estimates say what a face looks like, and are often "
    "wrong; they never say what somebody feels."
)


class _Api(Api):  # type: ignore[misc]  # the library is not typed
    """An API that says what goes wrong as problem documents, by handlers of our own."""

    ERROR_SCHEMA = problems.Problem

    def _register_error_handlers(self) -> None:
        """Our own are there already."""

    def _register_responses(self) -> None:
        # The library takes one media type for all answers; ours has another for what goes wrong.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = problems.TYPE
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"


def teach(app: Flask) -> None:
    """Give an app its API."""
    for room in ROOMS:
        app.register_blueprint(room)
    app.register_blueprint(docs.pages)
    problems.explain_unknown(app)
    docs.describe_with(app, description)


def description() -> dict[str, Any]:
    """The OpenAPI description of the current app's API."""
    made: dict[str, Any] | None = current_app.extensions.get(_NAME)
    if made is None:
        made = current_app.extensions[_NAME] = _made(current_app._get_current_object())  # type: ignore[attr-defined]
    return made


def _made(app: Flask) -> dict[str, Any]:
    api = _Api(
        app,
        spec_kwargs={
            "title": "affect-tracker",
            "version": version("affect-tracker"),
            "openapi_version": OPENAPI,
            "info": {"description": _ABOUT, "license": {"name": "MIT", "identifier": "MIT"}},
            "security": [{"token": []}],
        },
    )
    scheme = {"type": "http", "scheme": "bearer", "description": "A token, made on the page Account."}
    api.spec.components.security_scheme("token", scheme)
    for room in ROOMS:
        room.register_views_in_doc(api, app, api.spec, name=room.name, parameters=None)
        api.spec.tag({"name": room.name, "description": room.description})
    made: dict[str, Any] = api.spec.to_dict()
    return made
