"""Erase a person, or what one scope covers, in two stages: data gone, learners clean.

A person's erasure is a row of steps, each of which can be done again: a tombstone is set, the keys are
destroyed, the rows deleted, the files rebuilt; then it looks, and only what it has seen to be gone is
called done. Whoever is killed on the way leaves the tombstone behind, and `resume` finishes the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.people import Person, UnknownParticipantError
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import chains, compacting, erasing, exports, people, priors, requests, tombstones
from tracker.store.database import DatabaseError
from tracker.store.requests import RequestRow
from tracker.store.seen import Seen
from tracker.store.tombstones import Step, Tombstone

CLEAN = "no prior held anything of it, so no learner of another person does"
UNCLEAN = (
    "{priors} priors held something of it and are retired; learners of other people that started from them answer from "
    "the network until the jobs have rebased them, within the hour"
)
CLEANED = (
    "priors were fitted without it, and {rebased} learners that had started from an older one were rebased"
)

_PENDING = "erasing"
_PLACE = "tombstones.counts"
_OUT_OF_REACH = ("exports that were handed out", "copies and backups of the key store made before")
_OUT_OF_REACH_POSTGRESQL = ("write-ahead log, archives and replicas of the PostgreSQL server",)
_RELEARN = {Scope.CONTEXT, Scope.PROMPTS}
_IN_PRIORS = {*_RELEARN, Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.POOLED_LEARNING}
_ALL, _SCOPE = "erase_all", "erase_scope"


class ErasureIncompleteError(DatabaseError):
    """Everything was deleted, but bytes of it may still lie somewhere; running it again finishes it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the erasure is not finished: {reason}. Nothing of it was undone; run the same command again "
            "(the jobs do so every hour)"
        )


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: counts, and nothing about the person.

    Attributes
    ----------
    tombstone
        Id of the tombstone that stays; None where one scope was erased.
    scope
        The scope, or None for the whole person.
    counts
        Rows deleted (for copies inside other rows: changed) by table.
    keys, exports, priors
        How many keys were destroyed, how many exports are flagged as outdated, how many priors are retired.
    out_of_reach
        What no program on this machine can erase.
    rebased
        How many learners were rebased since; None where that was left to the jobs.
    """

    tombstone: str | None
    scope: Scope | None
    counts: Mapping[str, int]
    keys: int
    exports: int
    priors: int
    out_of_reach: tuple[str, ...]
    rebased: int | None = None

    @property
    def learners(self) -> str:
        """What other people's learners hold of it."""
        if not self.priors:
            return CLEAN
        return (
            UNCLEAN.format(priors=self.priors)
            if self.rebased is None
            else CLEANED.format(rebased=self.rebased)
        )

    @property
    def learners_clean(self) -> bool:
        """Whether nobody's learner holds anything of it any more."""
        return not self.priors or self.rebased is not None

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {
            "scope": self.scope.value if self.scope is not None else None,
            "tombstone": self.tombstone,
            "data_gone": True,
            "rows": dict(self.counts),
            "keys": self.keys,
            "exports_outdated": self.exports,
            "learners_clean": self.learners_clean,
            "learners": self.learners,
            "priors_retired": self.priors,
            "out_of_reach": list(self.out_of_reach),
        }

    def sentences(self) -> list[str]:
        """The two stages, and what is out of reach, for a person to read."""
        return [
            f"Data gone: {sum(self.counts.values())} rows and {self.keys} keys; looked, and found none left.",
            f"Learners{'' if self.learners_clean else ' not yet'} clean: {self.learners}.",
            f"{self.exports} earlier exports are marked as outdated.",
            f"Out of reach from here: {'; '.join(self.out_of_reach)}.",
        ]


def erase_person(access: Access, person: Person, now: datetime) -> Erased:
    """Erase everything about a person; doing it again changes nothing and returns the same.

    Raises
    ------
    ErasureIncompleteError
        When something is still there, or a reader elsewhere keeps the old bytes alive: run it again.
    """
    number = access.tombstone_of(person.id)
    with access.database.write() as connection:
        if tombstones.get(connection, number) is None:
            ids = json.dumps([person.id, person.subject]).encode()
            tombstone = Tombstone(
                id=number,
                subject_digest=access.vault.digest("tombstones", person.subject),
                erased_at=now,
                step=Step.BEGUN,
                rows={},
                pending=access.vault.seal(number, _PENDING, ids, _PLACE),
            )
            tombstones.begin(connection, tombstone)
    return _finish(access, number, now)


