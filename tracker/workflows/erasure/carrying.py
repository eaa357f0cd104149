"""Begin, go on with and finish erasures, and carry out those that are due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tracker import personal
from tracker.access import Access, stones
from tracker.domain.consent import Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.stretches import Stretch
from tracker.privacy.keys import KeyDestroyedError
from tracker.store import chains, keybackups, people, priors, requests, tombstones
from tracker.store.database import Connection, DatabaseError
from tracker.store.requests import RequestRow
from tracker.store.tombstones import Step, Tombstone
from tracker.workflows.erasure import steps, stretching, whose
from tracker.workflows.erasure.errors import ErasureIncompleteError
from tracker.workflows.erasure.outcome import Erased, outcome
from tracker.workflows.erasure.whose import PENDING as PENDING
from tracker.workflows.erasure.whose import PLACE as PLACE
from tracker.workflows.erasure.whose import Whose

_TICK = timedelta(microseconds=1)


def erase_person(access: Access, person: Person, now: datetime) -> Erased:
    """Erase everything about a person; doing it again changes nothing and returns the same.

    Raises
    ------
    ErasureIncompleteError
        When something is still there, or a reader elsewhere keeps the old bytes alive: run it again.
    """
    return _erase(access, person, None, now)


def erase_scope(access: Access, person: Person, scope: Scope, now: datetime) -> Erased:
    """Erase what one scope covers, as it stands now; a scope still granted goes on afterwards.

    Raises
    ------
    ErasureIncompleteError
        As for `erase_person`.
    """
    return _erase(access, person, scope, now)


def clean_learners(access: Access, done: Erased, now: datetime) -> Erased:
    """Carry out the second stage at once: fit priors without what was erased, rebase learners that held it."""
    if done.clean_at is not None:
        return done
    personal.clean(access, now)
    settle(access, now)
    return stages(access, done.tombstone)


def settle(access: Access, now: datetime) -> int:
    """Note for each erasure whose second stage has come to its end that it has; return how many were new."""
    with access.database.write() as connection:
        waiting = [t for t in tombstones.every(connection) if t.step is Step.DONE and t.clean_at is None]
        clean = [t for t in waiting if not priors.remains(connection, t.retired)]
        for tombstone in clean:
            tombstones.advance(connection, replace(tombstone, clean_at=now))
    return len(clean)


def stages(access: Access, tombstone: str) -> Erased:
    """How far an erasure is in its second stage; the first one is done.

    Raises
    ------
    LookupError
        When no such erasure is done.
    """
    with access.database.read() as connection:
        found = tombstones.get(connection, tombstone)
        if found is None or found.step is not Step.DONE:
            raise LookupError("no erasure that is done has this tombstone")
        left = priors.learners_of(connection, found.retired) if found.clean_at is None else 0
    return outcome(found, left, is_sqlite=access.database.is_sqlite)


def of_stretches(access: Access, person: Person) -> list[Erased]:
    """Which stretches of time somebody who stays had erased, newest first."""
    with access.database.read() as connection:
        standing = [t for t in tombstones.every(connection) if t.step is Step.DONE]
    parts = [(t, Stretch.read(t.scope)) for t in standing]
    mine = [t.id for t, part in parts if part is not None and t.id == access.tombstone_of(person.id, part)]
    return sorted((stages(access, t) for t in mine), key=lambda erased: erased.gone_at, reverse=True)


def erase_stretch(access: Access, person: Person, stretch: Stretch, now: datetime) -> Erased:
    """Erase for good what is stored of a stretch of time; doing it again erases what has come since.

    Raises
    ------
    ErasureIncompleteError
        As for `erase_person`.
    """
    number = stretching.empty(access, person, stretch, now)
    return finish(access, number, now)


def erase_stretch_staged(
    access: Access, person: Person, stretch: Stretch, at: datetime, now: datetime
) -> int:
    """Erase a stretch in a backup that is staged, as it was erased at `at`; return how many rows went."""
    number = stretching.empty(access, person, stretch, now, staged_at=at)
    return finish(access, number, now, staged=True).rows


def of_scopes(access: Access, person: Person) -> list[Erased]:
    """What was erased of somebody who stays: the last erasure of each scope, newest first."""
    with access.database.read() as connection:
        standing = [tombstones.get(connection, access.tombstone_of(person.id, scope)) for scope in Scope]
    done = [stages(access, t.id) for t in standing if t is not None and t.step is Step.DONE]
    return sorted(done, key=lambda erased: erased.gone_at, reverse=True)


def resume(access: Access, now: datetime) -> list[Erased]:
    """Finish every erasure that was interrupted; return those that were."""
    return _each(_unfinished(access, now))


def carry_out(access: Access, now: datetime) -> list[Erased]:
    """Finish what was interrupted, then do what participants asked for and what has become due."""
    done = _each(_unfinished(access, now))
    by_person: dict[str, list[RequestRow]] = {}
    with access.database.read() as connection:
        for request in requests.due(connection, now):
            by_person.setdefault(request.participant, []).append(request)
    wanted: list[Callable[[], Erased]] = []
    for participant, asked in by_person.items():
        with suppress(UnknownParticipantError, KeyDestroyedError), access.read(participant, now) as unit:
            if any(request.answer == "erase_all" for request in asked):
                wanted.append(partial(erase_person, access, unit.person, now))
            else:
                wanted += [partial(erase_scope, access, unit.person, r.scope, now) for r in asked]
    return done + _each(wanted)


def begin(
    access: Access, connection: Connection, tombstone: str, digest: str, theirs: Whose, now: datetime
) -> None:
    """Set a tombstone, or set one that stands back to the beginning.

    That of a person names, signed, the rows of the logs whose events will go: from now on their key may be missing.
    """
    person = theirs.participant if theirs.scope is None else ""
    begun = Tombstone(
        id=tombstone,
        subject_digest=digest,
        erased_at=now,
        step=Step.BEGUN if theirs.scope is None else Step.OPENED,
        rows={},
        scope=theirs.scope.value if theirs.scope is not None else None,
        log=chains.positions_of(connection, chains.CONSENT, person),
        looks=chains.positions_of(connection, chains.LOOKS, person),
        pending=access.vault.seal(tombstone, PENDING, theirs.as_bytes(), PLACE),
    )
    begun = replace(begun, signature=access.vault.sign(begun.evidence()))
    tombstones.begin(connection, begun)
    tombstones.advance(connection, begun)


def erase_scope_staged(
    access: Access, person: Person, scope: Scope, at: datetime, now: datetime, *, ends: bool
) -> int:
    """Erase a scope in a backup that is staged, whatever its tombstone says; return how many rows went.

    Parameters
    ----------
    access
        The staged backup, with the keys of today.
    person, scope
        What of whom.
    at
        When it was erased; the tombstone goes on saying so, as the one with the keys does.
    now
        The instant (UTC).
    ends
        Whether today's erasure has come to its end; one that has not is left to `resume`, with the keys.
    """
    number = access.tombstone_of(person.id, scope)
    with access.database.write() as connection:
        digest = subject_digest(access, person.subject, scope)
        begin(access, connection, number, digest, whose.of(connection, person, scope), at)
    rows = finish(access, number, now, staged=True, ends=ends).rows
    with access.database.write() as connection:
        done = tombstones.get(connection, number)
        assert done is not None
        tombstones.advance(connection, replace(done, erased_at=at))
    return rows


def begun(access: Access, person: Person, what: Scope | Stretch | None, now: datetime) -> str:
    """Begin an erasure so that it comes to its end whatever happens next, and leave the rest to `go_on` or `resume`.

    Parameters
    ----------
    access, person, now
        The gate, of whom, and the instant (UTC).
    what
        A scope, a stretch, or None for the whole person.

    Returns
    -------
    str
        The number of its tombstone.
    """
    if isinstance(what, Stretch):
        return stretching.empty(access, person, what, now)
    return _begun(access, person, what, now)


def go_on(access: Access, person: Person, number: str, now: datetime) -> Erased:
    """Finish an erasure of somebody's that was `begun`.

    Raises
    ------
    ErasureIncompleteError
        As for `erase_person`.
    """
    whole = number == access.tombstone_of(person.id)
    return finish(access, number, now, said=whose.said(person, None) if whole else ())


def _erase(access: Access, person: Person, scope: Scope | None, now: datetime) -> Erased:
    number = _begun(access, person, scope, now)
    return finish(access, number, now, said=whose.said(person, scope))


def _begun(access: Access, person: Person, scope: Scope | None, now: datetime) -> str:
    number = access.tombstone_of(person.id, scope)
    with access.database.write() as connection:
        # Two that begin at once must not set a tombstone back that has gone on: the second sees what the first set.
        people.lock(connection, person.id)
        standing = tombstones.get(connection, number)
        # Of a scope something may have been stored again since.
        if standing is None or (scope is not None and standing.step is Step.DONE):
            digest = subject_digest(access, person.subject, scope)
            # Each erasure of a scope is later than the one before, whatever the clock says.
            at = now if standing is None else max(now, standing.erased_at + _TICK)
            begin(access, connection, number, digest, whose.of(connection, person, scope), at)
    return number


def finish(
    access: Access,
    number: str,
    now: datetime,
    *,
    staged: bool = False,
    ends: bool = True,
    said: tuple[str, ...] = (),
) -> Erased:
    """Do what is left to do of an erasure that was begun.

    In a backup that is staged the key store stays as it is, until the backup has taken the database's place: what it
    should not open any more, it does not, and today's database still needs the rest. Where keys are left to destroy,
    it does not come to its end there (`ends`): `resume` brings it to that, once the backup has taken the place.

    Words that are `said` are looked for besides, by the run that knows them: they are noted nowhere.
    """
    with access.database.read() as connection:
        begun = tombstones.get(connection, number)
    if begun is not None and Stretch.read(begun.scope) is not None:
        stretching.finish(access, begun, now, staged=staged)
        _forget(access, number, now, staged=staged)
        return stages(access, number)
    for step in steps.STEPS:
        if (staged and step in steps.ON_KEYS) or (not ends and step in steps.ENDING):
            continue
        with access.database.read() as connection:
            tombstone = tombstones.get(connection, number)
        assert tombstone is not None
        if tombstone.step is Step.DONE:
            break
        try:
            theirs = whose.read(access.vault.open(number, PENDING, tombstone.pending, PLACE))
        except KeyDestroyedError:
            break  # another process finished it in this moment
        if staged and step is steps.close:
            step = partial(steps.close, staged=True)
        step(access, tombstone, replace(theirs, words=(*said, *theirs.words)), now)
    with access.database.read() as connection:
        tombstone = tombstones.get(connection, number)
    assert tombstone is not None
    if not ends:
        return outcome(tombstone, 0, is_sqlite=access.database.is_sqlite)
    if tombstone.step is not Step.DONE:
        raise ErasureIncompleteError("the key store is not the one with which it was begun")
    _forget(access, number, now, staged=staged)
    return stages(access, number)


def subject_digest(access: Access, subject: str, scope: Scope | None) -> str:
    """By what the rows are recognised in an old backup: a keyed digest of the subject's id."""
    return access.vault.digest(stones.PURPOSE, stones.of_whom(subject, scope))


def _unfinished(access: Access, now: datetime) -> list[Callable[[], Erased]]:
    with access.database.read() as connection:
        standing = tombstones.every(connection)
    open_ = {t.id for t in standing if t.step is not Step.DONE}
    # Killed between the last two steps, an erasure leaves the key of its own notes behind.
    for tombstone in access.keys.owners(PENDING) & {t.id for t in standing} - open_:
        _forget(access, tombstone, now)
    # People first: a scope of somebody who is being erased waits for that.
    ordered = sorted((t for t in standing if t.id in open_), key=lambda t: t.scope is not None)
    return [partial(finish, access, t.id, now) for t in ordered]


def _forget(access: Access, number: str, now: datetime, *, staged: bool = False) -> None:
    """Destroy the key of an erasure's notes; backups by an older version of this program may hold it."""
    if access.vault.destroy(number) and not staged:
        keybackups.prune(access.keys, now)


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
