"""Aggregate figures from the command line: folders, budgets, refusals, and that options do not mix."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import observed, person, store
from tests.cli.conftest import Cli
from tracker.cli import installation
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.store import studies
from tracker.study import DEFAULT

RICH = DEFAULT.model_copy(
    update={"aggregates": DEFAULT.aggregates.model_copy(update={"epsilon": 10.0, "delta": 1e-4})}
)


@pytest.fixture
def cohort(cli: Cli, data_folder: Path) -> None:
    """Thirty SIMULATED people with an observation two days ago, in a study that can spend much."""
    assert cli("init").code == 0
    access = installation.opened(installation.settings_module.load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    now = datetime.now(UTC)
    with access.database.write() as connection:
        studies.apply(connection, studies.StudyRow(RICH.sha256, RICH.document(), now, "a test"))
    for i in range(30):
        who = person(access, f"p{i}", [Scope.AFFECT_SERIES], now=now - timedelta(days=3), simulated=True)
        store(access, who, [observed(now - timedelta(days=2), Emotion.FEAR)], now)
    installation.close_all()


@pytest.mark.usefixtures("cohort")
def test_figures_their_cost_and_the_same_again_for_nothing(cli: Cli, tmp_path: Path) -> None:
    asked = ("export", "--aggregate", "--epsilon", "9", "--simulated", "--figure", "emotions")
    told = cli(*asked, "--out", str(tmp_path / "one"), "--json")
    assert told.code == 0, told.err
    assert not told.json["repeated"]
    assert told.json["result"]["figures"][0]["rows"][0]["values"]["fear"] > 0.4
    files = {file.name for file in (tmp_path / "one").iterdir()}
    assert files == {"figures.json", "figures.csv", "about.md"}
    document = json.loads((tmp_path / "one" / "figures.json").read_text())
    assert document["contains"] == ["SIMULATED"]
    assert document["cost"]["epsilon"] == 9.0
    with (tmp_path / "one" / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["cell"] for row in rows][:2] == ["neutral", "happiness"]
    assert {(row["origin"], row["withheld"]) for row in rows} == {("SIMULATED", "false")}
    assert "SIMULATED" in (tmp_path / "one" / "about.md").read_text()
    again = cli(*asked, "--out", str(tmp_path / "two"), "--json")
    assert again.json["repeated"]
    assert again.json["result"] == told.json["result"]
    assert (tmp_path / "two" / "figures.json").read_bytes() == (
        tmp_path / "one" / "figures.json"
    ).read_bytes()

    spent = cli("aggregates", "budget", "--json").json
    assert spent["spent_at_most"]["epsilon"] == 9.0
    assert spent["left_at_least"]["epsilon"] == 1.0
    assert "1 left" in cli("aggregates", "budget").out
    refused = cli("export", "--aggregate", "--epsilon", "2", "--simulated", "--out", str(tmp_path / "three"))
    assert refused.code == 3
    assert refused.line.startswith("affect-tracker: no figures: ")
    assert not (tmp_path / "three").exists()
    shown = cli(*asked, "--out", str(tmp_path / "four"))
    assert "cost nothing now" in shown.out
    assert "SIMULATED" in shown.out


def test_nothing_is_spent_where_it_could_not_be_written(cli: Cli, ada: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    ended = cli("export", "--aggregate", "--epsilon", "0.1", "--out", str(tmp_path / "there"))
    assert ended.code == 2
    assert "is not empty" in ended.line
    assert cli("aggregates", "budget", "--json").json["releases"] == []


def test_one_person_gets_no_figures_and_no_public_export(cli: Cli, tmp_path: Path) -> None:
    cli("init")
    code = cli("enrol", "ada", "--zone", "UTC", "--json").json["code"]
    cli("consent", "grant", "ada", "affect_series", "export_public", "--evidence", "form 12")
    cli("consent", "confirm", "ada", "--code", code)
    ended = cli("export", "--aggregate", "--epsilon", "1", "--out", str(tmp_path / "out"))
    assert ended.code == 3
    ended = cli("export", "--public", "--out", str(tmp_path / "out"))
    assert ended.code == 3
    assert "a study of 1 person has no public export: nobody hides among fewer than 5" in ended.line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--aggregate"], "--aggregate needs --epsilon"),
        (["--aggregate", "--epsilon", "1", "--again", "x"], "--again goes without --aggregate alone"),
        (["--aggregate", "--epsilon", "1", "--public"], "--public goes without --aggregate alone"),
        (["--epsilon", "1"], "--epsilon goes with --aggregate alone"),
        (["--simulated"], "--simulated goes with --aggregate alone"),
        (["--aggregate", "--epsilon", "1.5"], "more than the study's whole budget for a participant, 1"),
        (["--aggregate", "--epsilon", "nan"], "above 0, not nan"),
        (["--aggregate", "--epsilon", "1", "--to", "yesterday"], "'yesterday' is no day"),
        (["--aggregate", "--epsilon", "1", "--to", "2999-01-01"], "not over yet"),
        (["--aggregate", "--epsilon", "1", "--figure", "mood"], "no figure 'mood'"),
    ],
)
def test_bad_options_are_one_line_and_exit_2(
    cli: Cli, ada: str, tmp_path: Path, options: list[str], told: str
) -> None:
    ended = cli("export", "--out", str(tmp_path / "out"), *options)
    assert ended.code == 2
    assert told in ended.line
    assert not (tmp_path / "out").exists()
