"""Plots of the researchers' room: each holds what its table holds, with n and ranges, and the file has the same."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW
from tests.webui import rating as desk
from tests.webui.rating import at_desk, member
from tests.webui.site import Site, Visitor
from tests.webui.test_monitor import living, looks_at, rows_of
from tests.workflows.rated import given as items_of
from tests.workflows.rated import said
from tracker.domain.affect import Emotion
from tracker.domain.members import Role
from tracker.domain.raters import RaterScope
from tracker.learning.agreement_confusion import WORDS, confused, middle_between
from tracker.personal.reliability import GROUPS, LEAST, Reliability, grouped, reliability
from tracker.store.learned import Foretold
from tracker.workflows import rating
from webui.monitor import sureness


@pytest.fixture
def rosa(lite: Site) -> Visitor:
    return at_desk(lite, member(lite, "rosa", Role.RESEARCHER))


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.3, 0.5, 0.55, 0.9, 1.0]), st.booleans()), max_size=200))
def test_groups_hold_every_answer_once_in_order_and_are_about_as_large(
    pairs: list[tuple[float, bool]],
) -> None:
    groups = list(grouped(pairs))
    assert sum(g.right.n for g in groups) == len(pairs)
    assert sum(g.right.hits for g in groups) == sum(right for _, right in pairs)
    assert len(groups) <= min(GROUPS, max(len(pairs) // LEAST, 1))
    for before, after in itertools.pairwise(groups):
        assert before.high < after.low, "who is as sure as another is in the same group"
    for g in groups:
        assert g.low <= g.said + 1e-12
        assert g.said <= g.high + 1e-12
    if len(pairs) >= 2 * LEAST and len({sure for sure, _ in pairs}) == len(pairs):
        assert min(g.right.n for g in groups) >= LEAST


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=60))
def test_a_confusion_counts_every_pair_once(pairs: list[tuple[str, str]]) -> None:
    found = confused(pairs)
    if found is None:
        assert pairs == []
        return
    assert found.n == len(pairs)
    cells = [found.cell(they, own) for they in found.rows for own in found.columns]
    assert sum(cell.hits for cell in cells if cell is not None) == len(pairs)
    assert all(cell is not None and cell.low - 1e-9 <= cell.value <= cell.high + 1e-9 for cell in cells)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=150))
def test_the_middle_lies_between_its_limits(values: list[float]) -> None:
    limits = middle_between(values)
    assert (limits is None) == (len(values) < 6)
    if limits is not None:
        ordered = sorted(values)
        assert limits[0] <= ordered[(len(values) - 1) // 2] <= ordered[len(values) // 2] <= limits[1]


def test_a_learner_has_a_diagram_a_sentence_and_a_table(lite: Site, rosa: Visitor) -> None:
    ada = living(lite)
    page = rosa.get(f"/study/people/{ada.id}?days=7").text
    rows = rows_of(rosa.get(f"/study/people/{ada.id}/reliability.csv"))
    assert {(row["target"], row["who"]) for row in rows} >= {("emotion", "learner"), ("emotion", "network")}
    network = [row for row in rows if row["who"] == "network"]
    assert sum(int(row["n"]) for row in network) == 8
    assert float(network[0]["right"]) == 0.5
    assert float(network[0]["right_low"]) < 0.5 < float(network[0]["right_high"])
    assert "■ 8" in page
    assert re.search(r"network: \d+\s%\s*sure on average, right 50\s%", page)
    diagram = page.partition('class="plot square"')[2].partition("</svg>")[0]
    assert diagram.count('class="s-network"') == len(network)
    assert len(looks_at(lite, ada)) == 2, "each is a look that they see"


def test_either_is_fine_counts_as_right_for_whoever_means_it_by_how_sure_they_are() -> None:
    """A learner that says 0.8 where yes is meant in 60 of 100 and either in 20 says what it means."""
    labels = [1.0] * 3 + [0.5] + [0.0]
    answers = [
        Foretold(NOW, 0.8, labels[n % 5], None, shown=False, prompted=True, drawn=False, recorded_at=NOW)
        for n in range(100)
    ]
    learner, majority = reliability("leave_me_alone", answers)
    assert (learner.whole.hits, learner.whole.n, round(learner.error, 9)) == (80, 100, 0.0)
    assert (majority.whole.hits, majority.whole.n) == (79, 99)
    assert abs(majority.said - majority.whole.value) < 0.06
    # Nobody has said anything yet that either could stand beside.
    (alone,) = reliability("leave_me_alone", [answers[3]])
    assert (alone.who, alone.whole.hits) == ("learner", 1)


def test_what_claims_too_much_is_said_to(lite: Site) -> None:
    with lite.app.test_request_context():
        sure = Reliability("learner", tuple(grouped([(0.95, n % 2 == 0) for n in range(100)])))
        assert "too much" in sureness.sentence(sure)
        shy = Reliability("learner", tuple(grouped([(0.3, n % 2 == 0) for n in range(100)])))
        assert "too little" in sureness.sentence(shy)
        fair = Reliability("learner", tuple(grouped([(0.5, n % 2 == 0) for n in range(100)])))
        assert "chance" in sureness.sentence(fair)
        assert "SIMULATED" in sureness.drawn("emotion", [fair], simulated=True)


def test_raters_are_confused_with_the_network_and_with_each_other(lite: Site, rosa: Visitor) -> None:
    desk.shown_person(lite, faces=4)
    said_by = {}
    for name, word in (("kim", Emotion.FEAR), ("lee", Emotion.ANGER)):
        who = member(lite, name)
        for item in items_of(lite.access, who, 2, now=lite.now):
            rating.vote(lite.access, who, item, said(word, ms=900), lite.now)
        said_by[who.id[:8]] = word.value
    shy = member(lite, "shy", agreed=False)
    rating.agree(lite.access, shy, rating.notice(lite.access).sha256, lite.now, {RaterScope.VOTES})
    for item in items_of(lite.access, shy, 2, now=lite.now):
        rating.vote(lite.access, shy, item, said(Emotion.DISGUST), lite.now)
    rows = rows_of(rosa.get("/study/raters/confusion.csv"))
    network = [row for row in rows if row["beside"] == "network"]
    for number, called in said_by.items():
        mine = [row for row in network if row["rater"] == number and row["rater_said"] == called]
        assert sum(int(row["n"]) for row in mine) == 2
    german = rosa.get("/study/raters", headers={"Accept-Language": "de"}).text
    assert "0,9 s" in german
    assert not re.search(r"\d\.\d", german.partition('<dl class="figures">')[2].partition("</dl>")[0])
    page = rosa.get("/study/raters").text
    assert "0.9 s" in page
    assert page.count("Beside the network") == 2 * 2, "a heading and a region for each of two"
    assert shy.id[:8] not in page
    assert "disgust" not in {row["rater_said"] for row in rows if int(row["n"])}
    assert re.search(r"<dt>Answers</dt><dd>4</dd>", page), "the sum is of those who have a row"
