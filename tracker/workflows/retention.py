"""Forget what has been kept as long as the data map says: run every hour, and harmless at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from tracker import personal
from tracker.access import Access, Unit, membership
from tracker.domain.consent import Scope, Use
from tracker.domain.people import UnknownParticipantError
from tracker.learning.window import window
from tracker.personal.log import covered_features
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import (
    ageing,
    coarsening,
    compacting,
    erasing,
    factors,
    forgetting,
    learned,
    leases,
    repeats,
    snapshots,
    tokens,
)
from tracker.store.seen import Seen

SLOTS = timedelta(days=90)
"""How long it is remembered which process ran which job."""

SIGN_INS = timedelta(days=90)
"""How long people are shown their own sign-ins."""

REPEATS = timedelta(hours=24)
"""For how long a program may send a request again and is given the same answer."""

MOST = 20_000
"""So many observations are made coarser in one transaction."""


def run(access: Access, now: datetime) -> Mapping[str, int]:
    """Delete what is past its time; return how many rows, by table (tables without any are left out).

    What the study keeps for a number of days is read by nobody from the deadline on; here it goes, with what was
    derived from it, and what is to become coarser does.

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
            counts += _forget_aged(unit)
            counts += _forget_learned(unit)
        with suppress(UnknownParticipantError, KeyDestroyedError):
            counts["observations"] += _coarsen(access, person.id, now)
    with access.database.write() as connection:
        counts["accounts"] += forgetting.forget_codes(connection, now)
        counts["leases"] += leases.forget(connection, now - SLOTS)
        counts.update(factors.forget(connection, now, now - SIGN_INS))
        counts["tokens"] += tokens.forget(connection, now)
        counts["repeats"] += repeats.forget(connection, now - REPEATS)
    counts["members"] += membership.sweep(access)
    gone = {table: n for table, n in counts.items() if n}
    if gone:
        compacting.checkpoint(access.database)
    return gone


def _forget_aged(unit: Unit) -> Counter[str]:
    """Delete what is past the study's retention, and let learners forget it."""
    counts: Counter[str] = Counter()
    connection, person, horizons = unit.connection, unit.person, unit.horizons()
    if horizons:
        counts.update(ageing.delete_before(connection, person.subject, person.id, horizons))
        counts["learning_events"] += _forget_copies(unit, horizons)
    if counts["learning_events"] or counts["corrections"] or counts["observations"]:
        _learn_again(unit)
    return counts


def _coarsen(access: Access, participant: str, now: datetime) -> int:
    """Make a person's series as coarse as the study says; return how many observations became part of another."""
    gone, more = 0, True
    while more:
        # One transaction for some of it: a first month is long, and others wait for their turn to write.
        with access.write(participant, now) as unit:
            connection, subject, more = unit.connection, unit.person.subject, False
            for step in unit.study.coarsening.affect_series:
                before, to = now - timedelta(days=step.after_days), step.to.value
                if coarsening.is_finer(connection, subject, before, to):
                    gone += coarsening.coarsen(connection, subject, before, to, MOST)
                    _learn_again(unit)
                    more = True
                    break
    return gone


def _forget_copies(unit: Unit, horizons: Mapping[Scope, datetime]) -> int:
    """Cut what is past its retention out of the features that learners learned from; return how many changed."""
    connection, subject = unit.connection, unit.person.subject
    context = horizons.get(Scope.CONTEXT)

    def rewrite(target: str, seen: Seen) -> Seen:
        if _older(seen.context_from, context):
            seen = personal.forget_contexts(seen)
        past = (Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.PROMPTS)
        if any(_older(seen.past_from, horizons.get(scope)) for scope in past):
            seen = personal.forget_past(seen)
        return seen

    changed = erasing.rewrite_seen(connection, subject, rewrite)
    if context is not None:
        changed += ageing.rewrite_features(
            connection,
            subject,
            personal.EMOTION,
            lambda features, at: covered_features(features, at, context),
        )
    return changed


def _learn_again(unit: Unit) -> None:
    # A learner is a cache of what it learned: one that never saw what went takes the place of each.
    if personal.live(unit):
        allowed = unit.allowed(Use.LEARN) is not None
        again = [p.snapshot.id for p in personal.renew_all(unit)] if allowed else []
        erasing.delete_snapshots(unit.connection, unit.person.subject, but=again)


def _older(at: datetime | None, than: datetime | None) -> bool:
    return at is not None and than is not None and at < than


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
