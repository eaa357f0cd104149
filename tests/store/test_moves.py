"""No UPDATE moves a row to somebody else, to another grant or to another moment, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table, select, update

from tests.builders import NOW, installation, observed, person, store
from tests.lives import lived
from tests.processes import close
from tracker.access import Access
from tracker.domain.people import Person
from tracker.store import coarsening, tables
from tracker.store.database import StatementError
from tracker.store.types import Instant

OF_A_PERSON = tuple(t for t in tables.metadata.sorted_tables if {"subject", "grant_id"} & set(t.c.keys()))
TOLD = "stays whose it is, under its grant and at its moment"
MOMENTS = {
    "contexts": "at",
    "corrections": "at",
    "drifts": "at",
    "hidden": "starts_at",
    "observations": "at",
    "prior_members": "learn_since",
    "prompts": "scheduled_at",
    "snapshots": "rebased_at",
    "summaries": "bucket",
    "zones": "since",
}
"""The moment that a row of a table speaks of; the others speak of that of what they point to."""
POINTERS = {"observation", "correction", "task", "prior", "release"}


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def one(access: Access, table: Table, **where: object) -> dict[str, Any]:
    query = select(table).where(*(table.c[name] == value for name, value in where.items())).limit(1)
    with access.database.read() as connection:
        return dict(connection.execute(query).mappings().one())


def change(access: Access, table: Table, row: dict[str, Any], **values: object) -> None:
    key = [c == row[c.name] for c in table.primary_key]
    with access.database.write() as connection:
        assert connection.execute(update(table).where(*key).values(**values)).rowcount == 1


def moved(column: Column[Any], row: dict[str, Any], others: dict[str, Any]) -> object:
    """Another value of a column: another moment, or what stands there for somebody else."""
    if isinstance(column.type, Instant):
        return row[column.name] - timedelta(days=400)
    return others[column.name]


def test_nothing_moves_to_somebody_else_or_to_another_moment(access: Access) -> None:
    who, other = lived(access), lived(access, "somebody else")
    tried = {table.name: _tried(access, table, who, other) for table in OF_A_PERSON}
    assert all(tried.values()), tried
    assert all(MOMENTS[name] in names for name, names in tried.items() if name in MOMENTS)


def _tried(access: Access, table: Table, who: Person, other: Person) -> list[str]:
    """Try to move a row of a table; return by which columns it was tried, and refused."""
    mine, theirs = _of(access, table, who), _of(access, table, other)
    names = {"subject", "grant_id", MOMENTS.get(table.name, ""), *POINTERS} & set(table.c.keys())
    names |= {c.name for c in table.primary_key}
    tried = []
    for name in sorted(names):
        to = moved(table.c[name], mine, theirs)
        if to != mine[name]:  # one prior, or one release, holds both of them
            with pytest.raises(StatementError, match=f"a row of {table.name} {TOLD}"):
                change(access, table, mine, **{name: to})
            tried.append(name)
    assert one(access, table, **{c.name: mine[c.name] for c in table.primary_key}) == mine
    # What is set to what it is stays possible.
    change(access, table, mine, **{name: mine[name] for name in names})
    return tried


def _of(access: Access, table: Table, who: Person) -> dict[str, Any]:
    if "subject" in table.c:
        return one(access, table, subject=who.subject)
    return one(
        access, table, observation=one(access, tables.observations, subject=who.subject, reason=None)["id"]
    )


def test_a_grant_goes_to_no_other_scope(access: Access) -> None:
    who = lived(access)
    row = one(access, tables.grants, subject=who.subject, scope="context")
    with pytest.raises(StatementError, match=TOLD):
        change(access, tables.grants, row, scope="raw_video")


def test_a_learners_word_does_not_become_the_networks(access: Access) -> None:
    lived(access)
    row = one(access, tables.estimates, snapshot=0)
    with pytest.raises(StatementError, match=TOLD):
        change(access, tables.estimates, row, snapshot=7)


def test_an_answer_may_lose_its_prompt_and_takes_no_other(access: Access) -> None:
    who = lived(access)
    table = tables.corrections
    with access.database.read() as connection:
        mine = connection.execute(select(table).where(table.c.subject == who.subject)).mappings().all()
    answer = next(dict(row) for row in mine if row["prompt"] is not None)
    word = next(dict(row) for row in mine if row["prompt"] is None and row["observation"] is not None)
    with pytest.raises(StatementError, match=TOLD):
        change(access, table, word, prompt=answer["prompt"])
    with pytest.raises(StatementError, match=TOLD):
        change(access, table, word, rated_grant=word["grant_id"])
    change(access, table, answer, prompt=None)
    change(access, table, word, observation=None)


def test_an_observation_moves_to_the_start_of_its_minute_or_hour_to_become_coarser(access: Access) -> None:
    who, at = person(access), NOW.replace(minute=40, second=3, microsecond=7) - timedelta(hours=1)
    store(access, who, [observed(at)])
    table, hour = tables.observations, at.replace(minute=0, second=0, microsecond=0)
    minute = hour.replace(minute=40)
    row = one(access, table)
    for to, source in (
        (hour, "a" * 64),
        (hour - timedelta(hours=1), "coarse:hour:x"),
        (hour + timedelta(minutes=1), "coarse:minute:x"),
        (at + timedelta(seconds=1), "coarse:hour:x"),
    ):
        with pytest.raises(StatementError, match=TOLD):
            change(access, table, row, at=to, source=source)
    for to in (minute, hour):
        change(access, table, row, at=to, source="coarse:x")
    # However often: no further than that.
    for to in (hour - timedelta(minutes=1), hour - timedelta(hours=1), minute):
        with pytest.raises(StatementError, match=TOLD):
            change(access, table, row, at=to)


@pytest.mark.parametrize("to", ["minute", "hour"])
def test_a_series_still_becomes_coarser(access: Access, to: str) -> None:
    who = lived(access)
    with access.database.write() as connection:
        assert coarsening.is_finer(connection, who.subject, NOW, to)
        coarsening.coarsen(connection, who.subject, NOW, to)
        assert not coarsening.is_finer(connection, who.subject, NOW, to)
