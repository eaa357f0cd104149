"""The gate: the one module that opens a unit of work on a person, and hands out permits inside it.

A writing unit locks the participant and reads their consent in the same transaction in which the rows
are written, so a withdrawal that has committed beats every later write, in any process. A reading unit
sees consent and rows in one snapshot and locks nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tracker.domain.consent import (
    ConsentEvent,
    ConsentMissingError,
    Notice,
    PausedError,
    Permit,
    Recorder,
    Refusal,
    Scope,
    State,
    Use,
)
from tracker.domain.people import EnrolmentError, Person, UnknownParticipantError
from tracker.privacy import chain
from tracker.privacy.consent import decide, in_force
from tracker.privacy.keys import IDENTITY, KeyDestroyedError, KeyUnavailableError, Vault
from tracker.store import people, tombstones
from tracker.store.database import Connection, Database
from tracker.store.keystore import KeyStore
from tracker.store.types import to_microseconds


@dataclass(frozen=True)
class Unit:
    """A unit of work on one person: a transaction, their consent in it, and the permits it yields.

    Attributes
    ----------
    connection
        The transaction.
    person
        Whose it is.
    now
        The instant at which consent is decided (UTC).
    events
        The person's consent events as this transaction sees them.
    """

    connection: Connection
    person: Person
    now: datetime
    events: tuple[ConsentEvent, ...]

    def permit(self, use: Use) -> Permit:
        """Return a permit, or raise `ConsentMissingError` naming the missing scopes."""
        decision = self._decide(use)
        if isinstance(decision, Refusal):
            raise ConsentMissingError(decision, self.person.name)
        return decision

    def allowed(self, use: Use) -> Permit | None:
        """Return a permit, or None."""
        decision = self._decide(use)
        return decision if isinstance(decision, Permit) else None

    def capture_permit(self) -> Permit:
        """Return a permit to store the series; raise `PausedError` while the person has paused."""
        permit = self.permit(Use.STORE_SERIES)
        if self.person.paused_at is not None:
            raise PausedError(self.person.name, self.person.paused_at)
        return permit

    def grants(self) -> dict[Scope, ConsentEvent]:
        """The event on which each granted scope rests now."""
        return in_force(self.events, self._decided_at())

    def _decide(self, use: Use) -> Permit | Refusal:
        return decide(self.person.id, self.events, use, self._decided_at())

    def _decided_at(self) -> datetime:
        # What this transaction sees has committed, and counts: a caller whose clock runs behind that of
        # the process that recorded a withdrawal must not write past it.
        return max(self.now, *(event.recorded_at for event in self.events)) if self.events else self.now


class Access:
    """Opens units of work.

    Parameters
    ----------
    database
        The series.
    vault
        The keys that open names and subject links.
    keys
        The key store, which also holds the consent log's signed head.
    """

    def __init__(self, database: Database, vault: Vault, keys: KeyStore) -> None:
        self.database = database
        self.vault = vault
        self.keys = keys

    def close(self) -> None:
        """Close all connections."""
        self.database.close()
        self.keys.close()

    def person(self, name: str) -> Person:
        """Find a participant by name; raise `UnknownParticipantError` when there is none."""
        with self.database.read() as connection:
            row = people.by_digest(connection, self.vault.digest("names", name))
        if row is None:
            raise UnknownParticipantError(name)
        opened = self._open_unless_erased([row])
        if not opened:
            raise UnknownParticipantError(name)
        return opened[0]

    def everyone(self) -> list[Person]:
        """All participants, in the order of enrolment; without those whose erasure is not finished."""
        with self.database.read() as connection:
            rows = people.everyone(connection)
        return self._open_unless_erased(rows)

    def tombstone_of(self, participant: str) -> str:
        """The id of the tombstone that stands, or would stand, for a participant: a keyed digest."""
        return self.vault.digest("tombstones", participant)[:32]

    def admit(self, name: str, zone: str, now: datetime, *, simulated: bool = False) -> Person:
        """Enrol a person under random ids; the caller has checked name and zone.

        Raises
        ------
        EnrolmentError
            When the name is taken, also by another process in this very moment.
        """
        participant, subject = secrets.token_hex(16), secrets.token_hex(16)
        row = people.ParticipantRow(
            id=participant,
            name_sealed=self.vault.seal(participant, IDENTITY, name.encode(), "participants.name_sealed"),
            subject_sealed=self.vault.seal(
                participant, IDENTITY, subject.encode(), "participants.subject_sealed"
            ),
            zone=zone,
            simulated=simulated,
            enrolled_at=now,
            paused_at=None,
        )
        with self.database.write() as connection:
            added = people.add(connection, self.vault.digest("names", name), row, subject)
        if not added:
            self.vault.destroy(participant)
            raise EnrolmentError(f"{name!r} is enrolled already; choose another name")
        return self._open(row)

    @contextmanager
    def write(self, participant: str, now: datetime) -> Iterator[Unit]:
        """Open a writing unit; committed at the end, rolled back when an exception passes.

        Parameters
        ----------
        participant
            Their id.
        now
            The instant at which consent is decided (UTC).
        """
        with self.database.write() as connection:
            row = people.lock(connection, participant)
            if row is None:
                raise UnknownParticipantError(participant)
            yield Unit(connection, self._open(row), now, self._events(connection, participant))

    @contextmanager
    def write_all(self, participants: Iterable[str], now: datetime) -> Iterator[list[Unit]]:
        """Open one writing transaction on several people: nobody else writes about any of them meanwhile.

        Raises
        ------
        UnknownParticipantError
            When one of them has been erased.
        """
        with self.database.write() as connection:
            units = []
            # Always in the same order, so that two such transactions do not wait for each other.
            for participant in sorted(participants):
                row = people.lock(connection, participant)
                if row is None:
                    raise UnknownParticipantError(participant)
                units.append(Unit(connection, self._open(row), now, self._events(connection, participant)))
            yield units

    @contextmanager
    def read(self, participant: str, now: datetime) -> Iterator[Unit]:
        """Open a reading unit on one snapshot."""
        with self.database.read() as connection:
            row = people.by_id(connection, participant)
            if row is None:
                raise UnknownParticipantError(participant)
            yield Unit(connection, self._open(row), now, self._events(connection, participant))

    def record(
        self,
        unit: Unit,
        scope: Scope,
        state: State,
        notice: Notice,
        recorder: Recorder,
        *,
        covers_from: datetime,
        evidence: str = "",
    ) -> ConsentEvent:
        """Append a consent event in a writing unit; call `sign_head` once it is committed."""
        tail = people.log_tail(unit.connection)
        seq, previous = (tail[0] + 1, tail[1]) if tail is not None else (1, chain.GENESIS)
        event = ConsentEvent(seq, scope, state, notice, unit.now, covers_from, recorder, evidence)
        salt = secrets.token_bytes(16)
        commitment = chain.commit(salt, _committed(unit.person.id, event))
        link = chain.link(seq, commitment, to_microseconds(unit.now), previous)
        sealed = self.vault.seal(
            unit.person.id, IDENTITY, evidence.encode(), f"consent_events.evidence_sealed|{seq}"
        )
        people.append_event(
            unit.connection,
            unit.person.id,
            people.EventRow(event, sealed, salt),
            commitment,
            previous,
            link.hash,
        )
        return event

    def sign_head(self) -> None:
        """Keep the consent log's newest head, signed, with the keys."""
        with self.database.read() as connection:
            newest = people.log_head(connection)
        if newest is not None:
            seq, head = newest
            self.keys.set_head(seq, head, self.vault.sign(f"{seq}|{head}".encode()))

    def audit(self) -> str | None:
        """Check the whole consent log: chain, commitments, erasures, signed head.

        Returns
        -------
        str or None
            What is wrong, naming the row; None when all is well.
        """
        with self.database.read() as connection:
            rows = people.log_rows(connection)
            events = people.all_events(connection)
            erased = self._erased(connection)
        links = [chain.Link(s, c, to_microseconds(at), p, h) for s, c, at, p, h in rows]
        if broken := chain.first_break(links):
            return broken
        for row in links:
            if row.seq not in events:
                if row.seq in erased:
                    continue  # the commitment stays, what it committed to is gone
                return f"the event beside row {row.seq} was removed, and no erasure accounts for it"
            participant, stored = events[row.seq]
            try:
                opened = self._evidence(participant, stored)
            except KeyDestroyedError:
                continue  # their erasure is not finished
            if chain.commit(stored.salt, _committed(participant, opened)) != row.commitment:
                return f"the event beside row {row.seq} does not match its commitment: it was altered"
        return self._audit_head(links)

    def history(self, unit: Unit) -> list[ConsentEvent]:
        """A person's events with their evidence opened."""
        rows = people.events(unit.connection, unit.person.id)
        return [self._evidence(unit.person.id, row) for row in rows]

    def _erased(self, connection: Connection) -> set[int]:
        return {
            seq
            for tombstone in tombstones.every(connection)
            if self.vault.verify(tombstone.evidence(), tombstone.signature)
            for seq in tombstone.log
        }

    def _audit_head(self, links: list[chain.Link]) -> str | None:
        head = self.keys.head()
        if head is None:
            return None if not links else "the key store holds no signed head of the consent log"
        seq, digest, signature = head
        if not self.vault.verify(f"{seq}|{digest}".encode(), signature):
            return "the signed head of the consent log is forged"
        if seq > len(links):
            return f"rows {len(links) + 1} to {seq} of the consent log were cut off"
        if links[seq - 1].hash != digest:
            return f"row {seq} of the consent log is not the one that was signed"
        return None

    def _open_unless_erased(self, rows: Iterable[people.ParticipantRow]) -> list[Person]:
        opened = []
        for row in rows:
            try:
                opened.append(self._open(row))
            except KeyDestroyedError:
                with self.database.read() as connection:
                    if tombstones.get(connection, self.tombstone_of(row.id)) is None:
                        raise KeyUnavailableError(
                            "the key store lacks the keys of somebody who is enrolled: it is older than the "
                            "database, or another one. Bring back the newest, or set AFFECT_KEY_STORE"
                        ) from None
        return opened

    def _open(self, row: people.ParticipantRow) -> Person:
        name = self.vault.open(row.id, IDENTITY, row.name_sealed, "participants.name_sealed")
        subject = self.vault.open(row.id, IDENTITY, row.subject_sealed, "participants.subject_sealed")
        return Person(
            row.id, name.decode(), subject.decode(), row.zone, row.simulated, row.enrolled_at, row.paused_at
        )

    def _events(self, connection: Connection, participant: str) -> tuple[ConsentEvent, ...]:
        return tuple(row.event for row in people.events(connection, participant))

    def _evidence(self, participant: str, row: people.EventRow) -> ConsentEvent:
        e = row.event
        place = f"consent_events.evidence_sealed|{e.seq}"
        evidence = self.vault.open(participant, IDENTITY, row.evidence_sealed, place).decode()
        return ConsentEvent(
            e.seq, e.scope, e.state, e.notice, e.recorded_at, e.covers_from, e.recorder, evidence
        )


def open_access(database: Database, key_store: Path, master: bytes) -> Access:
    """Open the gate on a database with its key store."""
    keys = KeyStore(key_store)
    return Access(database, Vault(master, keys), keys)


def _committed(participant: str, event: ConsentEvent) -> Mapping[str, str]:
    return {
        "participant": participant,
        "scope": event.scope.value,
        "state": event.state.value,
        "notice": json.dumps([event.notice.version, event.notice.language, event.notice.sha256]),
        "recorded_at": event.recorded_at.isoformat(),
        "covers_from": event.covers_from.isoformat(),
        "recorder": event.recorder.value,
        "evidence": event.evidence,
    }
