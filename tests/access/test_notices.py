"""Which notices stand is what the study in force shows, whatever a row says: nobody revives one that was retired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from tests.builders import NOW, installation, observed, person, store
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import Person
from tracker.store import copies, tables
from tracker.store.database import StatementError
from tracker.study import DEFAULT, Study, notice_text
from tracker.workflows import consenting, studies

HOUR = timedelta(hours=1)
SERIES = Scope.AFFECT_SERIES
FIRST = DEFAULT.model_copy(update={"id": "month", "version": "1"})
SECOND = FIRST.model_copy(update={"version": "2", "recipients": ("an insurance partner",)})


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def ada(access: Access) -> Person:
    """Who agreed to a text that a later study retired."""
    studies.apply(access, FIRST, "ops", NOW - HOUR)
    who = person(access, scopes=[SERIES])
    studies.apply(access, SECOND, "ops", NOW + HOUR)
    assert not granted(access, who)
    assert access.audit() is None
    return who


def granted(access: Access, who: Person) -> bool:
    with access.read(who.id, NOW + 2 * HOUR) as unit:
        return SERIES in unit.grants()


def of(study: Study) -> str:
    return notice_text(study).notice().sha256


def past_the_guards(access: Access, statement: Any) -> None:
    """As whoever owns the database can do."""
    with access.database.write() as connection, copies.guards_off(connection):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE notices SET retired_at = NULL",
        "UPDATE notices SET retired_at = NULL, absent = '[]' WHERE retired_at IS NOT NULL",
        "UPDATE notices SET retired_at = published_at WHERE retired_at IS NOT NULL",
        """UPDATE notices SET absent = '[["2026-01-01", "2026-01-02"]]'""",
        "UPDATE notices SET document = '{}'",
        "UPDATE notices SET language = 'de'",
        "UPDATE notices SET version = '0'",
        "UPDATE notices SET sha256 = 'x' WHERE retired_at IS NOT NULL",
        "DELETE FROM notices",
        "TRUNCATE notices",
        "REPLACE INTO notices SELECT sha256, version, language, document, published_at, NULL, NULL FROM notices",
    ],
)
def test_no_statement_revives_or_alters_a_notice(access: Access, ada: Person, statement: str) -> None:
    foreign = "TRUNCATE" if access.database.is_sqlite else "REPLACE"
    if statement.startswith(foreign):
        pytest.skip("the other database's statement")
    with (
        pytest.raises(StatementError, match=r"append-only|time between"),
        access.database.write() as connection,
    ):
        connection.execute(text(statement))
    assert access.audit() is None


def test_a_row_that_says_so_revives_nothing_and_is_named(access: Access, ada: Person) -> None:
    past_the_guards(access, update(tables.notices).values(retired_at=None))
    assert not granted(access, ada)
    with pytest.raises(ConsentMissingError):
        store(access, ada, [observed(NOW + 2 * HOUR)], NOW + 3 * HOUR)
    told = access.audit()
    assert told is not None
    assert "stands, but the study in force does not show it" in told
    assert any(of(study)[:12] in told for study in (FIRST, DEFAULT))


def test_a_notice_that_was_taken_away_is_named(access: Access, ada: Person) -> None:
    past_the_guards(access, update(tables.notices).values(retired_at=NOW))
    told = access.audit()
    assert told is not None
    assert f"notice {of(SECOND)[:12]} of the study in force does not stand" in told


def test_a_text_that_was_altered_is_named(access: Access, ada: Person) -> None:
    this = tables.notices.c.sha256 == of(FIRST)
    past_the_guards(access, update(tables.notices).where(this).values(document={"preamble": "Sell it all."}))
    told = access.audit()
    assert told is not None
    assert f"notice {of(FIRST)[:12]} was altered" in told


def test_an_earlier_text_comes_back_with_a_new_study_and_its_grants_with_it(
    access: Access, ada: Person
) -> None:
    for hours, study in enumerate((FIRST, SECOND, FIRST), start=2):
        again = study.model_copy(update={"version": f"again-{hours}"})
        studies.apply(access, again, "ops", NOW + HOUR + hours * HOUR / 8)
        assert granted(access, ada) == (study is FIRST)
        assert access.audit() is None
    consenting.withdraw(access, ada, [SERIES], NOW + 2 * HOUR, recorder=Recorder.PARTICIPANT)
    assert not granted(access, ada)
