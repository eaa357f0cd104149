"""What a learner has learned, told in facts: right against a count of our own, and silent where it is too early."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, installation, leaning, observed, person, store
from tests.personal.saying import talkative
from tests.processes import close
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.domain.stretches import Stretch
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE
from tracker.learning.shares import FEWEST, Share
from tracker.personal.figures import Misses, judge
from tracker.personal.telling import Told, told
from tracker.personal.telling import judged as quickly
from tracker.store.learned import Foretold
from tracker.workflows import consenting, feedback, hiding

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def of(access: Access, who: Person) -> dict[str, Told]:
    with access.read(who.id, NOW) as unit:
        return {one.target: one for one in told(unit)}


def at_home_it_reads_sad(access: Access, answers: int) -> Person:
    """Someone whose face reads as sadness always, and who is neutral at home and sad everywhere else."""
    who = person(access, now=NOW - 20 * DAY)
    for i in range(answers):
        at = NOW - 15 * DAY + i * 6 * HOUR
        store(access, who, [observed(at, Emotion.SADNESS)], at)
        feedback.add_context(access, who, Context(at, place="home" if i % 2 else "park"), at)
        said = Emotion.NEUTRAL if i % 2 else Emotion.SADNESS
        feedback.correct(access, who, Correction(at, EMOTION, leaning(said, 0.95)), at + MINUTE)
    return who


def test_a_learner_tells_what_moves_it_and_how_often_it_was_right(access: Access) -> None:
    who = at_home_it_reads_sad(access, 40)
    found = of(access, who)[EMOTION]
    home = next(p for p in found.pulls if (p.what, p.value) == ("place", "home"))
    assert home.emotion in (Emotion.NEUTRAL, Emotion.SADNESS)
    assert (home.by > 0) is (home.emotion is Emotion.NEUTRAL)
    assert home.low <= home.by <= home.high
    assert home.n == 20
    judged = found.judged
    assert isinstance(judged.learner, Share)
    assert isinstance(judged.network, Share)
    assert judged.network.hits == 20, "it reads sadness always"
    assert judged.learner.value > judged.network.value
    assert isinstance(judged.last, Share)
    assert judged.last.hits == 0, "what was said last is always the other"
    assert judged.n == found.answers == 40
    assert isinstance(judged.earlier, Share)
    assert isinstance(judged.later, Share)
    assert judged.earlier.n + judged.later.n == 40
    with access.read(who.id, NOW) as unit:
        assert quickly(unit, [EMOTION, "valence"]) == {EMOTION: judged}


def test_the_words_of_few_answers_are_too_early(access: Access) -> None:
    found = of(access, at_home_it_reads_sad(access, FEWEST - 1))[EMOTION]
    assert found.judged.early
    assert of(access, always_afraid(access))[EMOTION].judged.n == FEWEST


def always_afraid(access: Access) -> Person:
    consenting.withdraw(access, access.person("ada"), list(Scope), NOW, recorder=Recorder.PARTICIPANT)
    who = person(access, "bob", now=NOW - 20 * DAY)
    for i in range(FEWEST):
        at = NOW - 10 * DAY + i * HOUR
        store(access, who, [observed(at, Emotion.SADNESS)], at)
        feedback.correct(access, who, Correction(at, EMOTION, leaning(Emotion.FEAR, 0.9)), at + MINUTE)
    return who


def test_every_target_is_told_and_what_is_hidden_or_withdrawn_is_not(access: Access) -> None:
    who = talkative(access, days=8)
    before = of(access, who)
    assert {EMOTION, LEAVE_ME_ALONE, "valence", "yes_no:tired"} <= before.keys()
    alone = before[LEAVE_ME_ALONE].alone
    assert alone is not None
    assert alone.decided.n >= alone.right.n >= alone.drawn.n
    assert before[EMOTION].alone is None
    hiding.hide(access, who, Stretch(NOW - 8 * DAY, NOW - 4 * DAY), NOW)
    after = of(access, who)
    for target, one in after.items():
        assert one.judged.n < before[target].judged.n, target
        assert one.answers < before[target].answers
    consenting.withdraw(access, who, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    assert of(access, who) == {}


def test_where_the_face_reads_as_something_else_it_is_told_what_is_meant(access: Access) -> None:
    who = person(access, now=NOW - 20 * DAY)
    for i in range(10):
        at = NOW - 5 * DAY + i * HOUR
        store(access, who, [observed(at, Emotion.SADNESS)], at)
        feedback.correct(access, who, Correction(at, EMOTION, leaning(Emotion.NEUTRAL, 0.95)), at + MINUTE)
    [meant] = [m for m in of(access, who)[EMOTION].meant if m.read is Emotion.SADNESS]
    assert meant.said is Emotion.NEUTRAL
    assert 0.5 < meant.share <= 1.0


SAID = st.lists(
    st.tuples(st.sampled_from(list(Emotion)), st.sampled_from(list(Emotion)), st.sampled_from(list(Emotion))),
    max_size=60,
)


@given(SAID)
def test_figures_agree_with_a_count_of_our_own(said: list[tuple[Emotion, Emotion, Emotion]]) -> None:
    answers = [Foretold(NOW, leaning(a), leaning(b), leaning(c), True, False, False, NOW) for a, b, c in said]
    found = judge(EMOTION, answers)
    assert isinstance(found.learner, Share)
    assert found.learner.hits == sum(a is b for a, b, _ in said)
    if said:
        assert isinstance(found.network, Share)
        assert found.network.hits == sum(b is c for _, b, c in said)
        labels = [b for _, b, _ in said]
        assert found.last.hits == sum(x is y for x, y in pairwise(labels))  # type: ignore[union-attr]
        usual = sum(Counter(labels[:i]).most_common(1)[0][0] is label for i, label in enumerate(labels) if i)
        assert found.majority.hits == usual  # type: ignore[union-attr]
    assert found.early is (len(said) < FEWEST)


@given(st.integers(0, 200), st.integers(0, 200))
def test_an_interval_holds_its_figure_and_narrows_with_more_answers(right: int, wrong: int) -> None:
    share = Share(right, right + wrong)
    assert 0.0 <= share.low <= share.value + 1e-12
    assert share.n == 0 or share.value <= share.high + 1e-12 <= 1.0 + 1e-9
    more = Share(right * 4, (right + wrong) * 4)
    if share.n:
        assert more.high - more.low <= share.high - share.low


def test_a_number_is_judged_by_how_far_off_it_is() -> None:
    chance = random.Random(3)
    answers = [
        Foretold(NOW, (0.5, 0.2), 0.25 if i % 2 else 0.75, None, False, False, False, NOW) for i in range(30)
    ]
    chance.shuffle(answers)
    found = judge("number:stress", answers)
    assert isinstance(found.learner, Misses)
    assert found.learner.mean == pytest.approx(0.25)
    assert found.network is None
