"""Who shares with researchers, and how many of their prompts they answer: by person and day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Response, render_template

from tracker.domain.consent import Use
from tracker.domain.instants import first_day
from tracker.domain.people import Person
from tracker.domain.readers import Role
from tracker.learning.shares import Share
from tracker.workflows import monitoring, prompting
from tracker.workflows.monitoring import Sharing
from tracker.workflows.prompting import Asked
from webui import auth
from webui.monitor import room
from webui.monitor.room import pages
from webui.services import services

COLUMNS = (
    "participant",
    "simulated",
    "day",
    "put",
    "answered",
    "late",
    "missed",
    "put_away",
    "waiting",
    "withheld",
    "by_learner",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A person and their days, oldest first; None for a day of which nothing is shared, or kept."""

    person: Person
    days: tuple[tuple[date, Asked | None], ...]

    @property
    def whole(self) -> Asked:
        """All days together."""
        return sum((asked for _, asked in self.days if asked is not None), Asked())

    def on(self, day: date) -> Asked | None:
        """What was asked on a day of their own calendar."""
        return dict(self.days).get(day)

    @property
    def answered(self) -> Share:
        """How many of the prompts that reached them were answered, of those that cannot be answered any more."""
        return answered(self.whole)


def answered(asked: Asked) -> Share:
    """The share that was answered, of what is over."""
    return Share(asked.answered, asked.put - asked.waiting)


def level(asked: Asked | None) -> str:
    """How dark a cell is: of five steps, or none where nothing was asked.

    Examples
    --------
    >>> level(Asked(put=4, answered=4)), level(Asked(put=4, answered=1, missed=3)), level(None)
    ('h4', 'h1', 'h-none')
    """
    if asked is None or not asked.put - asked.waiting:
        return "h-none"
    return f"h{round(4 * answered(asked).value)}"


@pages.get("/study")
def people() -> str:
    """Who shares, by name alone: nothing of anybody is looked at here."""
    found = monitoring.sharing(services().access, auth.now())
    return render_template("monitor_people.html", people=found)


@pages.get("/study/prompts")
def prompts() -> str:
    """The heat map of compliance; it is a look at each of those in it."""
    rows = rows_of(room.days())
    real = [row for row in rows if not row.person.simulated]
    return render_template(
        "monitor_prompts.html",
        rows=rows,
        days=_days(rows),
        # What is made up never counts with what is not.
        whole=sum((row.whole for row in real or rows), Asked()),
        made_up=len(rows) - len(real),
        span=room.days(),
        spans=room.SPANS,
        level=level,
        told=room.told,
    )


@pages.get("/study/prompts.csv")
def prompts_csv() -> Response:
    """The same as a table."""
    return room.table("prompts", COLUMNS, _cells(rows_of(room.days())))


def rows_of(days: int) -> list[Row]:
    """Those who share what they are asked, with their last days; it is a look at each of them."""
    access, at = services().access, auth.now()
    reader = monitoring.reader_of(auth.member())
    whom = [who for who in monitoring.sharing(access, at) if who.prompts]
    with monitoring.looked_at_each(access, reader, whom, at, "what you were asked") as seen:
        # As it is now, not as it was a moment ago.
        there = [(who, unit) for who, unit in seen if unit.allowed(Use.PROMPT) is not None]
        each = prompting.complied_each([unit for _, unit in there], Role.RESEARCHER, days)
        return [
            Row(who.person, tuple(spread(who, found, prompting.told_from(unit, Role.RESEARCHER), days)))
            for (who, unit), found in zip(there, each, strict=True)
        ]


def spread(
    who: Sharing, found: dict[date, Asked], since: datetime, days: int
) -> Iterator[tuple[date, Asked | None]]:
    """Each of the last days of somebody, oldest first; of those before `since` nothing is known.

    A prompt counts on the day that it was where they were then, which may be none of these where they travelled.
    """
    zone = ZoneInfo(who.person.zone)
    first, known = first_day(auth.now(), zone, days), since.astimezone(zone).date()
    for day in sorted({first + timedelta(days=n) for n in range(days)} | found.keys()):
        yield day, found.get(day, Asked() if day >= known else None)


def _days(rows: list[Row]) -> list[date]:
    """The columns: each day that is one of the last on anybody's own calendar."""
    return sorted({day for row in rows for day, _ in row.days})


def _cells(rows: Iterable[Row]) -> Iterator[list[object]]:
    for row in rows:
        for day, asked in row.days:
            if asked is not None:
                counts = [getattr(asked, name) for name in COLUMNS[3:]]
                yield [row.person.name, row.person.simulated, day.isoformat(), *counts]
