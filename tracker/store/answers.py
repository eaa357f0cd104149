"""Queries about answers: the words and the context that were stored together under one random key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from tracker.store.seen import prediction_of
from tracker.store.tables import contexts, corrections, learning_events, notes


@dataclass(frozen=True, slots=True)
class StoredWord:
    """One word of an answer that is there already.

    Attributes
    ----------
    predicted, features
        What the learner said before it knew, and of what; None where it learned nothing from it.
    """

    correction: int
    target: str
    at: datetime
    observation: int | None
    supersedes: int | None
    noted: bool
    predicted: Any = None
    features: Mapping[str, float] | None = None


def words_of(connection: Connection, subject: str, key: str) -> list[StoredWord]:
    """The words that a subject's answer with a key left here, in the order in which they were stored."""
    told, heard = corrections.c, learning_events.c
    query = (
        select(
            told.id,
            told.target,
            told.at,
            told.observation,
            told.supersedes,
            notes.c.id.label("note"),
            heard.predicted,
            heard.features,
        )
        .outerjoin(learning_events, heard.correction == told.id)
        .outerjoin(notes, notes.c.correction == told.id)
        .where(told.subject == subject, told.key == key)
        .order_by(told.id)
    )
    found = []
    for row in connection.execute(query).mappings():
        predicted = features = None
        # What cannot be read is missed here and told elsewhere: the answer is there all the same.
        with suppress(TypeError, ValueError):
            if row["features"] is not None:
                predicted, features = prediction_of(row["predicted"]), dict(row["features"])
        found.append(
            StoredWord(
                row["id"],
                row["target"],
                row["at"],
                row["observation"],
                row["supersedes"],
                row["note"] is not None,
                predicted,
                features,
            )
        )
    return found


def context_of(connection: Connection, subject: str, key: str) -> datetime | None:
    """From when on the context of a subject's answer with a key holds, or None where it has none."""
    query = select(contexts.c.at).where(contexts.c.subject == subject, contexts.c.key == key)
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found
