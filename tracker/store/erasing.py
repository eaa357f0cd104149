"""Queries that delete what is held about a person, or what one scope covers, and that look afterwards.

Which rows are a person's follows from the schema's foreign keys, so a new table is covered when it is
made; the order is that of the foreign keys, children first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields

from sqlalchemy import ColumnElement, Connection, Table, delete, false, func, or_, select, update

from tracker.domain.consent import Scope
from tracker.domain.series import MACHINE
from tracker.store.seen import Seen, seen_columns
from tracker.store.summaries import summarise_again
from tracker.store.tables import (
    contexts,
    corrections,
    drifts,
    estimates,
    learning_events,
    metadata,
    observations,
    participants,
    prior_members,
    prompts,
    snapshots,
    subjects,
    summaries,
)


def owned(subject: str, participant: str) -> dict[Table, ColumnElement[bool]]:
    """Every table that holds rows of a person, with the condition that finds them; children first."""
    roots = {subjects: subjects.c.id == subject, participants: participants.c.id == participant}
    conditions: dict[Table, ColumnElement[bool]] = {}
    for table in metadata.sorted_tables:
        if table in roots:
            conditions[table] = roots[table]
            continue
        direct, through = [], []
        for key in table.foreign_keys:
            parent = key.column.table
            if parent in roots:
                direct.append(key.parent == (subject if parent is subjects else participant))
            elif parent in conditions and parent is not table:
                through.append(key.parent.in_(select(key.column).where(conditions[parent])))
        if direct or through:
            conditions[table] = or_(false(), *(direct or through))
    return dict(reversed(conditions.items()))


def delete_person(connection: Connection, subject: str, participant: str) -> dict[str, int]:
    """Delete every row of a person; return how many there were by table."""
    return {
        table.name: connection.execute(delete(table).where(condition)).rowcount
        for table, condition in owned(subject, participant).items()
    }


def left_of_person(connection: Connection, subject: str, participant: str) -> dict[str, int]:
    """Count the rows of a person by table; tables without any are left out."""
    counts = {
        table.name: _count(connection, table, condition)
        for table, condition in owned(subject, participant).items()
    }
    return {name: n for name, n in counts.items() if n}


def delete_scope(connection: Connection, subject: str, scope: Scope) -> dict[str, int]:
    """Delete what rests on one scope, copies included; return how many rows went or changed, by table.

    Learners are caches of what they learned, so all snapshots go wherever something they may have
    learned from goes; the caller makes a new one of what is left.
    """
    eraser = _ERASERS.get(scope)
    counts = eraser(connection, subject) if eraser is not None else {}
    return {name: n for name, n in counts.items() if n}


def left_of_scope(connection: Connection, subject: str, scope: Scope) -> dict[str, int]:
    """Count the rows that rest on one scope, by table; tables without any are left out."""
    rows = _rows_of(subject, scope)
    counts = {table.name: _count(connection, table, condition) for table, condition in rows.items()}
    return {name: n for name, n in counts.items() if n}


def rewrite_seen(connection: Connection, subject: str, rewrite: Callable[[str, Seen], Seen]) -> int:
    """Rewrite what was seen when something was learned, by target; return how many rows changed.

    Nobody but erasure may do this.
    """
    columns = [learning_events.c[f.name] for f in fields(Seen)]
    rows = connection.execute(
        select(learning_events.c.id, learning_events.c.target, *columns).where(
            learning_events.c.subject == subject
        )
    ).all()
    changed = 0
    for number, target, *values in rows:
        before = Seen(*values)
        after = rewrite(target, before)
        if after != before:
            statement = update(learning_events).where(learning_events.c.id == number)
            connection.execute(statement.values(**seen_columns(after)))
            changed += 1
    return changed


def delete_snapshots(connection: Connection, subject: str, *, but: Collection[int] = ()) -> int:
    """Delete the snapshots of a subject's learners, but for some."""
    mine = (snapshots.c.subject == subject) & snapshots.c.id.not_in(sorted(but))
    return connection.execute(delete(snapshots).where(mine)).rowcount


