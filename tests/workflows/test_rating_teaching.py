from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW, leaning, observed, person, store
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.rating import Verdict
from tracker.domain.series import Correction
from tracker.learning.weights import MAX_WEIGHT
from tracker.store import feedback as words
from tracker.store import rating_items, studies, tables
from tracker.study import DEFAULT
from tracker.study.rating import RatingRules
from tracker.vision.covering import CoveredFrame
from tracker.workflows import consenting, erasure, feedback, members, rating
from tracker.workflows.ingest.filming import keep_frames

SOON, LATER, LAST = (NOW + timedelta(minutes=i) for i in (1, 2, 3))


@pytest.fixture
def two_see_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A study in which two raters see each item."""
    rules = RatingRules(second_share=1, gold_share=0)
    monkeypatch.setattr(studies, "in_force", lambda _: DEFAULT.model_copy(update={"rating": rules}))


def standing(access: Access, who: Person) -> dict[int, words.RatedWord]:
    with access.database.read() as connection:
        return words.rated_words(connection, who.subject)


def learned(access: Access, who: Person) -> int:
    """How many events the live learner holds; it is the same computed anew."""
    with access.read(who.id, LAST) as unit:
        found = personal.replay(unit)
    if found is None:
        return 0
    assert found.equal, found.problem
    return found.events


def weights(access: Access) -> list[float]:
    with access.database.read() as connection:
        return list(connection.execute(select(tables.learning_events.c.weight)).scalars())


def test_raters_words_become_one_word_that_teaches(access: Access) -> None:
    ada, kim = shown(access, faces=3), rater(access)
    for item in given(access, kim, 3):
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    assert rating.teach(access, SOON) == rating.Taught(3, 3)
    assert {w.rater for w in standing(access, ada).values()} == {"crowd"}
    assert {w.said.top for w in standing(access, ada).values()} == {Emotion.FEAR}
    assert learned(access, ada) == 3
    assert all(0 < weight < MAX_WEIGHT for weight in weights(access))
    # Nothing was said since: nothing is stored again.
    assert rating.teach(access, LATER) == rating.Taught(0, 0)


def test_more_votes_make_the_word_anew(access: Access) -> None:
    ada = shown(access, faces=1)
    kim = rater(access)
    [item] = given(access, kim)
    rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    rating.teach(access, SOON)
    [before] = standing(access, ada).values()
    rating.undo(access, kim, item, "undo-it-once", LATER)
    rating.vote(access, kim, item, said(Emotion.ANGER, now=LATER), LATER)
    assert rating.teach(access, LAST) == rating.Taught(1, 1)
    [after] = standing(access, ada).values()
    assert (before.said.top, after.said.top) == (Emotion.FEAR, Emotion.ANGER)
    assert learned(access, ada) == 1


def test_a_participant_s_own_word_outranks_raters(access: Access) -> None:
    ada, kim = shown(access, faces=2), rater(access)
    first, second = given(access, kim, 2)
    for item in (first, second):
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    # Said before: raters' words teach nothing.
    mine = observation_of(access, first)
    at = correct(access, ada, mine, Emotion.HAPPINESS)
    assert rating.teach(access, SOON) == rating.Taught(1, 1)
    assert mine not in standing(access, ada)
    # Said afterwards: it takes the place of theirs, in the learner too.
    other = observation_of(access, second)
    correct(access, ada, other, Emotion.NEUTRAL)
    assert standing(access, ada) == {}
    assert learned(access, ada) == 2
    assert rating.teach(access, LAST) == rating.Taught(0, 0)
    with access.database.read() as connection:
        own = words.standing_corrections(connection, ada.subject, at - timedelta(days=1), NOW)
    assert {c.rater for c in own} == {"participant"}


def correct(access: Access, who: Person, observation: int, emotion: Emotion):  # type: ignore[no-untyped-def]
    with access.database.read() as connection:
        o = tables.observations.c
        at = connection.execute(select(o.at).where(o.id == observation)).scalar_one()
    feedback.correct(
        access, who, Correction(at, "emotion", leaning(emotion, 0.9)), LATER, observation=observation
    )
    return at


@pytest.mark.parametrize("scope", [Scope.SHARE_WITH_RATERS, Scope.FACE_CROPS])
def test_what_is_withdrawn_leaves_the_learner_and_comes_back_with_the_grant(
    access: Access, scope: Scope
) -> None:
    ada, kim = shown(access, faces=3), rater(access)
    for item in given(access, kim, 3):
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    rating.teach(access, SOON)
    assert learned(access, ada) == 3
    consenting.withdraw(access, ada, [scope], LATER, recorder=Recorder.PARTICIPANT)
    assert learned(access, ada) == 0
    consenting.grant(
        access, ada, [scope], LATER, recorder=Recorder.PARTICIPANT, covers_from=NOW - timedelta(days=60)
    )
    assert learned(access, ada) == 3


def test_what_raters_say_of_video_alone_teaches_until_that_is_withdrawn(access: Access) -> None:
    shows = (Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.RAW_VIDEO, Scope.SHARE_WITH_RATERS)
    ada, kim = person(access, "ada", shows), rater(access)
    rows = [observed(NOW - timedelta(minutes=10 * n)) for n in (3, 2, 1)]
    store(access, ada, rows)
    with access.write(ada.id, NOW) as unit:
        film = {row.observation: CoveredFrame(b"\xff\xd8 a frame") for row in rows}
        assert keep_frames(access, unit, film).kept == 3
    for item in given(access, kim, 3):
        assert rating.open_crop(access, kim, item, NOW) == b"\xff\xd8 a frame"
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    assert rating.teach(access, SOON) == rating.Taught(3, 3)
    assert learned(access, ada) == 3
    consenting.withdraw(access, ada, [Scope.RAW_VIDEO], LATER, recorder=Recorder.PARTICIPANT)
    assert learned(access, ada) == 0


def test_erasing_what_raters_may_see_erases_what_they_said_and_what_was_learned_of_it(access: Access) -> None:
    ada, kim = shown(access, faces=3), rater(access)
    items = given(access, kim, 3)
    for item in items:
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    rating.teach(access, SOON)
    own = observation_of(access, items[0])
    correct(access, ada, own, Emotion.HAPPINESS)
    erasure.erase_scope(access, ada, Scope.SHARE_WITH_RATERS, LATER)
    with access.database.read() as connection:
        for table in (tables.rating_tasks, tables.rating_votes):
            assert connection.execute(select(table)).all() == []
        c = tables.corrections.c
        assert connection.execute(select(c.rater)).scalars().all() == ["participant"]
    assert learned(access, ada) == 1


@pytest.mark.usefixtures("two_see_each")
def test_a_decision_stands_for_the_votes(access: Access) -> None:
    ada = shown(access, faces=1)
    kim, judge = rater(access), rater(access, "judge", Role.RESEARCHER)
    item = disputed(access, kim, rater(access, "lee"))
    rating.teach(access, SOON)
    [word] = standing(access, ada).values()
    assert word.rater == "crowd"
    rating.adjudicate(access, judge, item, said(Emotion.DISGUST), LATER)
    assert rating.teach(access, LAST) == rating.Taught(1, 1)
    [word] = standing(access, ada).values()
    assert (word.rater, word.said.top) == ("expert", Emotion.DISGUST)
    assert learned(access, ada) == 1


def disputed(access: Access, one: Member, other: Member) -> str:
    """An item of which two raters say different things; the first one's."""
    [item], [same] = given(access, one), given(access, other)
    assert observation_of(access, item) == observation_of(access, same)
    rating.vote(access, one, item, said(Emotion.FEAR), NOW)
    rating.vote(access, other, same, said(Emotion.ANGER), NOW)
    return item


