from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import ALL, NETWORK, NOW, leaning, observed, person, store
from tests.lives import answered
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import ConsentMissingError, NotCoveredError, Recorder, Scope, Use
from tracker.domain.instants import InstantError
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.store import feedback as stored
from tracker.store import learned, series, tables
from tracker.store.seen import Seen
from tracker.workflows import consenting, erasure, feedback, ingest
from tracker.workflows.feedback import learning

AT = NOW - timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def ada(access: Access) -> Person:
    who = person(access)
    store(access, who, [observed(AT + timedelta(minutes=i)) for i in range(3)])
    return who


def said(emotion: Emotion = Emotion.ANGER, at: object = AT, **kwargs: object) -> Correction:
    return Correction(at, "emotion", leaning(emotion, 0.9), **kwargs)  # type: ignore[arg-type]


def standing(access: Access, who: Person) -> list[stored.CorrectionRow]:
    with access.read(who.id, NOW) as unit:
        return stored.standing_corrections(
            unit.connection, who.subject, NOW - timedelta(days=9), NOW + timedelta(days=1)
        )


def count(access: Access, table: object) -> int:
    with access.database.read() as connection:
        return len(connection.execute(select(table)).all())  # type: ignore[call-overload]


def test_a_correction_changes_what_the_learner_says(access: Access, ada: Person) -> None:
    done = feedback.correct(access, ada, said(), NOW)
    assert done.machine == leaning(Emotion.SADNESS)
    assert done.before is not None
    assert done.after is not None
    assert done.after[Emotion.ANGER] > done.before[Emotion.ANGER]
    for _ in range(4):
        done = feedback.correct(access, ada, said(at=AT + timedelta(minutes=1)), NOW)
    assert done.superseded is not None
    assert len(standing(access, ada)) == 2


@pytest.mark.parametrize(
    ("off", "found"), [(timedelta(minutes=-2), True), (timedelta(minutes=-2) - SECOND, False)]
)
def test_the_observation_spoken_of_is_at_most_two_minutes_away(
    access: Access, ada: Person, off: timedelta, found: bool
) -> None:
    done = feedback.correct(access, ada, said(at=AT + off), NOW)
    assert (done.observation is not None) is found
    assert (done.machine is not None) is found
    assert done.after is not None


def test_a_second_word_on_a_moment_supersedes_the_first_and_both_stay(access: Access, ada: Person) -> None:
    first = feedback.correct(access, ada, said(Emotion.ANGER), NOW)
    second = feedback.correct(access, ada, said(Emotion.FEAR), NOW)
    third = feedback.correct(access, ada, said(Emotion.DISGUST), NOW)
    assert (second.superseded, third.superseded) == (first.correction, second.correction)
    assert [c.id for c in standing(access, ada)] == [third.correction]
    assert count(access, tables.corrections) == 3


def test_a_moment_that_has_got_its_observation_since_is_the_same_moment(access: Access) -> None:
    who = person(access)
    first = feedback.correct(access, who, said(), NOW)
    assert first.observation is None
    store(access, who, [observed(AT)])
    second = feedback.correct(access, who, said(Emotion.FEAR), NOW)
    assert second.observation is not None
    assert second.superseded == first.correction


def test_a_word_that_matches_two_leaves_only_itself(access: Access) -> None:
    who = person(access)
    first = feedback.correct(access, who, said(), NOW)
    store(access, who, [observed(AT + timedelta(minutes=1))])
    # At its own instant, so another moment until the first is said again beside the observation.
    second = feedback.correct(access, who, said(Emotion.FEAR, at=AT + timedelta(minutes=1)), NOW)
    assert (first.observation, second.superseded) == (None, None)
    third = feedback.correct(access, who, said(Emotion.DISGUST), NOW)
    assert third.observation == second.observation
    assert third.superseded == second.correction
    assert [c.id for c in standing(access, who)] == [third.correction]
    with access.read(who.id, NOW) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal
    assert replay.events == 1
    fourth = feedback.correct(access, who, said(Emotion.SURPRISE), NOW)
    assert fourth.superseded == third.correction
    assert [c.id for c in standing(access, who)] == [fourth.correction]


@pytest.fixture
def late(access: Access) -> Person:
    """Someone whose learning is covered only from five minutes after AT on."""
    who = person(access, scopes=set(ALL) - {Scope.PERSONAL_LEARNING})
    consenting.grant(
        access,
        who,
        [Scope.PERSONAL_LEARNING],
        NOW,
        recorder=Recorder.PARTICIPANT,
        covers_from=AT + timedelta(minutes=5),
    )
    store(access, who, [observed(AT + timedelta(minutes=i)) for i in (0, 4, 5, 6)])
    return who


