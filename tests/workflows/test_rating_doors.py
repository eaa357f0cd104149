"""What a rater may open, for how long, and what no rater learns or keeps."""

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW
from tests.workflows.rated import PICTURE, given, observation_of, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.keymap import KeyMap
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.raters import RaterScope
from tracker.domain.rating import GRACE, LEASE, Dimension, RatingError, Sample, Trace, Verdict
from tracker.store import raters, tables
from tracker.workflows import rating

EVERY = timedelta(seconds=5)


def looks(access: Access, who: Person, now: datetime = NOW) -> list[tuple[str, str]]:
    with access.read(who.id, now) as unit:
        return [(look.reader, look.what) for look in access.looks(unit)]


def votes(access: Access, who: Member) -> list[dict[str, object]]:
    v = tables.rating_votes
    with access.database.read() as connection:
        rows = connection.execute(select(v).where(v.c.member == who.id).order_by(v.c.id)).mappings()
        return [dict(row) for row in rows]


def shared_face(access: Access, *answers: tuple[Member, Emotion]) -> tuple[Person, list[str]]:
    """One face that each of some raters has said something about, as an item of each."""
    who = shown(access, faces=1)
    items = [given(access, member)[0] for member, _ in answers]
    for (member, answer), item in zip(answers, items, strict=True):
        rating.vote(access, member, item, said(answer), NOW)
    return who, items


def test_taking_back_what_one_said_of_a_stretch_opens_no_picture_unseen(access: Access) -> None:
    ada, kim = shown(access, faces=6, every=EVERY), rater(access)
    [stretch] = rating.stretches(access, kim, NOW)
    with pytest.raises(rating.UnknownItemError):  # nothing is said of what was never opened
        rating.vote(access, kim, stretch.item, said(), NOW)
    rating.open_series(access, kim, stretch.item, NOW)
    rating.vote(access, kim, stretch.item, said(), NOW)
    later = NOW + LEASE + timedelta(minutes=1)
    rating.undo(access, kim, stretch.item, "undo-it-once", later)
    before = looks(access, ada, later)
    for observation in range(1, 7):
        with pytest.raises(rating.UnknownItemError):
            rating.open_frame(access, kim, stretch.item, observation, later)
    with pytest.raises(rating.UnknownItemError):  # nor as a single face
        rating.open_crop(access, kim, stretch.item, later)
    assert looks(access, ada, later) == before
    rating.open_series(access, kim, stretch.item, later)
    assert len(looks(access, ada, later)) == len(before) + 1


def test_a_face_opens_while_it_is_kept_or_among_the_last_ten_and_then_no_more(access: Access) -> None:
    ada, kim = shown(access, faces=14), rater(access)
    [waited] = given(access, kim)
    over = NOW + LEASE
    with pytest.raises(rating.UnknownItemError):
        rating.open_crop(access, kim, waited, over)
    assert looks(access, ada, over) == []
    items = []
    for _ in range(12):
        [item] = given(access, kim)
        rating.vote(access, kim, item, said(), NOW)
        items.append(item)
    for item in items[2:]:
        assert rating.open_crop(access, kim, item, over) == PICTURE
    for item in items[:2]:
        for act in (
            lambda item=item: rating.open_crop(access, kim, item, NOW),
            lambda item=item: rating.vote(access, kim, item, said(), NOW),
            lambda item=item: rating.undo(access, kim, item, "undo-it-once", NOW),
        ):
            with pytest.raises(rating.UnknownItemError):
                act()


def test_an_answer_that_waited_on_the_page_counts_for_a_while(access: Access) -> None:
    shown(access, faces=2)
    kim = rater(access)
    late, later = given(access, kim, 2)
    rating.vote(access, kim, late, said(), NOW + LEASE + GRACE - timedelta(seconds=1))
    with pytest.raises(rating.UnknownItemError):
        rating.vote(access, kim, later, said(), NOW + LEASE + GRACE)
    # What was stored is acknowledged whenever it is sent again.
    once = said(key="one-decision")
    rating.vote(access, kim, late, once, NOW)
    assert rating.vote(access, kim, late, once, NOW + timedelta(days=3)).again


def test_a_trace_is_drawn_over_what_was_opened(access: Access) -> None:
    shown(access, faces=6, every=EVERY)
    kim = rater(access)
    [stretch] = rating.stretches(access, kim, NOW)
    drawn = Trace(Dimension.VALENCE, (Sample(NOW, 0.5),), 2.0, "a-trace-once")
    with pytest.raises(rating.UnknownItemError):
        rating.keep_trace(access, kim, stretch.item, drawn, NOW)
    rating.open_series(access, kim, stretch.item, NOW)
    assert rating.keep_trace(access, kim, stretch.item, drawn, NOW + LEASE)


