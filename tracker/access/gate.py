"""Opens units of work, and keeps the two logs: of consent, and of the staff's looks.

A writing unit locks the participant and reads their consent in the same transaction in which the rows
are written, so a withdrawal that has committed beats every later write, in any process. A reading unit
sees consent and rows in one snapshot and locks nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from tracker.access import audit, older, sealing, stones
from tracker.access.looks import Look, look_of
from tracker.access.older import CONSENT_HEAD, LOOKS_HEAD
from tracker.access.unit import Unit
from tracker.domain.consent import ClockBehindError, ConsentEvent, Notice, Recorder, Rules, Scope, State
from tracker.domain.instants import CLOCK_TOLERANCE
from tracker.domain.people import EnrolmentError, Person, UnknownParticipantError
from tracker.privacy import chain
from tracker.privacy.consent import in_force
from tracker.privacy.keys import IDENTITY, KeyDestroyedError, KeyUnavailableError, Vault
from tracker.store import chains, grants, members, notices, people, studies, tombstones
from tracker.store.chains import CONSENT, LOOKS, Chain, EventRow, LogRow
from tracker.store.database import Connection, Database
from tracker.store.keystore import KeyStore
from tracker.store.types import to_microseconds
from tracker.study import Study, notice_hashes

NAMES = "names"
"""Purpose of the installation's key under which names are looked up."""

