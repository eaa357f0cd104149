"""What raters who are erased or removed leave behind in learners: nothing that only they had said."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Use
from tracker.domain.members import Member
from tracker.domain.people import UnknownParticipantError
from tracker.store import erasing, rated


def forget_words(access: Access, member: Member, now: datetime) -> int:
    """Delete the words that rest on one rater alone, and learn without them anew; return how many.

    To be called before their votes are deleted: cut short and called again, it finds what is left. What was put
    together of several raters' answers stays.
    """
    with access.database.read() as connection:
        alone = rated.resting_on(connection, member.id)
    words = 0
    for person in access.everyone():
        if person.subject in alone:
            with suppress(UnknownParticipantError), access.write(person.id, now) as unit:
                words += _forget(unit, alone[person.subject])
    return words


def _forget(unit: Unit, observations: list[int]) -> int:
    person = unit.person
    gone = rated.delete_words(unit.connection, person.subject, person.id, observations)
    if gone:
        # Earlier states of the learners hold what was said, too.
        allowed = unit.allowed(Use.LEARN) is not None
        again = [p.snapshot.id for p in personal.renew_all(unit)] if allowed else []
        erasing.delete_snapshots(unit.connection, person.subject, but=again)
    return gone