def test_a_rater_s_own_figures_are_no_oracle(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=0)
    ada, kim = shown(access, faces=41), rater(access)
    judge = rater(access, "judge", Role.RESEARCHER)
    items = []
    for n in range(41):
        if n in (19, 20):
            figures = rating.own_figures(access, kim, NOW)
            assert figures is not None
            assert (figures.with_network is not None) is (n == 20)
        [item] = given(access, kim)
        items.append(item)
        rating.vote(access, kim, item, said(Emotion.ANGER), NOW)
    for item in items[:25]:
        truth = Distribution.said(Emotion.FEAR)
        rating.set_gold(access, judge, ada, observation_of(access, item), truth, NOW)
    before = rating.own_figures(access, kim, NOW)
    assert before is not None
    assert before.with_known is not None
    assert (before.with_known.hits, before.with_known.n) == (0, 20)
    assert before.with_network is not None
    assert before.with_network.n == 40  # whole batches, so that one more word tells nothing of its item
    assert before.with_self is None
    for answer in (Emotion.FEAR, Emotion.SADNESS):
        for item in items[-10:]:
            rating.vote(access, kim, item, said(answer), NOW)
    after = rating.own_figures(access, kim, NOW)
    assert after is not None
    assert (after.with_network, after.with_known) == (before.with_network, before.with_known)


def test_who_is_not_timed_leaves_no_time(access: Access) -> None:
    shown(access, faces=3)
    kim = rater(access)
    sha256 = rating.notice(access).sha256
    one, two, three = given(access, kim, 3)
    seen, at = NOW, NOW + timedelta(seconds=9)
    rating.vote(access, kim, one, said(now=seen, ms=9000), at)
    [row] = votes(access, kim)
    assert (row["shown_at"], row["response_ms"], row["visible_ms"]) == (seen, 9000, 80)
    rating.agree(access, kim, sha256, at, {RaterScope.VOTES, RaterScope.AGREEMENT})
    rating.vote(access, kim, two, said(now=seen, ms=9000), at)
    rating.undo(access, kim, two, "undo-it-once", at + timedelta(seconds=1))
    for row in votes(access, kim):
        assert (row["shown_at"], row["response_ms"], row["visible_ms"]) == (row["recorded_at"], None, None)
    rating.vote(access, kim, three, said(), at)
    [figures] = rating.agreement(access, at).raters
    assert (figures.speed_ms, figures.time_s) == (None, None)
    assert rating.progress(access, kim, at).median_response_ms is None


