"""How an export tells of each participant so that nobody stands out: k-anonymity of the table `participants`.

Its quasi-identifiers are all its columns but the pseudonym and `origin`. The zone stands in every other table too
and is told there in the same way; where it is told more coarsely than by its clock, the offsets of local time are
left out. No row of the series is dropped for it, and the instants stay: see the codebook for what that means.
Simulated people hide nobody and need not hide; what is told of them goes as far as what is told of the others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from tracker.domain.people import Person
from tracker.privacy.anonymity import AS_IT_IS, WITHHELD, Level, generalise, smallest_class
from tracker.workflows.export.columns import SIMULATED
from tracker.workflows.export.eligibility import Starts
from tracker.workflows.export.frames import Frame
from tracker.workflows.export.tables import ABOUT_ALL, PARTICIPANTS, TABLES

KINDS = ("series", "learner", "contexts", "prompts", "ratings")
GRANTED = tuple(f"{kind}_granted" for kind in KINDS)
COUNTED = tuple(f"n_{table.name}" for table in TABLES if table not in ABOUT_ALL)
QUASI = ("zone", *GRANTED, *COUNTED)

_BANDS = ((-12, "UTC-12 to UTC-2"), (-2, "UTC-2 to UTC+5"), (5, "UTC+5 to UTC+14"))
_MAGNITUDE = Level("rounded down to 1, 10, 100, …", lambda n: 10 ** (len(str(n)) - 1) if n else 0)
_QUARTER = timedelta(minutes=15)
_DAY = 96
_WITH_OFFSETS = 2
"""Levels of the zone at which the offsets of local time tell no more than it does."""


@dataclass(frozen=True, slots=True)
class Veil:
    """What is told of zones and grants in an export that was asked to be k-anonymous.

    Attributes
    ----------
    k
        How many people at least share what the table `participants` tells of them.
    hierarchies
        The one level at which each column that is known before any row is read is told.
    offsets
        Whether offsets of local time are told.
    words
        What surroundings are called, by column, that k people said.
    """

    k: int
    hierarchies: Mapping[str, tuple[Level]]
    offsets: bool
    words: frozenset[tuple[str, str]] = frozenset()

    def word(self, column: str, said: str | None, person: Person) -> str | None:
        """What somebody called their surroundings; None where they would stand out by it."""
        return said if said is None or person.simulated or (column, said) in self.words else None

    def over(self, frame: Frame, person: Person) -> Frame:
        """A frame of one person's rows as it may be told."""
        told = self.hierarchies["zone"][0].tell(person.zone)
        veiled = frame | {"zone": pa.array([told] * len(frame["zone"]), pa.string())}
        # Where they were in another zone for a while, the offset would tell them from the others.
        here = pc.equal(frame["zone"], person.zone) if self.offsets else pa.scalar(False)
        for name in frame:
            if name.endswith("_offset_min"):
                veiled[name] = pc.if_else(here, frame[name], pa.scalar(None, pa.int64()))
        return veiled


def veil(
    people: Sequence[tuple[Person, Starts]],
    at: datetime,
    k: int,
    words: frozenset[tuple[str, str]] = frozenset(),
) -> Veil:
    """Choose how zones and grants are told among these people; of their words, those that k of them said."""
    columns = {"zone": [person.zone for person, _ in people]} | {
        f"{kind}_granted": [getattr(starts, kind) is not None for _, starts in people] for kind in KINDS
    }
    since = min((s for _, starts in people if (s := _earliest(starts)) is not None), default=at)
    hierarchies = {"zone": _zone_levels(columns["zone"], since, at)} | dict.fromkeys(
        GRANTED, (AS_IT_IS, WITHHELD)
    )
    levels = _levels(columns, [not person.simulated for person, _ in people], hierarchies, k)
    return Veil(
        k,
        {name: (hierarchies[name][level],) for name, level in levels.items()},
        levels["zone"] < _WITH_OFFSETS,
        words,
    )


