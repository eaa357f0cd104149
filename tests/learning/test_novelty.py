"""What an answer could teach: nothing where the same was asked, most where nothing like it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.learning.novelty import novelty

FEATURES = st.dictionaries(st.sampled_from("abc"), st.floats(-5, 5), max_size=3)


@given(FEATURES, st.lists(FEATURES, max_size=8))
def test_it_lies_between_the_same_again_and_nothing_like_it(
    here: dict[str, float], asked: list[dict[str, float]]
) -> None:
    assert 0.0 <= novelty(here, asked) <= 1.0
    if len(asked) >= 4:
        assert novelty(here, [*asked, here]) == 0.0


def test_features_that_never_varied_do_not_count() -> None:
    asked = [{"a": float(k % 3), "fixed": 1.0} for k in range(6)]
    assert novelty({"a": 1.0, "fixed": 9.0}, asked) == 0.0


def test_where_nothing_ever_varied_only_the_very_same_is_known() -> None:
    asked = [{"fixed": 1.0}] * 5
    assert (novelty({"fixed": 1.0}, asked), novelty({"fixed": 2.0}, asked)) == (0.0, 1.0)
