import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.rating import LEASE, Because, Dimension, RatingError, Sample, Trace
from tracker.domain.stretches import Stretch
from tracker.store import tables
from tracker.workflows import hiding, rating
from tracker.workflows.rating import choosing

LATER = NOW + timedelta(minutes=1)


def tasks(access: Access) -> list[tuple[bool, bool, str]]:
    t = tables.rating_tasks.c
    with access.database.read() as connection:
        return [
            tuple(row) for row in connection.execute(select(t.random, t.gold, t.because).order_by(t.turn))
        ]


def rate_all(access: Access, who: Member, *, seed: int = 0) -> list[int]:
    """Rate until nothing is left; the observations in the order in which they came."""
    chance, seen = random.Random(seed), []
    while items := rating.next_items(access, who, NOW, 1, chance=chance):
        seen.append(observation_of(access, items[0].id))
        rating.vote(access, who, items[0].id, said(), NOW)
    return seen


def test_the_most_unsure_come_first_and_every_fifth_at_random(  # type: ignore[no-untyped-def]
    access: Access, ruled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "drawn", lambda _, item, every: item % every == 0)
    ruled(random_every=5, gold_share=0, second_share=0)
    shown(access, faces=20)
    kim = rater(access)
    seen = rate_all(access, kim)
    assert len(seen) == len(set(seen)) == 20
    told = tasks(access)
    assert [i for i, (chance, _, _) in enumerate(told, 1) if chance] == [5, 10, 15, 20]
    assert {why for chance, _, why in told if chance} == {Because.CHANCE.value}
    # The network grows surer with time, so early observations are the unsure ones.
    ordered = [item for item, (chance, _, _) in zip(seen, told, strict=True) if not chance]
    assert sum(ordered[:8]) < sum(ordered[-8:])


