"""A study governs from its commit on: its notice, its rules, what it takes away, and what a closed one still lets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import NOW, installation, observed, person, store
from tests.lives import pooled
from tests.processes import close
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope, State, Use
from tracker.domain.people import Person
from tracker.domain.series import Context
from tracker.store import priors, tables
from tracker.store import studies as stored
from tracker.store.database import DatabaseError
from tracker.study import DEFAULT, Study, StudyClosedError, StudyError, notice_text
from tracker.study.parts import ConsentRules, Controller, ExportRules, Retention
from tracker.workflows import consenting, enrolment, feedback, studies

DAY = timedelta(days=1)
MONTH = DEFAULT.model_copy(
    update={
        "id": "month",
        "title": "A month",
        "version": "1",
        "controller": Controller(name="Example University", contact="privacy@example.org"),
    }
)


def allowed(access: Access, who: Person, use: Use = Use.STORE_SERIES, days: int = 0) -> bool:
    with access.read(who.id, NOW + days * DAY) as unit:
        return unit.allowed(use) is not None


def version(study: Study, number: str, **changes: object) -> Study:
    return study.model_copy(update={"version": number, **changes})


def grant(access: Access, who: Person, scope: Scope = Scope.AFFECT_SERIES, **more: object) -> None:
    consenting.grant(access, who, [scope], NOW, recorder=Recorder.PARTICIPANT, **more)  # type: ignore[arg-type]


def test_without_a_study_the_built_in_one_governs(access: Access) -> None:
    assert studies.in_force(access) == DEFAULT
    assert studies.history(access) == []


def test_another_notice_asks_everybody_again(access: Access) -> None:
    who = person(access)
    found = studies.preview(access, MONTH, NOW)
    assert (found.people, found.grants, found.new_texts, found.retired_texts) == (1, len(Scope), 1, 1)
    assert found.takes_away
    assert allowed(access, who)
    assert studies.apply(access, MONTH, "Dr. Example", NOW)
    assert not allowed(access, who)
    grant(access, who)
    assert allowed(access, who)
    with access.read(who.id, NOW) as unit:
        assert unit.events[-1].notice == notice_text(MONTH).notice()
    assert studies.preview(access, MONTH, NOW).sentences() == []


def test_the_same_words_ask_nobody_again(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW)
    who = person(access)
    found = studies.preview(access, version(MONTH, "1", export=ExportRules(k=9)), NOW)
    assert found.changed
    assert not found.takes_away
    # A grant names the version of its notice; a new version of the same words is the same text.
    studies.apply(access, version(MONTH, "2", export=ExportRules(k=9)), "ops", NOW)
    assert allowed(access, who)


def test_another_study_with_other_recipients_asks_everybody_again(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW)
    who = person(access)
    other = MONTH.model_copy(update={"id": "month-b", "recipients": ("ACME Insurance Ltd",)})
    assert studies.preview(access, other, NOW).takes_away
    studies.apply(access, other, "ops", NOW)
    assert not allowed(access, who)
    shown = notice_text(other).document()["about"]
    assert (shown["id"], shown["recipients"]) == ("month-b", ["ACME Insurance Ltd"])


def test_applying_what_governs_records_nothing(access: Access) -> None:
    assert studies.apply(access, MONTH, "ops", NOW)
    assert not studies.apply(access, MONTH, "ops", NOW + DAY)
    [applied] = studies.history(access)
    assert (applied.study, applied.by, applied.at) == (MONTH, "ops", NOW)


def test_a_version_says_one_thing(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW)
    with pytest.raises(StudyError, match="version 1 of month says something else"):
        studies.apply(access, version(MONTH, "1", title="Another"), "ops", NOW)
    assert studies.in_force(access) == MONTH


@pytest.mark.parametrize("by", ["", "  ", "x" * 65, "two\nlines"])
def test_somebody_answers_for_a_study(access: Access, by: str) -> None:
    with pytest.raises(StudyError, match="--by"):
        studies.apply(access, MONTH, by, NOW)


def test_consent_ends_by_itself_where_the_study_says_so(access: Access) -> None:
    studies.apply(access, version(MONTH, "2", consent=ConsentRules(expires_after_days=30)), "ops", NOW)
    who = person(access)
    assert allowed(access, who, days=29)
    assert not allowed(access, who, days=30)


def test_a_guardian_must_agree_where_the_study_says_so(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW)
    who = person(access)
    guarded = version(MONTH, "2", consent=ConsentRules(guardians=True))
    assert studies.preview(access, guarded, NOW).people == 1
    studies.apply(access, guarded, "ops", NOW)
    assert not allowed(access, who)


def test_grace_is_the_studys(access: Access) -> None:
    studies.apply(access, version(MONTH, "2", consent=ConsentRules(grace_days=21)), "ops", NOW)
    who = person(access)
    consenting.withdraw(access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
    with access.database.read() as connection:
        due = connection.execute(select(tables.erasure_requests.c.due_at)).scalars().all()
    assert due == [NOW + 21 * DAY]


def test_a_closed_study_takes_in_nothing_and_lets_everybody_go(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW)
    who = person(access)
    store(access, who, [observed(NOW - DAY)])
    assert studies.preview(access, MONTH.closing(), NOW).takes_away
    assert studies.close(access, "ops", NOW)
    assert not studies.close(access, "ops", NOW)
    with pytest.raises(StudyClosedError, match="nothing more can be granted"):
        grant(access, who)
    with pytest.raises(StudyClosedError, match="nothing more is stored"):
        store(access, who, [observed(NOW)])
    with pytest.raises(StudyClosedError, match="no context is stored"):
        feedback.add_context(access, who, Context(NOW, place="home"), NOW)
    with pytest.raises(StudyClosedError, match="nobody is enrolled"):
        enrolment.enrol(access, "bob", "UTC", NOW)
    [gone] = consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    assert gone.state is State.WITHDRAWN
    studies.apply(access, MONTH, "ops", NOW + DAY)
    grant(access, who)


def test_what_was_read_is_what_is_agreed_to(access: Access) -> None:
    who = person(access, scopes=[])
    old = notice_text(DEFAULT).notice().sha256
    grant(access, who, shown=old)
    studies.apply(access, MONTH, "ops", NOW)
    with pytest.raises(consenting.NoticeChangedError, match="has changed"):
        grant(access, who, shown=old)
    grant(access, who, shown=notice_text(MONTH).notice().sha256)


def test_a_shorter_retention_says_what_it_unmakes(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW - n * DAY) for n in range(40)])
    short = version(MONTH, "2", retention=Retention(affect_series=10))
    found = studies.preview(access, short, NOW)
    assert found.shortened == {
        "affect_series": (None, 10),
        "face_crops": (None, 10),
        "raw_video": (None, 10),
        "notes": (None, 10),
        "personal_learning": (None, 10),
    }
    assert found.rows["observations"] == 29
    assert found.rows["estimates"] == 29
    assert "29 rows of observations can be read no more, and go" in found.sentences()


def test_a_study_that_was_altered_in_the_database_governs_nothing(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    row = stored.StudyRow("0" * 64, MONTH.document(), NOW, "mallory")
    with access.database.write() as connection:
        stored.apply(connection, row)
    with pytest.raises(DatabaseError, match="was altered"):
        studies.in_force(access)
    with pytest.raises(DatabaseError, match="was altered"):
        person(access)
    close(access)


def test_what_others_start_from_is_retired_with_the_grant(access: Access) -> None:
    who = person(access)
    pooled(access, who)
    studies.apply(access, MONTH, "ops", NOW)
    with access.database.read() as connection:
        assert len(priors.retired(connection)) == 1