# Minute 4:30 lies nearest to the observation of minute 4; minute 5:10 is covered, and so is that of minute 5.
@pytest.mark.parametrize("seconds", [0, 270, 4 * 60 + 59])
def test_what_learning_does_not_cover_is_kept_and_not_learned_from(
    access: Access, late: Person, seconds: int
) -> None:
    done = feedback.correct(access, late, said(at=AT + seconds * SECOND), NOW)
    assert done.not_covered_since == AT + timedelta(minutes=5)
    assert (done.before, done.after, done.missing) == (None, None, ())
    assert done.machine is not None
    assert len(standing(access, late)) == 1
    assert count(access, tables.learning_events) == 0
    with access.database.read() as connection:
        assert set(connection.execute(select(tables.estimates.c.snapshot)).scalars()) == {0}


def test_what_learning_does_not_cover_is_not_read_again(access: Access, late: Person) -> None:
    done = feedback.correct(access, late, said(at=AT + timedelta(minutes=6)), NOW)
    assert done.not_covered_since is None
    assert done.after is not None
    with access.database.read() as connection:
        own = (
            select(tables.observations.c.at)
            .join(tables.estimates, tables.estimates.c.observation == tables.observations.c.id)
            .where(tables.estimates.c.snapshot > 0)
        )
        assert sorted(connection.execute(own).scalars()) == [AT + timedelta(minutes=m) for m in (5, 6)]


def test_a_word_that_is_not_covered_takes_the_one_it_replaces_out_of_the_learner(
    access: Access, late: Person
) -> None:
    feedback.correct(access, late, said(at=AT + timedelta(minutes=5)), NOW)
    done = feedback.correct(access, late, said(Emotion.FEAR, at=AT + timedelta(minutes=5) - SECOND), NOW)
    assert done.superseded is not None
    assert done.not_covered_since is not None
    with access.read(late.id, NOW) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal
    assert replay.events == 0


def test_the_store_takes_nothing_learned_that_the_grant_does_not_cover(access: Access, late: Person) -> None:
    done = feedback.correct(access, late, said(), NOW)
    assert done.observation is not None
    with access.write(late.id, NOW) as unit:
        learner = personal.current(unit)
        assert learner is not None
        with pytest.raises(NotCoveredError):
            personal.teach(
                unit,
                learner,
                correction=done.correction,
                seen=Seen({"unread": 1.0}),
                label=leaning(Emotion.ANGER),
                weight=1.0,
                machine=None,
            )
        words = [(done.observation, AT, leaning(Emotion.ANGER).probabilities)]
        with pytest.raises(NotCoveredError):
            series.append_estimates(
                unit.connection, unit.permit(Use.LEARN), NETWORK, learner.snapshot.id, words, NOW
            )


def test_the_learner_says_nothing_about_what_it_does_not_cover(access: Access, late: Person) -> None:
    moments = [AT + timedelta(minutes=m) for m in (4, 5)]
    with access.write(late.id, NOW) as unit:
        rows = [observed(at, source="b" * 64) for at in moments]
        ingest.store(unit, unit.capture_permit(), rows, NOW)
    with access.database.read() as connection:
        own = (
            select(tables.observations.c.at)
            .join(tables.estimates, tables.estimates.c.observation == tables.observations.c.id)
            .where(tables.estimates.c.snapshot > 0)
        )
        assert connection.execute(own).scalars().all() == moments[1:]


def test_raters_and_targets_do_not_supersede_each_other(access: Access, ada: Person) -> None:
    feedback.correct(access, ada, said(), NOW)
    feedback.correct(access, ada, said(rater="expert-1"), NOW)
    feedback.correct(access, ada, Correction(AT, "leave_me_alone", None, value=1.0), NOW)
    assert len(standing(access, ada)) == 3


def test_agreeing_with_what_was_shown_weighs_less(access: Access, ada: Person) -> None:
    feedback.correct(access, ada, said(Emotion.SADNESS, suggestion_shown=True), NOW)
    feedback.correct(access, ada, said(Emotion.SADNESS, at=AT + timedelta(minutes=1)), NOW)
    with access.read(ada.id, NOW) as unit:
        day = AT - timedelta(days=1)
        events = learned.learned_since(unit.connection, ada.subject, "emotion", day)
    weights = [e.weight for e in events]
    assert weights[0] < weights[1] == 1.0


def test_without_a_learner_a_correction_is_kept_and_nothing_learned(access: Access) -> None:
    who = person(access, scopes=[Scope.AFFECT_SERIES])
    store(access, who, [observed(AT)])
    done = feedback.correct(access, who, said(), NOW)
    assert (done.before, done.after, done.missing) == (None, None, (Scope.PERSONAL_LEARNING,))
    assert len(standing(access, who)) == 1
    for table in (tables.learning_events, tables.snapshots):
        assert count(access, table) == 0


def test_without_consent_nothing_is_kept(access: Access) -> None:
    who = person(access, scopes=set(ALL) - {Scope.AFFECT_SERIES})
    with pytest.raises(ConsentMissingError, match="affect_series"):
        feedback.correct(access, who, said(), NOW)
    with pytest.raises(ConsentMissingError, match="affect_series"):
        feedback.add_context(access, who, Context(AT, place="home"), NOW)
    assert count(access, tables.corrections) == count(access, tables.contexts) == 0


