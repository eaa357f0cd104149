"""Quarter-hour sums of a series, so that a page of 30 days reads thousands of rows, not hundreds of thousands.

A row holds how many observations a bucket has in a series and the sum of their probabilities. Series are
``machine``, ``personal`` and ``reason:REASON``; an observation counts once in each, with the word of the
network that read it last (`tracker.store.timeline.newest`). They are derived from observations and estimates
in the same transaction, and made anew wherever those are deleted or read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Connection, delete, insert, select

from tracker.domain.affect import Distribution
from tracker.domain.consent import Scope
from tracker.domain.series import Reason
from tracker.store.rows import EMOTION_COLUMNS, upsert
from tracker.store.tables import summaries
from tracker.store.timeline import readings

BUCKET = timedelta(minutes=15)
MACHINE_SERIES = "machine"
PERSONAL_SERIES = "personal"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bucket_of(at: datetime) -> datetime:
    """The start of the quarter hour that holds an instant.

    Examples
    --------
    >>> bucket_of(datetime(2026, 3, 1, 9, 44, 59, tzinfo=UTC)).isoformat()
    '2026-03-01T09:30:00+00:00'
    """
    return at - (at - _EPOCH) % BUCKET


class Tally:
    """Counts and sums of new rows of one subject, by bucket and series."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._sums: dict[tuple[datetime, str], list[float]] = {}

    def count(
        self,
        at: datetime,
        reason: Reason | None,
        machine: Distribution | None,
        personal: Distribution | None,
        samples: int = 1,
    ) -> None:
        """Count an observation, with the words on it that count, for as many as it stands for."""
        if reason is not None:
            self._entry(at, f"reason:{reason.value}")[0] += samples
        for series, word in ((MACHINE_SERIES, machine), (PERSONAL_SERIES, personal)):
            if word is not None:
                entry = self._entry(at, series)
                entry[0] += samples
                for i, p in enumerate(word.probabilities, start=1):
                    entry[i] += p * samples

    def rows(self) -> list[dict[str, object]]:
        """The sums as rows of the table."""
        return [
            {
                "subject": self.subject,
                "bucket": bucket,
                "series": series,
                "n": int(entry[0]),
                **dict(zip(EMOTION_COLUMNS, entry[1:], strict=True)),
            }
            for (bucket, series), entry in self._sums.items()
        ]

    def _entry(self, at: datetime, series: str) -> list[float]:
        return self._sums.setdefault((bucket_of(at), series), [0.0] * (1 + len(EMOTION_COLUMNS)))


def add_to_summaries(connection: Connection, tally: Tally) -> None:
    """Add a tally to what the table holds."""
    rows = tally.rows()
    if not rows:
        return
    statement = upsert(connection, summaries)
    added = {name: summaries.c[name] + statement.excluded[name] for name in ("n", *EMOTION_COLUMNS)}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["subject", "bucket", "series"], set_=added), rows
    )


def summarise_again(
    connection: Connection, subject: str, start: datetime | None = None, end: datetime | None = None
) -> None:
    """Make a subject's summaries anew from the rows, in [start, end) widened to whole buckets, or all."""
    first = bucket_of(start) if start is not None else None
    last = bucket_of(end) + BUCKET if end is not None else None
    conditions = [summaries.c.subject == subject]
    if first is not None:
        conditions.append(summaries.c.bucket >= first)
    if last is not None:
        conditions.append(summaries.c.bucket < last)
    connection.execute(delete(summaries).where(*conditions))
    tally = Tally(subject)
    for reading in readings(connection, subject, first, last):
        tally.count(reading.at, reading.reason, reading.machine, reading.personal, reading.samples)
    if rows := tally.rows():
        connection.execute(insert(summaries), rows)


def read_summaries(
    connection: Connection,
    subject: str,
    start: datetime,
    end: datetime,
    series: Sequence[str],
    *,
    horizons: Mapping[Scope, datetime] = MappingProxyType({}),
) -> list[tuple[datetime, str, int, tuple[float, ...]]]:
    """Summary rows of [start, end) in order of time: (bucket, series, n, sums).

    Parameters
    ----------
    horizons
        From which instant on what rests on a scope may be read; `Unit.horizons` says it. A sum cannot be cut, so a
        quarter hour is left out whole as soon as its beginning is.
    """
    kept = [summaries.c.bucket >= horizons[Scope.AFFECT_SERIES]] if Scope.AFFECT_SERIES in horizons else []
    if Scope.PERSONAL_LEARNING in horizons:
        personal = summaries.c.series == PERSONAL_SERIES
        kept.append(~personal | (summaries.c.bucket >= horizons[Scope.PERSONAL_LEARNING]))
    query = (
        select(
            summaries.c.bucket, summaries.c.series, summaries.c.n, *(summaries.c[c] for c in EMOTION_COLUMNS)
        )
        .where(
            summaries.c.subject == subject,
            summaries.c.bucket >= bucket_of(start),
            summaries.c.bucket < end,
            summaries.c.series.in_(series),
            *kept,
        )
        .order_by(summaries.c.bucket)
    )
    return [(r[0], r[1], r[2], tuple(r[3:])) for r in connection.execute(query)]
