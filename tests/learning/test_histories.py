from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.days import START, answers, moments, numbers, pasts, situation, steps, words
from tracker.learning.histories import AT, History
from tracker.learning.situations import Answer, Situation

Past = list[tuple[Situation, Answer | None]]


def history(past: Past) -> History:
    found = History()
    for moment, answer in past:
        found.add(moment, answer)
    return found


def seen(past: Past) -> list[dict[str, float]]:
    """The features of every moment, each before its answer."""
    running, found = History(), []
    for moment, answer in past:
        found.append(running.features(moment))
        running.add(moment, answer)
    return found


@settings(deadline=None)
@given(st.lists(steps, min_size=1, max_size=10), st.data())
def test_the_future_shuffled_or_changed_leaves_every_earlier_moment_as_it_was(
    drawn: list[tuple[float, dict[str, float], dict[str, str], Answer | None]], data: st.DataObject
) -> None:
    t = data.draw(st.integers(0, len(drawn) - 1))
    past = moments(drawn)
    others = data.draw(st.permutations(drawn[t:])) + data.draw(st.lists(steps, max_size=3))
    # The moment itself is known; its answer, and all that comes after, is the future.
    changed = [*past[:t], (past[t][0], data.draw(answers)), *moments(others)]
    assert seen(past)[: t + 1] == seen(changed)[: t + 1]


@settings(deadline=None)
@given(pasts, steps)
def test_looking_changes_nothing(
    past: Past, step: tuple[float, dict[str, float], dict[str, str], Answer | None]
) -> None:
    now = moments([(2000.0, *step[1:])])[0][0]
    looked = history(past)
    assert looked.features(now) == looked.features(now) == history(past).features(now)


@settings(deadline=None)
@given(pasts, numbers, words, st.floats(0, 5000))
def test_every_feature_is_finite_and_its_names_do_not_hang_on_key_order(
    past: Past, own: dict[str, float], said: dict[str, str], hours: float
) -> None:
    now = situation(hours, own, said)
    turned = situation(hours, dict(reversed(own.items())), dict(reversed(said.items())))
    found = history(past).features(now)
    assert all(map(math.isfinite, found.values()))
    assert history(past).features(turned) == found
    assert found[AT] == now.at.timestamp() / 86_400


def test_a_number_is_compared_with_the_own_mean_of_the_window_only() -> None:
    past: Past = [(situation(0, {"tired": 90.0}, {}), None)]
    past += [(situation(24.0 * d, {"tired": 10.0}, {}), None) for d in (28, 31)]
    now = situation(24.0 * 32, {"tired": 12.0}, {})
    assert history(past).features(now)["off:tired"] == pytest.approx(2.0)


def test_a_number_that_is_missing_now_is_named_so_and_one_never_known_is_not() -> None:
    known = history([(situation(0, {"tired": 1.0}, {}), None)]).features(situation(3, {}, {}))
    assert known["lack:tired"] == 1.0
    assert "now:tired" not in known
    assert not any(name.startswith("lack:") for name in History().features(situation(3, {}, {})))


def test_answers_at_a_place_count_beyond_the_own_rate() -> None:
    past: Past = [
        (situation(24.0 * d + h, {}, {"place": place}), Answer(share))
        for d in range(6)
        for h, place, share in ((0, "home", 0.0), (6, "work", 1.0))
    ]
    at_work = history(past).features(situation(24.0 * 6, {}, {"place": "work"}))
    at_home = history(past).features(situation(24.0 * 6, {}, {"place": "home"}))
    nowhere = history(past).features(situation(24.0 * 6, {}, {"place": "moon"}))
    assert at_work["word:place"] > 0.1 > -0.1 > at_home["word:place"]
    assert nowhere["word:place"] == nowhere["word:place:known"] == 0.0


def test_only_a_told_answer_is_remembered() -> None:
    asked = history([(situation(0, {}, {"place": "home"}), Answer(1.0, 80.0))]).features(situation(3, {}, {}))
    silent = history([(situation(0, {}, {"place": "home"}), None)]).features(situation(3, {}, {}))
    assert asked["told:last"] == 0.5
    assert asked["told:graded_last"] == 80.0
    assert "told:last" not in silent
    assert silent["told:month"] == 0.0


def test_where_only_day_and_slot_are_known_nothing_of_the_clock_is_invented() -> None:
    bare = Situation(START + timedelta(days=3), 4, slot=2)
    found = history([(Situation(START, 1, slot=2), Answer(1.0))]).features(bare)
    assert {name for name in found if name.startswith("clock:")} == {"clock:day", "clock:since_seen"}
    assert found["word:time"] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    ("bad", "words_"),
    [
        ({"hour": 24.0}, "not in"),
        ({"weekday": 7}, "weekday 7"),
        ({"numbers": {"tired": math.nan}}, "leave out what is missing"),
    ],
)
def test_an_impossible_situation_is_refused(bad: dict[str, object], words_: str) -> None:
    with pytest.raises(ValueError, match=words_):
        Situation(START, 1, **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [(1.1, None, 1.0), (0.5, math.inf, 1.0), (0.5, None, 0.0)])
def test_an_impossible_answer_is_refused(bad: tuple[float, float | None, float]) -> None:
    with pytest.raises(ValueError, match="answer"):
        Answer(*bad)
