"""A row is written if and only if its scopes are in force at commit and its instant is not before `covers_from`."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, leaning, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import ConsentError, NotCoveredError, Recorder, Scope
from tracker.domain.instants import InstantError
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction, Prompt
from tracker.workflows import consenting, feedback, prompts

HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
WAYS = ("series", "context", "correction", "prompt")


def write(access: Access, who: Person, way: str, at: datetime, now: datetime) -> None:
    """A client claims that something was at an instant; it arrives now."""
    match way:
        case "series":
            store(access, who, [observed(at, source=secrets.token_hex(32))], now)
        case "context":
            feedback.add_context(access, who, Context(at, place="home"), now)
        case "correction":
            feedback.correct(access, who, Correction(at, "emotion", leaning(Emotion.FEAR, 0.9)), now)
        case "prompt":
            prompts.record(access, who, Prompt(secrets.token_hex(8), at, at, at, at, "answered"), now)


def test_whatever_a_client_claims(access: Access, figure: Tell) -> None:
    """Capture instant, grant, withdrawal and arrival in any order: both ends are looked at."""
    tried = stored = 0

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(
        way=st.sampled_from(WAYS),
        covers=st.integers(-48, 0),
        withdrawn=st.one_of(st.none(), st.integers(1, 24)),
        arrives=st.integers(0, 24),
        claimed=st.integers(-72, 24),
        tick=st.sampled_from([-TICK, timedelta(0), TICK]),
    )
    def holds(
        way: str, covers: int, withdrawn: int | None, arrives: int, claimed: int, tick: timedelta
    ) -> None:
        nonlocal tried, stored
        who = person(access, secrets.token_hex(8), covers_from=NOW + covers * HOUR)
        now, at = NOW + arrives * HOUR, NOW + claimed * HOUR + tick
        if withdrawn is not None and withdrawn <= arrives:
            consenting.withdraw(
                access, who, list(Scope), NOW + withdrawn * HOUR, recorder=Recorder.PARTICIPANT
            )
        allowed = at >= NOW + covers * HOUR and not (withdrawn is not None and withdrawn <= arrives)
        before = held.counts(access)
        try:
            write(access, who, way, at, now)
        except (ConsentError, InstantError):
            assert held.counts(access) == before
            assert not allowed or at > now, (way, covers, withdrawn, arrives, claimed)
        else:
            assert allowed, (way, covers, withdrawn, arrives, claimed)
            stored += 1
        tried += 1

    holds()
    assert 0 < stored < tried
    figure(f"{tried} claims, {stored} stored")


@pytest.mark.parametrize("way", WAYS)
def test_the_very_instant_is_covered_and_the_one_before_is_not(access: Access, way: str) -> None:
    who = person(access, covers_from=NOW - HOUR)
    with pytest.raises(NotCoveredError):
        write(access, who, way, NOW - HOUR - TICK, NOW)
    write(access, who, way, NOW - HOUR, NOW)


def test_a_queue_that_arrives_after_the_withdrawal_is_refused_whole(access: Access) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    before = held.counts(access)
    for way in ("series", "context", "correction"):
        with pytest.raises(ConsentError):
            # Captured while the grant stood, by a clock that says that it still stands.
            write(access, who, way, NOW - 2 * HOUR, NOW - HOUR)
    assert held.counts(access) == before


def test_an_event_is_recorded_when_it_is_recorded(access: Access) -> None:
    """What a participant states reaches back; the log's own instant does not."""
    who = person(access, "ada", [])
    (event,) = consenting.grant(
        access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT, covers_from=NOW - 48 * HOUR
    )
    assert (event.recorded_at, event.covers_from) == (NOW, NOW - 48 * HOUR)
    with pytest.raises(InstantError):
        consenting.grant(
            access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT, covers_from=NOW + HOUR
        )