MEMBER_NAMES = "member names"
"""The same for names of members: nobody shares a name, so that one form logs everybody in."""


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
        tried: tuple[str, ...] = ()
        # While digests are made anew under another key, one that was fetched before would miss what is there.
        while (digests := self.vault.digests(NAMES, name)) != tried:
            tried = digests
            with self.database.read() as connection:
                row = people.by_digest(connection, digests)
                if row is not None and (found := self._open_unless_erased([row])):
                    return found[0]
        raise UnknownParticipantError(name)

    def everyone(self) -> list[Person]:
        """All participants, in the order of enrolment; without those whose erasure is not finished."""
        with self.database.read() as connection:
            return self._open_unless_erased(people.everyone(connection))

    def tombstone_of(self, participant: str, what: stones.What = None) -> str:
        """The id of the tombstone that stands, or would stand, for a participant, or one scope or stretch of theirs."""
        return self.numbering()(participant, what)

    def numbering(self) -> stones.Numbering:
        """`tombstone_of` for many, with the key fetched once."""
        return stones.numbering(self.vault)

    def admit(
        self,
        name: str,
        zone: str,
        now: datetime,
        *,
        simulated: bool = False,
        within: Callable[[Unit], None] | None = None,
    ) -> Person:
        """Enrol a person under random ids, with what is stored about them at once; name and zone were checked.

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
            people.lock_names(connection)
            digests = self.vault.digests(NAMES, name)
            staff = members.by_digest(connection, self.vault.digests(MEMBER_NAMES, name))
            taken = staff is not None or people.by_digest(connection, digests) is not None
            added = not taken and people.add(connection, digests[0], row, subject)
            if added and within is not None:
                try:
                    within(self.join(connection, participant, now))
                except BaseException:
                    self.vault.destroy(participant)  # nobody is enrolled: no key stays of nobody
                    raise
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
            yield self.join(connection, participant, now)

    @contextmanager
    def write_all(self, participants: Iterable[str], now: datetime) -> Iterator[list[Unit]]:
        """Open one writing transaction on several people: nobody else writes about any of them meanwhile.

        Raises
        ------
        UnknownParticipantError
            When one of them has been erased.
        """
        with self.database.write() as connection:
            # Always in the same order, so that two such transactions do not wait for each other.
            yield [self.join(connection, participant, now) for participant in sorted(participants)]

    def join(self, connection: Connection, participant: str, now: datetime) -> Unit:
        """Lock one more person in a writing transaction; return the unit on them.

        Raises
        ------
        UnknownParticipantError
            When they have been erased.
        """
        row = people.lock(connection, participant)
        if row is None:
            raise UnknownParticipantError(participant)
        opener = self.vault.opener(participant, IDENTITY)
        return self._writing(connection, _opened(opener, row), now, opener)

    def again(self, unit: Unit) -> Unit:
        """The same writing unit after events were recorded in it."""
        opener = self.vault.opener(unit.person.id, IDENTITY)
        return self._writing(unit.connection, unit.person, unit.now, opener)

    @contextmanager
    def read(self, participant: str, now: datetime) -> Iterator[Unit]:
        """Open a reading unit on one snapshot."""
        with self.database.read() as connection:
            row = people.by_id(connection, participant)
            if row is None:
                raise UnknownParticipantError(participant)
            opener = self.vault.opener(participant, IDENTITY)
            events = self._events(connection, participant, opener)
            study = studies.in_force(connection)
            rules = _rules(connection, study, now)
            yield Unit(connection, _opened(opener, row), now, events, rules, study=study)

    @contextmanager
    def read_all(self, now: datetime, among: Container[str] | None = None) -> Iterator[list[Unit]]:
        """Open reading units on many people, all on one snapshot, with as few queries as one of them needs.

        They stand in the order of enrolment; those whose erasure is not finished are left out.

        Parameters
        ----------
        now
            The instant at which consent is decided (UTC).
        among
            Whom alone, by id; None: everybody.
        """
        with self.database.read() as connection:
            rows = [row for row in people.everyone(connection) if among is None or row.id in among]
            openers = self.vault.openers([row.id for row in rows], IDENTITY)
            for row in rows:
                if row.id not in openers:
                    self._demand_erased(row.id)
            study = studies.in_force(connection)
            rules = _rules(connection, study, now)
            said = chains.events_by_person(connection, CONSENT)
            yield [
                Unit(
                    connection,
                    _opened(opener, row),
                    now,
                    tuple(audit.consent_event(opener, event) for event in said.get(row.id, ())),
                    rules,
                    study=study,
                )
                for row in rows
                if (opener := openers.get(row.id)) is not None
            ]

    @contextmanager
    def look(self, participant: str, now: datetime, *, reader: str, what: str) -> Iterator[Unit]:
        """Open a reading unit for somebody of the staff; that they looked is committed before they see anything.

        Parameters
        ----------
        participant, now
            Whose data, when (UTC).
        reader, what
            Who looks, at what.

        Raises
        ------
        UnknownParticipantError
            When there is no such person.
        DatabaseError
            When the look cannot be recorded; then nothing is read.
        """
        self.record_look(participant, now, reader=reader, what=what)
        with self.read(participant, now) as unit:
            yield unit

    def record_look(self, participant: str, now: datetime, *, reader: str, what: str) -> None:
        """Commit that somebody of the staff is about to look at a person's data.

        Raises
        ------
        UnknownParticipantError
            When there is no such person.
        """
        if not self.record_looks((participant,), now, reader=reader, what=what):
            raise UnknownParticipantError(participant)

    def record_looks(
        self, participants: Iterable[str], now: datetime, *, reader: str, what: str
    ) -> frozenset[str]:
        """Commit one look at each of some people at once, signed once; return those who are there."""
        with self.database.write() as connection:
            # Everybody first, in the one order that there is, and the log then: as whoever looks at one of them does.
            there = [one for one in sorted(set(participants)) if people.lock(connection, one) is not None]
            if not there:
                return frozenset()
            for n, participant in enumerate(there):
                seq, previous = self._next(connection, LOOKS)
                if not n:  # once nobody else writes into the log
                    older.demand_signed(connection, LOOKS, LOOKS_HEAD, self.keys.head(LOOKS_HEAD))
                look = Look(seq, now, reader, what)
                committed = look.committed(participant)
                self._append(connection, LOOKS, seq, previous, participant, now, look.fields(), committed)
        self._sign_head(LOOKS, LOOKS_HEAD)
        return frozenset(there)

    def looks(self, unit: Unit) -> list[Look]:
        """Who of the staff looked at the person of a unit, in order."""
        rows = chains.events_of(unit.connection, LOOKS, unit.person.id)
        if not rows:
            return []
        opener = self.vault.opener(unit.person.id, IDENTITY)
        return [
            look_of(sealing.open_fields(opener, LOOKS.events.name, r), r.seq, r.recorded_at) for r in rows
        ]

    def events(self, connection: Connection, participant: str) -> tuple[ConsentEvent, ...]:
        """A person's consent events as a transaction sees them, opened, in the log's order."""
        return self._events(connection, participant, self.vault.opener(participant, IDENTITY))

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
        after_loss: bool = False,
    ) -> ConsentEvent:
        """Append a consent event in a writing unit; call `sign_head` once it is committed.

        A permitting event makes a grant with a number of its own, under which rows are written from now on; any
        other ends the one that stood. The unit knows nothing of it: go on with `again`. A restore states that the log
        has lost its end (`after_loss`); otherwise nothing follows a log without the row that was signed last.

        Raises
        ------
        DatabaseAgeError
            When the database is older than the key store.
        ClockBehindError
            When a grant would be recorded before the person's last event; an ending is recorded with that one's time.
        """
        connection, person = unit.connection, unit.person
        at = _never_backdated(unit, state)
        seq, previous = self._next(connection, CONSENT)
        if not after_loss:
            older.demand_signed(connection, CONSENT, CONSENT_HEAD, self.keys.head(CONSENT_HEAD))
        governing = studies.version(connection)
        lasts = timedelta(days=unit.rules.lasts_days) if unit.rules.lasts_days is not None else None
        event = ConsentEvent(
            seq,
            scope,
            state,
            notice,
            at,
            covers_from,
            recorder,
            evidence,
            expires_at=at + lasts if lasts is not None and state.permits else None,
            grant=secrets.randbits(62) + 1 if state.permits else None,
            study=sealing.label(governing),
        )
        fields, commitment = sealing.fields_of(event), sealing.committed(person.id, event)
        number = governing[0] if governing is not None else None
        self._append(connection, CONSENT, seq, previous, person.id, at, fields, commitment, number)
        # A guardian's word alone gives nothing, nor does one that still waits for theirs.
        if event.grant is not None and scope in in_force((*unit.events, event), at, unit.rules):
            grants.put(connection, person.subject, scope, event.grant)
        else:
            grants.remove(connection, person.subject, scope)
        return event

    def sign_head(self) -> None:
        """Keep the consent log's newest head, signed, with the keys."""
        self._sign_head(CONSENT, CONSENT_HEAD)

    def sign_looks_head(self) -> None:
        """Keep the newest head of the log of looks, signed, with the keys."""
        self._sign_head(LOOKS, LOOKS_HEAD)

    def _sign_head(self, log: Chain, name: str) -> None:
        before = self.keys.head(name)
        with self.database.read() as connection:
            older.demand_signed(connection, log, name, before)
            newest = chains.head(connection, log)
        if newest is not None:
            seq, head = newest
            self.keys.set_head(seq, head, self.vault.sign(audit.signed(name, seq, head)), name)

    def audit(self) -> str | None:
        """Check both logs and the table of grants in force: chains, commitments, erasures, signed head.

        Returns
        -------
        str or None
            What is wrong, naming the row; None when all is well.
        """
        with self.database.read() as connection:
            return audit.first_fault(connection, self.vault, self.keys)

    def _open_unless_erased(self, rows: Iterable[people.ParticipantRow]) -> list[Person]:
        opened = []
        for row in rows:
            try:
                opened.append(self._open(row))
            except KeyDestroyedError:
                self._demand_erased(row.id)
        return opened

    def _demand_erased(self, participant: str) -> None:
        """Raise `KeyUnavailableError` where no erasure accounts for keys that are gone.

        It looks anew: an erasure that began after a reader's snapshot was taken is not in that snapshot.
        """
        with self.database.read() as connection:
            stone = tombstones.get(connection, self.tombstone_of(participant))
        if stone is None:
            raise KeyUnavailableError(
                "the key store lacks the keys of somebody who is enrolled: it is older than the "
                "database, or another one. Bring back the newest, or set AFFECT_KEY_STORE"
            ) from None

    def _open(self, row: people.ParticipantRow) -> Person:
        return _opened(self.vault.opener(row.id, IDENTITY), row)

    def _events(
        self, connection: Connection, participant: str, opener: sealing.Opener
    ) -> tuple[ConsentEvent, ...]:
        rows = chains.events_of(connection, CONSENT, participant)
        return tuple(audit.consent_event(opener, row) for row in rows)

    def _writing(self, connection: Connection, person: Person, now: datetime, opener: sealing.Opener) -> Unit:
        study = studies.in_force(connection)
        return Unit(
            connection,
            person,
            now,
            self._events(connection, person.id, opener),
            _rules(connection, study, now),
            grants.of(connection, person.subject),
            study,
        )

    def _next(self, connection: Connection, log: Chain) -> tuple[int, str]:
        tail = chains.tail(connection, log)
        return (tail[0] + 1, tail[1]) if tail is not None else (1, chain.GENESIS)

    def _append(
        self,
        connection: Connection,
        log: Chain,
        seq: int,
        previous: str,
        participant: str,
        now: datetime,
        fields: Mapping[str, object],
        committed: Mapping[str, str],
        study: int | None = None,
    ) -> None:
        salt = secrets.token_bytes(16)
        link = chain.link(seq, chain.commit(salt, committed), to_microseconds(now), previous)
        sealed = sealing.seal_fields(self.vault, participant, log.events.name, seq, fields)
        chains.append(
            connection,
            log,
            LogRow(seq, link.commitment, now, previous, link.hash),
            EventRow(seq, participant, now, sealed, salt, study),
        )


