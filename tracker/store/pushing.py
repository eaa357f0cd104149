"""Queries about devices that are told that a question waits, and about what each of them is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from tracker.domain.consent import Permit, Scope, Use
from tracker.store.rows import upsert
from tracker.store.tables import prompts, push_devices, push_messages


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device as stored: its address sealed, found again by a keyed digest of it."""

    id: str
    sealed: bytes
    sign_in: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRow:
    """Something that a device is to be told.

    Attributes
    ----------
    number
        0: as the prompt was put; else the how manieth reminder.
    tries
        How often it was tried.
    """

    id: int
    device: str
    prompt: int
    number: int
    tries: int


def place(device: str) -> str:
    """Where the ciphertext of a device lies: what binds it to its row.

    Examples
    --------
    >>> place("9f0c")
    'push_devices.sealed|9f0c'
    """
    return f"push_devices.sealed|{device}"


def add(
    connection: Connection,
    permit: Permit,
    subject: str,
    device: str,
    digest: str,
    sealed: bytes,
    sign_in: int | None,
    now: datetime,
) -> None:
    """Keep a device; whoever had the same one before has it no more."""
    permit.demand(Use.PROMPT)
    same = push_devices.c.digest == digest
    _remove(connection, same)
    statement = (
        upsert(connection, push_devices)
        .values(
            id=device,
            subject=subject,
            digest=digest,
            sealed=sealed,
            sign_in=sign_in,
            grant_id=permit.grant(Scope.PROMPTS),
            recorded_at=now,
        )
        .on_conflict_do_nothing()
    )
    while not connection.execute(statement).rowcount:
        _remove(connection, same)  # somebody else switched it on at the same instant


def devices(connection: Connection, subject: str) -> list[DeviceRow]:
    """A subject's devices, in the order in which they were switched on."""
    d = push_devices.c
    query = select(d.id, d.sealed, d.sign_in, d.recorded_at).where(d.subject == subject)
    return [DeviceRow(*row) for row in connection.execute(query.order_by(d.recorded_at, d.id))]


def remove(connection: Connection, subject: str, device: str | None = None) -> int:
    """Delete one device of a subject's, or all of them, with what they were told; return how many there were."""
    mine = push_devices.c.subject == subject
    return _remove(connection, mine if device is None else mine & (push_devices.c.id == device))


def remove_by_digest(connection: Connection, subject: str, digest: str) -> int:
    """Delete the device of a subject's that a digest finds; return how many there were."""
    return _remove(connection, (push_devices.c.subject == subject) & (push_devices.c.digest == digest))


def remove_of_sign_in(connection: Connection, subject: str, sign_in: int) -> int:
    """Delete the devices of a subject's that came with a sign-in; return how many there were."""
    return _remove(connection, (push_devices.c.subject == subject) & (push_devices.c.sign_in == sign_in))


def remove_of_others(connection: Connection, subject: str, sign_in: int | None) -> int:
    """Delete the devices of a subject's that did not come with a sign-in; None: all of them."""
    mine = push_devices.c.subject == subject
    others = push_devices.c.sign_in.is_distinct_from(sign_in)
    return _remove(connection, mine if sign_in is None else mine & others)


def remove_everybodys(connection: Connection) -> int:
    """Delete every device there is; return how many there were."""
    return _remove(connection, push_devices.c.id.is_not(None))


def follow(connection: Connection, subject: str, before: int, after: int) -> None:
    """Let devices end with another sign-in: the session goes on under it."""
    mine = (push_devices.c.subject == subject) & (push_devices.c.sign_in == before)
    connection.execute(update(push_devices).where(mine).values(sign_in=after))


def queue(
    connection: Connection, permit: Permit, subject: str, prompt: int, number: int, now: datetime
) -> int:
    """Have each device of a subject's told of a prompt, once for each number; return how many are to be told."""
    permit.demand(Use.PROMPT)
    queued = 0
    for device in devices(connection, subject):
        statement = (
            upsert(connection, push_messages)
            .values(
                subject=subject,
                device=device.id,
                prompt=prompt,
                number=number,
                due_at=now,
                tries=0,
                grant_id=permit.grant(Scope.PROMPTS),
                recorded_at=now,
            )
            .on_conflict_do_nothing()
        )
        queued += connection.execute(statement).rowcount
    return queued


def waiting(connection: Connection, now: datetime) -> dict[str, datetime]:
    """The subjects of whom a device is to be told something now, and since when it is due."""
    m = push_messages.c
    query = select(m.subject, func.min(m.due_at, type_=m.due_at.type).label("since")).where(m.due_at <= now)
    return {row.subject: row.since for row in connection.execute(query.group_by(m.subject))}


def due(connection: Connection, subject: str, now: datetime) -> list[MessageRow]:
    """What devices of a subject are to be told now, the oldest first."""
    m = push_messages.c
    query = select(m.id, m.device, m.prompt, m.number, m.tries).where(m.subject == subject, m.due_at <= now)
    return [MessageRow(*row) for row in connection.execute(query.order_by(m.id))]


def begin(connection: Connection, permit: Permit, message: MessageRow) -> None:
    """Note that a message is about to be sent, so that no other process sends it again, now or later."""
    permit.demand(Use.PROMPT)
    mine = push_messages.c.id == message.id
    connection.execute(update(push_messages).where(mine).values(due_at=None, tries=message.tries + 1))


def settle(
    connection: Connection, message: MessageRow, outcome: str, again_at: datetime | None = None
) -> None:
    """Note what became of a message, and when it is tried again, if it is."""
    mine = push_messages.c.id == message.id
    connection.execute(update(push_messages).where(mine).values(outcome=outcome, due_at=again_at))


def pushed(connection: Connection, permit: Permit, subject: str, prompt: int, at: datetime) -> None:
    """Note when a push service first took the word of a prompt."""
    permit.demand(Use.PROMPT)
    first = (prompts.c.subject == subject) & (prompts.c.id == prompt) & prompts.c.pushed_at.is_(None)
    connection.execute(update(prompts).where(first).values(pushed_at=at))


def outcomes(connection: Connection, subject: str) -> Sequence[tuple[int, int, str | None]]:
    """Prompt, number and outcome of everything that a subject's devices are or were told, in order."""
    m = push_messages.c
    query = select(m.prompt, m.number, m.outcome).where(m.subject == subject).order_by(m.id)
    return [(prompt, number, outcome) for prompt, number, outcome in connection.execute(query)]


def _remove(connection: Connection, which: ColumnElement[bool]) -> int:
    gone = select(push_devices.c.id).where(which)
    # Held first, so that nobody queues a message for it between the two.
    connection.execute(gone.with_for_update()).all()
    connection.execute(delete(push_messages).where(push_messages.c.device.in_(gone)))
    return connection.execute(delete(push_devices).where(which)).rowcount
