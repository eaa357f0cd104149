"""Queries about notes: a participant's own words beside a correction, sealed, one for a correction at most."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from tracker.domain.consent import Permit, Scope, Use
from tracker.store.tables import notes


def place(note: str) -> str:
    """Where a note's ciphertext lies: what binds it to its row.

    Examples
    --------
    >>> place("9f0c")
    'notes.sealed|9f0c'
    """
    return f"notes.sealed|{note}"


def add(
    connection: Connection,
    permit: Permit,
    subject: str,
    note: str,
    correction: int,
    at: datetime,
    sealed: bytes,
    recorded_at: datetime,
) -> None:
    """Keep a sealed note beside a correction.

    Parameters
    ----------
    connection
        A writing transaction in which the participant is locked.
    permit
        For `Use.KEEP_NOTES`, made in this transaction.
    subject
        Whose words they are; the correction is theirs.
    note
        Its random id, to whose `place` the bytes are bound.
    correction, at
        The correction, and the moment it speaks of (UTC).
    sealed
        The note's bytes under the participant's key of notes.
    recorded_at
        Now (UTC).

    Raises
    ------
    NotCoveredError
        When the moment lies before what the grant covers.
    """
    permit.demand(Use.KEEP_NOTES)
    permit.demand_covers(at)
    connection.execute(
        insert(notes).values(
            id=note,
            subject=subject,
            correction=correction,
            grant_id=permit.grant(Scope.NOTES),
            sealed=sealed,
            recorded_at=recorded_at,
        )
    )


def of_correction(connection: Connection, subject: str, correction: int) -> tuple[str, bytes] | None:
    """The note beside one of a subject's corrections: its id, and its sealed bytes."""
    query = select(notes.c.id, notes.c.sealed).where(
        notes.c.subject == subject, notes.c.correction == correction
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, row.sealed)
