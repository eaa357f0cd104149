"""After somebody has left: fit the priors without them, and rebase every learner that started from an old one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from tracker.access import Access
from tracker.domain.consent import Use
from tracker.domain.people import UnknownParticipantError
from tracker.personal import pooling
from tracker.personal.learners import renew_all
from tracker.store import compacting, priors, snapshots


def clean(access: Access, now: datetime, hold: Callable[[], None] = lambda: None) -> int:
    """Take retired priors out of every learner, and delete them; return how many learners were rebased.

    Until then those learners are answered by the network. Harmless at any time, and finished by the next run
    where it was interrupted: what still names a retired prior is found again.

    Parameters
    ----------
    access, now
        The gate, and the instant (UTC).
    hold
        Called between people, for a job to say that it is alive.
    """
    with access.database.read() as connection:
        gone = set(priors.retired(connection))
    if not gone:
        return 0
    pooling.refit(access, now, hold)
    count = 0
    for person in access.everyone():
        hold()
        with suppress(UnknownParticipantError), access.write(person.id, now) as unit:
            connection, subject = unit.connection, unit.person.subject
            if snapshots.names_any(connection, subject, gone):
                if unit.allowed(Use.LEARN) is not None:
                    count += len(renew_all(unit))
                snapshots.delete_of_priors(connection, subject, gone)
    with access.database.write() as connection:
        priors.forget_unused(connection, now - pooling.REMEMBERED)
    compacting.checkpoint(access.database)
    return count
