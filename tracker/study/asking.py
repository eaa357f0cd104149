"""The tables of a study file that say what is asked when: `[asking]` and `[[prompts]]`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from tracker.domain.schedules import Event
from tracker.study.parts import Part

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of the day on the wall, as 08:30."""

End = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
"""The end of a part of the day: 24:00 is the end of the day."""

Minutes = Annotated[int, Field(ge=1, le=24 * 60)]
Target = Annotated[
    str,
    StringConstraints(
        pattern=r"^(emotion|valence|arousal|leave_me_alone|(yes_no|number):.*\S.*)$", max_length=32
    ),
]


class Days(StrEnum):
    """On which days of the week."""

    ALL = "all"
    WEEKDAYS = "weekdays"
    WEEKENDS = "weekends"


class AskingRules(Part):
    """What holds for all prompts of a study, whoever puts them.

    Attributes
    ----------
    quiet_from, quiet_until
        Local times between which nothing is asked, also across midnight; equal: no quiet hours.
    gap_minutes
        Shortest time between any two prompts.
    per_day
        Prompts a day at most, from one end of the quiet hours to the next.
    warm_up_days
        Days in which no prompt yields, so that the learner gets to know the person.
    audits, through_silence
        Share of moments asked at random whatever the learner thinks, and where it looks like the person wants to be
        left alone: without them nobody ever learns whether it is right.
    unsure_per_day
        Prompts a day at most that come because the learner is unsure.
    web_push
        Whether participants may let a device be told that a question waits. It means that this server speaks to the
        push services of browser makers; each participant still switches each device on.
    """

    quiet_from: Clock = "22:00"
    quiet_until: Clock = "08:00"
    gap_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 60
    per_day: Annotated[int, Field(ge=1, le=50)] = 12
    warm_up_days: Annotated[int, Field(ge=0, le=365)] = 7
    audits: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.03
    through_silence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.03
    unsure_per_day: Annotated[int, Field(ge=1, le=50)] = 5
    web_push: bool = False


class AtRandom(Part):
    """A part of the day in which so many prompts fall at random; `closes` is outside it."""

    opens: Clock
    closes: End
    prompts: Annotated[int, Field(ge=1, le=50)] = 1


class Prompts(Part):
    """One schedule: at fixed times (`at`), at random (`windows`), or `after` an event; see docs/prompts.md.

    Attributes
    ----------
    id
        Its name; it stands in every slot, so a new name begins anew.
    at, windows, after
        When; fixed times and windows may stand together, an event stands alone.
    unseen_minutes
        For how long no face had been seen before one that is asked about (`face_after_gap`).
    days
        All, weekdays or weekends.
    apart_minutes
        Shortest time between its own random prompts, where that is longer than the gap of all.
    expires_after_minutes
        How long it can be answered.
    reminders, remind_after_minutes
        How often it is recalled, each time after so long.
    yields
        Whether it is withheld while the learner is confident that the person wants to be left alone.
    asks
        What is asked: targets in order.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    at: Annotated[tuple[Clock, ...], Field(max_length=50)] = ()
    windows: Annotated[tuple[AtRandom, ...], Field(max_length=50)] = ()
    after: Event | None = None
    unseen_minutes: Minutes = 60
    days: Days = Days.ALL
    apart_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    expires_after_minutes: Annotated[int, Field(ge=5, le=24 * 60)] = 60
    reminders: Annotated[int, Field(ge=0, le=10)] = 0
    remind_after_minutes: Minutes = 15
    yields: bool = True
    asks: Annotated[tuple[Target, ...], Field(min_length=1, max_length=10)] = ("emotion", "leave_me_alone")


def minute(clock: str) -> int:
    """The minute of the day that a clock shows.

    Examples
    --------
    >>> minute("08:30"), minute("24:00")
    (510, 1440)
    """
    hour, _, minutes = clock.partition(":")
    return int(hour) * 60 + int(minutes)
