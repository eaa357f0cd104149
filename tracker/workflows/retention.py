"""Forget what has been kept as long as the data map says: run every hour, and harmless at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from tracker.access import Access, Unit
from tracker.domain.consent import Use
from tracker.domain.people import UnknownParticipantError
from tracker.learning.window import window
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import compacting, forgetting, learned, leases, snapshots

SLOTS = timedelta(days=90)
"""How long it is remembered which process ran which job."""


def run(access: Access, now: datetime) -> Mapping[str, int]:
    """Delete what is past its time; return how many rows, by table (tables without any are left out).

    What a learner learned goes 30 days after it was recorded, as soon as no live learner needs it for
    its replay: the nightly rebase moves that on. Learners that may not be used keep no snapshot.

    Parameters
    ----------
    access
        The gate.
    now
        The instant (UTC).
    """
    counts: Counter[str] = Counter()
    for person in access.everyone():
        # Erased since the list was read.
        with suppress(UnknownParticipantError, KeyDestroyedError), access.write(person.id, now) as unit:
            counts += _forget_learned(unit)
    with access.database.write() as connection:
        counts["accounts"] += forgetting.forget_codes(connection, now)
        counts["leases"] += leases.forget(connection, now - SLOTS)
    gone = {table: n for table, n in counts.items() if n}
    if gone:
        compacting.checkpoint(access.database)
    return gone


def _forget_learned(unit: Unit) -> Counter[str]:
    connection, subject = unit.connection, unit.person.subject
    oldest, _ = window(unit.now)
    live = snapshots.live(connection, subject) if unit.allowed(Use.LEARN) is not None else {}
    before = oldest if live else None
    counts = Counter(
        snapshots=forgetting.forget_snapshots(
            connection, subject, before, but=[row.id for row in live.values()]
        ),
    )
    for target in learned.targets(connection, subject):
        needed = min(oldest, window(live[target].rebased_at)[0]) if target in live else oldest
        counts["learning_events"] += forgetting.forget_learned(connection, subject, target, needed)
    return counts