def clean_learners(access: Access, done: Erased, now: datetime) -> Erased:
    """Carry out the second stage at once: fit priors without what was erased, rebase learners that held it."""
    return replace(done, rebased=personal.clean(access, now)) if done.priors else done


def resume(access: Access, now: datetime) -> list[Erased]:
    """Finish every erasure that was interrupted; return those that were."""
    return _each(_unfinished(access, now))


def carry_out(access: Access, now: datetime) -> list[Erased]:
    """Finish what was interrupted, then do what participants asked for and what has become due."""
    wanted = _unfinished(access, now)
    by_person: dict[str, list[RequestRow]] = {}
    with access.database.read() as connection:
        for request in requests.due(connection, now):
            by_person.setdefault(request.participant, []).append(request)
    for participant, asked in by_person.items():
        with suppress(UnknownParticipantError, KeyDestroyedError), access.read(participant, now) as unit:
            if any(request.answer == _ALL for request in asked):
                wanted.append(partial(erase_person, access, unit.person, now))
            else:
                wanted += [partial(erase_scope, access, unit.person, r.scope, now) for r in asked]
    return _each(wanted)


def erase_scope(access: Access, person: Person, scope: Scope, now: datetime) -> Erased:
    """Erase what one scope covers, as it stands now; a scope still granted goes on afterwards.

    The wish is kept as a request before anything is done, so an interrupted run is carried out later.

    Raises
    ------
    ErasureIncompleteError
        As for `erase_person`.
    """
    with access.write(person.id, now) as unit:
        asked = [r for r in requests.of(unit.connection, person.id) if r.scope is scope]
        if not any(r.answer in (_SCOPE, _ALL) for r in asked):
            requests.put(unit.connection, person.id, scope, _SCOPE, now, now)
    keys = access.vault.destroy(person.id, scope.value)
    with access.write(person.id, now) as unit:
        retired = priors.retire_of(unit.connection, person.subject, now) if scope in _IN_PRIORS else 0
        counts = _delete_scope(unit, scope)
        outdated = exports.flag(unit.connection, person.id, now)
    if counts and not compacting.compact(access.database, counts):
        raise ErasureIncompleteError("another process still reads an older state of the database")
    with access.write(person.id, now) as unit:
        left = erasing.left_of_scope(unit.connection, person.subject, scope)
        if left and scope not in unit.grants():
            raise ErasureIncompleteError(f"rows are left: {_listed(left)}")
        requests.cancel(unit.connection, person.id, scope, (_SCOPE, "unanswered", "keep"))
    return Erased(None, scope, counts, keys, outdated, retired, _out_of_reach(access))


def _unfinished(access: Access, now: datetime) -> list[Callable[[], Erased]]:
    with access.database.read() as connection:
        standing = tombstones.every(connection)
    open_ = {t.id for t in standing if t.step is not Step.DONE}
    # Killed between the last two steps, an erasure leaves the key of its own notes behind.
    for tombstone in access.keys.owners(_PENDING) & {t.id for t in standing} - open_:
        access.vault.destroy(tombstone)
    return [partial(_finish, access, t.id, now) for t in standing if t.id in open_]


def _each(erasures: Sequence[Callable[[], Erased]]) -> list[Erased]:
    """Carry out all; one that cannot be finished now holds up none of the others."""
    done, failed = [], None
    for erase in erasures:
        try:
            done.append(erase())
        except DatabaseError as error:
            failed = error
    if failed is not None:
        raise failed
    return done


def _delete_scope(unit: Unit, scope: Scope) -> dict[str, int]:
    connection, subject = unit.connection, unit.person.subject
    targets = personal.live(unit)
    counts = erasing.delete_scope(connection, subject, scope)
    if scope is Scope.CONTEXT:
        # What the context said was copied into the features that were learned from.
        stripped = erasing.rewrite_seen(connection, subject, _without_context)
        counts |= {"learning_events": stripped} if stripped else {}
    if scope is Scope.PROMPTS:
        stripped = erasing.rewrite_seen(connection, subject, _without_answers)
        counts["learning_events"] = counts.get("learning_events", 0) + stripped
    if scope in _RELEARN and targets:
        allowed = unit.allowed(Use.LEARN) is not None
        again = [p.snapshot.id for p in personal.renew_all(unit)] if allowed else []
        if gone := erasing.delete_snapshots(connection, subject, but=again):
            counts["snapshots"] = gone
    if left := erasing.left_of_scope(connection, subject, scope):
        raise ErasureIncompleteError(f"rows are left: {_listed(left)}")
    return counts


