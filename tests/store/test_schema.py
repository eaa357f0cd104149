from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from tests.builders import NOW, installation
from tests.lives import lived
from tests.processes import close
from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.store import schema, tables
from tracker.store.database import Database, DatabaseError, StatementError
from tracker.workflows import consenting


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            t.name: sorted(map(tuple, connection.execute(t.select())), key=repr)
            for t in tables.metadata.sorted_tables
            if inspect(connection).has_table(t.name)
        }


def test_migrations_and_tables_agree(access: Access) -> None:
    with access.database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, tables.metadata) == []


def test_down_and_up_again_on_populated_data_loses_only_what_a_revision_added(access: Access) -> None:
    lived(access)
    before = contents(access.database)
    settings = schema.config(shipped.migrations(), access.database)
    command.downgrade(settings, "-1")
    assert schema.current(access.database) != schema.newest(shipped.migrations())
    assert "summaries" not in contents(access.database)
    command.upgrade(settings, "head")
    after = contents(access.database)
    assert {n: rows for n, rows in after.items() if n != "summaries"} == {
        n: rows for n, rows in before.items() if n != "summaries"
    }
    rounded = [
        sorted(tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in state["summaries"])
        for state in (before, after)
    ]
    assert rounded[0] == rounded[1]
    assert access.audit() is None


def test_all_the_way_down_leaves_nothing_and_up_again_works(access: Access) -> None:
    lived(access)
    settings = schema.config(shipped.migrations(), access.database)
    command.downgrade(settings, "base")
    with access.database.read() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    command.upgrade(settings, "head")
    schema.check(access.database, shipped.migrations())


def test_a_newer_an_older_an_empty_and_a_foreign_database_are_refused(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url, create=True)
    with pytest.raises(DatabaseError, match="affect-tracker init"):
        schema.check(database, shipped.migrations())
    schema.migrate(database, shipped.migrations(), "0001")
    with pytest.raises(DatabaseError, match="older schema 0001"):
        schema.check(database, shipped.migrations())
    schema.migrate(database, shipped.migrations())
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for call in (schema.check, schema.migrate):
        with pytest.raises(DatabaseError, match=r"9999, which is newer .* update affect-tracker"):
            call(database, shipped.migrations())
    database.close()


def test_a_database_of_another_program_is_left_alone(database_url: str) -> None:
    database = Database(database_url, create=True)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE recipes (id integer)"))
    with pytest.raises(DatabaseError, match="another program"):
        schema.migrate(database, shipped.migrations())
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["recipes"]
    database.close()


def test_migrating_twice_changes_nothing(access: Access) -> None:
    lived(access)
    before = contents(access.database)
    schema.migrate(access.database, shipped.migrations())
    assert contents(access.database) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_log SET commitment = 'x'",
        "UPDATE consent_log SET recorded_at = recorded_at WHERE seq = 1",
        "DELETE FROM consent_log WHERE seq = 1",
        "TRUNCATE consent_log CASCADE",
        "INSERT OR REPLACE INTO consent_log SELECT seq, 'x', recorded_at, previous, hash FROM consent_log",
        "REPLACE INTO consent_log SELECT seq, '', recorded_at, previous, hash FROM consent_log LIMIT 1",
    ],
)
def test_the_consent_log_is_append_only(access: Access, statement: str) -> None:
    if "REPLACE" in statement and not access.database.is_sqlite:
        pytest.skip("REPLACE is SQLite's")
    if "TRUNCATE" in statement and access.database.is_sqlite:
        pytest.skip("TRUNCATE is PostgreSQL's")
    who = lived(access)
    before = contents(access.database)
    with pytest.raises(StatementError, match="append-only"), access.database.write() as connection:
        connection.execute(text(statement))
    assert contents(access.database) == before
    consenting.grant(access, who, [Scope.NOTES], NOW, recorder=Recorder.PARTICIPANT)
    assert access.audit() is None
