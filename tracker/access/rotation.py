"""Give people new data keys while others read and write: seal everything anew, then destroy the old keys.

Both keys open until nothing is sealed with the old one any more and nobody reads a state of the database in which
something was. Whoever is killed on the way leaves both, and the next run goes on from there.

What others must do for it: fetch a key inside the transaction that reads or writes what it seals. A writer holds the
participant's row (on SQLite: the writing lock), under which the old key is destroyed at last; a reader's snapshot is
waited for before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracker.access.gate import Access
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.privacy import ciphertext, datamap
from tracker.privacy.datamap import Ground
from tracker.privacy.keys import IDENTITY, KeyDestroyedError
from tracker.store import compacting, people, sealed
from tracker.store.database import Connection, DatabaseError

BATCH = 200
"""How many values are sealed anew in one transaction."""

PURPOSES: tuple[str, ...] = (IDENTITY, *(scope.value for scope in Scope))
"""What a participant may have a key for."""

_ROUNDS = 5


class RotationUnfinishedError(DatabaseError):
    """Old keys had to stay, because somebody still reads what they seal; both open everything."""

    def __init__(self) -> None:
        super().__init__(
            "another process still reads an older state of the database, so the old keys stay beside the new ones; "
            "nothing is lost, run the same command again"
        )


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did.

    Attributes
    ----------
    people, keys, values
        How many people have new keys, how many of them, and how many values were sealed anew.
    """

    people: int
    keys: int
    values: int


@dataclass(frozen=True, slots=True)
class _Key:
    participant: str
    purpose: str


def rotate(
    access: Access,
    participants: Iterable[str],
    purposes: Sequence[str] = PURPOSES,
    *,
    told: Callable[[int], None] = lambda _: None,
) -> Rotated:
    """Give people new data keys.

    Parameters
    ----------
    access
        The gate.
    participants
        Their ids; who is being erased is passed over.
    purposes
        `IDENTITY` and values of scopes; what somebody has no key for is passed over.
    told
        Called with the number of values that were sealed anew, as they are.

    Raises
    ------
    RotationUnfinishedError
        When old keys had to stay for now.
    KeyUnavailableError
        When a value does not open; then its old key stays too.
    """
    begun = [key for participant in participants for key in _begin(access, participant, purposes)]
    values = sum(_seal_anew(access, key, told) for key in begun)
    waiting = begun
    for _ in range(_ROUNDS):
        if not waiting:
            break
        if not _nobody_reads_the_past(access):
            raise RotationUnfinishedError
        waiting = [key for key in waiting if not _end(access, key)]
        values += sum(_seal_anew(access, key, told) for key in waiting)
    if waiting:
        raise RotationUnfinishedError
    access.keys.compact()
    return Rotated(len({key.participant for key in begun}), len(begun), values)


def extent(access: Access, people: Iterable[Person], purposes: Sequence[str] = PURPOSES) -> int:
    """How many values are sealed for people under keys of these purposes."""
    with access.database.read() as connection:
        return sum(
            sealed.count(connection, table, column, who.id, who.subject)
            for purpose in purposes
            for table, column in _columns(purpose)
            for who in people
        )


def _begin(access: Access, participant: str, purposes: Sequence[str]) -> list[_Key]:
    begun = []
    for purpose in sorted(access.keys.purposes(participant) & set(purposes)):
        try:
            access.vault.renew(participant, purpose)
        except KeyDestroyedError:
            continue
        begun.append(_Key(participant, purpose))
    return begun


def _seal_anew(access: Access, key: _Key, told: Callable[[int], None]) -> int:
    done = 0
    for table, column in _columns(key.purpose):
        while count := _seal_batch(access, key, table, column):
            done += count
            told(count)
    return done


def _seal_batch(access: Access, key: _Key, table: str, column: str) -> int:
    try:
        with access.database.write() as connection:
            subject = _locked(access, connection, key.participant)
            if subject is None:
                return 0
            opener = access.vault.opener(key.participant, key.purpose)
            sealer = access.vault.sealer(key.participant, key.purpose)
            rows = sealed.others(connection, table, column, key.participant, subject, sealer.head, BATCH)
            for row, value in rows:
                place = sealed.place(table, column, row)
                sealed.put(connection, table, column, row, sealer(opener(value, place), place))
    except KeyDestroyedError:  # they, or this scope, are being erased
        return 0
    return len(rows)


def _end(access: Access, key: _Key) -> bool:
    """Destroy the old keys unless something is sealed with them; nobody writes about the person meanwhile."""
    with access.database.write() as connection:
        subject = _locked(access, connection, key.participant)
        if subject is None:
            return True
        try:
            new, retiring = access.vault.renewed(key.participant, key.purpose)
        except KeyDestroyedError:
            return True
        head = ciphertext.head_of(new)
        for table, column in _columns(key.purpose):
            if sealed.others(connection, table, column, key.participant, subject, head, 1):
                return False
        access.vault.destroy_retiring(key.participant, key.purpose, retiring)
    return True


def _locked(access: Access, connection: Connection, participant: str) -> str | None:
    """Lock a person against every writer; return the id of their series, or None where they are being erased."""
    row = people.lock(connection, participant)
    if row is None:
        return None
    try:
        opener = access.vault.opener(participant, IDENTITY)
    except KeyDestroyedError:
        return None
    return opener(row.subject_sealed, "participants.subject_sealed").decode()


def _nobody_reads_the_past(access: Access) -> bool:
    if access.database.is_sqlite:
        return compacting.checkpoint(access.database)
    return compacting.compact(access.database, ())


def _columns(purpose: str) -> list[tuple[str, str]]:
    """The columns that are sealed under a key of this purpose, as the data map declares them."""
    ground = Ground.IDENTITY if purpose == IDENTITY else Scope(purpose)
    return [(c.table, c.name) for c in datamap.columns().values() if c.sealed and c.ground is ground]
