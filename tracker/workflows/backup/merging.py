"""What a restored backup takes over from today: who takes part, and on what terms; the series is the backup's."""

from __future__ import annotations

from datetime import datetime

from tracker import personal
from tracker.access import Access, Unit
from tracker.domain.consent import Recorder, Scope, State
from tracker.privacy.datamap import TABLES, Ground
from tracker.store import chains, copies, tables
from tracker.store.chains import CONSENT
from tracker.store.database import Connection
from tracker.workflows.backup.errors import RestoreRefusedError
from tracker.workflows.backup.manifest import Manifest

# What rests on a scope is what the backup is for; a prior is fitted on that.
OF_THE_BACKUP = frozenset(
    {stored.name for stored in TABLES if not isinstance(stored.columns[0].ground, Ground)} | {"priors"}
)
"""Tables whose rows are the backup's; all others are today's, where today's database can be read."""

_TODAYS = [table for table in tables.metadata.sorted_tables if table.name not in OF_THE_BACKUP]


def take_over(staged: Access, present: Connection) -> None:
    """Put what is true today in place of what was true then: consent, requests, notices, exports, tombstones.

    A subject that only the backup knows stays with its rows, until the tombstones are replayed.
    """
    with staged.database.write() as connection, copies.guards_off(connection):
        known = set(connection.execute(tables.subjects.select()).scalars())
        copies.empty(connection, [t for t in _TODAYS if t is not tables.subjects])
        copies.load(present, connection, [t for t in _TODAYS if t is not tables.subjects], lambda _: None)
        today = set(present.execute(tables.subjects.select()).scalars())
        if new := sorted(today - known):
            connection.execute(tables.subjects.insert(), [{"id": subject} for subject in new])


def lost_events(staged: Access) -> tuple[int, int] | None:
    """Which rows of the consent log were written after the backup and are lost; None where none are.

    Raises
    ------
    RestoreRefusedError
        When the signed head with the keys is not that of this log: the key store is older, or another's.
    """
    head = staged.keys.head()
    with staged.database.read() as connection:
        rows = chains.rows(connection, CONSENT)
    seq = head[0] if head is not None else 0
    if seq < len(rows):
        raise RestoreRefusedError(
            f"the key store is older than the backup: it knows {seq} of the {len(rows)} rows of its consent log. "
            "Bring back the newest key store; nothing was changed"
        )
    if head is not None and seq == len(rows) and rows and rows[-1].hash != head[1]:
        raise RestoreRefusedError(
            "the key store holds the signed head of another consent log; bring back the one that belongs to "
            "the backup. Nothing was changed"
        )
    return (len(rows) + 1, seq) if seq > len(rows) else None


def end_every_grant(staged: Access, made: Manifest, lost: tuple[int, int], now: datetime) -> int:
    """End what is granted in a backup whose newer consent events are lost; return how many grants ended.

    Somebody may have withdrawn since. Until each says anew what they allow, nothing about them is stored, learned
    from, exported or shown to anybody but them.
    """
    evidence = (
        f"restored from the backup of {made.made_at.isoformat()}; rows {lost[0]} to {lost[1]} of the consent log "
        "are lost, so a withdrawal may be"
    )
    ended = 0
    for person in staged.everyone():
        with staged.write(person.id, now) as unit:
            ended += _end(staged, unit, evidence)
    return ended


def rebase(staged: Access, now: datetime) -> None:
    """Bring every learner in line with what is granted today."""
    for person in staged.everyone():
        with staged.write(person.id, now) as unit:
            personal.consent_changed(unit, list(Scope))


def _end(staged: Access, unit: Unit, evidence: str) -> int:
    standing = {event.scope: event for event in unit.events}
    ended = [event for event in standing.values() if event.state.permits]
    for event in sorted(ended, key=lambda e: e.seq):
        staged.record(
            unit,
            event.scope,
            State.EXPIRED,
            event.notice,
            Recorder.OPERATOR,
            covers_from=unit.now,
            evidence=evidence,
            after_loss=True,
        )
    return len(ended)
