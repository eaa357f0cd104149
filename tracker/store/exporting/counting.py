"""How many rows a person has, whatever consent says."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from tracker.domain.series import MACHINE
from tracker.store.ageing import NOTHING_AGES, Horizons, readable
from tracker.store.exporting.cutting import Cut
from tracker.store.tables import contexts, corrections, drifts, estimates, observations, prompts


def counts(
    connection: Connection, subject: str, cut: Cut, horizons: Horizons = NOTHING_AGES
) -> dict[str, int]:
    """How many rows a subject has in each table within the cut, whatever consent says.

    Those past the study's retention are none any more.

    Estimates of networks and of learners are counted apart, as ``estimates`` and ``learner_estimates``.
    """
    found = {
        table.name: connection.execute(_count_of(table, subject, cut, horizons)).scalar_one()
        for table in (observations, contexts, prompts, drifts)
    }
    answers = _count_of(corrections, subject, cut, horizons)
    found["corrections"] = connection.execute(
        answers.where(corrections.c.prompt.is_(None), corrections.c.rated_grant.is_(None))
    ).scalar_one()
    found["answers"] = connection.execute(answers.where(corrections.c.prompt.is_not(None))).scalar_one()
    by_network = estimates.c.snapshot == MACHINE
    said = (
        select(func.count().filter(by_network), func.count().filter(~by_network))
        .join_from(estimates, observations, estimates.c.observation == observations.c.id)
        .where(
            observations.c.subject == subject,
            cut.of(observations),
            cut.of(estimates),
            readable(estimates, horizons),
        )
    )
    found["estimates"], found["learner_estimates"] = connection.execute(said).one()
    return found


def _count_of(table: Table, subject: str, cut: Cut, horizons: Horizons) -> Select[Any]:
    mine = (table.c.subject == subject, cut.of(table), readable(table, horizons))
    return select(func.count()).select_from(table).where(*mine)