def test_only_a_face_that_is_disputed_opens_to_a_researcher_and_it_says_so(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    kim, lee = rater(access), rater(access, "lee")
    judge = rater(access, "judge", Role.RESEARCHER)
    ada, items = shared_face(access, (kim, Emotion.FEAR))
    for act in (
        lambda: rating.open_dispute(access, judge, items[0], NOW),
        lambda: rating.open_disputed_crop(access, judge, items[0], NOW),
        lambda: rating.dispute_open(access, judge, items[0], NOW),
        lambda: rating.adjudicate(access, judge, items[0], said(), NOW),
    ):
        with pytest.raises(rating.UnknownItemError):
            act()
    assert looks(access, ada) == []
    [other] = given(access, lee)
    rating.vote(access, lee, other, said(Emotion.ANGER), NOW)
    assert rating.dispute_open(access, judge, items[0], NOW)
    assert rating.open_disputed_crop(access, judge, items[0], NOW) == PICTURE
    assert looks(access, ada) == [
        (f"researcher {judge.id[:8]}", "a picture of your face, to decide between raters")
    ]
    with pytest.raises(RatingError, match="says what the face looks like"):
        rating.adjudicate(access, judge, items[0], said(verdict=Verdict.UNCOMFORTABLE), NOW)
    rating.adjudicate(access, judge, items[0], said(Emotion.ANGER), NOW)
    rating.vote(access, kim, items[0], said(Emotion.ANGER), NOW)
    assert rating.open_dispute(access, judge, items[0], NOW).decided  # what was decided opens again


def test_judge_and_rater_are_two_people(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    kim, lee = rater(access), rater(access, "lee")
    both = rater(access, "both", Role.RATER, Role.RESEARCHER)
    shown(access, faces=1)
    [one], [mine] = given(access, kim), given(access, both)
    rating.vote(access, kim, one, said(Emotion.FEAR), NOW)
    rating.vote(access, both, mine, said(Emotion.FEAR), NOW)
    rating.undo(access, both, mine, "undo-it-once", NOW)
    later = NOW + LEASE
    [item] = given(access, lee, now=later)
    rating.vote(access, lee, item, said(Emotion.ANGER), later)
    assert rating.to_adjudicate(access, both, later) == []
    with pytest.raises(rating.OwnDecisionError):
        rating.adjudicate(access, both, one, said(), later)


def test_who_decided_does_not_rate(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    kim, lee = rater(access), rater(access, "lee")
    both = rater(access, "both", Role.RATER, Role.RESEARCHER)
    _, items = shared_face(access, (kim, Emotion.FEAR), (lee, Emotion.ANGER))
    rating.adjudicate(access, both, items[0], said(), NOW)
    # However an item comes to them: here as one that was kept for somebody else under their number.
    with access.database.write() as connection:
        t = tables.rating_tasks
        row = dict(connection.execute(select(t).where(t.c.id == items[0])).mappings().one())
        connection.execute(t.insert().values({**row, "id": "f" * 32, "member": both.id, "done_at": None}))
    with pytest.raises(rating.DecidedError):
        rating.vote(access, both, "f" * 32, said(), NOW)


def test_no_row_is_written_of_a_rater_who_was_erased_meanwhile(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are let in, then erased, then written about: each write asks again, under their own lock."""
    shown(access, faces=6, every=EVERY)
    kim = rater(access)
    everyone = type(access).everyone

    def erased_first(of: Access) -> Collection[Person]:
        if rating.agreed(access, kim).enough:
            rating.agree(access, kim, rating.notice(access).sha256, NOW, frozenset())
            rating.erase(access, kim, NOW)
        return everyone(of)

    for act in (lambda: given(access, kim), lambda: rating.stretches(access, kim, NOW)):
        rating.agree(access, kim, rating.notice(access).sha256, NOW)
        with monkeypatch.context() as patched:
            patched.setattr(type(access), "everyone", erased_first)
            with pytest.raises(rating.NoticeFirstError):
                act()
        assert rating.stored(access, kim) == {}


def test_all_of_it_is_all_of_it(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    kim, lee = rater(access), rater(access, "lee")
    both = rater(access, "both", Role.RATER, Role.RESEARCHER)
    ada, items = shared_face(access, (kim, Emotion.FEAR), (lee, Emotion.ANGER))
    rating.adjudicate(access, both, items[0], said(Emotion.DISGUST), NOW)
    truth = Distribution.said(Emotion.SADNESS)
    rating.set_gold(access, both, ada, observation_of(access, items[0]), truth, NOW)
    told = rating.own_data(access, both)
    assert [d["emotions"]["disgust"] for d in told["decisions"]] == [1.0]
    assert [k["emotions"]["sadness"] for k in told["known_answers"]] == [1.0]
    assert told["keys"] == KeyMap().as_json()
    mine = rating.own_data(access, kim)
    assert [(t["item"], t["kind"]) for t in mine["tasks"]] == [(items[0], "crop")]
    assert "gold" not in mine["tasks"][0]  # or they would be measured no more
    rating.set_key_map(access, kim, KeyMap(), NOW)
    assert rating.stored(access, kim)["rater_settings"] == 1
    with access.database.read() as connection:
        held = raters.held_of(connection, both.id)
    assert (held["adjudications"], held["rating_gold"]) == (1, 1)


def test_a_face_that_was_uncomfortable_leaves_the_clips_of_that_rater(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, second_share=1)
    shown(access, faces=6, every=EVERY)
    kim, lee = rater(access), rater(access, "lee")
    [item] = given(access, kim)
    spared = observation_of(access, item)
    rating.vote(access, kim, item, said(verdict=Verdict.UNCOMFORTABLE), NOW)
    for who, n in ((kim, 5), (lee, 6)):
        [stretch] = rating.stretches(access, who, NOW)
        assert stretch.pictures == n
        frames = {frame.observation for frame in rating.open_series(access, who, stretch.item, NOW).frames}
        assert (spared in frames, len(frames)) == (who is lee, n)
        if who is kim:
            with pytest.raises(rating.UnknownItemError):
                rating.open_frame(access, kim, stretch.item, spared, NOW)


def test_what_the_network_said_is_noted_as_seen_by_the_server(access: Access, ruled) -> None:  # type: ignore[no-untyped-def]
    ruled(gold_share=0, reveal=False)
    shown(access, faces=6, every=EVERY)
    kim, lee = rater(access), rater(access, "lee")
    first, again = given(access, kim, 2)
    rating.vote(access, kim, first, said(), NOW)
    [stretch] = rating.stretches(access, kim, NOW)
    for _ in range(2):
        rating.open_series(access, kim, stretch.item, NOW)
        rating.vote(access, kim, stretch.item, said(), NOW)
    rating.vote(access, kim, again, said(), NOW)
    assert [row["suggestion_shown"] for row in votes(access, kim)] == [False, False, True, True]
    ruled(gold_share=0, reveal=True)
    [item] = given(access, lee)
    for _ in range(2):
        rating.vote(access, lee, item, said(), NOW)
    assert [row["suggestion_shown"] for row in votes(access, lee)] == [False, True]
