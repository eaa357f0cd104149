"""What comes to raters by chance, and what they may not read from what comes: marks, turns and reasons."""

import random
from datetime import timedelta
from importlib import import_module

import pytest
from sqlalchemy import select

from tests.builders import NOW, member
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.raters import RaterScope
from tracker.domain.rating import LEASE, Because
from tracker.learning.queueing import Candidate, because
from tracker.store import studies, tables
from tracker.study import DEFAULT
from tracker.study.rating import RatingRules
from tracker.workflows import rating
from tracker.workflows.rating import choosing, doors, gathering

SOON = NOW + timedelta(minutes=1)


def rule(monkeypatch: pytest.MonkeyPatch, **said_: object) -> None:
    changed = DEFAULT.model_copy(update={"rating": RatingRules(**said_)})  # type: ignore[arg-type]
    monkeypatch.setattr(studies, "in_force", lambda _: changed)


def every_fifth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw every fifth item beforehand: those whose number ends so."""
    for module in (choosing, import_module("tracker.workflows.rating.agreement")):
        monkeypatch.setattr(module, "drawn", lambda _, item, every: item % every == 0)


def turn_of(access: Access, item: str) -> tuple[int, bool]:
    t = tables.rating_tasks.c
    with access.database.read() as connection:
        turn, chance = connection.execute(select(t.turn, t.random).where(t.id == item)).one()
    return turn, chance


def test_what_was_drawn_comes_in_no_other_way_while_there_is_anything_else(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(monkeypatch, random_every=5, gold_share=0, second_share=0)
    every_fifth(monkeypatch)
    shown(access, faces=10)
    kim, chance = rater(access), random.Random(1)
    came = []
    while items := rating.next_items(access, kim, NOW, 1, chance=chance):
        came.append((observation_of(access, items[0].id), turn_of(access, items[0].id), items[0].because))
        rating.vote(access, kim, items[0].id, said(), NOW)
    assert [turn for _, (turn, _), _ in came] == list(range(1, 11))
    assert [turn for _, (turn, chance_), _ in came if chance_] == [5, 10]
    for item, (_, marked), why in came:
        assert marked == (item % 5 == 0) == (why is Because.CHANCE)


def test_an_item_given_again_is_a_turn_of_its_own(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    rule(monkeypatch, random_every=5, gold_share=0, second_share=0)
    every_fifth(monkeypatch)
    shown(access, faces=5)
    kim = rater(access)
    first = given(access, kim, 4)
    late = NOW + LEASE + timedelta(minutes=1)
    # All have lapsed: what is given now are the turns five to nine, the fifth from what was drawn.
    again = given(access, kim, 5, now=late)
    assert set(first) < set(again)
    assert [turn_of(access, item) for item in again] == [(5, True), *((turn, False) for turn in (6, 7, 8, 9))]


def test_the_share_on_what_was_drawn_counts_these_alone(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(monkeypatch, random_every=5, gold_share=0, second_share=0)
    every_fifth(monkeypatch)
    shown(access, faces=20)
    kim = rater(access)
    # The network says sadness everywhere: right on what was drawn, but for one; wrong on all the rest.
    wrong = {10}
    while items := given(access, kim):
        number = observation_of(access, items[0])
        word = Emotion.SADNESS if number % 5 == 0 and number not in wrong else Emotion.ANGER
        rating.vote(access, kim, items[0], said(word), NOW)
    found = rating.agreement(access, SOON)
    assert found.network_on_drawn is not None
    assert (found.network_on_drawn.hits, found.network_on_drawn.n) == (3, 4)
    [row] = found.raters
    assert row.with_network is not None
    assert row.with_network.hits == 3 < row.with_network.n


def pool_of(access: Access, person: Person, who: Member) -> choosing.Pool:
    with access.read(person.id, NOW) as unit:
        return choosing.pool(unit, doors.permit_of(unit), who.id, "crop")


def test_an_item_with_a_known_answer_has_the_reason_that_it_had_without(access: Access) -> None:
    ada, kim = shown(access, faces=6, sure=0.99), rater(access)
    judge = rater(access, "judge", Role.RESEARCHER)
    before = {c.item: c for c in pool_of(access, ada, kim).candidates}
    assert {because(c) for c in before.values()} == {Because.WAITED}
    item = min(before)
    rating.set_gold(access, judge, ada, item, Distribution.said(Emotion.FEAR), NOW)
    after = pool_of(access, ada, kim)
    assert after.gold == (before[item],)
    assert isinstance(after.gold[0], Candidate)
    assert after.because(after.gold[0]) is Because.WAITED


def test_who_refuses_to_be_compared_is_in_no_fit_and_no_alpha(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(monkeypatch, random_every=1000, gold_share=0, second_share=1)
    shown(access, faces=8)
    kim, shy = rater(access), member(access, "shy")
    rating.agree(access, shy, rating.notice(access).sha256, NOW, {RaterScope.VOTES})
    for who, word in ((kim, Emotion.FEAR), (shy, Emotion.ANGER)):
        for item in given(access, who, 8):
            rating.vote(access, who, item, said(word), NOW)
    found = rating.agreement(access, SOON)
    # What is told of votes holds none of hers: from a sum and its other parts they could be computed.
    assert (found.votes, found.uncompared, found.estimated) == (8, 1, False)
    assert (found.words.value, found.words.values) == (None, 0)
    [row] = found.raters
    assert row.with_others is None
    gathered = gathering.gather(access, SOON)
    meant = gathering.understand(gathered.votes, {}, gathering.compared(access))
    assert meant.members == (kim.id,)
    # Each counts as somebody of whom nothing is known.
    for words, weights in gathering.put_together(gathered.votes, meant).values():
        assert weights == [1 / 8, 1 / 8]
        assert words[Emotion.FEAR] == pytest.approx(0.5)
