"""Tokens on the command line: made and shown once, seen by their person, ended at once."""

from __future__ import annotations

import re

from tests.cli.conftest import Cli
from tracker.cli.exits import Exit
from tracker.domain.tokens import PATTERN


def test_a_token_is_made_listed_and_revoked_and_its_person_sees_that_it_was_made(cli: Cli, ada: str) -> None:
    made = cli(
        "tokens", "new", ada, "--for", "timeline", "--for", "answers", "--called", "watch", "--days", "7"
    )
    assert made.code == 0
    assert re.fullmatch(PATTERN, made.out.strip())
    (listed,) = cli("tokens", "list", ada, "--json").json
    assert (listed["name"], listed["purposes"], listed["used_on"]) == ("watch", ["answers", "timeline"], None)
    assert made.out.strip() not in cli("tokens", "list", ada).out
    looks = cli("consent", "looks", ada, "--json").json
    assert "made a token that asks in their name" in str(looks)
    assert cli("tokens", "revoke", ada, listed["id"]).code == 0
    assert cli("tokens", "list", ada, "--json").json == []
    again = cli("tokens", "revoke", ada, listed["id"])
    assert (again.code, "no token" in again.line) == (Exit.USAGE, True)


def test_nobody_gets_a_token_for_what_is_not_theirs(cli: Cli, ada: str) -> None:
    refused = cli("tokens", "new", ada, "--for", "exports")
    assert (refused.code, refused.line.count("for a researcher")) == (Exit.USAGE, 1)
    theirs = cli("tokens", "new", ada, "--for", "timeline", "--for", "grants")
    assert (theirs.code, "own word" in theirs.line) == (Exit.USAGE, True), (
        "an operator allows nothing for her"
    )
    assert cli("tokens", "list", ada, "--json").json == []
    assert cli("invite", "kim", "--role", "rater").code == 0
    assert cli("tokens", "new", "kim", "--for", "rating", "--json").json["purposes"] == ["rating"]
    assert cli("tokens", "new", "kim", "--for", "timeline").code == Exit.USAGE
    assert "own word" in cli("tokens", "new", "kim", "--for", "grants").line, "nor for a rater"
    assert cli("tokens", "new", "nobody", "--for", "timeline").code == Exit.UNKNOWN
    assert cli("tokens", "new", ada, "--for", "timeline", "--days", "0").code == Exit.USAGE
