from datetime import timedelta

import pytest

from tests.builders import NOW, member
from tests.workflows.rated import PICTURE, given, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.rating import Verdict
from tracker.workflows import consenting, rating

LATER = NOW + timedelta(minutes=1)


def test_a_rater_sees_says_takes_back_and_says_again(access: Access) -> None:
    who, kim = shown(access), rater(access)
    items = given(access, kim, 3)
    assert len(set(items)) == 3
    assert rating.open_crop(access, kim, items[0], NOW) == PICTURE
    first = rating.vote(access, kim, items[0], said(Emotion.ANGER), NOW)
    assert not first.again
    assert rating.progress(access, kim, NOW).words == "1 of 20 today"
    [decided] = rating.last_ten(access, kim, NOW)
    assert (decided.item, decided.distribution and decided.distribution.top) == (items[0], Emotion.ANGER)
    reopened = rating.undo(access, kim, items[0], "undo-it-once", NOW)
    assert reopened.id == items[0]
    assert rating.last_ten(access, kim, NOW) == []
    assert rating.standing_vote(access, kim, items[0]) is None
    rating.vote(access, kim, items[0], said(Emotion.FEAR), LATER)
    row = rating.standing_vote(access, kim, items[0])
    assert row is not None
    assert row.distribution is not None
    assert row.distribution.top is Emotion.FEAR
    with access.read(who.id, LATER) as unit:
        looks = access.looks(unit)
    assert [(look.reader, look.what) for look in looks] == [
        (f"rater {kim.id[:8]}", "a picture of your face, to rate it")
    ]


def test_who_did_not_agree_or_is_no_rater_gets_nothing(access: Access) -> None:
    shown(access)
    new = member(access, "new")
    with pytest.raises(rating.NoticeFirstError):
        given(access, new)
    rating.agree(access, new, rating.notice(access).sha256, NOW, frozenset())
    with pytest.raises(rating.NoticeFirstError):
        given(access, new)


def test_nothing_is_given_without_the_grant_and_everything_closes_with_it(access: Access) -> None:
    shown(access, "shy", scopes=[s for s in Scope if s is not Scope.SHARE_WITH_RATERS])
    kim = rater(access)
    assert given(access, kim, 3) == []
    ada = shown(access, "ada")
    seen, kept, undone = given(access, kim, 3)
    rating.vote(access, kim, undone, said(), NOW)
    consenting.withdraw(access, ada, [Scope.SHARE_WITH_RATERS], LATER, recorder=Recorder.PARTICIPANT)
    for item in (seen, kept):
        with pytest.raises(rating.ItemClosedError):
            rating.open_crop(access, kim, item, LATER)
        with pytest.raises(rating.ItemClosedError):
            rating.vote(access, kim, item, said(), LATER)
    with pytest.raises(rating.ItemClosedError):
        rating.undo(access, kim, undone, "undo-it-once", LATER)
    assert given(access, kim, 3, now=LATER) == []
    assert rating.gone(access, kim, [seen, kept], LATER) == {seen, kept}


def test_the_same_decision_sent_twice_is_one(access: Access) -> None:
    shown(access)
    kim = rater(access)
    [item] = given(access, kim)
    once = said(Emotion.FEAR, key="one-decision")
    first, second = (rating.vote(access, kim, item, once, NOW) for _ in range(2))
    assert second.again
    assert first.vote == second.vote
    assert rating.progress(access, kim, NOW).done == 1


def test_an_item_of_somebody_else_is_none_of_mine(access: Access) -> None:
    shown(access)
    kim, lee = rater(access, "kim"), rater(access, "lee")
    [item] = given(access, kim)
    for act in (
        lambda: rating.open_crop(access, lee, item, NOW),
        lambda: rating.vote(access, lee, item, said(), NOW),
        lambda: rating.undo(access, lee, item, "undo-it-once", NOW),
        lambda: rating.skip(access, lee, item, NOW),
    ):
        with pytest.raises(rating.UnknownItemError):
            act()


def test_what_is_put_off_comes_back_last_and_what_is_uncomfortable_never(access: Access) -> None:
    shown(access, faces=3)
    kim = rater(access)
    first, second, third = given(access, kim, 3)
    rating.skip(access, kim, first, NOW)
    rating.vote(access, kim, second, said(None, verdict=Verdict.UNCOMFORTABLE), NOW)
    assert given(access, kim, 3) == [third, first]
    rating.vote(access, kim, third, said(), NOW)
    rating.vote(access, kim, first, said(), NOW)
    assert given(access, kim, 3) == []
