"""What came last is what the database says came last, whatever the clocks of servers and clients said."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tracker.access import Access
from tracker.domain.consent import (
    ConsentError,
    ConsentEvent,
    ConsentMissingError,
    Notice,
    Recorder,
    Scope,
    State,
)
from tracker.domain.instants import InstantError
from tracker.privacy.consent import in_force
from tracker.workflows import consenting

SKEWS = [timedelta(0), timedelta(microseconds=1), timedelta(hours=1), timedelta(days=400)]
NOTICE = Notice("1", "en", "a" * 64)


def test_the_log_decides_in_every_order_of_clocks(figure: Tell) -> None:
    """All orders of four events' clocks: the last by number counts."""
    seen = 0
    states = (State.GIVEN, State.WITHDRAWN, State.RENEWED, State.REFUSED)
    for order in itertools.permutations(range(4)):
        for last in itertools.permutations(states):
            events = [
                ConsentEvent(
                    n + 1,
                    Scope.NOTES,
                    state,
                    NOTICE,
                    NOW + hour * timedelta(hours=1),
                    NOW,
                    Recorder.PARTICIPANT,
                )
                for n, (hour, state) in enumerate(zip(order, last, strict=True))
            ]
            for shuffled in (events, events[::-1]):
                found = in_force(shuffled, NOW + timedelta(days=1))
                assert (Scope.NOTES in found) is last[-1].permits
                seen += 1
    figure(f"{seen:,} orders of clocks")


@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_a_withdrawal_by_a_server_whose_clock_runs_behind_counts(access: Access, skew: timedelta) -> None:
    who = person(access)
    store(access, who, [observed(NOW - timedelta(days=1))])
    with refused_or_recorded():
        consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW - skew, recorder=Recorder.PARTICIPANT)
    _nothing_more(access, who.name)


@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_a_writer_whose_clock_runs_behind_sees_the_withdrawal(access: Access, skew: timedelta) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    before = held.counts(access)
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(NOW - timedelta(days=2))], NOW - skew)
    assert held.counts(access) == before


def test_in_one_instant_the_later_number_counts(access: Access) -> None:
    who = person(access, "ada", [])
    for end, act in itertools.islice(
        itertools.cycle([(False, consenting.grant), (True, consenting.withdraw)]), 9
    ):
        act(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
        with access.read(who.id, NOW) as unit:
            assert (Scope.AFFECT_SERIES in unit.grants()) is not end
    numbers = [e.seq for e in _events(access, who.id)]
    assert numbers == sorted(set(numbers))
    assert access.audit() is None


@contextmanager
def refused_or_recorded() -> Iterator[None]:
    """A withdrawal must never be refused for a clock's sake; were it, this test must say so."""
    try:
        yield
    except (ConsentError, InstantError) as error:
        raise AssertionError(f"a withdrawal was refused: {error}") from error


def _nothing_more(access: Access, name: str) -> None:
    who = access.person(name)
    before = held.counts(access)
    for skew in SKEWS:
        for now in (NOW - skew, NOW + skew):
            with pytest.raises(ConsentMissingError):
                store(access, who, [observed(NOW - timedelta(days=3))], now)
    assert held.counts(access) == before


def _events(access: Access, participant: str) -> tuple[ConsentEvent, ...]:
    with access.read(participant, NOW) as unit:
        return unit.events
