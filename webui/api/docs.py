"""The description of the API: as OpenAPI for programs, and as a page for people that needs no script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template

from webui.api.room import AT

pages = Blueprint("api_docs", __name__, url_prefix=AT)

_NAME = "affect-api-description"
_METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of what is sent or given."""

    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint, as the page tells it."""

    anchor: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    media: tuple[str, ...]
    gives: tuple[Field, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The endpoints of one subject."""

    name: str
    about: str
    operations: tuple[Operation, ...]


def describe_with(app: Flask, description: Callable[[], dict[str, Any]]) -> None:
    """Let an app say its description with a function, which is called when somebody asks."""
    app.extensions[_NAME] = description


@pages.get("/openapi.json")
def openapi() -> Response:
    """The description for programs."""
    return Response(json.dumps(_description(), indent=1, ensure_ascii=False), mimetype="application/json")


@pages.get("/docs")
def page() -> str:
    """The description for people."""
    told = _description()
    return render_template(
        "api_docs.html", about=told["info"]["description"], subjects=list(_subjects(told)), at=AT
    )


def _description() -> dict[str, Any]:
    made: Callable[[], dict[str, Any]] = current_app.extensions[_NAME]
    return made()


def _subjects(told: dict[str, Any]) -> Iterator[Subject]:
    for tag in told["tags"]:
        operations = tuple(
            _operation(told, path, method, item[method])
            for path, item in told["paths"].items()
            for method in _METHODS
            if method in item and tag["name"] in item[method]["tags"]
        )
        yield Subject(tag["name"].removeprefix("api_"), tag["description"], operations)


def _operation(told: dict[str, Any], path: str, method: str, said: dict[str, Any]) -> Operation:
    shared = [
        _resolved(told, one)
        for one in (*told["paths"][path].get("parameters", ()), *said.get("parameters", ()))
    ]
    content = said.get("requestBody", {}).get("content", {})
    status = min(code for code in said["responses"] if code.startswith("2"))
    answer = said["responses"][status].get("content", {})
    plain = path.replace("/", "-").replace("{", "").replace("}", "").strip("-")
    return Operation(
        anchor=f"{method}-{plain}",
        method=method.upper(),
        path=path,
        summary=said.get("summary", ""),
        parameters=tuple(
            Field(
                one["name"],
                _kind(told, one["schema"]),
                one.get("required", False),
                one.get("description", ""),
            )
            for one in shared
        ),
        body=tuple(_fields(told, content.get("application/json", {}).get("schema"))),
        media=tuple(kind for kind in content if kind != "application/json"),
        gives=tuple(_fields(told, answer.get("application/json", {}).get("schema"))),
        status=status if not answer or "application/json" in answer else f"{status} {', '.join(answer)}",
    )


def _fields(told: dict[str, Any], schema: Any) -> Iterator[Field]:
    if schema is None:
        return
    whole = _resolved(told, schema)
    for name, field in whole.get("properties", {}).items():
        about = field.get("description") or _resolved(told, field).get("description", "")
        yield Field(name, _kind(told, field), name in whole.get("required", ()), about)


def _kind(told: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a value is, in words."""
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(_kind(told, option) for option in options))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"] if value is not None)
    kinds = schema.get("type", "object")
    named = [kinds] if isinstance(kinds, str) else list(kinds)
    words = [f"list of {_kind(told, schema['items'])}" if kind == "array" else kind for kind in named]
    if schema.get("format"):
        words[0] = schema["format"]
    return " or ".join(words)


def _resolved(told: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = told
    for part in str(schema["$ref"]).removeprefix("#/").split("/"):
        found = found[part]
    return found