def _rows_of(subject: str, scope: Scope) -> dict[Table, ColumnElement[bool]]:
    mine = select(observations.c.id).where(observations.c.subject == subject)
    answers = corrections.c.prompt.is_not(None)
    match scope:
        case Scope.AFFECT_SERIES:
            return {
                learning_events: learning_events.c.subject == subject,
                snapshots: snapshots.c.subject == subject,
                drifts: drifts.c.subject == subject,
                corrections: (corrections.c.subject == subject) & ~answers,
                estimates: estimates.c.observation.in_(mine),
                summaries: summaries.c.subject == subject,
                observations: observations.c.subject == subject,
            }
        case Scope.CONTEXT:
            return {contexts: contexts.c.subject == subject}
        case Scope.PROMPTS:
            return {
                corrections: (corrections.c.subject == subject) & answers,
                prompts: prompts.c.subject == subject,
            }
        case Scope.PERSONAL_LEARNING:
            return {
                learning_events: learning_events.c.subject == subject,
                snapshots: snapshots.c.subject == subject,
                drifts: drifts.c.subject == subject,
                estimates: estimates.c.observation.in_(mine) & (estimates.c.snapshot != MACHINE),
            }
        case Scope.POOLED_LEARNING:
            return {prior_members: prior_members.c.subject == subject}
        case _:
            return {}  # nothing is stored under it yet, or it opens a use and stores nothing


def _erase_series(connection: Connection, subject: str) -> dict[str, int]:
    rows = _rows_of(subject, Scope.AFFECT_SERIES)
    counts = _delete(connection, rows, learning_events, snapshots, drifts)
    counts["corrections"] = _delete_corrections(connection, subject, rows[corrections])
    # An answer to a prompt stays; the frame it spoke of does not.
    connection.execute(update(corrections).where(corrections.c.subject == subject).values(observation=None))
    return counts | _delete(connection, rows, estimates, summaries, observations)


def _erase_contexts(connection: Connection, subject: str) -> dict[str, int]:
    return _delete(connection, _rows_of(subject, Scope.CONTEXT), contexts)


def _erase_prompts(connection: Connection, subject: str) -> dict[str, int]:
    rows = _rows_of(subject, Scope.PROMPTS)
    answers = select(corrections.c.id).where(rows[corrections])
    learned = delete(learning_events).where(learning_events.c.correction.in_(answers))
    counts = {"learning_events": connection.execute(learned).rowcount}
    counts["corrections"] = _delete_corrections(connection, subject, rows[corrections])
    return counts | _delete(connection, rows, prompts)


def _erase_learning(connection: Connection, subject: str) -> dict[str, int]:
    rows = _rows_of(subject, Scope.PERSONAL_LEARNING)
    counts = _delete(connection, rows, learning_events, snapshots, drifts, estimates)
    summarise_again(connection, subject)
    return counts


def _erase_membership(connection: Connection, subject: str) -> dict[str, int]:
    return _delete(connection, _rows_of(subject, Scope.POOLED_LEARNING), prior_members)


_ERASERS: dict[Scope, Callable[[Connection, str], dict[str, int]]] = {
    Scope.AFFECT_SERIES: _erase_series,
    Scope.CONTEXT: _erase_contexts,
    Scope.PROMPTS: _erase_prompts,
    Scope.PERSONAL_LEARNING: _erase_learning,
    Scope.POOLED_LEARNING: _erase_membership,
}


def _delete_corrections(connection: Connection, subject: str, gone: ColumnElement[bool]) -> int:
    """Delete corrections; what superseded one of them supersedes what that one had superseded."""
    query = select(corrections.c.id, corrections.c.supersedes, gone.label("gone"))
    before = {row.id: row for row in connection.execute(query.where(corrections.c.subject == subject))}
    relinked = {}
    for row in before.values():
        older = row.supersedes
        while older is not None and before[older].gone:
            older = before[older].supersedes
        if not row.gone and older != row.supersedes:
            relinked[row.id] = older
    if relinked:
        loose = update(corrections).where(corrections.c.id.in_(sorted(relinked)))
        connection.execute(loose.values(supersedes=None))
    count = connection.execute(delete(corrections).where(gone)).rowcount
    for number, older in relinked.items():
        connection.execute(update(corrections).where(corrections.c.id == number).values(supersedes=older))
    return count


def _delete(
    connection: Connection, rows: Mapping[Table, ColumnElement[bool]], *wanted: Table
) -> dict[str, int]:
    return {t.name: connection.execute(delete(t).where(rows[t])).rowcount for t in wanted}


def _count(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