def test_as_many_see_an_item_as_it_wants(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    shown(access, faces=6)
    counts: Counter[int] = Counter()
    for name in ("kim", "lee", "max"):
        counts.update(rate_all(access, rater(access, name)))
    assert set(counts.values()) == {2}


def test_who_disagree_bring_a_third_and_a_decision_ends_it(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    shown(access, faces=1)
    kim, lee, third = (rater(access, name) for name in ("kim", "lee", "third"))
    judge = rater(access, "judge", Role.RESEARCHER)
    [one], [two] = given(access, kim), given(access, lee)
    assert given(access, third) == []  # two are wanted, and two have it
    rating.vote(access, kim, one, said(Emotion.FEAR), NOW)
    rating.vote(access, lee, two, said(Emotion.ANGER), NOW)
    [disputed] = rating.to_adjudicate(access, judge, NOW)
    assert (disputed.item, disputed.votes) == (one, 2)
    dispute = rating.open_dispute(access, judge, disputed.item, NOW)
    assert [v.who for v in dispute.votes] == ["A", "B"]
    assert rating.open_disputed_crop(access, judge, disputed.item, NOW)
    once = said(Emotion.DISGUST, key="one-decision")
    first, again = (rating.adjudicate(access, judge, disputed.item, once, NOW) for _ in range(2))
    assert first == again
    assert rating.to_adjudicate(access, judge, NOW) == []
    assert given(access, third) == []
    later = rating.open_dispute(access, judge, disputed.item, NOW)
    assert later.decided is not None
    assert len(later.votes) == 2  # the votes stay as they were


def test_nobody_decides_about_their_own_vote_or_without_the_role(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0)
    shown(access, faces=1)
    both = rater(access, "both", Role.RATER, Role.RESEARCHER)
    kim = rater(access, "kim")
    [item] = given(access, both)
    rating.vote(access, both, item, said(), NOW)
    with pytest.raises(rating.OwnDecisionError):
        rating.adjudicate(access, both, item, said(), NOW)
    with pytest.raises(rating.NoRaterError):
        rating.adjudicate(access, kim, item, said(), NOW)


def gilded(access: Access, who: Person, by: Member, n: int) -> set[int]:
    o = tables.observations.c
    with access.database.read() as connection:
        items = list(connection.execute(select(o.id).where(o.subject == who.subject).limit(n)).scalars())
    for item in items:
        rating.set_gold(access, by, who, item, Distribution.said(Emotion.FEAR), NOW)
    return set(items)


def test_known_answers_come_hidden_among_the_others(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(random_every=1000, gold_share=0.5, second_share=0)
    ada = shown(access, faces=12)
    kim = rater(access)
    judge = rater(access, "judge", Role.RATER, Role.RESEARCHER)
    known = gilded(access, ada, judge, 4)
    seen = rate_all(access, kim)
    told = tasks(access)
    gold = {item for item, (_, is_gold, _) in zip(seen, told, strict=True) if is_gold}
    assert gold
    assert gold <= known
    assert not known & (set(seen) - gold)  # never as an ordinary item
    # Nothing that a rater is given tells them apart.
    assert {why for _, is_gold, why in told if is_gold} <= {Because.UNSURE.value, Because.WAITED.value}
    assert {f.name for f in rating.Item.__dataclass_fields__.values()} == {"id", "because", "leased_until"}
    [figures] = rating.agreement(access, NOW).raters
    assert figures.with_known is not None
    assert figures.with_known.n == len(gold)
    # Who set them is not given them.
    assert not known & set(rate_all(access, judge, seed=3))


def test_an_item_that_is_kept_comes_back_to_somebody_else_after_its_lease(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=0)
    shown(access, faces=1)
    kim, lee = rater(access, "kim"), rater(access, "lee")
    [item] = given(access, kim)
    assert given(access, kim) == [item]
    assert given(access, lee) == []
    after = NOW + LEASE + timedelta(seconds=1)
    [other] = given(access, lee, now=after)
    assert observation_of(access, other) == observation_of(access, item)


def test_a_hidden_stretch_is_closed_to_raters(access: Access) -> None:
    ada, kim = shown(access), rater(access)
    items = given(access, kim, 2)
    hiding.hide(access, ada, Stretch(NOW - timedelta(days=1), NOW), LATER)
    assert given(access, kim, 3, now=LATER) == []
    for item in items:
        with pytest.raises(rating.ItemClosedError):
            rating.open_crop(access, kim, item, LATER)
        with pytest.raises(rating.ItemClosedError):
            rating.vote(access, kim, item, said(), LATER)


def test_a_stretch_is_opened_rated_and_followed(access: Access) -> None:
    ada = shown(access, faces=8, every=timedelta(seconds=5))
    kim = rater(access)
    [stretch] = rating.stretches(access, kim, NOW)
    assert (stretch.pictures, stretch.seconds) == (8, 35.0)
    with pytest.raises(rating.UnknownItemError):  # its pictures open once the look was noted
        rating.open_frame(access, kim, stretch.item, 1, NOW)
    series = rating.open_series(access, kim, stretch.item, NOW)
    assert [f.estimate for f in series.frames] == [None] * 8
    first, last = series.frames[0], series.frames[-1]
    assert rating.open_frame(access, kim, stretch.item, last.observation, NOW)
    with pytest.raises(rating.ItemClosedError):  # a moment of nobody's, or of somebody else's
        rating.open_frame(access, kim, stretch.item, last.observation + 999, NOW)
    samples = (Sample(first.at, 0.25, first.observation), Sample(last.at, -1.0, last.observation))
    drawn = Trace(Dimension.VALENCE, samples, series.lag_s, "a-trace-once")
    one, again = (rating.keep_trace(access, kim, stretch.item, drawn, NOW) for _ in range(2))
    assert one == again
    strange = Trace(Dimension.VALENCE, (Sample(first.at, 0.0, 987654),), 2.0, "a-trace-else")
    with pytest.raises(RatingError):
        rating.keep_trace(access, kim, stretch.item, strange, NOW)
    rating.vote(access, kim, stretch.item, said(Emotion.FEAR), NOW)
    assert all(f.estimate for f in rating.open_series(access, kim, stretch.item, NOW).frames)
    assert rating.stretches(access, kim, NOW) == []
    told = rating.own_data(access, kim)
    assert told["traces"][0]["lag_s"] == 2.0
    assert [value for _, value in told["traces"][0]["samples"]] == [0.25, -1.0]
    with access.read(ada.id, NOW) as unit:
        assert {look.what for look in access.looks(unit)} == {
            "a stretch of pictures of your face, to rate it"
        }
