from __future__ import annotations

import pytest

from tracker.learning.weights import MAX_WEIGHT, RaterKind, correction_weight


def test_nobody_outweighs_the_participant() -> None:
    own = correction_weight(RaterKind.PARTICIPANT)
    assert own == MAX_WEIGHT
    assert own > correction_weight(RaterKind.EXPERT) > correction_weight(RaterKind.CROWD) > 0


@pytest.mark.parametrize("rater", RaterKind)
def test_accepting_counts_less_than_saying(rater: RaterKind) -> None:
    assert 0 < correction_weight(rater, accepted=True) < correction_weight(rater)
