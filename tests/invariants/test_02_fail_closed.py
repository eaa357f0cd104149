"""Where consent cannot be recorded, nothing that rests on it happens: an error at any statement undoes it all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.store.database import DatabaseError
from tracker.workflows import consenting, enrolment

READS = ("SELECT", "PRAGMA", "BEGIN", "SHOW", "SAVEPOINT", "select pg_catalog", "show")


@contextmanager
def failing(access: Access, point: int) -> Iterator[Callable[[], bool]]:
    """Let the n-th statement or commit of the database or of the key store fail as a dying disk does."""
    passed = 0

    def fail() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            raise sqlite3.OperationalError("disk I/O error")

    def statement(_: Any, __: Any, sql: str, *rest: Any) -> None:
        if not sql.lstrip().startswith(READS):
            fail()

    def commit(connection: Any) -> None:
        if "affect_begin" in connection.get_execution_options() or connection.dialect.name == "postgresql":
            fail()

    engines = (access.database.engine, access.keys._database.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", statement)
        event.listen(engine, "commit", commit)
    try:
        yield lambda: passed >= point
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", statement)
            event.remove(engine, "commit", commit)


def tried(access: Access, point: int, action: Callable[[], object]) -> tuple[bool, bool]:
    """Whether the error came, and whether the action said that it had succeeded."""
    with failing(access, point) as came:
        try:
            action()
        except (sqlite3.OperationalError, DatabaseError):
            return came(), False
        return came(), True


def test_an_enrolment_that_fails_anywhere_admits_nobody(access: Access, figure: Tell) -> None:
    person(access, "other")
    points = 0
    for point in range(1, 60):
        name = f"ada-{point}"
        came, said_done = tried(access, point, lambda name=name: enrolment.enrol(access, name, "UTC", NOW))  # type: ignore[misc]
        if not came:
            break
        points += 1
        assert not said_done, f"enrolment said it was done although call {point} had failed"
        # Whoever is half enrolled has granted nothing, so nothing of them may be stored.
        try:
            half = access.person(name)
        except UnknownParticipantError:
            continue
        _stores_nothing(access, half)
    assert points >= 3
    assert access.audit() is None
    figure(f"enrolment failed at each of {points} calls")


@pytest.mark.parametrize("ends", [False, True], ids=["grant", "withdrawal"])
def test_consent_that_cannot_be_recorded_is_no_consent(access: Access, ends: bool, figure: Tell) -> None:
    points = 0
    for point in range(1, 80):
        who = person(access, f"ada-{point}", [Scope.AFFECT_SERIES] if ends else [])
        before = held.rows(access)["consent_events"]
        act = consenting.withdraw if ends else consenting.grant
        came, said_done = tried(
            access,
            point,
            lambda act=act, who=who: act(
                access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT
            ),  # type: ignore[misc]
        )
        if not came:
            assert said_done
            break
        points += 1
        recorded = len(held.rows(access)["consent_events"]) - len(before)
        assert recorded in (0, 1)
        if not recorded:
            assert not said_done, f"it said that it was recorded although call {point} had failed"
        if not ends and not recorded:
            _stores_nothing(access, who)
        if ends and recorded:
            _stores_nothing(access, who)
        access.sign_head()  # the next event does so too
        assert access.audit() is None
    assert points >= 4
    figure(f"{'withdrawal' if ends else 'grant'} failed at each of {points} calls")


def _stores_nothing(access: Access, who: Person) -> None:
    before = held.count(access, "observations")
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(NOW)])
    assert held.count(access, "observations") == before
