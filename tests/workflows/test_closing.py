"""The preview of closing tells what closing does, and nothing that the study in force does anyway."""

from __future__ import annotations

from datetime import timedelta

from tests.builders import NOW, observed, person, store
from tests.workflows.test_studies import MONTH, version
from tracker.access import Access
from tracker.study.parts import Coarsening, Resolution, Retention, Step
from tracker.workflows import studies

DAY = timedelta(days=1)


def by_the_minute(days: int) -> Coarsening:
    return Coarsening(affect_series=(Step(after_days=days, to=Resolution.MINUTE),))


def test_what_gets_coarser_anyway_is_not_closings_doing(access: Access) -> None:
    store(access, person(access), [observed(NOW - n * DAY) for n in (25, 45, 55)])
    coarse = version(MONTH, "2", coarsening=by_the_minute(50), retention=Retention(face_crops=30))
    assert studies.preview(access, coarse, NOW).coarsened == 1
    studies.apply(access, coarse, "ops", NOW)
    closing = studies.preview(access, coarse.closing(), NOW)
    assert closing.coarsened == 0
    assert closing.takes_away
    assert closing.sentences() == [
        "nothing new is granted or stored; withdrawing, looking and erasing still work"
    ]
    sooner = version(coarse, "3", coarsening=by_the_minute(30))
    assert studies.preview(access, sooner, NOW).coarsened == 1, "only what is new"
