"""A site for tests: the app on a real database, and visitors that keep cookies and tokens as browsers do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.rules import RulePart
from werkzeug.test import TestResponse

from tests import builders
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.workflows import accounts, enrolment
from webui import create_app

PASSWORD = "correct horse battery"
TODAY = "2026-03-20"


class _Compiled(BytecodeCache):
    """Templates that an app of this process compiled already; each app by itself would compile them anew."""

    def __init__(self) -> None:
        self._code: dict[str, tuple[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._code.get(bucket.key, ("", b""))
        if checksum == bucket.checksum:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.checksum, bucket.bytecode_to_string()


_COMPILED = _Compiled()


_Read = tuple[list[RulePart], list[tuple[bool, str]], dict[str, BaseConverter]]
"""A rule that was read: its parts, the words and names in their order, and what reads each name."""


class _Rule(Rule):
    """A rule of addresses that is read once for all apps of this process, with the functions that build them.

    It takes most of an app's making: to read each of some two hundred rules, and two functions of each from source.
    """

    _built: ClassVar[dict[tuple[str, str, str, bool], Callable[..., tuple[str, str]]]] = {}
    _read: ClassVar[dict[tuple[str, tuple[tuple[str, type[BaseConverter]], ...]], _Read]] = {}

    def _parse_rule(self, rule: str) -> Iterable[RulePart]:
        what = rule, tuple(self.map.converters.items())
        if what not in self._read:
            traced, known = len(self._trace), set(self._converters)
            parts = list(super()._parse_rule(rule))
            found = {name: c for name, c in self._converters.items() if name not in known}
            self._read[what] = parts, self._trace[traced:], found
            return parts
        kept, trace, found = self._read[what]
        self._trace.extend(trace)
        self._converters.update(found)
        self.arguments.update(found)
        return kept

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        what = (self.rule, repr(self._trace), repr(self.defaults), append_unknown)
        if what not in self._built:
            self._built[what] = super()._compile_builder(append_unknown)
        return self._built[what]


Flask.url_rule_class = _Rule


class Site:
    """An app whose clock tests turn."""

    def __init__(self, url: str, folder: Path, **options: Any) -> None:
        self.access: Access = builders.installation(url, folder)
        self.now: datetime = builders.NOW
        self.app: Flask = create_app(self.access, lambda: self.now, **options)
        self.app.jinja_env.bytecode_cache = _COMPILED

    def wait(self, time: timedelta) -> None:
        self.now += time

    def person(self, name: str = "ada", scopes: tuple[Scope, ...] = builders.ALL, **options: Any) -> Person:
        """A participant who has no password yet: hashing one takes a third of a second."""
        return builders.person(self.access, name, scopes, **options)

    def with_password(self, name: str = "ada", **options: Any) -> Person:
        """A participant who has chosen `PASSWORD`."""
        who = self.person(name, **options)
        accounts.choose_password(self.access, who, PASSWORD, self.now)
        return who

    def code(self, who: Person) -> str:
        return enrolment.renew_code(self.access, who, self.now)

    def series(self, who: Person, minutes: int = 60) -> list[datetime]:
        """A reading each minute of the last hours before now, the tenth without a face."""
        instants = [self.now - timedelta(minutes=m) for m in range(minutes, 0, -1)]
        emotions = list(Emotion)
        batch = [
            builders.observed(at, None if i % 10 == 9 else emotions[i % 3]) for i, at in enumerate(instants)
        ]
        builders.store(self.access, who, batch, self.now)
        return instants

    def visitor(self) -> Visitor:
        return Visitor(self)

    def logged_in(self, name: str = "ada") -> Visitor:
        """A visitor with a session, through the demo's door."""
        token = secrets.token_urlsafe()
        self.app.config["DEMO_ENTRIES"][token] = self.access.person(name).id
        visitor = self.visitor()
        assert visitor.get(f"/enter/{token}").status_code == 303
        visitor.get("/consent", follow_redirects=True)
        return visitor


class Visitor:
    """A browser without scripts."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client = site.app.test_client()
        self._token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        response = self.client.get(path, **options)
        if found := re.search(r'name="csrf_token" value="([^"]+)"', self._text(response)):
            self._token = found[1]
        return response

    def post(self, path: str, fields: dict[str, str] | None = None, **options: Any) -> TestResponse:
        if not self._token:
            self.get("/login")
        return self.client.post(path, data={"csrf_token": self._token, **(fields or {})}, **options)

    def json(self, path: str, body: Any) -> TestResponse:
        return self.client.post(path, json=body, headers={"X-CSRF-Token": self._token})

    def log_in(self, name: str, secret: str) -> TestResponse:
        self.get("/login")
        response = self.post("/login", {"name": name, "secret": secret})
        self._token = ""
        self.get("/consent", follow_redirects=True)
        return response

    @staticmethod
    def _text(response: TestResponse) -> str:
        return response.text if response.mimetype == "text/html" else ""
