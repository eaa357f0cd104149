import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tracker.learning.agreement import Metric, krippendorff_alpha
from tracker.learning.shares import share

NAN = math.nan
RATINGS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 5), st.integers(1, 12)),
    elements=st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0]),
)
EVERY = pytest.mark.parametrize("metric", list(Metric))
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


@pytest.mark.parametrize(
    ("metric", "published"), [(Metric.NOMINAL, 0.743), (Metric.ORDINAL, 0.815), (Metric.INTERVAL, 0.849)]
)
def test_the_published_example_comes_out(metric: Metric, published: float) -> None:
    found = krippendorff_alpha(PUBLISHED, metric)
    assert found.value == pytest.approx(published, abs=0.0006)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert (found.items, found.values) == (11, 40)


def by_definition(ratings: np.ndarray, metric: Metric) -> float:
    """Alpha straight from its definition: pair by pair."""
    units = [u[~np.isnan(u)] for u in ratings.T]
    units = [u for u in units if len(u) >= 2]
    everything = np.concatenate(units)

    def apart(a: float, b: float) -> float:
        if metric is Metric.NOMINAL:
            return float(a != b)
        if metric is Metric.INTERVAL:
            return float(a - b) ** 2
        low, high = sorted((a, b))
        between = ((everything >= low) & (everything <= high)).sum()
        ends = ((everything == low).sum() + (everything == high).sum()) / 2 if low != high else between
        return float(between - ends) ** 2

    n = len(everything)
    seen = sum(
        apart(a, b) / (len(u) - 1) for u in units for i, a in enumerate(u) for j, b in enumerate(u) if i != j
    )
    expected = sum(
        apart(a, b) for i, a in enumerate(everything) for j, b in enumerate(everything) if i != j
    ) / (n - 1)
    return 1 - seen / expected


@EVERY
@given(ratings=RATINGS)
@settings(max_examples=60, deadline=None)
def test_alpha_is_its_definition(metric: Metric, ratings: np.ndarray) -> None:
    found = krippendorff_alpha(ratings, metric, draws=0)
    assume(found.value is not None)
    assert found.value == pytest.approx(by_definition(ratings, metric), abs=1e-9)


@EVERY
@given(ratings=RATINGS, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_who_rates_and_in_which_order_does_not_matter(metric: Metric, ratings: np.ndarray, seed: int) -> None:
    chance = np.random.default_rng(seed)
    shuffled = chance.permutation(chance.permutation(ratings, axis=0), axis=1)
    one, other = (krippendorff_alpha(r, metric, draws=0).value for r in (ratings, shuffled))
    assert one == (None if other is None else pytest.approx(other, abs=1e-9))


@given(ratings=RATINGS, names=st.permutations([0.0, 1.0, 2.0, 3.0]))
@settings(max_examples=60, deadline=None)
def test_names_of_categories_do_not_matter(ratings: np.ndarray, names: list[float]) -> None:
    renamed = np.where(np.isnan(ratings), NAN, np.take(names, np.nan_to_num(ratings).astype(int)))
    one, other = (krippendorff_alpha(r, draws=0).value for r in (ratings, renamed))
    assert one == (None if other is None else pytest.approx(other, abs=1e-9))


@EVERY
@given(truth=st.lists(st.integers(0, 3), min_size=2, max_size=12), raters=st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_perfect_agreement_is_one(metric: Metric, truth: list[int], raters: int) -> None:
    found = krippendorff_alpha(np.tile(np.array(truth, float), (raters, 1)), metric, draws=50)
    if len(set(truth)) == 1:
        assert found.value is None  # with one value alone there is nothing to agree about
    else:
        assert found.value == pytest.approx(1.0)
        assert found.low == pytest.approx(1.0)


@EVERY
def test_chance_is_about_nought(metric: Metric) -> None:
    found = krippendorff_alpha(np.random.default_rng(5).integers(0, 4, (3, 2000)).astype(float), metric)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert abs(found.value) < 0.05


def test_the_interval_is_repeatable_and_narrows_with_items() -> None:
    chance = np.random.default_rng(2)
    truth = chance.integers(0, 4, 400)
    said = np.where(chance.random((3, 400)) < 0.7, truth, chance.integers(0, 4, (3, 400))).astype(float)
    wide, narrow = krippendorff_alpha(said[:, :40]), krippendorff_alpha(said)
    assert narrow == krippendorff_alpha(said)
    assert wide.high - wide.low > narrow.high - narrow.low  # type: ignore[operator]


def test_nothing_to_compare_is_no_figure() -> None:
    assert krippendorff_alpha(np.array([[1.0, NAN], [NAN, 2.0]])).value is None
    assert krippendorff_alpha(np.empty((0, 0))).value is None


@pytest.mark.parametrize("bad", [[1.0, 2.0], [[1.0, math.inf], [1.0, 2.0]]])
def test_what_are_no_ratings_is_said(bad: list[object]) -> None:
    with pytest.raises(ValueError, match="ratings are"):
        krippendorff_alpha(np.array(bad))


@given(of=st.integers(1, 500), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_share_lies_in_its_interval_and_that_within_nought_and_one(of: int, data: st.DataObject) -> None:
    found = share(data.draw(st.integers(0, of)), of)
    assert found is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
