"""Raters on the command line: counts, agreement, known answers, and what is stored about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import member
from tests.cli.conftest import Cli
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker import settings
from tracker.access import Access
from tracker.cli import installation
from tracker.domain.affect import Emotion
from tracker.domain.members import Role
from tracker.workflows import rating


@pytest.fixture
def opened(cli: Cli, data_folder: Path) -> Iterator[Access]:
    """An installation in which ada shows three pictures, and kim has rated them."""
    assert cli("init").code == 0
    access = installation.opened(settings.load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    now = installation.now()
    shown(access, faces=3, now=now)
    kim = rater(access, now=now)
    for item in given(access, kim, 3, now=now):
        rating.vote(access, kim, item, said(Emotion.FEAR, now=now), now)
    member(access, "judge", Role.RESEARCHER, now=now)
    yield access
    access.close()


def test_counts_agreement_and_teaching(cli: Cli, opened: Access) -> None:
    counted = cli("rating", "queue", "--json").json
    assert (counted["people"], counted["items"], counted["rated"]) == (1, 3, 3)
    told = cli("rating", "agreement", "--json").json
    assert (told["votes"], told["estimated"], told["uncompared"]) == (3, False, 0)
    assert [r["rater"] for r in told["raters"]] == ["kim"]
    assert cli("rating", "agreement").code == 0
    assert cli("rating", "teach", "--json").json == {"words": 3, "learned": 3}
    assert cli("rating", "teach").out == "0 words put together, 0 learned\n"


def test_known_answers(cli: Cli, opened: Access) -> None:
    now = installation.now()
    new = rater(opened, "new", now=now)
    [item] = given(opened, new, 1, now=now) or [""]
    moment = str(observation_of(opened, item)) if item else "1"
    assert cli("rating", "gold", "add", "ada", moment, "fear", "--by", "kim").code == 3  # no researcher
    assert cli("rating", "gold", "add", "ada", moment, "fear", "--by", "judge").code == 0
    assert cli("rating", "gold", "add", "ada", "987654", "fear", "--by", "judge").code == 3
    [known] = cli("rating", "gold", "list", "--json").json
    assert (known["participant"], known["observation"]) == ("ada", int(moment))
    assert cli("rating", "gold", "remove", "ada", moment).code == 0
    assert cli("rating", "gold", "list", "--json").json == []
    with opened.read(opened.person("ada").id, now) as unit:
        whats = [look.what for look in opened.looks(unit)]
    assert whats.count("which of your moments serve to see how well raters do") == 4


def test_a_rater_s_own_data(cli: Cli, opened: Access, tmp_path: Path) -> None:
    told = cli("raters", "show", "kim", "--json").json
    assert told["agreed"] == ["agreement", "research", "speed", "votes"]
    assert told["rows"]["rating_votes"] == 3
    file = tmp_path / "kim.json"
    assert cli("raters", "export", "kim", str(file)).code == 0
    assert len(json.loads(file.read_text("utf-8"))["votes"]) == 3
    assert "already" in cli("raters", "export", "kim", str(file)).line
    assert "3 rating_votes" in cli("raters", "erase", "kim", "--yes").out
    assert cli("raters", "show", "kim", "--json").json["rows"] == {}
    assert cli("raters", "show", "nobody").code != 0
