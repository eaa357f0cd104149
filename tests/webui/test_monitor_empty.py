"""What the room says where there is little or nothing: never a bare table, a nought that is none, or a fault."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests import builders
from tests.webui.rating import at_desk, member
from tests.webui.site import Site, Visitor
from tests.webui.test_monitor import rows_of
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.members import Role
from tracker.domain.series import Correction, Prompt
from tracker.workflows import feedback, prompts


@pytest.fixture
def rosa(lite: Site) -> Visitor:
    return at_desk(lite, member(lite, "rosa", Role.RESEARCHER))


def test_a_window_in_which_nothing_came_says_so(lite: Site, rosa: Visitor) -> None:
    ada = lite.person(now=lite.now - timedelta(days=40))
    builders.store(lite.access, ada, [builders.observed(lite.now - timedelta(days=20))], lite.now)
    for days in (7, 14):
        page = rosa.get(f"/study/people/{ada.id}?days={days}").text
        assert "Nothing arrived in these days" in page, days
        assert "No learner of this person" in page
        rows = rows_of(rosa.get(f"/study/people/{ada.id}/days.csv?days={days}"))
        assert {row["read"] for row in rows} == {"0"}
    assert "Nothing arrived in these days" not in rosa.get(f"/study/people/{ada.id}?days=30").text
    assert rows_of(rosa.get(f"/study/people/{ada.id}/reliability.csv")) == []


def test_prompts_that_nobody_was_put_say_so(lite: Site, rosa: Visitor) -> None:
    lite.person(now=lite.now - timedelta(days=40))
    page = rosa.get("/study/prompts?days=7").text
    assert "Nobody was asked anything in these days" in page
    assert "0 of 0" not in page
    assert rows_of(rosa.get("/study/prompts.csv?days=7"))


def test_nine_people_have_no_figures_about_everybody_and_are_told_why(lite: Site, rosa: Visitor) -> None:
    quiet = tuple(s for s in Scope if s is not Scope.SHARE_WITH_RESEARCHERS)
    for n in range(9):
        lite.person(f"p{n}", quiet)
    page = rosa.get("/study/everybody").text
    assert "made of fewer than 10" in page
    assert not re.search(r"\b9\b people", page), "how many there are is not told"
    assert 'class="card empty"' in rosa.get("/study").text
    assert rows_of(rosa.get("/study/everybody.csv")) == []


def test_an_answer_alone_is_no_diagram_of_much(lite: Site, rosa: Visitor) -> None:
    ada = lite.person()
    at = lite.now - timedelta(hours=1)
    builders.store(lite.access, ada, [builders.observed(at)], lite.now)
    feedback.correct(lite.access, ada, Correction(at, "emotion", builders.leaning(Emotion.FEAR)), lite.now)
    rows = rows_of(rosa.get(f"/study/people/{ada.id}/reliability.csv"))
    assert {row["who"] for row in rows} == {"learner", "network"}, "the most frequent of none is nothing"
    assert {row["n"] for row in rows} == {"1"}
    assert float(rows[0]["right_high"]) - float(rows[0]["right_low"]) > 0.7


def test_a_day_with_an_hour_that_is_not_and_one_with_an_hour_twice_are_one_day_each(lite: Site) -> None:
    """Berlin's clocks go forward on 29 March 2026 and back on 25 October: no day is lost, none comes twice."""
    for noon, first in (
        (datetime(2026, 3, 30, 12, tzinfo=UTC), "2026-03-24"),
        (datetime(2026, 10, 26, 12, tzinfo=UTC), "2026-10-20"),
    ):
        lite.now = noon
        name = f"p{noon:%m}"
        who = lite.person(name, now=noon - timedelta(days=20), covers_from=noon - timedelta(days=21))
        rosa = at_desk(lite, member(lite, f"rosa{noon:%m}", Role.RESEARCHER))
        for n, hours in enumerate(range(26, 62, 2)):
            at = noon - timedelta(hours=hours)
            over = at + timedelta(minutes=30)
            one = Prompt(f"day:{n}", at, at, None, None, "expired", expires_at=over, ended_at=over)
            prompts.record(lite.access, who, one, noon)
            builders.store(lite.access, who, [builders.observed(at)], noon)
        rows = rows_of(rosa.get(f"/study/people/{who.id}/days.csv?days=7"))
        assert [row["day"] for row in rows][-1] == first
        assert len({row["day"] for row in rows}) == len(rows) == 7
        assert sum(int(row["missed"] or 0) for row in rows) == 18
        assert sum(int(row["read"] or 0) for row in rows) == 18
        mine = [row for row in rows_of(rosa.get("/study/prompts.csv?days=7")) if row["participant"] == name]
        assert sum(int(row["missed"]) for row in mine) == 18
