"""Requests: each carries the token, is tried again where that does no harm, and says in words what went wrong."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

TRIES = 4
"""How often a request is sent at most. None is carried out twice: each POST has a key, all else says the same again."""

_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as the server says it (RFC 9457).

    Attributes
    ----------
    status, title, detail
        The status, its name, and what was wrong with this request.
    kind
        For programs, such as ``consent`` or ``refused``; empty where the status says it all.
    errors
        What was no good, by place and field.
    missing
        Scopes that are not in force.
    """

    status: int
    title: str
    detail: str = ""
    kind: str = ""
    errors: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    missing: tuple[str, ...] = ()


class ProblemError(Exception):
    """The server did not do what was asked.

    Attributes
    ----------
    problem
        What it says of it.
    """

    def __init__(self, problem: Problem) -> None:
        told = f"{problem.status} {problem.title}: {problem.detail}"
        super().__init__(f"{told} {dict(problem.errors)}" if problem.errors else told)
        self.problem = problem


class UnreachableError(Exception):
    """No answer came; whether the request did is not known. Sent again with the same key it is carried out once."""


class Caller:
    """Asks one server with one token.

    Parameters
    ----------
    address
        Where the API lies, with its version.
    token
        What opens it; it stands in no message and in no representation.
    patience_s
        Seconds to wait for a connection, and for each part of an answer.
    tries
        How often a request is sent at most.
    """

    def __init__(self, address: str, token: str, patience_s: float, tries: int = TRIES) -> None:
        self._address = address
        again = Retry(
            total=tries - 1,
            status_forcelist=_AGAIN,
            allowed_methods=None,
            backoff_factor=0.5,
            respect_retry_after_header=True,
            raise_on_status=False,
            redirect=False,
        )
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, application/problem+json"}
        self._pool = PoolManager(retries=again, timeout=Timeout(patience_s), headers=headers)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give what lies at a path."""
        return _object(self.ask("GET", path, query=query))

    def post(
        self, path: str, sent: Mapping[str, Any] | None = None, *, key: str = "", tag: str = ""
    ) -> dict[str, Any]:
        """Have something done, once for its key (unless said, a new one), and in the state of a tag alone."""
        named = {"Idempotency-Key": key or str(uuid.uuid4())} | ({"If-Match": tag} if tag else {})
        return _object(self.ask("POST", path, sent=sent, headers=named))

    def put(self, path: str, sent: Mapping[str, Any], *, tag: str = "") -> dict[str, Any]:
        """Replace what lies at a path, unless somebody else did so since it was looked at."""
        tag = tag or self.ask("GET", path).headers.get("ETag", "")
        return _object(self.ask("PUT", path, sent=sent, headers={"If-Match": tag}))

    def carry(
        self,
        method: str,
        path: str,
        body: bytes,
        media: str,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send bytes as they are."""
        named = {"Content-Type": media, **(headers or {})}
        return _object(self.ask(method, path, query=query, body=body, headers=named))

    def download(self, path: str, to: Path) -> Path:
        """Write what lies at a path into a file; whoever is cut off leaves nothing that looks whole."""
        partial = to.with_name(to.name + ".partial")
        partial.write_bytes(self.ask("GET", path).data)
        return partial.replace(to)

    def pages(self, path: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give every item of a listing, asking for a page when it is needed."""
        cursor: str | None = None
        while True:
            page = self.get(path, {**query, **({"cursor": cursor} if cursor else {})})
            yield from page["items"]
            if (cursor := page["next"]) is None:
                return

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        sent: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> BaseHTTPResponse:
        """Send a request, and give its answer.

        Raises
        ------
        ProblemError
            When the server did not do it.
        UnreachableError
            When no answer came.
        """
        named = {**self._pool.headers, **(headers or {})}
        if sent is not None:
            body, named["Content-Type"] = json.dumps(written(sent)).encode(), "application/json"
        fields = [(name, str(value)) for name, value in written(query or {}).items()]
        address = f"{self._address}{path}"
        if fields:
            address += "?" + urlencode(fields)
        try:
            response = self._pool.request(method, address, body=body, headers=named)
        except HTTPError as error:
            raise UnreachableError(f"{method} {path}: {type(error).__name__}") from None
        if response.status >= 300:
            raise ProblemError(_problem(response))
        return response

    def close(self) -> None:
        """Let the connections go."""
        self._pool.clear()


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them: instants in ISO 8601, and what is None left out.

    Examples
    --------
    >>> from datetime import UTC
    >>> written({"at": datetime(2026, 3, 1, tzinfo=UTC), "note": None})
    {'at': '2026-03-01T00:00:00+00:00'}
    """
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def _object(response: BaseHTTPResponse) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(response.data) if response.data else {}
    return told


def _problem(response: BaseHTTPResponse) -> Problem:
    try:
        told = json.loads(response.data)
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    kind = str(told.get("type", "")).removeprefix("urn:affect-tracker:problem:")
    return Problem(
        response.status,
        str(told.get("title", response.reason or "")),
        str(told.get("detail", "")),
        "" if kind == "about:blank" else kind,
        told.get("errors", {}),
        tuple(told.get("missing", ())),
    )
