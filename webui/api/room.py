"""What every blueprint for programs has in common: how an endpoint takes, gives, is repeated, tagged and described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import Response, jsonify, request
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema
from werkzeug.exceptions import PreconditionFailed, PreconditionRequired

from webui.api import once, problems

AT = "/api/v1"
"""Where the API lies; what breaks a program gets another number."""

View = TypeVar("View", bound=Callable[..., Any])

_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The tag of what you have: while it is the same, 304 without a body is the answer.",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The tag of what you replace: where it has changed meanwhile, nothing is replaced (412).",
    "schema": {"type": "string"},
}
_ETAG = {"ETag": {"description": "Tag of this state.", "schema": {"type": "string"}}}


class Strict(Schema):
    """A schema of what is sent: a field that is not known is refused, never left out in silence."""

    class Meta:
        """As marshmallow has it."""

        unknown = RAISE


def _parser() -> Any:
    """The library's, which refuses what is not known in a query too."""
    made = type(Blueprint.ARGUMENTS_PARSER)()
    made.unknown = RAISE
    return made


class Room(Blueprint):  # type: ignore[misc]  # the library is not typed
    """A blueprint for programs.

    Parameters
    ----------
    name
        Its endpoints are named after it, with ``api_`` before.
    about
        What it is about, in a sentence.
    """

    ARGUMENTS_PARSER = _parser()

    def __init__(self, name: str, about: str) -> None:
        super().__init__(f"api_{name}", __name__, url_prefix=AT, description=about)
        self._prepare_doc_cbks.append(_described)
        problems.explain(self)

    def at(
        self,
        method: str,
        rule: str,
        *,
        query: type[Schema] | None = None,
        takes: type[Schema] | None = None,
        carries: Sequence[str] = (),
        gives: type[Schema] | None = None,
        media: str | None = None,
        status: int = 200,
        stores: bool = True,
        replaces: bool = False,
        token: bool = True,
        headers: Sequence[Mapping[str, Any]] = (),
        largest: int | None = None,
    ) -> Callable[[View], View]:
        """Make a function an endpoint.

        Parameters
        ----------
        method, rule
            Of HTTP, and where.
        query, takes
            Schemas of the query and of the JSON that is sent; each is an argument, in this order.
        carries
            Media types of a body that is not JSON; the function reads it itself.
        gives, media
            Schema of what is returned; or its media type, where it is no JSON.
        status
            When all went well.
        stores
            Of a POST: whether it stores anything, so that it has a key; without, sending it again does no harm.
        replaces
            Whether the tag of what is replaced must be given; the function calls `demand_match`.
        token
            Whether a token is needed; without, `webui.roles` has a row that says so too.
        headers
            Headers that the function reads itself, as the description has them.
        largest
            Bytes of a body that is not JSON, where they may be more than those of other requests.
        """
        tagged = method == "GET" and media is None

        def decorate(view: View) -> View:
            made: Any = view
            made = self.response(status, gives, content_type=media)(made)
            if takes is not None:
                made = self.arguments(takes, location="json")(made)
            if query is not None:
                made = self.arguments(query, location="query")(made)
            if tagged:
                made = _tagged(made)
            keyed = method == "POST" and stores
            if keyed:
                made = once.once(made)
            if largest is not None:
                made = _up_to(made, largest)
            made._apidoc["room"] = (keyed, tagged, replaces, tuple(carries), status, token, tuple(headers))
            self.route(rule, methods=[method])(made)
            return view

        return decorate


def given(schema: type[Schema], value: Any) -> Response:
    """A value as JSON, for a function that needs the response itself."""
    return jsonify(schema().dump(value))


def demand_match(schema: type[Schema], present: Any) -> None:
    """Raise unless the tag that was sent is that of what is replaced.

    Raises
    ------
    PreconditionRequired, PreconditionFailed
        Where none was sent; where it is another, so that somebody else was faster.
    """
    if not request.if_match:
        raise PreconditionRequired("Send If-Match with the tag of what you replace: GET it first.")
    response = given(schema, present)
    response.add_etag()
    tag, _ = response.get_etag()
    if tag is None or tag not in request.if_match:
        raise PreconditionFailed("This was changed meanwhile; GET it again. Nothing was replaced.")


def _up_to(view: Callable[..., Any], largest: int) -> Callable[..., Any]:
    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        request.max_content_length = largest
        response: Response = view(*args, **kwargs)
        return response

    return wrapper


def _tagged(view: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        response: Response = view(*args, **kwargs)
        response.add_etag()
        response.make_conditional(request)
        return response

    wrapper.__name__, wrapper.__doc__ = view.__name__, view.__doc__
    wrapper._apidoc = view._apidoc  # type: ignore[attr-defined]
    return wrapper


def _described(doc: dict[str, Any], info: dict[str, Any], *, spec: Any, **_: Any) -> dict[str, Any]:
    """Say of an operation what no schema says: its key, its tags, a body that is no JSON."""
    keyed, tagged, replaces, carries, status, token, headers = info["room"]
    if not token:
        doc["security"] = []
    parameters = doc.setdefault("parameters", [])
    parameters += headers
    if keyed:
        parameters.append(once.PARAMETER)
    if replaces:
        parameters.append(_IF_MATCH)
    if tagged:
        parameters.append(_IF_NONE_MATCH)
        doc["responses"]["304"] = {"description": "What you have is what there is."}
        doc["responses"][str(status) if str(status) in doc["responses"] else status]["headers"] = _ETAG
    if carries:
        doc["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in carries},
        }
    if not parameters:
        del doc["parameters"]
    return doc
