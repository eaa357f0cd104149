"""What is told to whoever runs this: each thing that matters, in one line, and nothing of anybody in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import abort
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webui.api.programs import AT, program
from tests.webui.site import PASSWORD, Site
from tests.webui.test_account import entered, kim, with_app
from tracker.workflows import accounts
from webui import journal, roles
from webui.services import NAME


class Lines(logging.Handler):
    """What was told, as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def events(self) -> list[str]:
        return [line["event"] for line in self.told]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is told while a test runs."""
    log, handler = logging.getLogger(journal.NAME), Lines()
    log.addHandler(handler)
    before = log.level
    log.setLevel(logging.INFO)
    yield handler
    log.setLevel(before)
    log.removeHandler(handler)


def test_each_way_in_is_told_with_how_and_who_right_or_wrong(lite: Site, lines: Lines) -> None:
    lite.with_password("kim")
    visitor = lite.visitor()
    visitor.get("/login")
    visitor.post("/login", {"name": "kim", "secret": "wrong"})
    visitor.post("/login", {"name": "nobody", "secret": "wrong"})
    visitor.post("/login", {"name": "kim", "secret": PASSWORD})
    tried = [line for line in lines.told if line["event"] in ("sign_in_failed", "signed_in")]
    assert [line["event"] for line in tried] == ["sign_in_failed", "sign_in_failed", "signed_in"]
    assert tried[0]["who"] == tried[2]["who"], "whose account was tried"
    assert "who" not in tried[1]
    assert tried[2]["how"] == "password"


def test_second_factors_and_changes_of_how_one_logs_in_are_told(lite: Site, lines: Lines) -> None:
    kim(lite)
    visitor = entered(lite)
    with_app(lite, visitor)
    visitor.post("/logout")
    lite.wait(journal_wait := accounts.LOCKED_FOR)
    assert journal_wait
    again = entered(lite)
    again.post("/login/second", {"code": "000000"})
    visitor.post("/confirm", {"password": "x"})
    assert lines.events().count("second_factor_failed") == 1
    for event in ("factor_added", "codes_made", "signed_out"):
        assert event in lines.events()


def test_confirming_and_passwords_are_told(lite: Site, lines: Lines) -> None:
    kim(lite)
    visitor = entered(lite)
    visitor.get("/confirm")
    visitor.post("/confirm", {"password": "wrong"})
    visitor.post("/confirm", {"password": PASSWORD})
    new = "another long password"
    visitor.get("/password")
    visitor.post("/password", {"current": PASSWORD, "password": new, "again": new})
    found = [
        event for event in lines.events() if event in ("confirming_failed", "confirmed", "password_chosen")
    ]
    assert found == ["confirming_failed", "confirmed", "password_chosen"]


def test_a_token_is_told_once_an_hour(lite: Site, lines: Lines) -> None:
    asked, other = program(lite, lite.person("ada")), program(lite, lite.person("bo"))
    for _ in range(3):
        assert asked.get("/token").status_code == 200
    other.get("/token")
    lite.wait(timedelta(hours=1))
    asked.get("/token")
    used = [line["who"] for line in lines.told if line["event"] == "token_used"]
    assert len(used) == 3
    assert used[0] == used[2] != used[1]


def test_what_a_program_may_and_does_for_good_is_told(lite: Site, lines: Lines) -> None:
    lite.with_password("kim")
    visitor = entered(lite)
    visitor.get("/account/tokens")
    made = visitor.post("/account/tokens", {"name": "x", "purpose": ["timeline", "answers"], "days": "7"})
    (number,) = re.findall(r'name="token" value="([0-9a-f]+)"', made.text)
    assert visitor.post("/account/tokens/revoke", {"token": number}).status_code == 303
    assert visitor.post("/account/tokens/revoke", {"token": number}).status_code == 404
    asked = program(lite, lite.access.person("kim"))
    wanted: list[dict[str, Any]] = [{"scopes": ["notes"]}, {"everything": True}]
    for what in wanted:
        assert asked.post("/erasures", what | {"proof": {"password": PASSWORD}}).status_code == 202
    lite.app.extensions[NAME].background.close()
    told = [line for line in lines.told if line["event"] in ("token_made", "token_revoked", "erased")]
    assert [line["event"] for line in told] == ["token_made", "token_revoked", "erased"]
    assert told[0]["purposes"] == ["answers", "timeline"]
    assert len({line["who"] for line in told}) == 1


def test_what_is_refused_is_told_with_its_status(lite: Site, lines: Lines) -> None:
    lite.person()
    visitor = lite.logged_in()
    visitor.client.post("/pause")  # without the token of its session
    visitor.get("/study/exports")  # a researcher's
    visitor.post("/correct", {"emotion": "x" * 100_000})
    lite.app.test_client().get(f"{AT}/token", headers={"Authorization": "Bearer aff_nothing"})
    visitor.client.put("/pause")
    refused = [(line["endpoint"], line["status"]) for line in lines.told if line["event"] == "refused"]
    assert refused == [
        ("mydata.pause", 403),
        ("datasets.page", 403),
        ("correcting.correct", 413),
        ("api_token.show", 401),
        ("", 405),
    ] or refused[:4] == [
        ("mydata.pause", 403),
        ("datasets.page", 403),
        ("correcting.correct", 413),
        ("api_token.show", 401),
    ]


def test_too_many_tries_are_told(lite: Site, lines: Lines) -> None:
    for n in range(11):
        lite.visitor().post("/login", {"name": str(n), "secret": "x"})
    assert [line["status"] for line in lines.told if line["event"] == "refused"][-1] == 429


def test_each_line_says_when_where_and_whence(lite: Site, lines: Lines) -> None:
    lite.person()
    lite.logged_in().get("/study/exports")
    for line in lines.told:
        assert datetime.fromisoformat(line["at"]).utcoffset() is not None
        assert line["at"].endswith("+00:00")
        assert {"event", "request", "endpoint", "method", "from"} <= line.keys()
        assert len(line["from"]) == 12


def test_nothing_of_anybody_stands_in_it(lite: Site, lines: Lines) -> None:
    name, secret, agent = "a very particular name", "a secret that is wrong", "Particular/9.9"
    who = lite.with_password(name)
    link = accounts.invite(lite.access, who, lite.now)
    visitor = lite.visitor()
    visitor.get("/login")
    headers = {"User-Agent": agent, "X-Forwarded-For": "192.0.2.77"}
    visitor.post("/login", {"name": name, "secret": secret}, headers=headers)
    visitor.post("/login", {"name": name, "secret": PASSWORD}, headers=headers)
    visitor.get(f"/invited/{link}x", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    visitor.post("/my-data/zone", {"zone": secret})
    written = "\n".join(lines.lines)
    assert lines.lines
    for theirs in (name, secret, PASSWORD, agent, link, who.id, "203.0.113", "192.0.2", "127.0.0.1"):
        assert theirs not in written


def test_whatever_is_told_is_one_line_of_ascii(lite: Site, lines: Lines) -> None:
    @settings(max_examples=200, deadline=None)
    @given(st.text(max_size=60), st.text(max_size=60))
    def told(event: str, more: str) -> None:
        lines.lines.clear()
        with lite.app.test_request_context("/", method="GE\nT", environ_base={"REMOTE_ADDR": more}):
            journal.tell(event, kind=more)
        (line,) = lines.lines
        assert line.isascii()
        assert line.isprintable()
        read = json.loads(line)
        assert (read["event"], read["kind"], read["method"]) == (event, more, "")

    told()


def test_what_nobody_expected_is_answered_in_general_and_told_by_its_place(
    lite: Site, lines: Lines, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise RuntimeError("the text of somebody, line\nbreak")

    lite.person()
    lite.app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(lite.app.view_functions, "privacy.page", broken)
    visitor = lite.logged_in()
    answer = visitor.get("/privacy?name=ada")
    assert answer.status_code == 500
    assert "on our side" in answer.text
    assert "Traceback" not in answer.text
    assert "of somebody" not in answer.text
    (line,) = [line for line in lines.told if line["event"] == "error"]
    assert line["kind"] == "RuntimeError"
    assert any("test_journal.py" in place and "broken" in place for place in line["places"])
    everything = "".join(lines.lines) + "".join(capsys.readouterr())
    assert "of somebody" not in everything
    assert "name=ada" not in everything
    assert visitor.get("/my-data").status_code == 200, "the next request is answered"


def test_every_status_that_refuses_is_told(lite: Site, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = lite.visitor()
    for status in sorted(journal.REFUSED):
        monkeypatch.setitem(lite.app.view_functions, "privacy.page", lambda status=status: abort(status))
        visitor.get("/privacy")
    told = [line["status"] for line in lines.told if line["event"] == "refused"]
    assert told == sorted(journal.REFUSED)
    assert roles.rule("privacy.page").anybody
