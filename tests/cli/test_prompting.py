"""``prompts`` and ``zone`` on the command line: what was asked, what a study would ask, and where somebody is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.study.test_reading import LEAST
from tests.workflows.scheduled import DAY, scheduled
from tracker import settings
from tracker.access import Access
from tracker.cli import installation
from tracker.workflows import prompting

STUDY = LEAST.format(where="private") + DAY + '\n[[prompts]]\nid = "face"\nafter = "face_after_gap"\n'


@pytest.fixture
def opened(ada: str, data_folder: Path) -> Iterator[Access]:
    access = installation.opened(settings.load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    scheduled(
        access,
        DAY.replace("gap_minutes = 30", 'gap_minutes = 0\nquiet_from = "00:00"\nquiet_until = "00:00"'),
    )
    yield access
    access.close()


def file(folder: Path) -> str:
    path = folder / "study.toml"
    path.write_text(STUDY)
    return str(path)


def test_a_month_of_a_study_is_printed_without_a_database(cli: Cli, tmp_path: Path) -> None:
    asked = ("prompts", "simulate", file(tmp_path), "--zone", "Europe/Berlin", "--from", "2026-03-01")
    told = cli(*asked)
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert lines[0].startswith("Sun 01 Mar 2026  12:30 noon  ")
    assert lines[-2:] == [
        "90 prompts on 30 days, 0 that cannot be put",
        "after events, so not foretold: face",
    ]
    assert len(lines) == 32
    assert cli(*asked).out == told.out
    assert cli(*asked, "--participant", "another").out != told.out
    found = cli(*asked, "--days", "1", "--json").json
    assert found[0] == {
        "slot": "noon:2026-03-01:0",
        "at": "2026-03-01T11:30:00+00:00",
        "local": "2026-03-01T12:30:00+01:00",
        "expires_at": "2026-03-01T12:30:00+00:00",
        "lost": None,
    }


def test_what_a_change_of_clocks_leaves_out_is_told(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    night = (
        '[asking]\nquiet_from = "10:00"\nquiet_until = "10:00"\ngap_minutes = 30\n[[prompts]]\nid = "night"\n'
    )
    path.write_text(LEAST.format(where="private") + night + 'at = ["02:05", "02:45"]\n')
    asked = (
        "prompts",
        "simulate",
        str(path),
        "--zone",
        "Europe/Berlin",
        "--days",
        "1",
        "--from",
        "2026-03-29",
    )
    assert cli(*asked).out.splitlines() == [
        "Sun 29 Mar 2026  03:00 night  03:00 night (just_asked)",
        "1 prompts on 1 days, 1 that cannot be put",
    ]


def test_an_unknown_zone_is_said(cli: Cli, ada: str, tmp_path: Path) -> None:
    for asked in (("prompts", "simulate", file(tmp_path), "--zone", "Mars"), ("zone", ada, "Mars")):
        ended = cli(*asked)
        assert ended.code == 2
        assert "'Mars' is no IANA time zone" in ended.line


def test_what_was_asked_and_what_is_ahead_is_shown_and_noted(cli: Cli, opened: Access, ada: str) -> None:
    refused = cli("prompts", "show", ada)
    assert refused.code == 3
    assert "has not granted prompts" in refused.line
    cli("consent", "grant", ada, "prompts", "--evidence", "test")
    at = installation.now()
    with opened.read(opened.person(ada).id, at) as unit:
        ahead = prompting.upcoming(unit, at + timedelta(days=1))
    assert ahead
    due = ahead[0].slot
    prompting.tick(opened, opened.person(ada), due.at)
    shown = cli("prompts", "show", ada)
    assert shown.code == 0, shown.err
    assert shown.out.splitlines()[0] == "0 prompts put in 7 days", (
        "what lies in the future of the clock is not past"
    )
    assert sum(line.startswith("next: ") for line in shown.out.splitlines()) == len(ahead) - 1
    told = cli("prompts", "show", ada, "--json").json
    assert [one["slot"] for one in told["ahead"]] == [a.slot.name for a in ahead[1:]]
    assert told["zone"] == "Europe/Berlin"
    with opened.read(opened.person(ada).id, at) as unit:
        assert [look.what for look in opened.looks(unit)][-2:] == ["what you were asked"] * 2


def test_what_was_withheld_says_why(
    cli: Cli, opened: Access, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("consent", "grant", ada, "prompts", "--evidence", "test")
    later = installation.now() + timedelta(days=2)
    prompting.tick(opened, opened.person(ada), later)
    monkeypatch.setattr("tracker.cli.prompting.now", lambda: later)
    lines = cli("prompts", "show", ada).out.splitlines()
    assert any(": withheld (The program was not running when it was due)" in line for line in lines)
    told = cli("prompts", "show", ada, "--json").json["past"]
    assert {one["because"] for one in told if one["state"] == "withheld"} == {"late"}
    assert all(datetime.fromisoformat(one["scheduled_at"]) <= later for one in told)


def test_a_zone_is_set_told_and_noted(cli: Cli, opened: Access, ada: str) -> None:
    moved = cli("zone", ada, "Asia/Tokyo")
    assert moved.out == (
        "ada was in Europe/Berlin and is in Asia/Tokyo from now on; no history is kept without the scope prompts\n"
    )
    assert opened.person(ada).zone == "Asia/Tokyo"
    assert cli("zone", ada, "Asia/Tokyo").out == "ada is in Asia/Tokyo already; nothing was changed\n"
    cli("consent", "grant", ada, "prompts", "--evidence", "test")
    assert cli("zone", ada, "Europe/Berlin", "--json").json == {
        "before": "Asia/Tokyo",
        "after": "Europe/Berlin",
        "noted": True,
    }
    with opened.read(opened.person(ada).id, installation.now()) as unit:
        assert "your time zone, which they set" in [look.what for look in opened.looks(unit)]
