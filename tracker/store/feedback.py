"""Queries about contexts, prompts and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, func, insert, or_, select, union_all
from sqlalchemy.orm import aliased

from tracker.domain.affect import Distribution
from tracker.domain.consent import RATE, Permit, Scope, Use
from tracker.domain.series import CONTEXT_HOLDS, Context, Correction, Prompt
from tracker.store.rows import EMOTION_COLUMNS, from_columns, to_columns, upsert
from tracker.store.tables import contexts, corrections, hidden, prompts

PARTICIPANT = "participant"
"""How a participant's own corrections name who said them."""


@dataclass(frozen=True, slots=True)
class RatedWord:
    """What raters said together of a moment: the correction's number, as whom they are named, the word, and when."""

    id: int
    rater: str
    said: Distribution
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A correction as stored."""

    id: int
    observation: int | None
    at: datetime
    target: str
    value: float | None
    distribution: Distribution | None
    rater: str
    supersedes: int | None
    recorded_at: datetime
    prompt: int | None = None


def add_context(
    connection: Connection, permit: Permit, subject: str, zone: str, context: Context, now: datetime
) -> int:
    """Append a context event; return its id."""
    permit.demand(Use.KEEP_CONTEXT)
    permit.demand_covers(context.at)
    return insert_row(
        connection,
        contexts,
        subject=subject,
        zone=zone,
        at=context.at,
        place=context.place,
        activity=context.activity,
        company=context.company,
        key=context.key,
        imported_from=context.imported_from,
        grant_id=permit.grant(Scope.CONTEXT),
        recorded_at=now,
    )


def contexts_between(connection: Connection, subject: str, start: datetime, end: datetime) -> list[Context]:
    """Contexts that a learner may take for moments of [start, end], in order; the later recorded one last.

    Those that the participant hides are none.
    """
    hides = select(hidden.c.id).where(
        hidden.c.subject == contexts.c.subject,
        hidden.c.starts_at <= contexts.c.at,
        hidden.c.ends_at > contexts.c.at,
        hidden.c.shown_at.is_(None),
    )
    query = (
        select(contexts.c.at, contexts.c.place, contexts.c.activity, contexts.c.company)
        .where(
            contexts.c.subject == subject, contexts.c.at.between(start - CONTEXT_HOLDS, end), ~hides.exists()
        )
        .order_by(contexts.c.at, contexts.c.id)
    )
    return [Context(*row) for row in connection.execute(query)]


def put_prompt(
    connection: Connection, permit: Permit, subject: str, zone: str, prompt: Prompt, now: datetime
) -> int | None:
    """Keep one prompt per slot; return its id, or None when the slot has one already."""
    permit.demand(Use.PROMPT)
    permit.demand_covers(prompt.scheduled_at)
    statement = (
        upsert(connection, prompts)
        .values(
            subject=subject,
            slot=prompt.slot,
            zone=zone,
            scheduled_at=prompt.scheduled_at,
            notified_at=prompt.notified_at,
            started_at=prompt.started_at,
            completed_at=prompt.completed_at,
            state=prompt.state,
            reason=prompt.reason,
            random=prompt.random,
            expires_at=prompt.expires_at,
            reminded_at=prompt.reminded_at,
            reminders=prompt.reminders,
            ended_at=prompt.ended_at,
            pushed_at=prompt.pushed_at,
            grant_id=permit.grant(Scope.PROMPTS),
            recorded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(prompts.c.id)
    )
    row: int | None = connection.execute(statement).scalar_one_or_none()
    return row


def subject_of_prompt(connection: Connection, prompt: int) -> str | None:
    """Whose prompt this is."""
    query = select(prompts.c.subject).where(prompts.c.id == prompt)
    return connection.execute(query).scalar_one_or_none()


def add_correction(
    connection: Connection,
    permit: Permit,
    subject: str,
    zone: str,
    correction: Correction,
    now: datetime,
    *,
    observation: int | None,
    prompt: int | None = None,
    supersedes: int | None = None,
    rated: Permit | None = None,
) -> int:
    """Append a correction; return its id.

    Parameters
    ----------
    rated
        For one of `RATE`, where the word was put together from what raters said.
    """
    if permit.use is not Use.PROMPT:
        permit.demand(Use.CORRECT)
    permit.demand_covers(correction.at)
    if rated is not None:
        rated.demand(*RATE)
        rated.demand_covers(correction.at)
    return insert_row(
        connection,
        corrections,
        subject=subject,
        zone=zone,
        observation=observation,
        prompt=prompt,
        at=correction.at,
        target=correction.target,
        value=correction.value,
        **to_columns(correction.distribution),
        rater=correction.rater,
        suggestion_shown=correction.suggestion_shown,
        intensity=correction.intensity,
        response_ms=correction.response_ms,
        key=correction.key,
        imported_from=correction.imported_from,
        supersedes=supersedes,
        rated_grant=None if rated is None else rated.grant(Scope.SHARE_WITH_RATERS),
        grant_id=permit.grant(Scope.AFFECT_SERIES if prompt is None else Scope.PROMPTS),
        recorded_at=now,
    )


def standing_correction(
    connection: Connection, subject: str, target: str, rater: str, *, observation: int | None, at: datetime
) -> int | None:
    """The newest standing correction by the same rater of the same moment, or None.

    The participant's own word takes the place of what raters said together, too. There may be two, one of the
    instant and one of the observation; a new one replaces both (`_replaces`).
    """
    # A moment that had no observation when it was corrected first may have one by now.
    same = corrections.c.at == at
    if observation is not None:
        same = or_(same, corrections.c.observation == observation)
    query = (
        _standing()
        .where(
            corrections.c.subject == subject,
            corrections.c.target == target,
            _of_rater(rater),
            same,
        )
        .order_by(corrections.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else row["id"]


def standing_corrections(
    connection: Connection,
    subject: str,
    start: datetime,
    end: datetime,
    target: str | None = None,
    *,
    horizons: Mapping[Scope, datetime] = MappingProxyType({}),
    rated: bool = False,
) -> list[CorrectionRow]:
    """Corrections of moments in [start, end) that were not superseded, in order of the moment.

    Parameters
    ----------
    rated
        Whether what raters said together is among them; else it is the participant's own word alone.
    horizons
        From which instant on what rests on a scope may be read; `Unit.horizons` says it.
    """
    query = _standing().where(
        corrections.c.subject == subject, corrections.c.at >= start, corrections.c.at < end
    )
    if target is not None:
        query = query.where(corrections.c.target == target)
    if not rated:
        query = query.where(corrections.c.rated_grant.is_(None))
    unasked = corrections.c.prompt.is_(None)
    for scope, ours in ((Scope.AFFECT_SERIES, unasked), (Scope.PROMPTS, ~unasked)):
        if scope in horizons:
            query = query.where(~ours | (corrections.c.at >= horizons[scope]))
    rows = connection.execute(query.order_by(corrections.c.at, corrections.c.id)).mappings()
    return [
        CorrectionRow(
            r["id"],
            r["observation"],
            r["at"],
            r["target"],
            r["value"],
            from_columns(dict(r)),
            r["rater"],
            r["supersedes"],
            r["recorded_at"],
            r["prompt"],
        )
        for r in rows
    ]


def _standing() -> Any:
    return select(corrections).where(*_unreplaced())


def _unreplaced() -> list[ColumnElement[bool]]:
    newer = aliased(corrections, name="newer")
    # One search for each way to be replaced, as in `ended_at`.
    ways = _same_moment(newer)
    return [
        ~select(newer.c.id).where(_same_kind(newer), same).correlate(corrections).exists() for same in ways
    ]


def replaces(newer: Any) -> ColumnElement[bool]:
    """The condition under which a correction `newer` has taken the place of a correction."""
    # A word can name only one that it supersedes, and take the place of two: of one said about the very
    # instant, and of one about the observation that has come since.
    return and_(_same_kind(newer), or_(*_same_moment(newer)))


def ended_at() -> ScalarSelect[Any]:
    """When a correction was first replaced, or NULL."""
    newer = aliased(corrections, name="newer")
    # One search for each way to be replaced: of the three in one condition, databases go through all that a person
    # ever said, for each of their words.
    ways = union_all(
        *(
            select(newer.c.recorded_at).where(_same_kind(newer), same).correlate(corrections)
            for same in _same_moment(newer)
        )
    ).subquery("ends")
    return select(func.min(ways.c.recorded_at)).scalar_subquery()


def _same_kind(newer: Any) -> ColumnElement[bool]:
    return and_(
        newer.c.subject == corrections.c.subject,
        newer.c.target == corrections.c.target,
        or_(
            newer.c.rater == corrections.c.rater,
            # What raters said together gives way to what they say together later, and to the participant's own word.
            and_(
                corrections.c.rated_grant.is_not(None),
                or_(newer.c.rated_grant.is_not(None), newer.c.rater == PARTICIPANT),
            ),
        ),
        newer.c.id > corrections.c.id,
    )


def _of_rater(rater: str) -> ColumnElement[bool]:
    if rater == PARTICIPANT:
        return or_(corrections.c.rater == rater, corrections.c.rated_grant.is_not(None))
    return corrections.c.rater == rater


def rated_words(connection: Connection, subject: str, observation: int | None = None) -> dict[int, RatedWord]:
    """What stands said by raters together, by observation; of one alone, where it is named."""
    c = corrections.c
    query = select(c.id, c.observation, c.rater, c.recorded_at, *(c[n] for n in EMOTION_COLUMNS)).where(
        c.subject == subject,
        c.rated_grant.is_not(None),
        c.observation.is_not(None) if observation is None else c.observation == observation,
        *_unreplaced(),
    )
    found = {}
    for row in connection.execute(query.order_by(c.id)).mappings():
        if (said := from_columns(dict(row))) is not None:
            found[row["observation"]] = RatedWord(row["id"], row["rater"], said, row["recorded_at"])
    return found


def own_words(
    connection: Connection, subject: str, observation: int | None = None
) -> dict[int, Distribution]:
    """What the participant says of their emotion at observations, where it stands; at one alone, where it is named."""
    query = _standing().where(
        corrections.c.subject == subject,
        corrections.c.target == "emotion",
        corrections.c.rater == PARTICIPANT,
        corrections.c.observation.is_not(None)
        if observation is None
        else corrections.c.observation == observation,
    )
    rows = connection.execute(query.order_by(corrections.c.id)).mappings()
    found = ((row["observation"], from_columns(dict(row))) for row in rows)
    return {at: said for at, said in found if said is not None}


def _same_moment(newer: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        newer.c.supersedes == corrections.c.id,
        newer.c.at == corrections.c.at,
        newer.c.observation == corrections.c.observation,
    )


def insert_row(connection: Connection, table: Any, **values: Any) -> int:
    """Insert one row; return its id."""
    result: int = connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()
    return result
