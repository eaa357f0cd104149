"""``hide`` and ``forget`` as a user types them."""

from datetime import datetime, timedelta

import pytest

from tests.cli.conftest import Cli

AT = datetime.fromisoformat("2026-03-02T09:00:00+01:00")
FROM, TO = AT.isoformat(), (AT + timedelta(hours=1)).isoformat()


def said(cli: Cli, who: str, at: datetime = AT) -> None:
    assert cli("context", "add", who, "--at", at.isoformat(), "--place", "canary-place-7f3a").code == 0


def test_a_stretch_is_hidden_listed_and_shown_again(cli: Cli, ada: str) -> None:
    said(cli, ada)
    ended = cli("hide", ada, "--from", FROM, "--to", TO)
    assert ended.code == 0, ended.err
    assert "hidden as number 1" in ended.out
    [hidden] = cli("hide", ada, "--json").json["hidden"]
    assert hidden == {
        "number": 1,
        "from": "2026-03-02T08:00:00+00:00",
        "to": "2026-03-02T09:00:00+00:00",
    }
    assert "2026-03-02" in cli("hide", ada).out
    assert cli("hide", ada, "--show", "1").code == 0
    assert cli("hide", ada, "--json").json == {"hidden": []}
    assert "nothing that is hidden has the number 1" in cli("hide", ada, "--show", "1").line


@pytest.mark.parametrize(
    "more",
    [("--from", FROM), ("--from", TO, "--to", FROM), ("--from", FROM, "--to", TO, "--show", "1")],
)
def test_what_makes_no_stretch_is_refused_in_one_line(cli: Cli, ada: str, more: tuple[str, ...]) -> None:
    ended = cli("hide", ada, *more)
    assert ended.code == 2
    assert ended.line
    assert cli("hide", ada, "--json").json == {"hidden": []}


def test_a_stretch_is_erased_and_the_rest_stays(cli: Cli, ada: str) -> None:
    said(cli, ada)
    said(cli, ada, AT + timedelta(hours=2))
    ended = cli("forget", ada, "--from", FROM, "--to", TO, "--yes", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["rows"]["contexts"] == 1
    assert ended.json["stretch"]["from"] == "2026-03-02T08:00:00+00:00"
    again = cli("forget", ada, "--from", FROM, "--to", TO, "--yes")
    assert "1. Data gone" in again.out
    assert (
        cli("forget", ada, "--from", FROM, "--to", (AT + timedelta(hours=3)).isoformat(), "--yes").code == 0
    )
