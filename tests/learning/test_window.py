from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.affect import Distribution, Emotion
from tracker.domain.instants import InstantError
from tracker.learning.replay import LearningEvent
from tracker.learning.window import RecordedEvent, remembered, window

B = datetime(2025, 4, 10, 2, 0, tzinfo=UTC)
zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)


def event(name: str) -> LearningEvent:
    return LearningEvent({name: 1.0}, Distribution.of({Emotion.ANGER: 1.0}), 1.0)


def names(chosen: list[LearningEvent]) -> list[str]:
    return [key for e in chosen for key in e.features]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)), zones)
def test_thirty_days_are_720_hours_in_every_zone(wall: datetime, zone: ZoneInfo) -> None:
    at = wall.replace(tzinfo=zone)
    start, end = window(at)
    assert end == at
    assert start.tzinfo is UTC
    assert end.astimezone(UTC) - start == timedelta(hours=720)


def test_a_change_to_summer_time_shifts_the_wall_clock_not_the_window() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, _ = window(datetime(2025, 4, 10, 12, tzinfo=berlin))
    assert start.astimezone(berlin).hour == 11


def test_naive_instants_are_refused() -> None:
    with pytest.raises(InstantError):
        window(datetime(2025, 4, 10))
    with pytest.raises(InstantError):
        remembered([RecordedEvent(1, datetime(2025, 4, 10), event("a"))], B)


def test_the_first_instant_of_the_window_belongs_and_the_one_before_does_not() -> None:
    start, _ = window(B)
    log = [
        RecordedEvent(1, start - timedelta(microseconds=1), event("older")),
        RecordedEvent(2, start, event("first")),
        RecordedEvent(3, B + timedelta(days=40), event("since")),
    ]
    assert names(remembered(log, B)) == ["first", "since"]


def test_recording_order_is_by_position_even_when_clocks_tie_or_run_back() -> None:
    log = [
        RecordedEvent(3, B, event("third")),
        RecordedEvent(1, B, event("first")),
        RecordedEvent(2, B - timedelta(seconds=1), event("second")),
    ]
    assert names(remembered(log, B)) == ["first", "second", "third"]


@given(st.integers(-3600, 3600))
def test_what_ended_by_the_rebase_is_out_and_what_ended_later_was_learned(offset: int) -> None:
    ended = B + timedelta(seconds=offset)
    log = [RecordedEvent(1, B - timedelta(days=1), event("a"), ended_at=ended)]
    assert names(remembered(log, B)) == ([] if offset <= 0 else ["a"])
    assert remembered(log, rebase=ended) == []
