"""Notes beside corrections: sealed, bound to their rows, for the participant's eyes alone, gone when erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import ALL, NOW, installation, leaning, observed, person, store
from tests.processes import close
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import ConsentMissingError, NotCoveredError, Recorder, Scope
from tracker.domain.notes import NoteError, from_bytes
from tracker.domain.people import Person
from tracker.domain.series import Correction, Prompt
from tracker.privacy.keys import KeyUnavailableError
from tracker.store import notes, tables
from tracker.workflows import consenting, erasure, feedback, prompts, showing
from tracker.workflows.export import export_dataset

AT = NOW - timedelta(hours=1)
WORDS = "Zwetschgenkuchen bei Oma; slept badly, canary 7f3a91"
WITHOUT = [scope for scope in ALL if scope is not Scope.NOTES]


def enrolled(access: Access, name: str = "ada", scopes: Sequence[Scope] = ALL) -> Person:
    who = person(access, name, scopes)
    store(access, who, [observed(AT + timedelta(minutes=i)) for i in range(3)])
    return who


def say(
    access: Access, who: Person, note: str | None = WORDS, at: datetime = AT, emotion: Emotion = Emotion.ANGER
) -> feedback.Corrected:
    return feedback.correct(access, who, Correction(at, "emotion", leaning(emotion, 0.9)), NOW, note=note)


def shown(access: Access, who: Person, done: feedback.Corrected) -> str | None:
    return showing.own_moment(access, who, done.observation, done.at, NOW).note


def stored(access: Access) -> list[tuple[object, ...]]:
    with access.database.read() as connection:
        return [tuple(row) for row in connection.execute(select(tables.notes))]


def corrections(access: Access) -> int:
    with access.database.read() as connection:
        return len(connection.execute(select(tables.corrections)).all())


def test_a_note_is_kept_sealed_and_opens_for_its_writer(access: Access) -> None:
    ada = enrolled(access)
    done = say(access, ada)
    assert done.noted
    assert shown(access, ada, done) == WORDS
    with access.database.read() as connection:
        (row,) = connection.execute(select(tables.notes)).all()
    assert (row.subject, row.correction) == (ada.subject, done.correction)
    for form in (WORDS, "canary", "Zwetschgen"):
        assert form.encode() not in row.sealed


def test_without_words_there_is_no_note_and_no_key(access: Access) -> None:
    ada = enrolled(access)
    done = say(access, ada, note=None)
    assert not done.noted
    assert shown(access, ada, done) is None
    assert stored(access) == []
    assert access.keys.get(ada.id, Scope.NOTES.value) is None


@pytest.mark.parametrize("note", ["", "  \n", "x" * 2001, "nul \0"])
def test_what_is_no_note_is_refused_with_its_correction(access: Access, note: str) -> None:
    ada = enrolled(access)
    with pytest.raises(NoteError):
        say(access, ada, note)
    assert corrections(access) == 0


def test_a_note_needs_its_grant_and_without_it_nothing_is_stored(access: Access) -> None:
    ada = enrolled(access, scopes=WITHOUT)
    with pytest.raises(ConsentMissingError, match="notes"):
        say(access, ada)
    assert (corrections(access), stored(access)) == (0, [])
    assert not showing.own_moment(access, ada, None, AT, NOW).may_note
    say(access, ada, note=None)
    consenting.grant(access, ada, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(NotCoveredError):  # the moment lies before what the grant covers
        say(access, ada)
    assert (corrections(access), stored(access)) == (1, [])


def test_an_answer_to_a_prompt_has_a_note_only_where_notes_may_be_kept(access: Access) -> None:
    ada = person(access, "ada", [Scope.PROMPTS, Scope.NOTES])
    asked = prompts.record(access, ada, Prompt("noon", AT, AT, AT, None, "open"), NOW)
    answer = Correction(AT, "leave_me_alone", None, 1.0)
    with pytest.raises(ConsentMissingError, match="affect_series"):
        feedback.correct(access, ada, answer, NOW, prompt=asked, note=WORDS)
    assert (corrections(access), stored(access)) == (0, [])
    assert not feedback.correct(access, ada, answer, NOW, prompt=asked).noted


def test_a_word_that_takes_anothers_place_has_a_note_of_its_own(access: Access) -> None:
    ada = enrolled(access)
    first = say(access, ada)
    second = say(access, ada, "on second thoughts", emotion=Emotion.FEAR)
    assert second.superseded == first.correction
    assert shown(access, ada, second) == "on second thoughts"
    third = say(access, ada, None, emotion=Emotion.DISGUST)
    assert shown(access, ada, third) is None
    assert len(stored(access)) == 2


def test_a_note_stays_readable_to_its_writer_after_a_withdrawal(access: Access) -> None:
    ada = enrolled(access)
    done = say(access, ada)
    consenting.withdraw(access, ada, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
    kept = showing.own_moment(access, ada, done.observation, done.at, NOW)
    assert (kept.note, kept.may_note) == (WORDS, False)
    with pytest.raises(ConsentMissingError, match="notes"):
        say(access, ada, "more")
    assert shown(access, ada, done) == WORDS


def test_a_note_opens_for_its_own_row_and_person_alone(access: Access) -> None:
    ada, bob = enrolled(access, "ada"), enrolled(access, "bob")
    first = say(access, ada)
    other = say(access, ada, "another", AT + timedelta(minutes=2))
    of_bob = say(access, bob, "bob's")
    elsewhere = AT + timedelta(minutes=1)
    assert showing.own_moment(access, bob, first.observation, elsewhere, NOW).note is None
    with access.database.write() as connection:
        sealed = select(tables.notes.c.sealed).where(tables.notes.c.correction == other.correction)
        bytes_of_other = connection.execute(sealed).scalar_one()
        connection.execute(
            tables.notes.update()
            .where(tables.notes.c.correction.in_([first.correction, of_bob.correction]))
            .values(sealed=bytes_of_other)
        )
    for who, done in ((ada, first), (bob, of_bob)):
        with pytest.raises(KeyUnavailableError):
            shown(access, who, done)
    assert shown(access, ada, other) == "another"


def test_no_file_of_database_or_keys_holds_a_note(sqlite_url: str, tmp_path: Path) -> None:
    opened = installation(sqlite_url, tmp_path)
    say(opened, enrolled(opened))
    for _ in range(2):  # before and after the write-ahead log went into the file
        written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert sum(map(len, written)) > 100_000
        for form in (WORDS.encode(), WORDS[:16].encode("utf-16-le"), b"canary 7f3a91"):
            assert not any(form in content for content in written)
        close(opened)


def test_no_dataset_holds_a_note_or_a_picture(access: Access, tmp_path: Path) -> None:
    ada = enrolled(access)
    say(access, ada)
    export_dataset(access, tmp_path / "out", NOW)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert WORDS.encode() not in content
            assert b"sealed" not in content


@pytest.mark.parametrize("scope", [Scope.NOTES, Scope.AFFECT_SERIES, None])
def test_erasing_takes_the_notes_and_their_key(access: Access, scope: Scope | None) -> None:
    ada, bob = enrolled(access, "ada"), enrolled(access, "bob")
    done = say(access, ada)
    of_bob = say(access, bob)
    if scope is not None:
        consenting.withdraw(access, ada, [scope], NOW, recorder=Recorder.PARTICIPANT)
        erasure.erase_scope(access, ada, scope, NOW)
    else:
        erasure.erase_person(access, ada, NOW)
    if scope is not Scope.AFFECT_SERIES:  # notes beside answers to prompts outlive the series, and need it
        assert access.keys.get(ada.id, Scope.NOTES.value) is None
    assert len(stored(access)) == 1
    assert shown(access, bob, of_bob) == WORDS
    assert corrections(access) == (2 if scope is Scope.NOTES else 1)
    if scope is Scope.NOTES:
        assert shown(access, ada, done) is None


@pytest.mark.parametrize(("scope", "stays"), [(Scope.PROMPTS, False), (Scope.AFFECT_SERIES, True)])
def test_a_note_beside_an_answer_goes_with_the_answer(access: Access, scope: Scope, stays: bool) -> None:
    ada = enrolled(access)
    asked = prompts.record(access, ada, Prompt("noon", AT, AT, AT, None, "open"), NOW)
    answer = Correction(AT, "leave_me_alone", None, 1.0)
    feedback.correct(access, ada, answer, NOW, prompt=asked, note=WORDS)
    consenting.withdraw(access, ada, [scope], NOW, recorder=Recorder.PARTICIPANT)
    erasure.erase_scope(access, ada, scope, NOW)
    assert len(stored(access)) == corrections(access) == int(stays)
    if stays:
        with access.database.read() as connection:
            (row,) = connection.execute(select(tables.notes)).all()
        opened = access.vault.open(ada.id, Scope.NOTES.value, row.sealed, notes.place(row.id))
        assert from_bytes(opened) == WORDS
