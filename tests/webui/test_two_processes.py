"""Two server processes on one database: what is stored holds in both, and what lies in one's memory is said plainly.

Whoever balances visitors between processes needs no more of them than that a capture stays where it began.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from sqlalchemy import select

from tests import builders
from tests.e2e.site import Served, served
from tests.webui.test_capturing import FRAME, ms
from tracker.domain.people import Person
from tracker.store import tables
from tracker.workflows import accounts

pytestmark = pytest.mark.slow  # two servers start

PASSWORD = "correct horse battery"


@dataclass
class Twins:
    """Two processes that serve one database."""

    first: Served
    second: Served

    @property
    def both(self) -> tuple[Served, Served]:
        return self.first, self.second

    def person(self) -> Person:
        """Somebody new, with a password."""
        who = builders.person(self.first.access, f"p{secrets.token_hex(4)}")
        accounts.choose_password(self.first.access, who, PASSWORD, builders.NOW)
        return who

    def rows(self, table: str, who: Person) -> list[Any]:
        rows = tables.metadata.tables[table]
        with self.first.access.database.read() as connection:
            return list(connection.execute(select(rows).where(rows.c.subject == who.subject)).mappings())


@dataclass
class Answered:
    """What a server said."""

    status: int
    text: str
    address: str

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.text)
        return said


@dataclass
class Visitor:
    """A browser without scripts, whose cookies go to every port of the machine, as browsers' do."""

    jar: CookieJar = field(default_factory=CookieJar)
    token: str = ""

    def get(self, site: Served, path: str) -> Answered:
        answer = self._ask(Request(urljoin(site.address, path)))
        if found := re.search(r'name="csrf_token" value="([^"]+)"', answer.text):
            self.token = found[1]
        return answer

    def post(self, site: Served, path: str, fields: dict[str, str]) -> Answered:
        body = urlencode({"csrf_token": self.token, **fields}).encode()
        return self._ask(Request(urljoin(site.address, path), data=body))

    def send(self, site: Served, path: str, body: bytes, kind: str, **headers: str) -> Answered:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Content-Type": kind, "X-CSRF-Token": self.token, **named}
        return self._ask(Request(urljoin(site.address, path), data=body, headers=given))

    def log_in(self, site: Served, who: Person, secret: str = PASSWORD) -> Answered:
        self.get(site, "login")
        said = self.post(site, "login", {"name": who.name, "secret": secret})
        self.get(site, "account")
        return said

    def _ask(self, request: Request) -> Answered:
        opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.jar))
        try:
            with opener.open(request, timeout=60) as answer:
                return Answered(answer.status, answer.read().decode(), answer.url)
        except HTTPError as error:
            with error:
                return Answered(error.code, error.read().decode(), error.url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Both servers take seconds to start, so all tests ask the same two, each as somebody else."""
    folder = tmp_path_factory.mktemp("twins")
    with ExitStack() as running:
        url = f"sqlite:///{folder / 'affect.sqlite3'}"
        if request.param == "postgresql":
            server, template = map(request.getfixturevalue, ("postgres_server", "postgres_template"))
            url = running.enter_context(server.database(f"affect_test_{secrets.token_hex(16)}", template))
        access = builders.installation(url, folder)
        running.callback(access.keys.close)
        running.callback(access.database.close)
        first, second = (running.enter_context(served(folder, access, [])) for _ in range(2))
        yield Twins(first, second)


def key() -> str:
    """What marks an answer, so that it counts once."""
    return str(uuid.uuid4())


def test_a_session_holds_in_both_and_ends_in_both(twins: Twins) -> None:
    phone, laptop, who = Visitor(), Visitor(), twins.person()
    phone.log_in(twins.first, who)
    laptop.log_in(twins.second, who)
    for visitor in (phone, laptop):
        for site in twins.both:
            assert visitor.get(site, "my-data").address.endswith("/my-data")
    # A form of the one is taken by the other, and ends every session in both.
    phone.get(twins.first, "account")
    assert phone.post(twins.second, "logout", {"everywhere": "1"}).address.endswith("/login")
    for visitor in (phone, laptop):
        for site in twins.both:
            assert "/login" in visitor.get(site, "my-data").address


def test_tries_at_a_password_are_counted_together(twins: Twins) -> None:
    who = twins.person()
    for n in range(accounts.TRIES):
        assert Visitor().log_in(twins.both[n % 2], who, "not this one").status == 401
    for site in twins.both:
        assert Visitor().log_in(site, who).status == 401, "right by now, but locked"


def test_one_answer_sent_to_both_at_once_is_stored_once(twins: Twins) -> None:
    visitor, who = Visitor(), twins.person()
    visitor.log_in(twins.first, who)
    for _ in range(5):
        send = partial(visitor.send, path="answer", body=answer("fear"), kind="application/json")
        with ThreadPoolExecutor(2) as both:
            said = list(both.map(send, twins.both))
        assert [answered.status for answered in said] == [200, 200], [answered.text for answered in said]
        assert sorted(bool(answered.json.get("again")) for answered in said) == [False, True]
    assert len(twins.rows("corrections", who)) == 5


def test_a_withdrawal_in_the_one_is_known_to_the_other_at_once(twins: Twins) -> None:
    visitor, who = Visitor(), twins.person()
    visitor.log_in(twins.first, who)
    visitor.get(twins.first, "consent")
    assert visitor.send(twins.second, "answer", answer("anger"), "application/json").status == 200
    assert visitor.post(twins.first, "consent/affect_series/withdraw", {}).status == 200
    assert visitor.send(twins.second, "answer", answer("fear"), "application/json").status == 403
    assert len(twins.rows("corrections", who)) == 1


def test_a_capture_that_meets_the_other_is_told_so_and_nothing_is_stored(twins: Twins) -> None:
    visitor, who = Visitor(), twins.person()
    visitor.log_in(twins.first, who)
    seen_at = {"X_Capture_Time": str(ms(builders.NOW))}
    looked = visitor.send(twins.first, "capture/look", FRAME, "image/jpeg", **seen_at)
    assert looked.status == 200, looked.text
    capture = looked.json["capture"]
    chosen = json.dumps({"capture": capture, "face": 0}).encode()
    elsewhere = visitor.send(twins.second, "capture/start", chosen, "application/json", **seen_at)
    assert elsewhere.status == 409
    assert "show once more which face is yours" in elsewhere.json["error"]
    frame = {"X_Capture": capture, "X_Capture_Frame": "1", **seen_at}
    told = visitor.send(twins.second, "capture/frames", FRAME, "image/jpeg", **frame)
    assert told.status == 409
    assert told.json == {"error": "This capture is over. Start again.", "ended": "unknown"}
    assert twins.rows("observations", who) == []


def answer(emotion: str) -> bytes:
    return json.dumps({"key": key(), "emotion": emotion}).encode()
