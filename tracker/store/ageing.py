"""Which rows are past a scope's retention: the moment that a row speaks of decides, not when it was stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    and_,
    cast,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from tracker.domain.consent import Scope
from tracker.domain.series import CONTEXT_HOLDS, MACHINE
from tracker.store.erasing import count, owned
from tracker.store.extents import delete_rows, with_dependents
from tracker.store.summaries import PERSONAL_SERIES, bucket_of, summarise_again
from tracker.store.tables import (
    contexts,
    corrections,
    crops,
    drifts,
    estimates,
    frames,
    learning_events,
    notes,
    observations,
    prompts,
    snapshots,
    summaries,
    zones,
)
from tracker.store.types import Instant

Horizons = Mapping[Scope, datetime]
"""From which instant on rows of a scope are kept; a scope that is not there keeps all of them."""


NOTHING_AGES: Horizons = MappingProxyType({})
"""The horizons of a study without retention."""


def readable(table: Table, horizons: Horizons) -> ColumnElement[bool]:
    """The condition under which a row of a table may be read: neither past its retention nor a copy of what is.

    Copies lie in what learners learned from, and in their parameters; the next run cuts them out, and until then
    nobody reads them.
    """
    if not horizons:
        return true()
    past = with_dependents({**_past(horizons), **_copies(horizons)}).get(table)
    return true() if past is None else func.coalesce(past, false()).is_(False)


def delete_before(
    connection: Connection, subject: str, participant: str, horizons: Horizons
) -> dict[str, int]:
    """Delete a person's rows that are past their retention; return how many by table.

    A correction that stays loses the observation that goes, and one that replaced a correction that goes replaces
    what that one had replaced. Sums of a quarter hour that was cut are made anew.
    """
    mine = owned(subject, participant)
    chosen = {table: and_(mine[table], past) for table, past in _past(horizons).items()}
    counts = delete_rows(connection, mine, with_dependents(chosen))
    cuts = [horizons[s] for s in (Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING) if s in horizons]
    for at in cuts if counts.keys() & {"observations", "estimates"} else ():
        summarise_again(connection, subject, at, at)
    return counts


def rewrite_features(
    connection: Connection,
    subject: str,
    target: str,
    rewrite: Callable[[Mapping[str, float], datetime], Mapping[str, float]],
) -> int:
    """Rewrite the features that a learner of moments learned from, by moment; return how many rows changed."""
    seen_at = func.coalesce(observations.c.at, corrections.c.at)
    query = (
        select(learning_events.c.id, learning_events.c.features, seen_at.label("at"))
        .join(corrections, corrections.c.id == learning_events.c.correction)
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .where(learning_events.c.subject == subject, learning_events.c.target == target)
    )
    changed = 0
    for number, before, at in connection.execute(query).all():
        after = dict(rewrite(before, at)) if isinstance(before, dict) else before
        if after != before:
            statement = update(learning_events).where(learning_events.c.id == number)
            connection.execute(statement.values(features=after))
            changed += 1
    return changed


def _copies(horizons: Horizons) -> dict[Table, ColumnElement[bool]]:
    """What was learned from something past its retention, or holds a copy of it, and the learners that know it."""
    event, context = learning_events.c, horizons.get(Scope.CONTEXT)
    past = [
        _before(event.past_from, horizons.get(scope))
        for scope in (Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING, Scope.PROMPTS)
    ]
    # A learner of moments keeps no instant of its contexts, but each of its moments lies within reach of them.
    spoken = (
        select(corrections.c.id)
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .where(
            _before(
                func.coalesce(observations.c.at, corrections.c.at, type_=Instant()),
                None if context is None else context + CONTEXT_HOLDS,
            )
        )
    )
    copied = or_(
        _past(horizons)[learning_events],
        *past,
        _before(event.context_from, context),
        and_(cast(event.features, Text).contains("context_age"), event.correction.in_(spoken)),
    )
    known = learning_events.alias("known")
    knows = select(known.c.id).where(
        known.c.subject == snapshots.c.subject,
        known.c.target == snapshots.c.target,
        known.c.id.in_(select(event.id).where(copied)),
    )
    return {learning_events: copied, snapshots: knows.exists()}


def count_before(connection: Connection, horizons: Horizons) -> dict[str, int]:
    """How many rows of anybody are past their retention, by table; tables without any are left out."""
    counts = {
        table.name: count(connection, table, past) for table, past in with_dependents(_past(horizons)).items()
    }
    return {name: n for name, n in counts.items() if n}


def _past(horizons: Horizons) -> dict[Table, ColumnElement[bool]]:
    series, learning = horizons.get(Scope.AFFECT_SERIES), horizons.get(Scope.PERSONAL_LEARNING)
    answers = horizons.get(Scope.PROMPTS)
    said = or_(
        and_(corrections.c.prompt.is_(None), _before(corrections.c.at, series)),
        and_(corrections.c.prompt.is_not(None), _before(corrections.c.at, answers)),
    )
    # What was said about a moment that is kept names its question: both go together.
    asked = select(corrections.c.prompt).where(corrections.c.prompt.is_not(None), ~said)
    learned = select(corrections.c.id).outerjoin(observations, corrections.c.observation == observations.c.id)
    return {
        summaries: or_(
            _before(summaries.c.bucket, _bucket(series)),
            and_(summaries.c.series == PERSONAL_SERIES, _before(summaries.c.bucket, _bucket(learning))),
        ),
        estimates: and_(
            estimates.c.snapshot != MACHINE,
            estimates.c.observation.in_(_ids(observations, _before(observations.c.at, learning))),
        ),
        crops: crops.c.observation.in_(
            _ids(observations, _before(observations.c.at, horizons.get(Scope.FACE_CROPS)))
        ),
        frames: frames.c.observation.in_(
            _ids(observations, _before(observations.c.at, horizons.get(Scope.RAW_VIDEO)))
        ),
        notes: notes.c.correction.in_(
            _ids(corrections, _before(corrections.c.at, horizons.get(Scope.NOTES)))
        ),
        learning_events: or_(
            _before(learning_events.c.seen_from, series),
            learning_events.c.correction.in_(
                learned.where(or_(_before(corrections.c.at, learning), _before(observations.c.at, series)))
            ),
        ),
        drifts: _before(drifts.c.at, learning),
        corrections: said,
        observations: _before(observations.c.at, series),
        contexts: _before(contexts.c.at, horizons.get(Scope.CONTEXT)),
        prompts: and_(_before(prompts.c.scheduled_at, answers), prompts.c.id.not_in(asked)),
        zones: _before(zones.c.since, answers),
    }


def _ids(table: Table, condition: ColumnElement[bool]) -> Select[int]:
    return select(table.c.id).where(condition)


def _bucket(at: datetime | None) -> datetime | None:
    return None if at is None else bucket_of(at)


def _before(column: ColumnElement[datetime], at: datetime | None) -> ColumnElement[bool]:
    return false() if at is None else column < at
