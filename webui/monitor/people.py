"""Who shares with researchers, and how many of their prompts they answer: by person and day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import Response, render_template

from tracker.domain.consent import ConsentError
from tracker.domain.instants import first_day
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.readers import Role
from tracker.personal.figures import Share
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
    """A person and their days, oldest first; None for a day without a prompt."""

    person: Person
    days: tuple[tuple[date, Asked | None], ...]

    @property
    def whole(self) -> Asked:
        """All days together."""
        return sum((asked for _, asked in self.days if asked is not None), Asked())

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
    rows = list(_rows(room.days()))
    return render_template(
        "monitor_prompts.html",
        rows=rows,
        days=_days(rows),
        whole=sum((row.whole for row in rows), Asked()),
        span=room.days(),
        spans=room.SPANS,
        level=level,
        told=room.told,
    )


@pages.get("/study/prompts.csv")
def prompts_csv() -> Response:
    """The same as a table."""
    return room.table("prompts", COLUMNS, _cells(_rows(room.days())))


def _rows(days: int) -> Iterator[Row]:
    access, at = services().access, auth.now()
    reader = monitoring.reader_of(auth.member())
    for who in monitoring.sharing(access, at):
        if not who.prompts:
            continue
        try:
            with monitoring.looked_at(access, reader, who, at, "what you were asked") as unit:
                found = prompting.complied(unit, Role.RESEARCHER, days)
        except (ConsentError, UnknownParticipantError):
            continue  # withdrawn or erased meanwhile
        yield Row(who.person, tuple(spread(who, found, days)))


def spread(who: Sharing, found: dict[date, Asked], days: int) -> Iterator[tuple[date, Asked | None]]:
    """Each of the last days of somebody, oldest first."""
    first = first_day(auth.now(), ZoneInfo(who.person.zone), days)
    for n in range(days):
        day = first + timedelta(days=n)
        yield day, found.get(day)


def _days(rows: list[Row]) -> list[date]:
    """The columns: everybody's last days, by their own calendars, stand side by side."""
    return [day for day, _ in rows[0].days] if rows else []


def _cells(rows: Iterator[Row]) -> Iterator[list[object]]:
    for row in rows:
        for day, asked in row.days:
            if asked is not None:
                counts = [getattr(asked, name) for name in COLUMNS[3:]]
                yield [row.person.name, row.person.simulated, day.isoformat(), *counts]
