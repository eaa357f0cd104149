"""Queries about what learners learned, in the order in which they learned it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, false, func, or_, select

from tracker.domain.affect import Distribution
from tracker.domain.consent import Permit, Scope, Use
from tracker.store.feedback import ended_at, insert_row
from tracker.store.hiding import unhidden_correction
from tracker.store.rows import EMOTION_COLUMNS, to_columns
from tracker.store.seen import JudgedRow, Label, Seen, damaged, label_of, plain, prediction_of, seen_columns
from tracker.store.tables import corrections, learning_events, observations, prompts


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """A learning event as stored: what a learner is rebuilt from, bit for bit.

    Attributes
    ----------
    predicted
        What the learner said before it knew: a distribution, a probability, or a mean with its spread; None, as is
        what the network said, where neither was asked for.
    said_at, seen_at
        The moment that the correction speaks of, and the one that the features were seen at: that of the
        observation spoken of, where there is one; the earliest of those looked at, where there are several.
    ended_at
        When its correction was superseded, or None.
    prompted
        Whether its correction answers a prompt, and so rests on the scope `prompts` too.
    rated
        Whether it was put together from what raters said, and so rests on the scopes that let them see it.
    prompted_at
        When the prompt that its correction answers fell due, or None.
    """

    id: int
    correction: int
    seen: Seen
    label: Label
    weight: float
    predicted: Any
    machine: Distribution | None
    recorded_at: datetime
    said_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    prompted: bool
    rated: bool = False
    prompted_at: datetime | None = None

    @property
    def features(self) -> Mapping[str, float]:
        """What it was learned from."""
        return self.seen.features

    @property
    def at(self) -> datetime:
        """The instant that a grant must cover: the earlier of the two."""
        return min(self.said_at, self.seen_at)


@dataclass(frozen=True, slots=True)
class PastRow:
    """A moment of the past with what was said about it: what histories are made of."""

    at: datetime
    seen_from: datetime | None
    situation: dict[str, Any]
    value: float
    weight: float
    prompted: bool


def add_learned(
    connection: Connection,
    permit: Permit,
    subject: str,
    target: str,
    *,
    correction: int,
    seen: Seen,
    label: Label,
    weight: float,
    predicted: Distribution | float | Sequence[float],
    machine: Distribution | None,
    snapshot_before: int,
    now: datetime,
) -> int:
    """Append what was learned, with what the learner predicted before it learned; return its position.

    Raises
    ------
    NotCoveredError
        When the moment corrected, or an observation looked at, lies before what the grant covers.
    """
    permit.demand(Use.LEARN)
    for at in (*moments_of(connection, correction), seen.seen_from):
        if at is not None:
            permit.demand_covers(at)
    said = label if isinstance(label, Distribution) else None
    return insert_row(
        connection,
        learning_events,
        subject=subject,
        correction=correction,
        target=target,
        **seen_columns(seen),
        **to_columns(said),
        value=None if said is not None else label,
        weight=weight,
        predicted=plain(predicted),
        machine=plain(machine),
        snapshot_before=snapshot_before,
        grant_id=permit.grant(Scope.PERSONAL_LEARNING),
        recorded_at=now,
    )


SITUATION = ("day", "hour", "weekday", "numbers", "words")
"""What is kept of every moment, for the histories of later ones."""

_RESTS_ON = ("seen_from", "past_from", "context_from", "prompts_from")


def cuts(connection: Connection, events: Sequence[int]) -> dict[int, dict[str, dict[str, float]]]:
    """What the features of some learning events would have been without something, by event.

    Apart from the events because it is as large as they are, and needed only where something was withdrawn.

    Raises
    ------
    DamagedLogError
        When one of them cannot be read.
    """
    if not events:
        return {}
    query = select(learning_events.c.id, learning_events.c.cut).where(learning_events.c.id.in_(events))
    found = {}
    for row in connection.execute(query).mappings():
        if not isinstance(row["cut"], dict):
            raise damaged(row, TypeError())
        found[row["id"]] = row["cut"]
    return found


def moments_of(connection: Connection, correction: int) -> tuple[datetime, datetime]:
    """The moment that a correction speaks of, and that of its observation (the same where it has none)."""
    query = (
        select(corrections.c.at, func.coalesce(observations.c.at, corrections.c.at))
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .where(corrections.c.id == correction)
    )
    said, seen = connection.execute(query).one()
    return said, seen


def learned_since(
    connection: Connection, subject: str, target: str, since: datetime, *, predictions: bool = True
) -> list[LearnedRow]:
    """Learning events recorded since an instant, in recording order, each with when it was superseded.

    Parameters
    ----------
    predictions
        Whether to read what the learner and the network had said before. Who learns the events again needs neither,
        and a rebase reads so many that it counts.

    Raises
    ------
    DamagedLogError
        When one of them cannot be read.
    """
    unread = {"situation", "cut"} if predictions else {"situation", "cut", "predicted", "machine"}
    query = (
        _events(
            *(c for c in learning_events.c if c.name not in unread),
            _seen_at().label("seen_at"),
            prompts.c.scheduled_at.label("prompted_at"),
        )
        .outerjoin(observations, observations.c.id == corrections.c.observation)
        .outerjoin(prompts, prompts.c.id == corrections.c.prompt)
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            learning_events.c.recorded_at >= since,
        )
        .order_by(learning_events.c.id)
    )
    return [_learned(row, predictions) for row in connection.execute(query).mappings()]


def past(
    connection: Connection, subject: str, target: str, *, since: datetime, at: datetime
) -> list[PastRow]:
    """What was said about moments of [since, at) by `at`, and stood then; in order of the moment."""
    query = (
        _events(*(learning_events.c[n] for n in ("id", "situation", "value", "weight", "seen_from")))
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            # What a file of another program brought counts as said when it was said, not when it was brought.
            or_(learning_events.c.recorded_at <= at, corrections.c.imported_from.is_not(None)),
            corrections.c.at >= since,
            corrections.c.at < at,
            unhidden_correction(),
        )
        .order_by(corrections.c.at, learning_events.c.id)
    )
    found = [row for row in connection.execute(query).mappings() if not _ended(row["ended_at"], at)]
    return [_past(row) for row in found]


def judged(connection: Connection, subject: str, target: str, *, after: datetime) -> list[JudgedRow]:
    """Predictions and answers recorded after an instant, in recording order, without what was superseded since.

    Raises
    ------
    DamagedLogError
        When one of them cannot be read.
    """
    names = ("id", "predicted", "value", "recorded_at", *EMOTION_COLUMNS)
    query = (
        _events(*(learning_events.c[n] for n in names))
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            learning_events.c.recorded_at > after,
            unhidden_correction(),
        )
        .order_by(learning_events.c.id)
    )
    found = []
    for row in connection.execute(query).mappings():
        if row["ended_at"] is None:
            try:
                found.append(JudgedRow(prediction_of(row["predicted"]), label_of(row), row["recorded_at"]))
            except (TypeError, ValueError) as error:
                raise damaged(row, error) from error
    return found


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a learner and the network said of a moment before they knew, and what was said of it.

    Attributes
    ----------
    at
        The moment.
    machine
        What the network had read; None where it had read nothing.
    shown
        Whether whoever answered saw an estimate while they did.
    prompted, drawn
        Whether it answers a prompt, and one whose moment chance had chosen.
    """

    at: datetime
    predicted: Any
    label: Label
    machine: Distribution | None
    shown: bool
    prompted: bool
    drawn: bool
    recorded_at: datetime


