"""What ran by itself, and how it ended; no slot names anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.store import leases


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of a job.

    Attributes
    ----------
    state
        ``done``, ``running``, or ``stopped`` where whoever ran it went away.
    outcome
        What the job said; None where it has not ended.
    """

    job: str
    slot: str
    state: str
    ended_at: datetime | None
    outcome: str | None


def jobs(access: Access, now: datetime, most: int = 200) -> list[Slot]:
    """The newest slots of all jobs, newest first."""
    with access.database.read() as connection:
        rows = leases.newest(connection, most)
    return [
        Slot(
            row.job,
            row.slot,
            "done" if row.finished_at is not None else "running" if row.until > now else "stopped",
            row.finished_at,
            row.outcome,
        )
        for row in rows
    ]
