"""Receipts, points in time and guardians on the command line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tracker import settings
from tracker.cli import installation
from tracker.domain.consent import Recorder, Scope
from tracker.workflows import consenting

STUDY = """
id = "minors"
title = "Mood at home"
version = "1"
help_contact = "Dr. Example, +49 30 1234567"
deployment_context = "research_home"
[controller]
name = "Example University"
contact = "privacy@example.org"
[[purposes]]
text = "To study mood over a month."
[consent]
guardians = true
"""


def test_a_receipt_is_verified_without_any_installation(
    cli: Cli, ada: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "receipt.json"
    assert cli("consent", "receipt", ada, "--out", str(file)).code == 0
    key = cli("consent", "key").out.strip()
    assert cli("consent", "key", "--json").json == {"fingerprint": key}
    assert cli("consent", "receipt", ada, "--out", str(file)).code == 2, "nothing is overwritten"
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(tmp_path / "nowhere"))
    seen = cli("consent", "verify", str(file), "--key", key, "--json")
    assert (seen.code, seen.json["whole"], seen.json["events"]) == (0, True, 3)
    assert seen.json["in_force"] == ["affect_series", "context", "personal_learning"]
    plain = cli("consent", "verify", str(file))
    assert plain.code == 0
    assert f"signed by key {key}" in plain.out
    assert "compare it" in plain.err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: text.replace('"ada"', '"bob"'), "altered"),
        (lambda text: text.replace('"affect:events": 3', '"affect:events": 4'), "event 4 of 4 is missing"),
        (lambda text: "\x00", "cut off"),
        (
            lambda text: json.dumps({**json.loads(text), "dpv:hasRecordOfActivity": []}),
            "event 1 of 3 is missing",
        ),
    ],
)
def test_a_spoilt_receipt_is_one_line_and_exit_10(
    cli: Cli, ada: str, tmp_path: Path, spoil: Callable[[str], str], says: str
) -> None:
    text = cli("consent", "receipt", ada).out
    file = tmp_path / "spoilt.json"
    file.write_text(spoil(text))
    ended = cli("consent", "verify", str(file))
    assert ended.code == 10
    assert says in ended.line
    assert str(file) in ended.line


def test_what_cannot_be_verified_says_so(cli: Cli, ada: str, tmp_path: Path) -> None:
    text = cli("consent", "receipt", ada).out
    (tmp_path / "r.json").write_text(text)
    other = cli("consent", "verify", str(tmp_path / "r.json"), "--key", "0" * 64)
    assert (other.code, "another key signed it" in other.line) == (10, True)
    assert cli("consent", "verify", str(tmp_path / "none.json")).code == 2
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert cli("consent", "verify", str(tmp_path / "bytes")).code == 10
    assert cli("consent", "receipt", ada, "--out", str(tmp_path / "no" / "folder.json")).code == 2
    assert cli("enrol", "bob", "--zone", "UTC").code == 0
    nothing = cli("consent", "receipt", "bob")
    assert (nothing.code, "has not chosen anything yet" in nothing.line) == (4, True)


def test_consent_is_shown_as_it_stood(cli: Cli, ada: str) -> None:
    before = cli("consent", "show", ada, "--at", "2026-01-01T00:00:00Z", "--json")
    assert [s["scope"] for s in before.json["scopes"] if s["in_force"]] == []
    assert {s["why"] for s in before.json["scopes"]} == {"never asked or answered"}
    now = cli("consent", "show", ada, "context", "--json").json["scopes"]
    assert [(s["in_force"], s["why"]) for s in now] == [(True, "in force")]
    assert "lies in the future" in cli("consent", "show", ada, "--at", "2999-01-01T00:00:00Z").line
    assert cli("consent", "show", ada, "--at", "yesterday").code == 2


def test_a_grant_says_that_an_erasure_waits(cli: Cli, ada: str) -> None:
    access = installation.opened(settings.load({"AFFECT_DATA_FOLDER": os.environ["AFFECT_DATA_FOLDER"]}))
    at = installation.now()
    consenting.withdraw(access, access.person(ada), [Scope.CONTEXT], at, recorder=Recorder.PARTICIPANT)
    access.close()
    granted = cli("consent", "grant", ada, "context", "personal_learning", "--evidence", "form 2")
    assert f"is erased on {(at + timedelta(days=7)).isoformat(' ', 'minutes')}" in granted.line
    cli("consent", "withdraw", ada, "personal_learning")
    assert cli("consent", "grant", ada, "personal_learning", "--evidence", "form 2").err == ""


def test_the_start_is_shown_to_the_second(cli: Cli, ada: str) -> None:
    cli("consent", "grant", ada, "notes", "--evidence", "form 2")
    row = next(line for line in cli("consent", "show", ada).out.splitlines() if "notes" in line)
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ", row)


def test_a_guardian_beside_the_participant(cli: Cli, ada: str, tmp_path: Path) -> None:
    refused = cli("consent", "grant", ada, "context", "--guardian", "--evidence", "form 3")
    assert (refused.code, "asks for no guardian" in refused.line) == (2, True)
    (tmp_path / "study.toml").write_text(STUDY)
    assert cli("study", "apply", str(tmp_path / "study.toml"), "--by", "the lead", "--yes").code == 0
    again = cli("consent", "grant", ada, "context", "--evidence", "form 2")
    assert "context is not in force: no guardian has agreed" in again.err
    bare = cli("consent", "grant", ada, "context", "--guardian")
    assert (bare.code, "a guardian's record needs evidence" in bare.line) == (2, True)
    both = cli("consent", "grant", ada, "context", "--guardian", "--evidence", "form 3, signed by a parent")
    assert both.code == 0
    shown = cli("consent", "show", ada, "context", "--json").json["scopes"][0]
    assert (shown["in_force"], shown["recorder"], shown["guardian"]) == (True, "operator", "given")
    cli("consent", "withdraw", ada, "context", "--guardian")
    shown = cli("consent", "show", ada, "context", "--json").json["scopes"][0]
    assert (shown["in_force"], shown["state"], shown["guardian"]) == (False, "given", "withdrawn")
