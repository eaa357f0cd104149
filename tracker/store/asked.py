"""Queries about what was asked and what came of it: where a day stands, and how right a learner was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from tracker.domain.consent import Permit, Use
from tracker.store.feedback import replaces
from tracker.store.hiding import unhidden_correction
from tracker.store.seen import damaged, prediction_of
from tracker.store.tables import corrections, learning_events, prompts


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer to a prompt, with what a learner said before it knew.

    Attributes
    ----------
    predicted
        What the learner said.
    said
        What the person said.
    features
        What the learner saw.
    random
        Whether the prompt was drawn at random.
    reason
        Why it was put, or None.
    """

    predicted: Any
    said: float
    features: Mapping[str, float]
    random: bool = False
    reason: str | None = None


def put_since(connection: Connection, permit: Permit, subject: str, since: datetime) -> list[datetime]:
    """When questions were put from an instant on, in order; those only planned are none."""
    permit.demand(Use.PROMPT)
    query = (
        select(prompts.c.notified_at)
        .where(prompts.c.subject == subject, prompts.c.notified_at >= since)
        .order_by(prompts.c.notified_at)
    )
    return list(connection.execute(query).scalars())


def first_put(connection: Connection, permit: Permit, subject: str) -> datetime | None:
    """When the first question was put, or None."""
    permit.demand(Use.PROMPT)
    query = select(func.min(prompts.c.notified_at)).where(prompts.c.subject == subject)
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def judged_answers(
    connection: Connection, permit: Permit, subject: str, target: str, *, since: datetime
) -> list[JudgedAnswer]:
    """Standing answers to prompts about moments from an instant on, in recording order.

    Raises
    ------
    DamagedLogError
        When one of them cannot be read.
    """
    permit.demand(Use.LEARN)
    newer = aliased(corrections, name="newer")
    seen = (learning_events.c[n] for n in ("id", "predicted", "value", "features"))
    query = (
        select(*seen, prompts.c.random, prompts.c.reason)
        .join(corrections, corrections.c.id == learning_events.c.correction)
        .join(prompts, prompts.c.id == corrections.c.prompt)
        .where(
            learning_events.c.subject == subject,
            learning_events.c.target == target,
            corrections.c.at >= since,
            unhidden_correction(),
            ~select(newer.c.id).where(replaces(newer)).exists(),
        )
        .order_by(learning_events.c.id)
    )
    found = []
    for row in connection.execute(query).mappings():
        try:
            said, features = float(row["value"]), dict(row["features"])
            predicted = prediction_of(row["predicted"])
            found.append(JudgedAnswer(predicted, said, features, row["random"], row["reason"]))
        except (TypeError, ValueError) as error:
            raise damaged(row, error) from error
    return found
