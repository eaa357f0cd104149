"""Answers: stored together, once for a key, and only as far as they are allowed."""

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from tests import builders
from tests.builders import NOW
from tests.processes import close
from tests.workflows.archived import bundle, rows
from tracker.access import Access
from tracker.access.erased import ErasedStretchError
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.answers import EITHER, NO, YES, Answer, AnswerError, of_cell
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.domain.stretches import Stretch
from tracker.store import tables
from tracker.store.database import StatementError
from tracker.workflows import consenting, erasure, feedback

AT = NOW - timedelta(minutes=1)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = builders.installation(database_url, tmp_path)
    yield made
    close(made)


@pytest.fixture
def ada(access: Access) -> Person:
    return builders.person(access)


def answer(**parts: Any) -> Answer:
    return Answer(**{"key": str(uuid.uuid4()), "at": AT, **parts})


def everything(access: Access) -> dict[str, list[Any]]:
    names = (tables.corrections, tables.contexts, tables.notes, tables.learning_events, tables.snapshots)
    with access.database.read() as connection:
        return {t.name: sorted(map(tuple, connection.execute(select(t))), key=repr) for t in names}


EMOTIONS = st.none() | st.builds(
    Distribution.said, st.sampled_from(Emotion), st.none() | st.sampled_from(Emotion)
)
CELLS = st.integers(-4, 4).map(of_cell)
PARTS = st.fixed_dictionaries(
    {
        "emotion": EMOTIONS,
        "alone": st.sampled_from((None, YES, EITHER, NO)),
        "place": st.sampled_from((None, "", "home")),
        "company": st.sampled_from((None, "alone")),
        "note": st.sampled_from((None, "", "tired")),
        "response_ms": st.none() | st.integers(0, 2**31 - 1),
    }
)


@given(parts=PARTS, cell=st.none() | st.tuples(CELLS, CELLS))
def test_an_answer_says_something_or_is_none(parts: dict[str, Any], cell: tuple[float, float] | None) -> None:
    valence, arousal = cell or (None, None)
    says = parts["emotion"] or parts["alone"] is not None or cell is not None
    try:
        made = answer(**parts, valence=valence, arousal=arousal)
    except AnswerError:
        assert not says or (parts["note"] is not None and not says)
        return
    words = list(made.words())
    assert {w.target for w in words} == {
        target
        for target, said in (
            ("emotion", parts["emotion"]),
            ("valence", cell),
            ("arousal", cell),
            ("leave_me_alone", parts["alone"] is not None or None),
        )
        if said is not None
    }
    assert all(w.key == made.key and not w.suggestion_shown for w in words)
    assert all(w.response_ms is None or w.response_ms <= 3_600_000 for w in words)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=PARTS,
    again=st.lists(PARTS, min_size=1, max_size=2),
    later=st.timedeltas(timedelta(), timedelta(days=3)),
)
def test_every_replay_of_a_key_changes_nothing(
    access: Access, ada: Person, parts: dict[str, Any], again: list[dict[str, Any]], later: timedelta
) -> None:
    try:
        first = answer(**parts)
    except AnswerError:
        return
    done = feedback.answer(access, ada, first, NOW)
    assert not done.again
    before = everything(access)
    for other in again:
        try:
            replayed = answer(**{**other, "key": first.key})
        except AnswerError:
            continue
        told = feedback.answer(access, ada, replayed, NOW + later)
        assert told.again
        assert {t: w.correction for t, w in told.words.items()} == {
            t: w.correction for t, w in done.words.items()
        }
        assert (told.at, told.context, told.noted) == (done.at, done.context, done.noted)
        assert everything(access) == before


def test_two_that_send_the_same_at_once_store_it_once(access: Access, ada: Person) -> None:
    one = answer(emotion=Distribution.said(Emotion.FEAR), alone=YES, place="home", note="tired")
    told, barrier = [], threading.Barrier(4)

    def send() -> None:
        barrier.wait()
        told.append(feedback.answer(access, ada, one, NOW).again)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False, True, True, True]
    stored = everything(access)
    assert [len(stored[t]) for t in ("corrections", "contexts", "notes", "learning_events")] == [2, 1, 1, 2]


def test_the_database_itself_takes_no_key_twice(access: Access, ada: Person) -> None:
    feedback.answer(access, ada, answer(emotion=Distribution.said(Emotion.FEAR)), NOW)
    with access.database.read() as connection:
        row = dict(connection.execute(select(tables.corrections)).mappings().one())
    with pytest.raises(StatementError), access.write(ada.id, NOW) as unit:
        unit.connection.execute(insert(tables.corrections).values({**row, "id": row["id"] + 1}))


def test_all_of_an_answer_is_stored_or_nothing(
    access: Access, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.workflows.feedback.answering.keep_note", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        feedback.answer(access, ada, answer(alone=YES, place="home", note="tired"), NOW)
    assert not any(everything(access).values())


def test_the_learner_sees_the_surroundings_that_were_said_with_it(access: Access, ada: Person) -> None:
    feedback.answer(access, ada, answer(alone=YES, place="clinic"), NOW)
    with access.database.read() as connection:
        (features,) = connection.execute(select(tables.learning_events.c.features)).scalars()
    assert any("clinic" in name for name in features)


def test_without_the_series_nothing_of_it_is_stored(access: Access, ada: Person) -> None:
    consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(ConsentMissingError):
        feedback.answer(access, ada, answer(alone=YES, place="home", note="tired"), NOW)
    assert not any(everything(access).values())


def test_a_replay_tells_what_was_done_even_after_consent_has_ended(access: Access, ada: Person) -> None:
    """The phone never learned that it had arrived: it need not wait for ever, and nothing is written."""
    one = answer(alone=YES)
    feedback.answer(access, ada, one, NOW)
    consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    assert feedback.answer(access, ada, one, NOW).again


def test_an_archive_holds_it(access: Access, ada: Person) -> None:
    one = answer(
        emotion=Distribution.said(Emotion.FEAR), intensity=0.6, response_ms=4_000, place="home", note="tired"
    )
    feedback.answer(access, ada, one, NOW)
    files = bundle(access, ada)
    (word,), (context,) = rows(files, "corrections"), rows(files, "contexts")
    assert (word["intensity"], word["response_ms"], word["key"]) == (0.6, 4_000, one.key)
    assert context["key"] == one.key


def test_an_answer_whose_reply_was_lost_does_not_come_back_after_its_time_was_deleted(
    access: Access, ada: Person
) -> None:
    given_ = answer(emotion=Distribution.said(Emotion.ANGER), alone=YES, place="home")
    feedback.answer(access, ada, given_, NOW)
    erasure.erase_stretch(access, ada, Stretch(AT - timedelta(hours=1), NOW), NOW)
    gone = everything(access)
    assert not gone["corrections"]
    assert not gone["contexts"]
    with pytest.raises(ErasedStretchError, match="deleted the time"):
        feedback.answer(access, ada, given_, NOW + timedelta(minutes=1))
    assert everything(access) == gone
    # What is said about now, and what is said anew about then, is stored.
    later = NOW + timedelta(minutes=2)
    assert feedback.answer(access, ada, answer(alone=NO, at=later), later).words
    feedback.correct(access, ada, Correction(AT, "emotion", Distribution.said(Emotion.FEAR)), later)
    assert len(everything(access)["corrections"]) == 2