def _without_context(target: str, seen: Seen) -> Seen:
    if target == personal.EMOTION:
        return replace(seen, features=personal.without_context(seen.features))
    return personal.forget_contexts(seen)


def _without_answers(target: str, seen: Seen) -> Seen:
    return personal.forget_past(seen) if seen.prompts_from is not None else seen


def _finish(access: Access, number: str, now: datetime) -> Erased:
    for step in STEPS:
        with access.database.read() as connection:
            tombstone = tombstones.get(connection, number)
        assert tombstone is not None
        if tombstone.step is Step.DONE:
            break
        try:
            ids = json.loads(access.vault.open(number, _PENDING, tombstone.pending, _PLACE))
        except KeyDestroyedError:
            break  # another process finished it in this moment
        step(access, tombstone, ids[0], ids[1], now)
    with access.database.read() as connection:
        tombstone = tombstones.get(connection, number)
    assert tombstone is not None
    if tombstone.step is not Step.DONE:
        raise ErasureIncompleteError("the key store is not the one with which it was begun")
    access.vault.destroy(number)
    return Erased(
        number,
        None,
        tombstone.rows,
        tombstone.keys,
        tombstone.exports,
        tombstone.priors,
        _out_of_reach(access),
    )


def _shred(access: Access, tombstone: Tombstone, participant: str, _: str, now: datetime) -> None:
    if count := access.vault.destroy(participant):
        with access.database.write() as connection:
            here = tombstones.get(connection, tombstone.id)
            assert here is not None
            tombstones.advance(connection, replace(here, keys=here.keys + count))


def _empty(access: Access, tombstone: Tombstone, participant: str, subject: str, now: datetime) -> None:
    with access.database.write() as connection:
        people.lock(connection, participant)
        here = tombstones.get(connection, tombstone.id)
        assert here is not None
        if here.step is not Step.BEGUN:
            return
        log = chains.positions_of(connection, chains.CONSENT, participant)
        looks = chains.positions_of(connection, chains.LOOKS, participant)
        outdated = exports.flag(connection, participant, now)
        retired = priors.retire_of(connection, subject, now)
        rows = erasing.delete_person(connection, subject, participant)
        emptied = replace(
            here, step=Step.EMPTIED, rows=rows, exports=outdated, priors=retired, log=log, looks=looks
        )
        tombstones.advance(connection, replace(emptied, signature=access.vault.sign(emptied.evidence())))


def _rebuild(access: Access, tombstone: Tombstone, participant: str, subject: str, now: datetime) -> None:
    tables = [table.name for table in erasing.owned(subject, participant)]
    if not compacting.compact(access.database, [*tables, "tombstones"]):
        raise ErasureIncompleteError("another process still reads an older state of the database")
    if not access.keys.compact():
        raise ErasureIncompleteError("another process still reads an older state of the key store")


def _look(access: Access, tombstone: Tombstone, participant: str, subject: str, now: datetime) -> None:
    with access.database.read() as connection:
        left = erasing.left_of_person(connection, subject, participant)
    if left:
        raise ErasureIncompleteError(f"rows are left: {_listed(left)}")
    if access.keys.has(participant):
        raise ErasureIncompleteError("a key is left")
    path = access.database.path
    files = compacting.files_of(path) if path is not None else ()
    needles = (subject.encode(), participant.encode())
    if seen := compacting.traces((*files, *compacting.files_of(access.keys.path)), needles):
        raise ErasureIncompleteError(f"bytes of the person are left in {', '.join(seen)}")


def _close(access: Access, tombstone: Tombstone, participant: str, subject: str, now: datetime) -> None:
    with access.database.write() as connection:
        here = tombstones.get(connection, tombstone.id)
        assert here is not None
        tombstones.advance(connection, replace(here, step=Step.DONE, erased_at=now, pending=b""))


# The keys go twice: a consent that was being recorded meanwhile may have made one again.
STEPS: tuple[Callable[[Access, Tombstone, str, str, datetime], None], ...] = (
    _shred,
    _empty,
    _shred,
    _rebuild,
    _look,
    _close,
)
"""What is done between a tombstone's setting and its being called done, in this order."""


def _out_of_reach(access: Access) -> tuple[str, ...]:
    return _OUT_OF_REACH if access.database.is_sqlite else _OUT_OF_REACH + _OUT_OF_REACH_POSTGRESQL


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} in {table}" for table, n in counts.items())