def told(people: Sequence[Mapping[str, Any]], veiled: Veil | None) -> tuple[Frame, dict[str, Any]]:
    """The table `participants`, and what the manifest says of its anonymity.

    Parameters
    ----------
    people
        One row per participant, in the order of the file.
    veiled
        How zones and grants are told; None where everything is told as it is.
    """
    columns: dict[str, Sequence[Hashable]] = {name: [row[name] for row in people] for name in QUASI}
    real = [row["origin"] != SIMULATED for row in people]
    hierarchies: dict[str, Sequence[Level]] = dict.fromkeys(QUASI, (AS_IT_IS,))
    if veiled is not None:
        hierarchies |= {**veiled.hierarchies, **dict.fromkeys(COUNTED, (AS_IT_IS, _MAGNITUDE, WITHHELD))}
    levels = _levels(columns, real, hierarchies, veiled.k if veiled is not None else 1)
    shown = {name: [hierarchies[name][levels[name]].tell(value) for value in columns[name]] for name in QUASI}
    among = {name: _only(column, real) for name, column in shown.items()}
    report = {
        "k": smallest_class(among),
        "asked": veiled.k if veiled is not None else None,
        "people": sum(real),
        "quasi_identifiers": {
            name: {
                "told": hierarchies[name][levels[name]].name,
                "k": smallest_class({name: among[name]}),
            }
            for name in QUASI
        },
    }
    types = {"string": pa.string(), "boolean": pa.bool_(), "integer": pa.int64()}
    frame = {
        c.name: pa.array(
            shown[c.name] if c.name in shown else [row[c.name] for row in people], types[c.kind.value]
        )
        for c in PARTICIPANTS.columns
    }
    return frame, report


def sentence(report: Mapping[str, Any]) -> str:
    """What the codebook of an export says of it."""
    if not report["people"]:
        return "No real person is in it, so nobody has to hide in the table `participants`."
    changed = [
        f"`{name}` {column['told']}"
        for name, column in report["quasi_identifiers"].items()
        if column["told"] != AS_IT_IS.name
    ]
    k = report["k"]
    shared = "somebody is alone with" if k == 1 else f"each person shares with at least {k - 1} others"
    return (
        f"k-anonymity of the table `participants` (not of the series): k = {k}, {shared} what it tells of them"
        f"{'; told more coarsely for it: ' + ', '.join(changed) if changed else ''}."
    )


def _levels(
    columns: Mapping[str, Sequence[Hashable]],
    real: Sequence[bool],
    hierarchies: Mapping[str, Sequence[Level]],
    k: int,
) -> Mapping[str, int]:
    if not any(real):
        return dict.fromkeys(columns, 0)
    return generalise({name: _only(column, real) for name, column in columns.items()}, hierarchies, k).levels


def _only(column: Sequence[Hashable], real: Sequence[bool]) -> list[Hashable]:
    return [value for value, is_real in zip(column, real, strict=True) if is_real]


def _earliest(starts: Starts) -> datetime | None:
    return min((s for kind in KINDS if (s := getattr(starts, kind)) is not None), default=None)


def _zone_levels(zones: Iterable[Hashable], since: datetime, at: datetime) -> tuple[Level, ...]:
    """The zone, its clock, its third of the world, nothing."""
    clocks = {zone: _clock(ZoneInfo(str(zone)), since, at) for zone in sorted(map(str, set(zones)))}
    names: dict[Hashable, str] = {}
    for offsets in sorted(set(clocks.values())):
        base = "/".join(_spelt(minutes) for minutes in sorted({minutes for _, minutes in offsets}))
        alike = sum(name.split(" ")[0] == base for name in names.values())
        # Two clocks can know the same offsets and change between them on other days.
        names[offsets] = base if not alike else f"{base} ({alike + 1})"
    lowest = {zone: min(minutes for _, minutes in offsets) for zone, offsets in clocks.items()}
    bands = {
        zone: next(b for hour, b in reversed(_BANDS) if low >= hour * 60) for zone, low in lowest.items()
    }
    return (
        AS_IT_IS,
        Level("by its clock: the same offset from UTC at all hours", lambda zone: names[clocks[str(zone)]]),
        Level("by its third of the world, without offsets", lambda zone: bands[str(zone)]),
        WITHHELD,
    )


def _clock(zone: ZoneInfo, since: datetime, at: datetime) -> tuple[tuple[int, int], ...]:
    """From which quarter hour on, counted from an instant, the offset from UTC is how many minutes."""

    def offset(quarter: int) -> int:
        local = (since + quarter * _QUARTER).astimezone(zone).utcoffset()
        return (local or timedelta()) // timedelta(minutes=1)

    last = max(at - since, timedelta()) // _QUARTER
    changes = [(0, offset(0))]
    for day in range(0, last + 1, _DAY):
        end = min(day + _DAY, last)
        if offset(end) != changes[-1][1]:
            # Offsets change on whole quarter hours, and not twice in a day.
            low, high = day, end
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == changes[-1][1] else (low, middle)
            changes.append((high, offset(high)))
    return tuple(changes)


def _spelt(minutes: int) -> str:
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
