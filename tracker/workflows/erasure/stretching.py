"""Erase what is stored of a stretch of time: rows, what was sealed of them, and what learners made of it.

The keys stay, for what is left is sealed under them too. So an old backup can be read as long as the keys are there;
the tombstone beside the keys says which stretch is to be erased again when one is restored.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tracker import personal
from tracker.access import Access, Unit, stones
from tracker.domain.consent import Use
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.personal.hidden import Hidden
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import (
    erasing,
    exports,
    fingerprints,
    learned,
    priors,
    repeats,
    stretches,
    summaries,
    tombstones,
)
from tracker.store.factors import Owner
from tracker.store.seen import Seen
from tracker.store.tombstones import Step, Tombstone
from tracker.workflows.erasure import shelved, steps, whose
from tracker.workflows.erasure.errors import rows_left
from tracker.workflows.erasure.looking import look
from tracker.workflows.erasure.shelved import Shelved
from tracker.workflows.erasure.whose import PENDING, PLACE, Whose

_TICK = timedelta(microseconds=1)


def empty(
    access: Access, person: Person, stretch: Stretch, now: datetime, *, staged_at: datetime | None = None
) -> str:
    """Delete the rows in one transaction, and set the tombstone; return its number.

    Parameters
    ----------
    access, person, stretch, now
        The gate, of whom, what, and the instant (UTC).
    staged_at
        In a backup that is staged: when it was erased. Then the key store stays as it is.
    """
    number = access.tombstone_of(person.id, stretch)
    with access.write(person.id, now) as unit:
        connection, subject = unit.connection, unit.person.subject
        before = tombstones.get(connection, number)
        rows = stretches.conditions(connection, subject, person.id, stretch)
        theirs = Whose(
            person.id,
            subject,
            needles=tuple(fingerprints.sealed_ends(connection, rows)),
            words=(
                *fingerprints.words(connection, rows),
                *stretches.sampled_in(connection, subject, stretch),
            ),
        )
        if before is not None and before.pending:  # interrupted: what it looked for is looked for still
            theirs = _with_earlier(access, before, theirs)
        counts = _delete(unit, stretch)
        reaches = counts.get("learning_events", 0) > 0
        at = now if before is None else max(now, before.erased_at + _TICK)
        stone = Tombstone(
            id=number,
            subject_digest=access.vault.digest(stones.PURPOSE, stones.of_whom(subject, stretch)),
            erased_at=staged_at or at,
            step=Step.EMPTIED,
            rows=counts,
            scope=stretch.marked(),
            exports=exports.flag(connection, person.id, now) if counts else 0,
            retired=tuple(priors.of_member(connection, subject)) if reaches else (),
            priors=priors.retire_of(connection, subject, now) if reaches else 0,
            pending=access.vault.seal(number, PENDING, theirs.as_bytes(), PLACE),
        )
        stone = replace(stone, signature=access.vault.sign(stone.evidence()))
        tombstones.begin(connection, stone)
        tombstones.advance(connection, stone)
        if staged_at is None:  # before the commit: a backup from before it is told in any case
            access.keys.keep_tombstone(number, stone.subject_digest, stone.scope, stone.erased_at)
    return number


def finish(access: Access, stone: Tombstone, now: datetime, *, staged: bool = False) -> None:
    """Rebuild the files, look, and call it done.

    Raises
    ------
    ErasureIncompleteError
        When a reader elsewhere keeps the old bytes alive, or something is still there.
    """
    if stone.step is Step.DONE:
        return
    try:
        theirs = whose.read(access.vault.open(stone.id, PENDING, stone.pending, PLACE))
    except KeyDestroyedError:
        return  # another process finished it in this moment
    steps.rebuild(access, stone, theirs, now)
    # What waits beside a backup that is staged is today's, and not the backup's to judge.
    waited = Shelved() if staged else shelved.clear(access)
    looked = look(access, theirs)
    with access.database.write() as connection:
        here = tombstones.get(connection, stone.id)
        assert here is not None
        tombstones.advance(
            connection,
            replace(
                here,
                step=Step.DONE,
                clean_at=now if not here.priors else None,
                looked=(*looked.at, *waited.at),
                unseen=(*looked.unseen, *waited.unseen),
                copies=looked.copies,
                pending=b"",
            ),
        )


def _delete(unit: Unit, stretch: Stretch) -> dict[str, int]:
    connection, person = unit.connection, unit.person
    learns = personal.live(unit)
    # What programs were answered can hold copies of anything.
    repeats.forget_of(connection, Owner(person.id, None))
    # Read before anything goes: what of the rest rests on it.
    gone = {
        target: Hidden.within(unit, target, [stretch])
        for target in learned.targets(connection, person.subject)
    }
    counts = stretches.delete(connection, person.subject, person.id, stretch)

    def rewrite(target: str, seen: Seen, said: datetime, at: datetime) -> Seen:
        there = gone[target]
        if target == personal.EMOTION:
            return replace(seen, features=there.out_of_moment(seen.features, at))
        forgets = there.in_contexts(seen, said), there.in_past(seen, said)
        seen = personal.forget_contexts(seen) if forgets[0] else seen
        return personal.forget_past(seen) if forgets[1] else seen

    if changed := stretches.rewrite_learned(connection, person.subject, rewrite):
        counts["learning_events"] = counts.get("learning_events", 0) + changed
    if learns and counts:
        # Learners are caches of what they learned: one that never saw it takes the place of each.
        allowed = unit.allowed(Use.LEARN) is not None
        again = [p.snapshot.id for p in personal.renew_all(unit)] if allowed else []
        if old := erasing.delete_snapshots(connection, person.subject, but=again):
            counts["snapshots"] = old
    if counts:
        summaries.summarise_again(connection, person.subject, stretch.start, stretch.end)
    if left := stretches.counts(connection, person.subject, person.id, stretch):
        raise rows_left(left)
    return counts


def _with_earlier(access: Access, before: Tombstone, theirs: Whose) -> Whose:
    earlier = whose.read(access.vault.open(before.id, PENDING, before.pending, PLACE))
    needles = tuple(dict.fromkeys((*earlier.needles, *theirs.needles)))
    return replace(theirs, needles=needles, words=tuple(dict.fromkeys((*earlier.words, *theirs.words))))
