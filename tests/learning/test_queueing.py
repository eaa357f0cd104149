from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import leaning
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.rating import Because
from tracker.learning.queueing import (
    LONG,
    Candidate,
    OrderWeights,
    Overlap,
    at_random,
    because,
    ordered,
    share_of,
    top_decile,
    value_of,
    wanted,
)

CANDIDATES = st.builds(
    Candidate,
    st.integers(1, 10_000),
    st.floats(0, 2.08),
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(days=90))),
    st.booleans(),
)
SAD, ANGRY = Distribution.said(Emotion.SADNESS), Distribution.said(Emotion.ANGER)
NEVER = float("inf")


@given(candidates=st.lists(CANDIDATES, max_size=20), data=st.data())
@settings(max_examples=80, deadline=None)
def test_the_order_is_that_of_the_value_and_puts_the_put_off_last(
    candidates: list[Candidate], data: st.DataObject
) -> None:
    chance = [data.draw(st.floats(0, 0.999)) for _ in candidates]
    found = ordered(candidates, chance)
    assert sorted(map(hash, found)) == sorted(map(hash, candidates))
    assert [c.skipped for c in found] == sorted(c.skipped for c in found)
    values = {id(c): value_of(c, u) for c, u in zip(candidates, chance, strict=True)}
    for part in ([c for c in found if not c.skipped], [c for c in found if c.skipped]):
        assert [values[id(c)] for c in part] == sorted((values[id(c)] for c in part), reverse=True)


@given(candidate=CANDIDATES, u=st.floats(0, 0.999))
@settings(max_examples=80, deadline=None)
def test_a_value_is_a_share_and_its_reason_the_larger_part(candidate: Candidate, u: float) -> None:
    assert 0 <= value_of(candidate, u) <= 1
    alone = (
        value_of(candidate, 0, OrderWeights(waiting=0, chance=0)),
        value_of(candidate, 0, OrderWeights(entropy=0, chance=0)),
    )
    assert because(candidate) is (Because.UNSURE if alone[0] >= alone[1] else Because.WAITED)


@given(every=st.integers(2, 50), n=st.integers(1, 500))
@settings(max_examples=50, deadline=None)
def test_every_so_manieth_is_random(every: int, n: int) -> None:
    assert sum(at_random(turn, every) for turn in range(1, n + 1)) == n // every


@given(subject=st.text(max_size=32), items=st.sets(st.integers(0, 10**6), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_how_many_see_an_item_follows_from_the_item(subject: str, items: set[int]) -> None:
    for item in items:
        few, many = (wanted(subject, item, 0.5, NEVER, [], Overlap(s)) for s in (0.0, 1.0))
        assert (few, many) == (1, 2)
        usual = wanted(subject, item, 0.5, NEVER, [], Overlap())
        assert usual == (2 if share_of(subject, item) < 0.2 else 1)
        # What was said changes it only where the first two disagree, or it is hard.
        assert wanted(subject, item, 0.5, NEVER, [SAD, SAD], Overlap()) == usual
        assert wanted(subject, item, 0.5, NEVER, [SAD, ANGRY], Overlap()) == 3
        assert wanted(subject, item, 0.5, NEVER, [SAD, None], Overlap()) == 3
        assert wanted(subject, item, 1.9, 1.9, [], Overlap()) == 3


def test_two_raters_see_a_fifth_of_all_items() -> None:
    seen = [wanted("somebody", item, 0.5, NEVER, [], Overlap()) for item in range(5000)]
    assert sum(n == 2 for n in seen) / len(seen) == pytest.approx(0.2, abs=0.02)


@given(entropies=st.lists(st.floats(0, 2.08), min_size=10, max_size=200, unique=True))
@settings(max_examples=60, deadline=None)
def test_the_top_decile_is_a_tenth(entropies: list[float]) -> None:
    hard = [e for e in entropies if e >= top_decile(entropies)]
    assert len(hard) == len(entropies) // 10


def test_what_was_never_spoken_of_waits_longest() -> None:
    long_ago, never = Candidate(1, 1.0, LONG), Candidate(2, 1.0, None)
    assert value_of(never, 0.5) == value_of(long_ago, 0.5)
    assert value_of(never, 0.5) > value_of(Candidate(3, 1.0, timedelta(days=1)), 0.5)
    assert leaning(Emotion.FEAR).entropy > 0