def foretold(connection: Connection, subject: str, target: str, *, since: datetime) -> list[Foretold]:
    """What was foretold and answered by the participant since an instant, in recording order.

    Without what was superseded since, and what is hidden.

    Raises
    ------
    DamagedLogError
        When one of them cannot be read.
    """
    names = ("id", "predicted", "machine", "value", "recorded_at", *EMOTION_COLUMNS)
    query = (
        _events(
            *(learning_events.c[n] for n in names),
            corrections.c.suggestion_shown,
            func.coalesce(prompts.c.random, false()).label("drawn"),
        )
        .outerjoin(prompts, prompts.c.id == corrections.c.prompt)
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            learning_events.c.recorded_at >= since,
            corrections.c.rater == "participant",
            unhidden_correction(),
        )
        .order_by(learning_events.c.id)
    )
    return [_foretold(row) for row in connection.execute(query).mappings() if row["ended_at"] is None]


def marks(connection: Connection, subject: str, target: str, since: datetime) -> list[tuple[int, bool]]:
    """The learning events recorded since an instant and whether each still stands: what changes when they do."""
    query = (
        _events(learning_events.c.id)
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            learning_events.c.recorded_at >= since,
        )
        .order_by(learning_events.c.id)
    )
    return [(row.id, row.ended_at is None) for row in connection.execute(query)]


def targets(connection: Connection, subject: str) -> list[str]:
    """The targets that a subject's learners have learned something of."""
    query = select(learning_events.c.target).where(learning_events.c.subject == subject).distinct()
    return sorted(connection.execute(query).scalars())


def _events(*columns: Any) -> Select[Any]:
    return select(
        *columns,
        corrections.c.at.label("said_at"),
        ended_at().label("ended_at"),
        corrections.c.prompt.is_not(None).label("prompted"),
        corrections.c.rated_grant.is_not(None).label("rated"),
    ).join(corrections, corrections.c.id == learning_events.c.correction)


def _seen_at() -> ColumnElement[datetime]:
    return func.coalesce(learning_events.c.seen_from, observations.c.at, corrections.c.at)


def _ended(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _past(row: Any) -> PastRow:
    try:
        situation = row["situation"]
        return PastRow(
            row["said_at"],
            row["seen_from"],
            {**situation, **{name: situation[name] for name in SITUATION}},
            float(row["value"]),
            float(row["weight"]),
            row["prompted"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(row, error) from error


def _foretold(row: Any) -> Foretold:
    try:
        machine = row["machine"]
        return Foretold(
            at=row["said_at"],
            predicted=prediction_of(row["predicted"]),
            label=label_of(row),
            machine=Distribution(tuple(machine)) if machine is not None else None,
            shown=row["suggestion_shown"],
            prompted=row["prompted"],
            drawn=bool(row["drawn"]),
            recorded_at=row["recorded_at"],
        )
    except (TypeError, ValueError) as error:
        raise damaged(row, error) from error


def _learned(row: Any, predictions: bool) -> LearnedRow:
    try:
        features, machine = row["features"], row["machine"] if predictions else None
        if not isinstance(features, dict):
            raise TypeError("its features are none")
        return LearnedRow(
            id=row["id"],
            correction=row["correction"],
            seen=Seen(features, **{name: row[name] for name in _RESTS_ON}),
            label=label_of(row),
            weight=float(row["weight"]),
            predicted=prediction_of(row["predicted"]) if predictions else None,
            machine=Distribution(tuple(machine)) if machine is not None else None,
            recorded_at=row["recorded_at"],
            said_at=row["said_at"],
            seen_at=row["seen_at"],
            ended_at=row["ended_at"],
            prompted=row["prompted"],
            rated=row["rated"],
            prompted_at=row["prompted_at"],
        )
    except (TypeError, ValueError) as error:
        raise damaged(row, error) from error
