"""A program, in tests: it has a token of somebody's and asks with it, with a new key for each POST."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from tests.webui.site import Site
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.tokens import USUAL, Purpose, possible
from tracker.workflows import studies, tokens
from tracker.workflows.tokens import Made

AT = "/api/v1"


def token(
    site: Site,
    whom: Person | Member,
    purposes: Iterable[Purpose] | None = None,
    *,
    study: str | None = None,
    lasts: timedelta = USUAL,
) -> Made:
    """A token of somebody's: for everything that their roles allow, unless said."""
    where = study or studies.in_force(site.access).id
    held = whom.in_study(where) if isinstance(whom, Member) else frozenset({Role.PARTICIPANT})
    wanted = possible(held) if purposes is None else tuple(purposes)
    return tokens.make(site.access, whom, held, "a program", wanted, where, site.now, lasts=lasts)


class Program:
    """Asks with a token, and with nothing else."""

    def __init__(self, site: Site, text: str) -> None:
        self.site, self.text = site, text
        self.client = site.app.test_client(use_cookies=False)

    def ask(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> TestResponse:
        named = {"Authorization": f"Bearer {self.text}", **(headers or {})}
        if method == "POST":
            named["Idempotency-Key"] = key or secrets.token_hex(16)
        return self.client.open(f"{AT}{path}", method=method, headers=named, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.ask("POST", path, **({"json": body} if body is not None else {}), **options)

    def put(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.ask("PUT", path, json=body, **options)


def program(site: Site, whom: Person | Member, *purposes: Purpose) -> Program:
    """A program of somebody's: for everything that their roles allow, unless said."""
    return Program(site, token(site, whom, purposes or None).text)
