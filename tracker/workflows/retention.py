"""Forget what has been kept as long as the data map says: run every hour, and harmless at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Use
from tracker.domain.people import UnknownParticipantError
from tracker.learning.window import window
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import compacting, forgetting, learned, leases

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
    live = learned.latest_snapshot(connection, subject, personal.EMOTION)
    if live is None or unit.allowed(Use.LEARN) is None:
        snapshots = forgetting.forget_snapshots(connection, subject, None, but=None)
    else:
        snapshots = forgetting.forget_snapshots(connection, subject, oldest, but=live.id)
        oldest = min(oldest, window(live.rebased_at)[0])
    events = forgetting.forget_learned(connection, subject, oldest)
    return Counter(snapshots=snapshots, learning_events=events)
