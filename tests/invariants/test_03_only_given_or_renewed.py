"""Only given and renewed permit; expired, retired, unknown and unreadable consent denies, and no job has to run."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.invariants.ruling import ruled
from tests.invariants.test_01_append_only_log import unguard
from tracker.access import Access
from tracker.domain.consent import (
    NEEDS_CONFIRMATION,
    SCOPES_OF,
    ConsentError,
    ConsentEvent,
    Notice,
    Permit,
    Recorder,
    Rules,
    Scope,
    State,
    Use,
)
from tracker.privacy.consent import decide
from tracker.privacy.keys import KeyUnavailableError
from tracker.store.database import DatabaseError, StatementError

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
STANDING, RETIRED = Notice("2", "en", "a" * 64), Notice("1", "en", "b" * 64)
RULES = Rules(notices=frozenset({STANDING.sha256}))
ENDS = (None, NOW + DAY, NOW + TICK, NOW, NOW - TICK)
REFUSALS = (ConsentError, DatabaseError, StatementError, KeyUnavailableError, ValueError)


def event(scope: Scope, state: State, notice: Notice, ends: datetime | None, by: Recorder) -> ConsentEvent:
    return ConsentEvent(1, scope, state, notice, NOW - DAY, NOW - DAY, by, expires_at=ends)


def test_every_state_end_notice_and_recorder(figure: Tell) -> None:
    """The whole truth table, against the rule as DESIGN words it."""
    seen = permits = 0
    for use in Use:
        for state, ends, notice, by in itertools.product(State, ENDS, (STANDING, RETIRED), Recorder):
            events = [event(scope, state, notice, ends, by) for scope in SCOPES_OF[use]]
            decision = decide("p", events, use, NOW, RULES)
            allowed = (
                state in (State.GIVEN, State.RENEWED)
                and (ends is None or ends > NOW)
                and notice is STANDING
                # A guardian's word alone never stands for the participant's own.
                and by is not Recorder.GUARDIAN
                and (by is Recorder.PARTICIPANT or use not in NEEDS_CONFIRMATION)
            )
            assert isinstance(decision, Permit) is allowed, (use, state, ends, notice.version, by)
            seen += 1
            permits += allowed
        assert not isinstance(decide("p", [], use, NOW, RULES), Permit)
    figure(f"{seen:,} rows of the truth table, {permits:,} of them permit")


def test_states_are_those_of_the_standard_and_no_other() -> None:
    assert {s.value for s in State} == {"given", "refused", "withdrawn", "expired", "renewed"}
    assert {s for s in State if s.permits} == {State.GIVEN, State.RENEWED}


def test_a_grant_that_has_expired_is_none_although_no_job_ever_ran(access: Access) -> None:
    ruled(access, NOW - 40 * DAY, consent={"expires_after_days": 30})
    who = person(access, now=NOW - 30 * DAY)
    assert store(access, who, [observed(NOW - DAY)], NOW - TICK).observations == 1
    for late in (timedelta(0), TICK, 400 * DAY):
        before = held.counts(access)
        with pytest.raises(ConsentError):
            store(access, who, [observed(NOW - 2 * DAY, source="b" * 64)], NOW + late)
        with access.read(who.id, NOW + late) as unit:
            assert unit.grants() == {}
            assert not any(unit.allowed(use) for use in Use)
        assert held.counts(access) == before


@pytest.mark.parametrize("damage", ["cut", "emptied", "another's"])
def test_consent_that_cannot_be_read_denies(access: Access, damage: str) -> None:
    who, other = person(access), person(access, "other")
    before = held.count(access, "observations")
    unguard(access)
    with access.database.write() as connection:
        last = f"SELECT max(seq) FROM consent_events WHERE participant = '{who.id}'"
        values = {
            "cut": "substr(sealed, 1, 20)",
            "emptied": "x''" if access.database.is_sqlite else "''::bytea",
            "another's": f"(SELECT sealed FROM consent_events WHERE participant = '{other.id}' ORDER BY seq LIMIT 1)",
        }
        connection.execute(text(f"UPDATE consent_events SET sealed = {values[damage]} WHERE seq = ({last})"))
    with pytest.raises(REFUSALS):
        store(access, who, [observed(NOW)])
    assert held.count(access, "observations") == before
    assert store(access, other, [observed(NOW)]).observations == 1
