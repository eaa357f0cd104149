"""When the rows of a diary happened, from a timestamp or from day and beep, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tracker.domain.instants import InstantError, parse_instant
from tracker.lab.challenge.diaries import ReadingError
from tracker.lab.challenge.sheets import Row, Sheet

PLACING = ("participant", "timestamp", "day", "beep")
"""Columns that say whose and when; never features."""

_INVENTED = datetime(2000, 1, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Placed:
    """A row with its place in a person's time.

    Attributes
    ----------
    at
        The instant, in UTC.
    local
        The same in the diary's zone; None where only day and beep are known.
    day, slot
        The person's day from 1 and the prompt of that day, as far as the file says.
    moved
        Whether the local time is one that its zone leaves out or has twice.
    """

    row: Row
    person: str
    at: datetime
    local: datetime | None
    day: int | None
    slot: int | None
    moved: str = ""

    @property
    def order(self) -> tuple[datetime, int, int]:
        """Sorts a person's rows: by the clock, then as they are numbered."""
        return self.at, self.day or 0, self.slot or 0

    def __str__(self) -> str:
        """Describe the place, for messages."""
        words = [self.local.strftime("%Y-%m-%d %H:%M:%S")] if self.local else []
        words += [f"day {self.day}"] if self.day is not None else []
        words += [f"beep {self.slot}"] if self.slot is not None else []
        return ", ".join(words)


def place(sheet: Sheet, row: Row, zone: ZoneInfo) -> Placed | None:
    """Find a row's place, or None where the cells for it are missing."""
    person = row.cells.get("participant")
    if person is None:
        raise sheet.error(row, "participant", "empty; every row says whose it is")
    needed = [name for name in ("timestamp", "day", "beep") if name in sheet.columns]
    if any(name not in row.cells for name in needed):
        return None
    day = sheet.count(row, "day", 1) if "day" in sheet.columns else None
    slot = sheet.count(row, "beep", 0) if "beep" in sheet.columns else None
    if "timestamp" in sheet.columns:
        local, moved = read_local(sheet, row, zone)
        return Placed(row, person, local.astimezone(UTC), local, day, slot, moved)
    assert day is not None
    assert slot is not None
    return Placed(row, person, invented(day, slot), None, day, slot)


def invented(day: int, slot: int) -> datetime:
    """Return an instant that keeps days and beeps in order, for files without a clock.

    It depends on nothing but the two numbers; the nights are longer than the gaps between beeps.

    Examples
    --------
    >>> invented(1, 1).isoformat(timespec="minutes"), invented(2, 4).isoformat(timespec="minutes")
    ('2000-01-03T04:48+00:00', '2000-01-04T12:00+00:00')
    """
    return _INVENTED + timedelta(days=day - 1 + slot / (slot + 4))


def read_local(sheet: Sheet, row: Row, zone: ZoneInfo) -> tuple[datetime, str]:
    """Read a timestamp; without an offset it is local to the zone.

    A time that clocks skipped in spring is read as on a clock that was not put forward, which is an hour later by
    the new time. A time that came twice in autumn is read as the first.

    Returns
    -------
    datetime, str
        The local time, and ``"skipped"`` or ``"twice"`` where the zone leaves a doubt.
    """
    text = row.cells["timestamp"]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise sheet.error(
            row, "timestamp", f"{text!r} is no ISO 8601 time; write for example 2026-03-01 09:30:00"
        ) from None
    if _is_date(text):
        raise sheet.error(
            row, "timestamp", f"{text!r} has no time of day; write one, or give columns day and beep instead"
        )
    try:
        if at.tzinfo is not None:
            return parse_instant(text).astimezone(zone), ""
        stamped = at.replace(tzinfo=zone)
        back = parse_instant(stamped.isoformat()).astimezone(zone)
    except InstantError as error:
        raise sheet.error(row, "timestamp", str(error)) from None
    if back.replace(tzinfo=None) != at:
        return back, "skipped"
    return back, "twice" if stamped.utcoffset() != stamped.replace(fold=1).utcoffset() else ""


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def ordered(sheet: Sheet, rows: Sequence[Placed], notes: list[str]) -> list[Placed]:
    """Sort one person's rows by the clock, and number their days where the file does not.

    Where beeps are numbered against the clock the clock holds, with a note; a day that runs back is an error, as
    then nobody can say which of the two is wrong by how much.

    Raises
    ------
    ReadingError
        For a day that runs back while the clock goes on.
    """
    known = sorted(rows, key=lambda placed: placed.order)
    if known[0].day is None:
        first = _date(known[0])
        return [replace(placed, day=(_date(placed) - first).days + 1) for placed in known]
    for before, after in pairwise(known):
        if _day(after) < _day(before):
            raise sheet.error(
                after.row,
                "day",
                f"the clock of {after.person!r} runs back: {after} comes after row {before.row.number}, {before}; "
                f"correct the timestamp or the day",
            )
        if _day(after) == _day(before) and (after.slot or 0) < (before.slot or 0):
            notes.append(
                f"row {after.row.number}: beep {after.slot} of day {after.day} of {after.person!r} comes after beep "
                f"{before.slot} (row {before.row.number}) by the clock; the clock's order holds"
            )
    return known


def _date(placed: Placed) -> date:
    assert placed.local is not None
    return placed.local.date()


def _day(placed: Placed) -> int:
    assert placed.day is not None
    return placed.day


def without_copies(
    sheet: Sheet, rows: Sequence[Placed], used: Sequence[str], notes: list[str]
) -> list[Placed]:
    """Keep one of each set of rows that stand at the same place and say the same.

    Two rows stand at the same place when all of timestamp, day and beep agree. Prompts with numbers of their own that
    end at the same instant are two moments; one number at two instants is a contradiction.

    Raises
    ------
    ReadingError
        For rows at one place that differ in a column that is used.
    """
    kept: dict[tuple[object, ...], Placed] = {}
    for placed in sorted(rows, key=lambda placed: placed.row.number):
        key = _key(placed)
        first = kept.setdefault(key, placed)
        if first is placed:
            continue
        if first.at != placed.at:
            raise sheet.error(
                placed.row, "timestamp", f"{_again(first, placed)} at another time; number the prompts apart"
            )
        column = _difference(first.row.cells, placed.row.cells, used)
        if column is not None:
            one, other = (cells.get(column, "") for cells in (first.row.cells, placed.row.cells))
            raise sheet.error(
                placed.row,
                column,
                f"{_again(first, placed)} with {other!r} instead of {one!r}; delete one of them",
            )
        notes.append(f"row {placed.row.number} repeats row {first.row.number} ({placed.person!r}, {placed})")
    return list(kept.values())


def _key(placed: Placed) -> tuple[object, ...]:
    if placed.day is not None and placed.slot is not None:
        return placed.person, placed.day, placed.slot
    return placed.person, placed.at, placed.day, placed.slot


def _again(first: Placed, placed: Placed) -> str:
    return f"row {first.row.number} ({placed.person!r}, {first}) stands there again"


def _difference(one: Mapping[str, str], other: Mapping[str, str], used: Sequence[str]) -> str | None:
    return next((name for name in used if one.get(name) != other.get(name)), None)


def check_columns(sheet: Sheet) -> None:
    """Refuse a file that does not say when its rows happened."""
    if "timestamp" in sheet.columns or {"day", "beep"} <= set(sheet.columns):
        return
    raise ReadingError(
        f"{sheet.path} has no column 'timestamp' and no columns 'day' and 'beep'; it has: {', '.join(sheet.columns)}"
    )