@pytest.mark.usefixtures("two_see_each")
def test_a_decision_that_nobody_can_tell_takes_the_word_back(access: Access) -> None:
    ada, kim = shown(access, faces=1), rater(access)
    item = disputed(access, kim, rater(access, "lee"))
    judge = rater(access, "judge", Role.RESEARCHER)
    rating.teach(access, SOON)
    rating.adjudicate(access, judge, item, said(Emotion.DISGUST), LATER)
    rating.teach(access, LATER)
    assert {w.rater for w in standing(access, ada).values()} == {"expert"}
    rating.adjudicate(access, judge, item, said(None, now=LAST), LAST)
    assert rating.teach(access, LAST) == rating.Taught(0, 0)
    assert standing(access, ada) == {}
    assert learned(access, ada) == 0


@pytest.mark.parametrize("how", ["cannot tell", "not a face", "undo"])
def test_what_a_rater_takes_back_leaves_the_learner(access: Access, how: str) -> None:
    ada, kim = shown(access, faces=2), rater(access)
    item, other = given(access, kim, 2)
    rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    rating.vote(access, kim, other, said(Emotion.FEAR), NOW)
    rating.teach(access, SOON)
    assert learned(access, ada) == 2
    if how == "undo":
        rating.undo(access, kim, item, "undo-it-once", LATER)
    else:
        verdict = Verdict.NOT_A_FACE if how == "not a face" else Verdict.CANNOT_TELL
        rating.vote(access, kim, item, said(None, verdict=verdict, now=LATER), LATER)
    assert rating.teach(access, LAST) == rating.Taught(0, 0)
    assert set(standing(access, ada)) == {observation_of(access, other)}
    assert learned(access, ada) == 1


