"""Logging others out on the command line: one, or everybody, and nothing but their sessions."""

from __future__ import annotations

import os
from contextlib import closing

from tests import builders
from tests.cli.conftest import Cli
from tracker.access import credentials
from tracker.cli.exits import Exit
from tracker.cli.installation import opened
from tracker.settings import load
from tracker.workflows import accounts


def enrolled(cli: Cli) -> None:
    assert cli("init").code == 0
    assert cli("enrol", "ada", "--zone", "UTC").code == 0
    assert cli("invite", "kim", "--role", "rater").code == 0


def versions() -> dict[str, int]:
    """The version that each one's sessions must have."""
    with closing(opened(load(os.environ))) as access:
        return {
            name: accounts.standing(access, whom, builders.NOW)[0]
            for name in ("ada", "kim")
            if (whom := credentials.find(access, name)) is not None
        }


def test_one_is_logged_out_and_nobody_else(cli: Cli) -> None:
    enrolled(cli)
    before = versions()
    assert cli("log-out", "kim").code == 0
    after = versions()
    assert (after["ada"], after["kim"]) == (before["ada"], before["kim"] + 1)


def test_everybody_is(cli: Cli) -> None:
    enrolled(cli)
    before = versions()
    done = cli("log-out", "--all")
    assert "logged out: 2" in done.out
    assert versions() == {name: version + 1 for name, version in before.items()}


def test_who_lost_a_factor_is_let_in_by_an_operator_and_reads_it(cli: Cli) -> None:
    """There is no way to get around a lost factor but a person who knows who one is."""
    enrolled(cli)
    with closing(opened(load(os.environ))) as access:
        ada = access.person("ada")
        accounts.add_app(access, ada, "secret", 0, builders.NOW)
    assert cli("invite", "ada", "--role", "participant").code == 0
    with closing(opened(load(os.environ))) as access:
        assert accounts.has_second_factor(access, ada, builders.NOW), "a link alone forgets none"
    assert cli("invite", "ada", "--role", "participant", "--reset").code == 0
    with closing(opened(load(os.environ))) as access:
        assert not accounts.has_second_factor(access, ada, builders.NOW)
    assert "made a link that logs in" in cli("consent", "looks", "ada").out


def test_whom_has_to_be_said_and_to_be_there(cli: Cli) -> None:
    enrolled(cli)
    assert cli("log-out").code == Exit.USAGE
    assert cli("log-out", "kim", "--all").code == Exit.USAGE
    assert cli("log-out", "nobody").code == Exit.UNKNOWN
