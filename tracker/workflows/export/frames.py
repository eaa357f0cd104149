"""From fetched rows to Arrow columns: whole columns at a time, never row by row into objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.domain.series import MACHINE
from tracker.store.exporting import collector_paused
from tracker.workflows.export.arrow import ARROW
from tracker.workflows.export.columns import IMPORTED, RECORDED, SIMULATED
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.errors import UncodableError
from tracker.workflows.export.naming import Ids
from tracker.workflows.export.tables import LEARNER, LEARNER_NOW, NETWORK

_MINUTE_US = 60_000_000
# Valence and arousal are linear in the probabilities, so the pure emotions give all coefficients.
_DERIVED = tuple(derived_valence_arousal(Distribution.of({e: 1.0})) for e in EMOTIONS)

Frame = dict[str, Any]
Columns = dict[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Who:
    """Whose rows they are, as the dataset says it."""

    pseudonym: str
    simulated: bool

    @property
    def origin(self) -> str:
        """The value of the column `origin`."""
        return SIMULATED if self.simulated else RECORDED


def columns_of(rows: Sequence[Any], names: Sequence[str]) -> Columns:
    """Turn rows into columns by name."""
    with collector_paused():
        return dict(zip(names, zip(*rows, strict=True), strict=True))


def ids(values: Iterable[int | None]) -> Ids:
    """Ids as an array, in which an absent one is 0."""
    given = values if isinstance(values, list | tuple) else list(values)
    return np.asarray(pa.array(given, pa.int64()).fill_null(0))


def numbered(numbers: Ids) -> Any:
    """Numbers as a column, in which 0 is missing."""
    return pa.array(numbers, pa.int64(), mask=numbers == 0)


def common(who: Who, n: int, zones: Sequence[str]) -> Frame:
    """The columns that every table has."""
    return {
        "participant": pa.repeat(pa.scalar(who.pseudonym), n),
        "zone": texts(zones),
        "origin": pa.repeat(pa.scalar(who.origin), n),
    }


def origins(who: Who, imported: Sequence[Any]) -> Frame:
    """The column `origin`, where some rows come from files of other programs.

    Parameters
    ----------
    who
        Whose rows they are.
    imported
        Of each row what says that it does: nothing where it does not.
    """
    if who.simulated or not any(imported):
        return {"origin": pa.repeat(pa.scalar(who.origin), len(imported))}
    return {"origin": pa.array([IMPORTED if found else who.origin for found in imported], pa.string())}


def texts(values: Sequence[str | None]) -> Any:
    """Texts as a column; those of a batch are mostly one text, said over and over."""
    first = values[0] if values else None
    if first is not None and values.count(first) == len(values):
        return pa.repeat(pa.scalar(first), len(values))
    return pa.array(values, pa.string())


def instant(name: str, zones: Sequence[str], values: Sequence[int | None]) -> Frame:
    """An instant's two columns from microseconds: UTC, and the offset of local time in minutes."""
    at = pa.array(values, pa.int64())
    return {name: at.cast(pa.timestamp("us", "UTC")), f"{name}_offset_min": _offsets(zones, at)}


def plain(columns: Mapping[str, Sequence[Any]], table: Table, names: Iterable[str]) -> Frame:
    """Columns that go into the dataset as they are."""
    found = {}
    for name in names:
        try:
            found[name] = pa.array(columns[name], ARROW[table.column(name).kind])
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError) as error:
            raise UncodableError(table.name, name, str(error)) from error
    return found


def said(values: Sequence[Any]) -> Any:
    """Booleans, which SQLite has as 0 and 1."""
    return pa.array(values).cast(pa.bool_())


def derived(frame: Mapping[str, Any]) -> Frame:
    """Valence and arousal of estimates, from their columns of probabilities."""
    each = [np.asarray(frame[f"p_{e.value}"]) for e in EMOTIONS]
    found = {}
    for i, name in enumerate(("valence_derived", "arousal_derived")):
        total: NDArray[np.float64] = np.zeros(len(each[0]))
        # Added in the one order, so that the bits do not depend on a library's dot product.
        for values, coefficients in zip(each, _DERIVED, strict=True):
            total = total + values * coefficients[i]
        # NaN where there is no estimate: a missing cell, as in the probabilities.
        found[name] = pa.array(total, mask=np.isnan(total))
    return found


def sources(snapshots: Sequence[int], order: Mapping[int, int], now: Sequence[bool] | None = None) -> Frame:
    """The columns `source` and `snapshot`: learner states are numbered within the person.

    Parameters
    ----------
    snapshots
        Their ids; 0 is the network itself.
    order
        The number of each id.
    now
        Which rows the learner said as it stood at the export's instant; None for no row.
    """
    given = np.asarray(snapshots, dtype=np.int64)
    if not given.any():
        return {
            "source": pa.repeat(pa.scalar(NETWORK), len(given)),
            "snapshot": pa.array(np.zeros(len(given), np.int64)),
        }
    known = np.array(sorted(order), dtype=np.int64)
    places = np.minimum(np.searchsorted(known, given), len(known) - 1)
    numbers = np.array([order[int(k)] for k in known], dtype=np.int64)[places]
    by_learner = given != MACHINE
    late = np.asarray(now, dtype=bool) if now is not None else np.zeros(len(given), dtype=bool)
    return {
        "source": pc.if_else(pa.array(late), LEARNER_NOW, pc.if_else(pa.array(by_learner), LEARNER, NETWORK)),
        "snapshot": pa.array(np.where(by_learner, numbers, 0)),
    }


def _offsets(zones: Sequence[str], at: Any) -> Any:
    n = len(at)
    if not n:
        return pa.array([], pa.int64())
    return pa.array(offsets(zones, np.asarray(at.fill_null(0))), mask=np.asarray(at.is_null()))


def offsets(zones: Sequence[str], at_us: Ids) -> Ids:
    """Local time minus UTC in minutes, at instants in microseconds."""
    # Zones change their offset on whole minutes of UTC, and a batch holds few of those.
    minutes = np.floor_divide(at_us, _MINUTE_US)
    if zones.count(zones[0]) == len(zones):
        each, place = np.unique(minutes, return_inverse=True)
        return np.fromiter((_offset(zones[0], int(m)) for m in each), np.int64, len(each))[place]
    pairs = zip(zones, minutes.tolist(), strict=True)
    return np.fromiter((_offset(zone, minute) for zone, minute in pairs), np.int64, len(zones))


@lru_cache(maxsize=65_536)
def _offset(zone: str, minute: int) -> int:
    local = datetime.fromtimestamp(minute * 60, _zone(zone)).utcoffset()
    return (local or timedelta()) // timedelta(minutes=1)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