def test_an_answer_to_a_prompt_needs_the_scope_prompts_alone(access: Access) -> None:
    who = person(access, scopes=[Scope.PROMPTS])
    answered(access, who, AT, Emotion.FEAR)
    assert len(standing(access, who)) == 1
    consenting.withdraw(access, who, [Scope.PROMPTS], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(ConsentMissingError, match="prompts"):
        answered(access, who, AT + SECOND, Emotion.FEAR)


def test_a_prompt_is_answered_by_whom_it_was_put_to(access: Access, ada: Person) -> None:
    bob = person(access, "bob")
    prompt = answered(access, bob, AT, Emotion.FEAR)
    for number in (prompt, 999):
        with pytest.raises(feedback.PromptError, match="was put to ada"):
            feedback.correct(access, ada, said(), NOW, prompt=number)
    erasure.erase_person(access, bob, NOW)


def test_an_observation_of_somebody_else_is_not_spoken_of(access: Access, ada: Person) -> None:
    bob = person(access, "bob")
    mine = feedback.correct(access, ada, said(), NOW).observation
    done = feedback.correct(access, bob, said(), NOW, observation=mine)
    assert (done.observation, done.machine) == (None, None)


@pytest.mark.parametrize(
    ("at", "told"), [(NOW + timedelta(minutes=1), "future"), (NOW.replace(tzinfo=None), "naive")]
)
def test_a_moment_that_is_none_is_refused(access: Access, ada: Person, at: object, told: str) -> None:
    with pytest.raises(InstantError, match=told):
        feedback.correct(access, ada, said(at=at), NOW)
    with pytest.raises(InstantError, match=told):
        feedback.add_context(access, ada, Context(at, place="home"), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["ho\0me", "ho\ud800me"])
def test_a_word_that_no_database_keeps_is_refused(access: Access, ada: Person, word: str) -> None:
    for field in ("place", "activity", "company"):
        with pytest.raises(feedback.ContextError, match=r"U\+(0000|D800)"):
            feedback.add_context(access, ada, Context(AT, **{field: word}), NOW)
    assert count(access, tables.contexts) == 0


def test_a_moment_before_the_grant_is_refused(access: Access, ada: Person) -> None:
    early = NOW - timedelta(days=61)
    with pytest.raises(NotCoveredError):
        feedback.correct(access, ada, said(at=early), NOW)
    with pytest.raises(NotCoveredError):
        feedback.add_context(access, ada, Context(early, place="home"), NOW)


@pytest.mark.parametrize(
    "nothing", [Context(AT), Context(AT, place=""), Context(AT, activity=" ", company="")]
)
def test_a_context_says_something(access: Access, ada: Person, nothing: Context) -> None:
    with pytest.raises(feedback.ContextError, match="at least one of"):
        feedback.add_context(access, ada, nothing, NOW)


@pytest.mark.parametrize("which", ["place", "activity", "company"])
def test_a_context_is_a_category_on_every_database(access: Access, ada: Person, which: str) -> None:
    feedback.add_context(access, ada, Context(AT, **{which: "x" * 64}), NOW)
    with pytest.raises(feedback.ContextError, match="at most 64 characters, not 65"):
        feedback.add_context(access, ada, Context(AT, **{which: "x" * 65}), NOW)


def test_a_context_is_joined_for_two_hours_and_its_age_is_a_feature(access: Access) -> None:
    who = person(access)
    feedback.add_context(access, who, Context(AT, place=" clinic "), NOW)
    moments = [
        AT - SECOND,
        AT,
        AT + timedelta(minutes=30),
        AT + timedelta(hours=2),
        AT + timedelta(hours=2) + SECOND,
    ]
    store(access, who, [observed(at) for at in moments], NOW + timedelta(days=1))
    for at in moments:
        feedback.correct(access, who, said(at=at), NOW + timedelta(days=1), observation=None)
    with access.read(who.id, NOW) as unit:
        events = learned.learned_since(unit.connection, who.subject, "emotion", AT)
    ages = [e.features.get("context_age") if "place=clinic" in e.features else None for e in events]
    assert ages == [None, 0.0, 0.25, 1.0, None]


def test_a_withdrawn_context_is_not_used_for_what_comes(access: Access, ada: Person) -> None:
    feedback.add_context(access, ada, Context(AT, place="clinic"), NOW)
    consenting.withdraw(access, ada, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    feedback.correct(access, ada, said(), NOW)
    with access.database.read() as connection:
        assert "clinic" not in repr(connection.execute(select(tables.learning_events.c.features)).all())


def test_nothing_of_a_correction_is_kept_when_learning_fails(
    access: Access, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "_read_again", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        feedback.correct(access, ada, said(), NOW)
    for table in (tables.corrections, tables.learning_events, tables.snapshots):
        assert count(access, table) == 0
