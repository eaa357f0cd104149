"""Check the two logs and the table of grants in force against each other, against erasures and the signed heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tracker.access import sealing, stones
from tracker.access.looks import look_of
from tracker.access.older import CONSENT_HEAD, LOOKS_HEAD, erased_fault
from tracker.access.sealing import Opener
from tracker.access.shown import notices_fault
from tracker.domain.consent import ConsentEvent, Recorder, Scope
from tracker.privacy import chain
from tracker.privacy.keys import IDENTITY, KeyDestroyedError, KeyUnavailableError, Vault
from tracker.store import chains, grants, people, studies, tombstones
from tracker.store.chains import CONSENT, LOOKS, Chain, EventRow
from tracker.store.database import Connection
from tracker.store.keystore import KeyStore
from tracker.store.types import to_microseconds


def consent_event(opener: Opener, row: EventRow) -> ConsentEvent:
    """The consent event of a row, opened."""
    return sealing.event_of(sealing.open_fields(opener, CONSENT.events.name, row), row.seq, row.recorded_at)


def first_fault(connection: Connection, vault: Vault, keys: KeyStore) -> str | None:
    """Return what is wrong, naming the row; None when all is well."""
    came_back = erased_fault(connection, vault, keys.tombstones_kept())
    if came_back is not None:
        return f"the database is older than the key store: {came_back}"
    return (
        _log_fault(connection, vault, CONSENT, "the consent log", _consent_commitment)
        or _head_fault(connection, vault, keys, CONSENT, CONSENT_HEAD, "the consent log")
        or _grants_fault(connection, vault)
        or _order_fault(connection)
        or _log_fault(connection, vault, LOOKS, "the log of looks", _look_commitment)
        or _head_fault(connection, vault, keys, LOOKS, LOOKS_HEAD, "the log of looks")
        or notices_fault(connection)
    )


def signed(log: str, seq: int, head: str) -> bytes:
    """What is signed of a log's head: one of another log does not pass for it."""
    return (f"{seq}|{head}" if log == CONSENT_HEAD else f"{log}|{seq}|{head}").encode()


def _log_fault(
    connection: Connection, vault: Vault, log: Chain, name: str, commitment: Callable[[Opener, EventRow], str]
) -> str | None:
    links = _links(connection, log)
    if broken := chain.first_break(links):
        return broken if log is CONSENT else f"{name}: {broken}"
    events = chains.all_events(connection, log)
    erased = _erased(connection, vault, log)
    if loose := sorted(events.keys() - {link.seq for link in links}):
        return f"{name}: an event stands beside row {loose[0]}, and there is no such row"
    openers: dict[str, Opener | None] = {}
    for link in links:
        row = events.get(link.seq)
        if row is None:
            if link.seq in erased:
                continue  # the commitment stays, what it committed to is gone
            return f"{name}: the event beside row {link.seq} was removed, and no erasure accounts for it"
        if row.participant not in openers:
            openers[row.participant] = _opener(vault, row.participant)
        opener = openers[row.participant]
        if opener is None:
            if _is_being_erased(connection, vault, row.participant):
                continue
            gone = f"the key of the event beside row {link.seq} is gone"
            return f"{name}: {gone}, and no erasure accounts for it"
        altered = f"{name}: the event beside row {link.seq} does not match its commitment: it was altered"
        try:
            if (
                commitment(opener, row) != link.commitment
                or to_microseconds(row.recorded_at) != link.recorded_at_us
            ):
                return altered
        except (KeyUnavailableError, ValueError, KeyError, TypeError):
            return altered
    return None


def _consent_commitment(opener: Opener, row: EventRow) -> str:
    return chain.commit(row.salt, sealing.committed(row.participant, consent_event(opener, row)))


def _look_commitment(opener: Opener, row: EventRow) -> str:
    look = look_of(sealing.open_fields(opener, LOOKS.events.name, row), row.seq, row.recorded_at)
    return chain.commit(row.salt, look.committed(row.participant))


def _links(connection: Connection, log: Chain) -> list[chain.Link]:
    return [
        chain.Link(r.seq, r.commitment, to_microseconds(r.recorded_at), r.previous, r.hash)
        for r in chains.rows(connection, log)
    ]


