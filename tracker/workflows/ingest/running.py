"""A capture while it runs: when it was heard of, and how what it saw is stored."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime

from tracker.access import Access, Unit
from tracker.access.erased import erased_stretches, refusing
from tracker.domain.consent import ConsentError
from tracker.domain.people import UnknownParticipantError
from tracker.domain.series import Observed
from tracker.store.series import Stored
from tracker.workflows.ingest.capture import Capture
from tracker.workflows.ingest.captured import Read
from tracker.workflows.ingest.filming import keep_frames
from tracker.workflows.ingest.keeping import keep, unstored
from tracker.workflows.ingest.storing import append, with_own_word

FLUSH_S, _LATEST_S, _MANY = 1.0, 5.0, 10
"""How old the first moment that waits may be before it is stored, in seconds: a page shows what is stored.

Each transaction costs as much as several frames, so where many capture each is stored less often, and more at once.
"""


@dataclass
class Running:
    """A capture while it runs.

    Attributes
    ----------
    heard_at
        When its last frame came, in monotonic seconds.
    since
        Since when a frame waits; None while none does.
    flushed_at
        When its rows were stored last, or the first of those that wait came.
    busy
        Whether a worker has it.
    over
        Whether it has ended: nothing that is still on its way is kept then.
    lock
        Held by whoever changes or stores its rows.
    """

    capture: Capture
    heard_at: float
    since: float | None = None
    flushed_at: float = 0.0
    busy: bool = False
    over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, monotonic: float, running: int) -> bool:
        """Whether rows wait that are old enough to be stored, where so many captures run."""
        age = min(_LATEST_S, FLUSH_S * max(1.0, running / _MANY))
        return bool(self.capture.rows) and monotonic - self.flushed_at >= age

    def flush(self, access: Access, now: datetime) -> Exception | None:
        """Store the rows that wait, each with what the person's own learner says; the caller holds the lock.

        Returns
        -------
        Exception or None
            What forbids it: then nothing of them is kept. Moments that were deleted meanwhile are left out.

        Raises
        ------
        DatabaseError
            When the database cannot be used; then the rows go on waiting.
        """
        capture = self.capture
        if not capture.rows:
            return None
        try:
            with access.write(capture.person.id, now) as unit:
                permit = unit.capture_permit()
                rows = with_own_word(unit, self._not_erased(access, unit))
                new = unstored(unit, capture.crops_of(rows))
                frames = unstored(unit, capture.frames_of(rows))
                stored = append(unit, permit, rows, now) if rows else Stored(0, 0)
                keep(access, unit, new)
                filmed = keep_frames(access, unit, frames)
        except (ConsentError, UnknownParticipantError) as refusal:
            capture.forget()
            return refusal
        capture.forget()
        capture.stored += stored.observations
        capture.filmed += filmed.kept
        capture.unfilmed += filmed.over
        capture.read = _newest(rows) or capture.read
        return None

    def _not_erased(self, access: Access, unit: Unit) -> list[Observed]:
        """The rows that wait, without moments of a stretch that was erased since they were captured."""
        rows = self.capture.rows
        gone = erased_stretches(access, unit, since=min(row.observation.at for row in rows))
        instants = ((row, row.observation.at) for row in rows)
        return [row for row, at in instants if refusing(gone, at, given_at=at) is None]


def _newest(rows: list[Observed]) -> Read | None:
    row = next((row for row in reversed(rows) if row.estimates), None)
    if row is None:
        return None
    return Read(row.observation.at, row.estimates[-1].distribution, own=len(row.estimates) > 1)
