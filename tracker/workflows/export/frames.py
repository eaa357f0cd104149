"""From fetched rows to Arrow columns: whole columns at a time, never row by row into objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.domain.series import MACHINE
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.naming import Ids
from tracker.workflows.export.tables import RECORDED, SIMULATED

_MINUTE_US = 60_000_000
# Valence and arousal are linear in the probabilities, so the pure emotions give all coefficients.
_DERIVED = tuple(derived_valence_arousal(Distribution.of({e: 1.0})) for e in EMOTIONS)

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Who:
    """Whose rows they are, as the dataset says it."""

    pseudonym: str
    simulated: bool

    @property
    def origin(self) -> str:
        """The value of the column `origin`."""
        return SIMULATED if self.simulated else RECORDED


def columns_of(rows: Sequence[Any], names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Turn rows into columns by name."""
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def ids(values: Iterable[int | None]) -> Ids:
    """Ids as an array, in which an absent one is 0."""
    return np.fromiter((v or 0 for v in values), dtype=np.int64)


def numbered(numbers: Ids) -> Any:
    """Numbers as a column, in which 0 is missing."""
    return pa.array(numbers, pa.int64(), mask=numbers == 0)


def common(who: Who, n: int, zones: Sequence[str]) -> Frame:
    """The columns that every table has."""
    return {
        "participant": pa.repeat(pa.scalar(who.pseudonym), n),
        "zone": pa.array(zones, pa.string()),
        "origin": pa.repeat(pa.scalar(who.origin), n),
    }


def instant(name: str, zones: Sequence[str], values: Sequence[int | None]) -> Frame:
    """An instant's two columns from microseconds: UTC, and the offset of local time in minutes."""
    offsets = [
        None if v is None else _offset(zone, v // _MINUTE_US) for zone, v in zip(zones, values, strict=True)
    ]
    return {
        name: pa.array(values, pa.int64()).cast(pa.timestamp("us", "UTC")),
        f"{name}_offset_min": pa.array(offsets, pa.int64()),
    }


def plain(columns: dict[str, tuple[Any, ...]], table: Table, names: Iterable[str]) -> Frame:
    """Columns that go into the dataset as they are."""
    types = {"integer": pa.int64(), "number": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
    return {name: pa.array(columns[name], types[table.column(name).kind]) for name in names}


def derived(columns: dict[str, tuple[Any, ...]]) -> Frame:
    """Valence and arousal of estimates."""
    each = [np.array(columns[f"p_{e.value}"], dtype=np.float64) for e in EMOTIONS]
    found = {}
    for i, name in enumerate(("valence_derived", "arousal_derived")):
        total: NDArray[np.float64] = np.zeros(len(each[0]))
        # Added in the one order, so that the bits do not depend on a library's dot product.
        for values, coefficients in zip(each, _DERIVED, strict=True):
            total = total + values * coefficients[i]
        found[name] = pa.array(total)
    return found


def sources(snapshots: Sequence[int], order: dict[int, int]) -> Frame:
    """The columns `source` and `snapshot`: learner states are numbered within the person."""
    return {
        "source": pa.array(["network" if s == MACHINE else "learner" for s in snapshots], pa.string()),
        "snapshot": pa.array([0 if s == MACHINE else order[s] for s in snapshots], pa.int64()),
    }


@lru_cache(maxsize=65_536)
def _offset(zone: str, minute: int) -> int:
    # Zones change their offset on whole minutes of UTC.
    local = datetime.fromtimestamp(minute * 60, _zone(zone)).utcoffset()
    return (local or timedelta()) // timedelta(minutes=1)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