def _opener(vault: Vault, participant: str) -> Opener | None:
    try:
        return vault.opener(participant, IDENTITY)
    except KeyDestroyedError:
        return None


def _is_being_erased(connection: Connection, vault: Vault, participant: str) -> bool:
    tombstone = tombstones.get(connection, stones.numbering(vault)(participant, None))
    return tombstone is not None and vault.verify(tombstone.evidence(), tombstone.signature)


def _erased(connection: Connection, vault: Vault, log: Chain) -> set[int]:
    return {
        seq
        for tombstone in tombstones.every(connection)
        if vault.verify(tombstone.evidence(), tombstone.signature)
        for seq in (tombstone.log if log is CONSENT else tombstone.looks)
    }


def _head_fault(
    connection: Connection, vault: Vault, keys: KeyStore, log: Chain, name: str, called: str
) -> str | None:
    links, head = _links(connection, log), keys.head(name)
    if head is None:
        return None if not links else f"the key store holds no signed head of {called}"
    seq, digest, signature = head
    if not vault.verify(signed(name, seq, digest), signature):
        return f"the signed head of {called} is forged"
    if seq > len(links):
        return f"rows {len(links) + 1} to {seq} of {called} were cut off"
    if seq and links[seq - 1].hash != digest:
        return f"row {seq} of {called} is not the one that was signed"
    return None


def _order_fault(connection: Connection) -> str | None:
    """Labels in an order in which no study was applied: all that can be told of events that commit to none."""
    last: int | None = None
    for seq, row in sorted(chains.all_events(connection, CONSENT).items()):
        if last is not None and (row.study is None or row.study < last):
            return _altered_label(seq)
        last = row.study
    return None


def _label_fault(event: ConsentEvent, number: int | None, versions: Mapping[int, str]) -> str | None:
    """A label of the study that is not the one that was committed to, or names none that was applied."""
    if number is not None and number not in versions:
        return _altered_label(event.seq)
    beside = sealing.label(None if number is None else (number, versions[number]))
    return _altered_label(event.seq) if event.study not in (None, beside) else None


def _altered_label(seq: int) -> str:
    return (
        f"the consent log: the study that the event beside row {seq} names is not the one that governed then"
    )


def _grants_fault(connection: Connection, vault: Vault) -> str | None:
    """A grant in the table that no event made, or one that an event made and the table lacks."""
    held, versions, unfinished = grants.every(connection), studies.versions(connection), False
    for row in people.everyone(connection):
        opener = _opener(vault, row.id)
        if opener is None:
            unfinished = True  # whose grants these are cannot be told any more
            continue
        subject = opener(row.subject_sealed, "participants.subject_sealed").decode()
        stored = chains.events_of(connection, CONSENT, row.id)
        events = [consent_event(opener, r) for r in stored]
        for event, beside in zip(events, stored, strict=True):
            if fault := _label_fault(event, beside.study, versions):
                return fault
        if fault := _grant_fault(events, held.pop(subject, {})):
            return fault
    if held and not unfinished:
        return "the table of grants holds a grant of nobody who is enrolled"
    return None


def _grant_fault(events: list[ConsentEvent], held: Mapping[Scope, int]) -> str | None:
    last = {event.scope: event for event in events}
    own = {event.scope: event for event in events if event.recorder is not Recorder.GUARDIAN}
    guarded = {event.scope for event in events if event.recorder is Recorder.GUARDIAN}
    for scope, number in held.items():
        event = own.get(scope)
        if event is not None and event.state.permits:
            event = last[scope]
        if event is None or not event.state.permits:
            told = f"row {event.seq} of the consent log ended it" if event is not None else "no event gave it"
            return f"the table of grants holds a grant of {scope.value}, but {told}"
        # A grant from before grants had numbers was numbered by the migration; its event is as it was.
        if event.grant is not None and event.grant != number:
            return f"the table of grants holds another grant of {scope.value} than row {event.seq} made"
    for event in last.values():
        # Where guardians have spoken, a word may still wait for the other's.
        if event.state.permits and event.scope not in held and event.scope not in guarded:
            return (
                f"the grant that row {event.seq} of the consent log made is missing from the table of grants"
            )
    return None
