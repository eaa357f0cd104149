"""Queries about priors: what learners start from, whose answers they were fitted on, and when they must go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from tracker.domain.consent import Permit, Scope, Use
from tracker.store.tables import prior_members, priors, snapshots


@dataclass(frozen=True, slots=True)
class PriorRow:
    """A prior as stored; `parameters` are empty where the row holds nothing that can be read."""

    id: str
    target: str
    parameters: dict[str, Any]
    people: int
    events: int
    fitted_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody whose answers are in a prior, and from when on what they allowed when it was fitted."""

    subject: str
    learn_since: datetime
    context_since: datetime | None
    prompts_since: datetime | None


def add(connection: Connection, row: PriorRow, members: Iterable[tuple[Permit, MemberRow]]) -> None:
    """Keep a prior with its manifest; each member's permit for `Use.POOL` shows that they may be in it."""
    rows = []
    for permit, member in members:
        permit.demand(Use.POOL)
        rows.append(
            {
                "prior": row.id,
                "subject": member.subject,
                "learn_since": member.learn_since,
                "context_since": member.context_since,
                "prompts_since": member.prompts_since,
                "grant_id": permit.grant(Scope.POOLED_LEARNING),
            }
        )
    connection.execute(
        insert(priors).values(
            id=row.id,
            target=row.target,
            parameters=row.parameters,
            people=row.people,
            events=row.events,
            fitted_at=row.fitted_at,
        )
    )
    connection.execute(insert(prior_members), rows)


def get(connection: Connection, prior: str) -> PriorRow | None:
    """Find a prior, retired or not."""
    row = connection.execute(_rows().where(priors.c.id == prior)).mappings().one_or_none()
    return None if row is None else _row(row)


def standing(connection: Connection, target: str) -> PriorRow | None:
    """The newest prior of a target that nobody has left."""
    query = (
        _rows()
        .where(priors.c.target == target, priors.c.retired_at.is_(None))
        .order_by(priors.c.fitted_at.desc(), priors.c.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _row(row)


def members(connection: Connection, prior: str) -> list[MemberRow]:
    """The manifest of a prior, in order of subject; those who were erased are not in it any more."""
    query = _members().where(prior_members.c.prior == prior).order_by(prior_members.c.subject)
    return [MemberRow(*row[1:]) for row in connection.execute(query)]


def memberships(connection: Connection, subject: str) -> dict[str, MemberRow]:
    """The priors that still stand and that hold something of a subject, by id."""
    query = (
        _members()
        .join(priors, priors.c.id == prior_members.c.prior)
        .where(prior_members.c.subject == subject, priors.c.retired_at.is_(None))
        .order_by(prior_members.c.prior)
    )
    return {row[0]: MemberRow(*row[1:]) for row in connection.execute(query)}


def retire(connection: Connection, gone: Iterable[str], now: datetime) -> int:
    """Mark priors as retired: nothing starts from them from this commit on; return how many were new."""
    statement = update(priors).where(priors.c.id.in_(sorted(gone)), priors.c.retired_at.is_(None))
    return connection.execute(statement.values(retired_at=now)).rowcount


def retire_of(connection: Connection, subject: str, now: datetime) -> int:
    """Retire every prior that holds something of a subject; return how many there are, retired before or now."""
    retire(connection, memberships(connection, subject), now)
    mine = prior_members.c.subject == subject
    return connection.execute(select(func.count()).select_from(prior_members).where(mine)).scalar_one()


def of_member(connection: Connection, subject: str) -> list[str]:
    """The ids of the priors that hold something of a subject, retired ones too."""
    query = select(prior_members.c.prior).where(prior_members.c.subject == subject)
    return list(connection.execute(query.order_by(prior_members.c.prior)).scalars())


def remains(connection: Connection, gone: Iterable[str]) -> bool:
    """Whether one of these priors is still here, or a learner that started from one."""
    ids = sorted(gone)
    here = select(priors.c.id).where(priors.c.id.in_(ids)).limit(1)
    return connection.execute(here).first() is not None or learners_of(connection, ids) > 0


def learners_of(connection: Connection, gone: Iterable[str]) -> int:
    """How many learners have a snapshot that started from one of these priors."""
    held = select(snapshots.c.subject, snapshots.c.target).where(snapshots.c.prior.in_(sorted(gone)))
    return connection.execute(select(func.count()).select_from(held.distinct().subquery())).scalar_one()


def retire_all_but(connection: Connection, targets: Iterable[str], now: datetime) -> int:
    """Retire the priors of all other targets; return how many were new."""
    others = priors.c.retired_at.is_(None) & priors.c.target.not_in(sorted(targets))
    return connection.execute(update(priors).where(others).values(retired_at=now)).rowcount


def retired(connection: Connection) -> list[str]:
    """The ids of the retired priors that are still here."""
    query = select(priors.c.id).where(priors.c.retired_at.is_not(None)).order_by(priors.c.id)
    return list(connection.execute(query).scalars())


def forget_unused(connection: Connection, before: datetime) -> int:
    """Delete old and retired priors that no snapshot names; return how many.

    Old is one that was fitted before an instant, and is not the newest of its target.
    """
    targets = connection.execute(select(priors.c.target).distinct()).scalars().all()
    kept = [row.id for target in targets if (row := standing(connection, target)) is not None]
    named = select(snapshots.c.prior).distinct()
    gone = select(priors.c.id).where(
        priors.c.id.not_in(kept),
        priors.c.id.not_in(named),
        or_(priors.c.retired_at.is_not(None), priors.c.fitted_at < before),
    )
    ids = list(connection.execute(gone).scalars())
    connection.execute(delete(prior_members).where(prior_members.c.prior.in_(ids)))
    return connection.execute(delete(priors).where(priors.c.id.in_(ids))).rowcount


def _rows() -> Select[Any]:
    return select(
        priors.c.id,
        priors.c.target,
        priors.c.parameters,
        priors.c.people,
        priors.c.events,
        priors.c.fitted_at,
        priors.c.retired_at,
    )


def _members() -> Select[Any]:
    return select(
        prior_members.c.prior,
        prior_members.c.subject,
        prior_members.c.learn_since,
        prior_members.c.context_since,
        prior_members.c.prompts_since,
    )


def _row(row: Any) -> PriorRow:
    parameters = row["parameters"]
    return PriorRow(**{**row, "parameters": parameters if isinstance(parameters, dict) else {}})
