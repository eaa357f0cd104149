"""What was predicted never changes; a correction says who, when and about what, and the participant's word outranks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from tests.builders import NOW, leaning, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.lives import lived
from tests.workflows import rated
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.series import Correction
from tracker.learning.weights import RaterKind, correction_weight
from tracker.store import feedback as answers
from tracker.store import tables
from tracker.workflows import feedback, rating

MINUTE = timedelta(minutes=1)


def test_whatever_is_said_what_was_predicted_stays(access: Access, figure: Tell) -> None:
    said = 0

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from(EMOTIONS)), min_size=1, max_size=8))
    def holds(words: list[tuple[int, Emotion]]) -> None:
        nonlocal said
        who = person(access, f"ada-{said}-{len(words)}-{words[0]}")
        store(access, who, [observed(NOW - i * MINUTE, source=f"{said:064x}") for i in range(1, 13)])
        before = _machine(access)
        corrections: list[tuple[object, ...]] = []
        for minute, emotion in words:
            at = NOW - minute * MINUTE
            done = feedback.correct(access, who, Correction(at, "emotion", leaning(emotion, 0.9)), NOW)
            after = held.rows(access)["corrections"]
            assert all(row in after for row in corrections), "an earlier word was overwritten"
            corrections = after
            row = _correction(access, done.correction)
            assert row.rater == "participant"
            assert row.recorded_at == NOW
            assert row.at == at
            assert row.observation is not None
            said += 1
        assert before.items() <= _machine(access).items()

    holds()
    figure(f"{said} corrections, no prediction and no earlier word changed")


def _machine(access: Access) -> dict[int, tuple[object, ...]]:
    """What every network said, by id: with the network's version."""
    with access.database.read() as connection:
        rows = connection.execute(select(tables.estimates).where(tables.estimates.c.snapshot == 0)).all()
    assert all("@" in row.network for row in rows)
    return {row.id: tuple(row) for row in rows}


def _correction(access: Access, number: int) -> Any:
    with access.database.read() as connection:
        return connection.execute(select(tables.corrections).where(tables.corrections.c.id == number)).one()


def test_what_raters_say_overwrites_nothing_and_gives_way_to_the_participant(
    access: Access, figure: Tell
) -> None:
    ada, kim = rated.shown(access, faces=2), rated.rater(access)
    predicted, items = _machine(access), rated.given(access, kim, 2)
    for item in items:
        rating.vote(access, kim, item, rated.said(Emotion.FEAR), NOW)
    assert rating.teach(access, NOW + MINUTE).words == 2
    rows = held.rows(access)
    votes, theirs = rows["rating_votes"], rows["corrections"]
    with access.database.read() as connection:
        c, v = tables.corrections.c, tables.rating_votes.c
        told = connection.execute(select(c.rater, c.recorded_at, c.observation, c.rated_grant)).all()
        whose = connection.execute(select(v.member, v.recorded_at, v.observation)).all()
    assert {(w.rater, w.recorded_at) for w in told} == {("crowd", NOW + MINUTE)}
    assert all(w.rated_grant is not None for w in told)
    assert {(w.member, w.recorded_at) for w in whose} == {(kim.id, NOW)}
    assert {w.observation for w in told} == {w.observation for w in whose}
    with access.database.read() as connection:
        o = tables.observations.c
        seen = connection.execute(select(o.id, o.at).where(o.id == told[0].observation)).one()
    own = Correction(seen.at, "emotion", leaning(Emotion.HAPPINESS, 0.9))
    feedback.correct(access, ada, own, NOW + 2 * MINUTE, observation=seen.id)
    with access.database.read() as connection:
        stands = set(answers.rated_words(connection, ada.subject))
    assert stands == {w.observation for w in told} - {seen.id}, "raters' word stands beside the participant's"
    after = held.rows(access)
    assert set(votes) <= set(after["rating_votes"])
    assert set(theirs) <= set(after["corrections"]), "raters' word was overwritten"
    assert predicted.items() <= _machine(access).items()
    figure(f"{len(votes)} votes, {len(theirs)} words of raters, 1 of them outranked")


def test_the_participants_word_outranks_every_other() -> None:
    own = correction_weight(RaterKind.PARTICIPANT)
    for rater in RaterKind:
        for accepted in (False, True):
            assert correction_weight(rater, accepted=accepted) <= own
            assert rater is RaterKind.PARTICIPANT or correction_weight(rater) < own


def test_a_prediction_was_made_before_the_answer_was_known(access: Access) -> None:
    """What stands beside an answer is what the learner said before it learned it: it can be replayed."""
    who = lived(access)
    with access.read(who.id, NOW) as unit:
        for target in personal.live(unit):
            replayed = personal.replay(unit, target)
            assert replayed is not None
            assert replayed.equal
    with access.database.read() as connection:
        count = connection.execute(
            text("SELECT count(*) FROM learning_events WHERE predicted IS NULL")
        ).scalar_one()
    assert count == 0
