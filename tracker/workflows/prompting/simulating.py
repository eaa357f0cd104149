"""What a study would ask, without anybody: its slots over some days in a zone."""

from __future__ import annotations

from datetime import date, timedelta

from tracker.domain.instants import require_zone
from tracker.domain.schedules import Slot, slots
from tracker.study import Study


def month(study: Study, zone: str, start: date, days: int, participant: str = "simulated") -> list[Slot]:
    """The slots of a study on so many days, for somebody of whom nothing is known; after events there are none.

    Parameters
    ----------
    study, zone
        Which study, and where the person is.
    start, days
        The first local date, and how many.
    participant
        Another word draws another person's random times.

    Raises
    ------
    InstantError
        When the zone is unknown.
    """
    require_zone(zone)
    plan = study.plan
    dates = (start + timedelta(days=n) for n in range(days))
    return [slot for day in dates for slot in slots(plan, participant, day, zone)]
