"""What ran by itself, and how it ended; no slot names anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access
from tracker.store import leases
from tracker.workflows.monitoring import cohort


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of a job.

    Attributes
    ----------
    state
        ``done``, ``running``, or ``stopped`` where whoever ran it went away.
    outcome
        How it ended, in words; None where it has not, and where its words count: a number of everybody's learners or
        rows, less those of the people who are shown one by one, would be that of one who is not.
    """

    job: str
    slot: str
    state: str
    ended_at: datetime | None
    outcome: str | None


def jobs(access: Access, now: datetime, most: int = 200) -> list[Slot]:
    """The newest slots of all jobs, newest first.

    Slots of a time zone are told of where somebody lives there who shares: of others, that anybody does is theirs.
    """
    zones = {"", *(who.person.zone for who in cohort.sharing(access, now))}
    with access.database.read() as connection:
        rows = leases.newest(connection, most)
    return [
        Slot(
            row.job,
            row.slot,
            "done" if row.finished_at is not None else "running" if row.until > now else "stopped",
            row.finished_at,
            _without_counts(row.outcome),
        )
        for row in rows
        if row.slot.partition(" ")[2] in zones
    ]


def _without_counts(outcome: str | None) -> str | None:
    return None if outcome is None or any(letter.isdigit() for letter in outcome) else outcome
