"""Inviting on the command line: a role in a study that there is, and none in one that was mistyped."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tracker.cli.exits import Exit


@pytest.mark.parametrize("role", ["rater", "participant"])
def test_nobody_is_invited_into_a_study_that_there_is_not(cli: Cli, role: str) -> None:
    assert cli("init").code == 0
    refused = cli("invite", "kim", "--role", role, "--zone", "UTC", "--study", "slepe")
    assert refused.code == Exit.USAGE
    assert "there is no study 'slepe' here" in refused.line
    assert cli("members", "list", "--json").json == []
    assert cli("timeline", "kim").code == Exit.UNKNOWN


def test_a_role_is_taken_where_somebody_has_one_and_nowhere_else(cli: Cli) -> None:
    assert cli("init").code == 0
    assert cli("invite", "kim", "--role", "rater").code == 0
    (study,) = cli("members", "list", "--json").json[0]["roles"]
    refused = cli("members", "revoke", "kim", "--role", "rater", "--study", "slepe")
    assert refused.code == Exit.USAGE
    assert f"known: {study}" in refused.line
    assert cli("members", "revoke", "kim", "--role", "rater", "--study", study).code == 0
    assert cli("members", "list", "--json").json[0]["roles"] == {}
