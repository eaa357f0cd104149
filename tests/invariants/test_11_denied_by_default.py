"""One door: nobody else can write, and the database itself refuses a row without its grant, and to move one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select, text, update

import tracker
import webui
from tests.builders import NOW, person
from tests.invariants.conftest import Tell
from tests.lives import lived
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.store import tables
from tracker.store.database import StatementError
from tracker.workflows import consenting

GRANTED = tuple(
    tables.metadata.tables[name]
    for name in (
        "observations", "estimates", "contexts", "prompts", "corrections", "learning_events", "snapshots", "drifts",
        "prior_members", "crops", "frames", "notes", "zones",
        "push_devices", "push_messages",
    )
)  # fmt: skip
ENDED = {"push_devices", "push_messages"}
"""Tables that a withdrawal empties at once."""

PACKAGES = (Path(tracker.__file__).parent, Path(webui.__file__).parent)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            yield str(path.relative_to(package.parent)), ast.parse(path.read_text("utf-8"))


def test_every_table_of_a_persons_data_names_its_grant() -> None:
    named = {t.name for t in tables.metadata.sorted_tables if "grant_id" in t.c}
    assert named >= {t.name for t in GRANTED}
    subjects = {t.name for t in tables.metadata.sorted_tables if "subject" in t.c}
    # The grants themselves, what is computed from granted rows, who was counted in a release, and what a person
    # hides: that takes away and gives nobody anything, so it needs no grant.
    assert subjects - named <= {"grants", "summaries", "release_members", "hidden"}, subjects - named


def test_no_module_but_the_stores_speaks_sql(figure: Tell) -> None:
    seen = 0
    for name, tree in modules():
        seen += 1
        if name.startswith("tracker/store/"):
            continue
        for node in ast.walk(tree):
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [
                f for f in found if f.split(".")[0] in ("sqlalchemy", "sqlite3", "alembic", "pg8000")
            ], name
    figure(f"{seen} modules read")


def test_permits_are_made_by_the_decision_alone() -> None:
    makers = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Permit"
    }
    assert makers == {"tracker/privacy/consent.py"}


@pytest.mark.parametrize("how", ["no grant", "unknown", "another's", "another scope's", "withdrawn"])
def test_a_row_without_a_grant_in_force_is_refused(access: Access, how: str, figure: Tell) -> None:
    who = lived(access)
    mine, others = _grants(access, who), _grants(access, person(access, "other"))
    if how == "withdrawn":
        consenting.withdraw(
            access, who, list(Scope), NOW, recorder=Recorder.PARTICIPANT, answer=consenting.Answer.KEEP
        )
        assert _grants(access, who) == {}
    for table in GRANTED:
        with access.database.read() as connection:
            query = select(table).where(table.c.grant_id != 0).limit(1)
            row = connection.execute(query).mappings().one_or_none()
        if (
            row is None
        ):  # whoever withdraws has no devices any more: nothing is left that could be written again
            assert (how, table.name in ENDED) == ("withdrawn", True)
            continue
        scope = next(scope for scope, number in mine.items() if number == row["grant_id"])
        number = {
            "no grant": 0,
            "unknown": row["grant_id"] + 1,
            "another's": others[scope],
            "another scope's": next(n for s, n in mine.items() if s != scope),
            "withdrawn": row["grant_id"],
        }[how]
        with pytest.raises(StatementError, match="grant"), access.database.write() as connection:
            _insert_again(connection, table, row, number)
    figure(f"{len(GRANTED)} tables, each refused in 5 ways")


def test_a_row_is_moved_to_no_other_person_grant_or_moment(access: Access, figure: Tell) -> None:
    """What a row was let through for does not change afterwards; tests/store/test_moves.py tries each column."""
    who, other = lived(access), person(access, "other")
    number, held, refused = next(iter(_grants(access, other).values())), 0, 0
    for table in tables.metadata.sorted_tables:
        moves = {"subject": other.subject, "grant_id": number, "at": NOW.replace(year=2020)}
        if not {"subject", "grant_id"} & set(table.c.keys()):
            continue
        mine = [table.c.subject == who.subject] if "subject" in table.c else []
        with access.database.read() as connection:
            row = connection.execute(select(table).where(*mine).limit(1)).mappings().one()
        key = [c == row[c.name] for c in table.primary_key]
        for name in sorted(moves.keys() & set(table.c.keys())):
            with pytest.raises(StatementError, match="stays"), access.database.write() as connection:
                connection.execute(update(table).where(*key).values({name: moves[name]}))
            refused += 1
        held += 1
    figure(f"{held} tables, {refused} moves refused")


def _grants(access: Access, who: Person) -> dict[str, int]:
    c = tables.grants.c
    with access.database.read() as connection:
        found = connection.execute(select(c.scope, c.id).where(c.subject == who.subject)).all()
    return dict(found)


def _insert_again(connection: Connection, table: Table, row: Any, grant: int) -> None:
    """Write a stored row a second time under a grant's number; every unique value is a new one."""
    fresh = dict(row) | {"grant_id": grant}
    columns = ", ".join(fresh)
    where = " AND ".join(f"{c.name} = :{c.name}" for c in table.primary_key)
    keys = {c.name: row[c.name] for c in table.primary_key}
    picked = []
    for name in fresh:
        if name == "grant_id":
            picked.append(str(grant))
        elif name == "id":
            picked.append("'" + "f" * 32 + "'" if isinstance(row["id"], str) else "id + 1000000")
        elif name in ("pts_us",):
            picked.append("pts_us + 1")
        elif name == "supersedes":
            picked.append("NULL")
        else:
            picked.append(name)
    statement = (
        f"INSERT INTO {table.name} ({columns}) SELECT {', '.join(picked)} FROM {table.name} WHERE {where}"
    )
    connection.execute(text(statement).bindparams(**keys))


def test_a_row_under_its_grant_is_let_through(access: Access) -> None:
    """The refusals above are the trigger's, not some other constraint's."""
    lived(access)
    with access.database.write() as connection:
        for name in ("observations", "contexts", "snapshots", "drifts"):
            table = tables.metadata.tables[name]
            row = connection.execute(select(table).limit(1)).mappings().one()
            _insert_again(connection, table, row, row["grant_id"])