def _never_backdated(unit: Unit, state: State) -> datetime:
    last = max((event.recorded_at for event in unit.events), default=unit.now)
    if state.permits and unit.now < last - CLOCK_TOLERANCE:
        raise ClockBehindError(unit.now, last)
    return max(unit.now, last)


def _rules(connection: Connection, study: Study, now: datetime) -> Rules:
    return Rules(
        # Both: whoever changes a row of the table of notices revives no text that the study does not show.
        notices=notices.valid(connection, now) & notice_hashes(study),
        guardians=study.consent.guardians,
        lasts_days=study.consent.expires_after_days,
    )


def open_access(
    database: Database, key_store: Path, master: bytes, again: Callable[[], bytes] | None = None
) -> Access:
    """Open the gate on a database with its key store.

    Parameters
    ----------
    database, key_store, master
        The series, the file of wrapped keys, and the key that wraps them.
    again
        Asks for the master key once more, when it was replaced while this process ran.
    """
    keys = KeyStore(key_store)
    return Access(database, Vault(master, keys, again), keys)


def _opened(opener: sealing.Opener, row: people.ParticipantRow) -> Person:
    name = opener(row.name_sealed, "participants.name_sealed")
    subject = opener(row.subject_sealed, "participants.subject_sealed")
    return Person(
        row.id, name.decode(), subject.decode(), row.zone, row.simulated, row.enrolled_at, row.paused_at
    )