def test_a_moment_with_a_known_answer_teaches_nothing(access: Access) -> None:
    ada, kim = shown(access, faces=2), rater(access)
    judge = rater(access, "judge", Role.RESEARCHER)
    item, other = given(access, kim, 2)
    for one in (item, other):
        rating.vote(access, kim, one, said(Emotion.FEAR), NOW)
    known = observation_of(access, item)
    rating.set_gold(access, judge, ada, known, Distribution.said(Emotion.HAPPINESS), NOW)
    assert rating.teach(access, SOON) == rating.Taught(1, 1)
    assert set(standing(access, ada)) == {observation_of(access, other)}


def test_votes_older_than_what_one_queue_holds_teach_and_count(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, kim = shown(access, faces=6), rater(access)
    for item in given(access, kim, 6):
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    monkeypatch.setattr(rating_items, "MOST_ITEMS", 2)
    assert rating.agreement(access, SOON).votes == 6
    assert rating.teach(access, SOON) == rating.Taught(6, 6)
    assert len(standing(access, ada)) == 6


@pytest.mark.usefixtures("two_see_each")
def test_a_word_of_several_stays_when_one_of_them_is_erased(access: Access) -> None:
    ada, kim, lee = shown(access, faces=1), rater(access), rater(access, "lee")
    disputed(access, kim, lee)
    rating.teach(access, SOON)
    before = standing(access, ada)
    rating.erase(access, kim, LATER)
    assert rating.teach(access, LAST) == rating.Taught(0, 0)
    assert standing(access, ada) == before
    assert learned(access, ada) == 1
    # Now it rests on one alone.
    rating.erase(access, lee, LAST)
    assert standing(access, ada) == {}
    assert learned(access, ada) == 0


@pytest.mark.usefixtures("two_see_each")
def test_a_removed_rater_s_words_go_at_night(access: Access) -> None:
    ada, kim = shown(access, faces=1), rater(access)
    [item] = given(access, kim)
    rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    rating.teach(access, SOON)
    members.remove(access, kim)
    rating.teach(access, LATER)
    assert standing(access, ada) == {}
    assert learned(access, ada) == 0


def test_an_erased_rater_s_votes_go_and_so_do_the_words_that_rest_on_them_alone(access: Access) -> None:
    ada, kim = shown(access, faces=2), rater(access)
    for item in given(access, kim, 2):
        rating.vote(access, kim, item, said(Emotion.FEAR), NOW)
    rating.teach(access, SOON)
    assert learned(access, ada) == 2
    gone = rating.erase(access, kim, LATER)
    assert gone["rating_votes"] == 2
    assert rating.stored(access, kim) == {}
    assert standing(access, ada) == {}
    assert learned(access, ada) == 0
    assert rating.teach(access, LAST) == rating.Taught(0, 0)
    with access.database.read() as connection:
        assert connection.execute(select(tables.corrections)).all() == []
        for table in tables.metadata.sorted_tables:
            if table.name not in ("members", "member_roles"):
                assert kim.id not in repr(connection.execute(select(table)).all()), table.name
    with pytest.raises(rating.NoticeFirstError):
        given(access, kim, now=LAST)
