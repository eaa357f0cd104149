from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW
from tracker.domain.clocks import FARTHEST, OLDEST, ClockOffError, TooOldError, put_right
from tracker.domain.instants import InstantError

OFFSETS = st.timedeltas(-FARTHEST, FARTHEST)
AGES = st.timedeltas(timedelta(), OLDEST)


@given(off=OFFSETS, ago=AGES)
def test_whatever_a_clock_says_the_instant_is_when_it_happened(off: timedelta, ago: timedelta) -> None:
    assert put_right(NOW + off - ago, NOW + off, NOW) == NOW - ago


@given(off=OFFSETS, ago=st.timedeltas(timedelta(seconds=-5), OLDEST))
def test_nothing_is_put_into_the_future(off: timedelta, ago: timedelta) -> None:
    assert put_right(NOW + off - ago, NOW + off, NOW) <= NOW


@given(off=OFFSETS, ages=st.lists(AGES, min_size=2, max_size=6))
def test_the_order_stays(off: timedelta, ages: list[timedelta]) -> None:
    given_at = sorted(NOW + off - ago for ago in ages)
    put = [put_right(at, NOW + off, NOW) for at in given_at]
    assert put == sorted(put)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_farther_off_is_told(sign: int) -> None:
    clock = NOW + sign * (FARTHEST + timedelta(seconds=1))
    with pytest.raises(ClockOffError, match="has to be put right by the difference before its clock is set"):
        put_right(clock, clock, NOW)


def test_what_lies_in_a_clocks_own_future_or_waited_too_long_is_refused() -> None:
    with pytest.raises(InstantError, match="in the future"):
        put_right(NOW + timedelta(seconds=6), NOW, NOW)
    with pytest.raises(TooOldError, match="7 days"):
        put_right(NOW - OLDEST - timedelta(seconds=1), NOW, NOW)


def test_a_naive_instant_is_none_and_a_zone_changes_nothing() -> None:
    with pytest.raises(InstantError):
        put_right(datetime(2026, 3, 20), NOW, NOW)
    tokyo = timezone(timedelta(hours=9))
    assert put_right(NOW.astimezone(tokyo), NOW, NOW) == NOW
