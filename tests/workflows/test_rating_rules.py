"""What a study says of the goal and of the lag of hands reaches whoever rates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, installation
from tests.processes import close
from tests.workflows.rated import rater, shown
from tracker.access import Access
from tracker.study import DEFAULT
from tracker.study.rating import RatingRules
from tracker.workflows import rating, studies


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    rules = RatingRules(goal=7, lag_s=3.5)
    studies.apply(made, DEFAULT.model_copy(update={"version": "2", "rating": rules}), "ops", NOW)
    yield made
    close(made)


def test_the_goal_of_a_day_is_the_studys(access: Access) -> None:
    assert rating.progress(access, rater(access), NOW).goal == 7


def test_the_lag_is_taken_off_traces_as_the_study_says(access: Access) -> None:
    shown(access, faces=8, every=timedelta(seconds=5))
    kim = rater(access)
    [stretch] = rating.stretches(access, kim, NOW)
    assert rating.open_series(access, kim, stretch.item, NOW).lag_s == 3.5
