"""What is stored of a stretch of time: found, counted, deleted for good, and looked for afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    false,
    func,
    or_,
    select,
    update,
)

from tracker.domain.stretches import Stretch
from tracker.store.erasing import count, owned
from tracker.store.extents import delete_rows, with_dependents
from tracker.store.seen import Seen, seen_columns
from tracker.store.tables import (
    contexts,
    corrections,
    drifts,
    hidden,
    learning_events,
    observations,
    prompts,
    rating_tasks,
    rating_traces,
)
from tracker.store.types import to_microseconds

CLIP, CLIP_LENGTH = "series", timedelta(seconds=60)
"""The kind of a rater's task that is a clip, and how long one is at most (`tracker.workflows.rating.stretching`)."""

LOOKED_BACK = timedelta(hours=2)
"""How far before a moment an answer's features look at the face (`tracker.personal.moments`)."""


def contexts_in(connection: Connection, subject: str, stretches: Sequence[Stretch]) -> list[datetime]:
    """The instants of a subject's contexts in some stretches, in order."""
    inside = or_(false(), *(_inside(contexts.c.at, stretch) for stretch in stretches))
    query = select(contexts.c.at).where(contexts.c.subject == subject, inside).order_by(contexts.c.at)
    return list(connection.execute(query).scalars())


def said_in(
    connection: Connection, subject: str, target: str, stretches: Sequence[Stretch]
) -> list[datetime]:
    """The moments that a subject answered for a target and that rest on something in some stretches, in order."""
    reach = (Stretch(stretch.start, stretch.end + LOOKED_BACK) for stretch in stretches)
    due = or_(false(), *(_inside(prompts.c.scheduled_at, stretch) for stretch in stretches))
    asked = select(prompts.c.id).where(prompts.c.subject == subject, due)
    inside = or_(corrections.c.prompt.in_(asked), *(_inside(corrections.c.at, stretch) for stretch in reach))
    query = (
        select(corrections.c.at)
        .where(corrections.c.subject == subject, corrections.c.target == target, inside)
        .order_by(corrections.c.at)
    )
    return list(connection.execute(query).scalars())


def conditions(
    connection: Connection, subject: str, participant: str, stretch: Stretch
) -> dict[Table, ColumnElement[bool]]:
    """The condition that finds the rows that speak of a stretch, for each table that has any; children first.

    An answer goes with its question. What a learner learned goes where it looked at anything in the stretch, and what a
    rater said of a clip where any of its pictures lies in it.
    """
    asked = select(prompts.c.id).where(prompts.c.subject == subject, _inside(prompts.c.scheduled_at, stretch))
    seen = select(observations.c.id).where(
        observations.c.subject == subject, _inside(observations.c.at, stretch)
    )
    said = or_(_inside(corrections.c.at, stretch), func.coalesce(corrections.c.prompt.in_(asked), false()))
    about: Select[int] = select(corrections.c.id).where(
        corrections.c.subject == subject,
        or_(
            said,
            func.coalesce(corrections.c.observation.in_(seen), false()),
            # Between the first thing looked at and the moment itself lies something of the stretch.
            and_(
                corrections.c.at >= stretch.start,
                func.coalesce(learning_events.c.seen_from < stretch.end, false()),
            ),
        ),
    )
    mine = owned(subject, participant)
    chosen: Mapping[Table, ColumnElement[bool]] = {
        observations: _inside(observations.c.at, stretch),
        contexts: _inside(contexts.c.at, stretch),
        prompts: _inside(prompts.c.scheduled_at, stretch),
        corrections: said,
        learning_events: learning_events.c.correction.in_(about),
        drifts: _inside(drifts.c.at, stretch),
        # A vote and a trace on a clip go with their task: they hang on its first picture, and speak of them all.
        rating_tasks: or_(
            _clips_in(stretch), rating_tasks.c.id.in_(_followed_in(connection, subject, stretch))
        ),
        hidden: and_(hidden.c.starts_at >= stretch.start, hidden.c.ends_at <= stretch.end),
    }
    return with_dependents({table: and_(mine[table], inside) for table, inside in chosen.items()})


def counts(connection: Connection, subject: str, participant: str, stretch: Stretch) -> dict[str, int]:
    """How many rows speak of a stretch, by table; tables without any are left out."""
    found = {
        table.name: count(connection, table, there)
        for table, there in conditions(connection, subject, participant, stretch).items()
    }
    return {name: n for name, n in found.items() if n}


def delete(connection: Connection, subject: str, participant: str, stretch: Stretch) -> dict[str, int]:
    """Delete the rows that speak of a stretch; return how many by table."""
    gone = conditions(connection, subject, participant, stretch)
    return delete_rows(connection, owned(subject, participant), gone)


def sampled_in(connection: Connection, subject: str, stretch: Stretch) -> list[str]:
    """The first and the last instant in a stretch that traces speak of, as they are written in a trace."""
    start, end = to_microseconds(stretch.start), to_microseconds(stretch.end)
    found = [
        sample[0]
        for _, samples in _traces(connection, subject)
        for sample in samples
        if start <= sample[0] < end
    ]
    return [str(at) for at in sorted({min(found), max(found)})] if found else []


def rewrite_learned(
    connection: Connection, subject: str, rewrite: Callable[[str, Seen, datetime, datetime], Seen]
) -> int:
    """Rewrite what was seen when something was learned, by target, moment and observation; return how many changed.

    Nobody but erasure may do this.
    """
    e = learning_events.c
    seen_at = func.coalesce(observations.c.at, corrections.c.at)
    names = [e[name] for name in seen_columns(Seen({}))]
    query = (
        select(e.id, e.target, corrections.c.at, seen_at, *names)
        .join(corrections, corrections.c.id == e.correction)
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .where(e.subject == subject)
    )
    changed = 0
    for number, target, said, seen, *values in connection.execute(query).all():
        before = Seen(*values)
        after = rewrite(target, before, said, seen)
        if after != before:
            statement = update(learning_events).where(e.id == number)
            connection.execute(statement.values(**seen_columns(after)))
            changed += 1
    return changed


def _clips_in(stretch: Stretch) -> ColumnElement[bool]:
    """The condition that finds the clips one of whose pictures lies in a stretch."""
    first, other = observations.alias("clip_first"), observations.alias("clip_other")
    return and_(
        rating_tasks.c.kind == CLIP,
        select(first.c.id)
        .join(other, and_(other.c.subject == first.c.subject, other.c.source == first.c.source))
        .where(
            first.c.id == rating_tasks.c.observation,
            # No clip that began longer before the stretch reaches into it.
            first.c.at > stretch.start - CLIP_LENGTH,
            other.c.at >= first.c.at,
            _inside(other.c.at, stretch),
        )
        .correlate(rating_tasks)
        .exists(),
    )


def _followed_in(connection: Connection, subject: str, stretch: Stretch) -> list[str]:
    """The tasks that a trace follows through a stretch: its pictures may have been forgotten since it was drawn."""
    start, end = to_microseconds(stretch.start), to_microseconds(stretch.end)
    return sorted(
        {
            task
            for task, samples in _traces(connection, subject)
            if samples and samples[0][0] < end and samples[-1][0] >= start
        }
    )


def _traces(connection: Connection, subject: str) -> list[tuple[str, Sequence[Sequence[int]]]]:
    query = select(rating_traces.c.task, rating_traces.c.samples).where(rating_traces.c.subject == subject)
    return [(row.task, row.samples) for row in connection.execute(query)]


def _inside(at: ColumnElement[datetime], stretch: Stretch) -> ColumnElement[bool]:
    return and_(at >= stretch.start, at < stretch.end)
