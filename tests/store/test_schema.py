from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, select, text

from tests.builders import NOW, installation, observed, store
from tests.lives import lived
from tests.processes import close
from tracker import shipped
from tracker.access import Access
from tracker.access.migrating import MigrationKeys
from tracker.domain.consent import ConsentEvent, Recorder, Scope
from tracker.domain.people import Person
from tracker.store import grants, schema, tables
from tracker.store.database import Database, DatabaseError, StatementError
from tracker.store.schema import KeysNeededError
from tracker.workflows import consenting


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def contents_names(database: Database) -> set[str]:
    with database.read() as connection:
        return set(inspect(connection).get_table_names())


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


ADDED_LATER = {
    "grants",
    "notices",
    "studies",
    "access_log",
    "access_events",
    "crops",
    "frames",
    "notes",
    "releases",
    "release_members",
    "former_records",
    "installation",
    "hidden",
    "members",
    "member_roles",
    "invitations",
    "factors",
    "sign_ins",
    "tokens",
    "repeats",
    "zones",
    "push_devices",
    "push_messages",
    "rating_tasks",
    "rating_votes",
    "rating_traces",
    "rating_gold",
    "adjudications",
    "rater_consents",
    "rater_settings",
}
NEW_COLUMNS = {"grant_id", "samples", "rated_grant", "raters_since", "imported_from"}
"""Tables and columns that revision 0001 did not have."""


def kept(database: Database) -> dict[str, list[str]]:
    """Every row of what the first revision had already, without what later ones added to it."""
    with database.read() as connection:
        return {
            t.name: sorted(
                repr(tuple(row))
                for row in connection.execute(select(*(c for c in t.c if c.name not in NEW_COLUMNS)))
            )
            for t in tables.metadata.sorted_tables
            if t.name not in ADDED_LATER | {"summaries", "consent_events"}
        }


def said(access: Access, who: Person) -> list[ConsentEvent]:
    with access.read(who.id, NOW) as unit:
        return [replace(e, grant=None, study=None) for e in unit.events]  # both came later


def test_down_and_up_again_on_populated_data_loses_only_what_a_revision_added(access: Access) -> None:
    who = lived(access)
    before, rows, events = contents(access.database), kept(access.database), said(access, who)
    settings = schema.config(shipped.migrations(), access.database, MigrationKeys(access.vault))
    command.downgrade(settings, "0001")
    assert schema.current(access.database) == "0001"
    assert not (ADDED_LATER | {"summaries"}) & contents_names(access.database)
    command.upgrade(settings, "head")
    after = contents(access.database)
    assert kept(access.database) == rows
    assert said(access, who) == events
    rounded = [
        sorted(tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in state["summaries"])
        for state in (before, after)
    ]
    assert rounded[0] == rounded[1]
    # What stands is numbered anew, so writing goes on; nothing else was made of it.
    with access.database.read() as connection:
        held = grants.of(connection, who.subject)
    consenting.publish(access, NOW)
    with access.read(who.id, NOW) as unit:
        assert held.keys() == unit.grants().keys()
    store(access, who, [observed(NOW)])


def test_what_later_revisions_seal_needs_the_keys(access: Access) -> None:
    lived(access)
    with pytest.raises(KeysNeededError, match="affect-tracker init"):
        command.downgrade(schema.config(shipped.migrations(), access.database), "0001")
    # It stopped where keys are needed; back at the newest revision nothing is missing.
    command.upgrade(schema.config(shipped.migrations(), access.database, MigrationKeys(access.vault)), "head")
    assert access.audit() is None


def test_all_the_way_down_leaves_nothing_and_up_again_works(access: Access) -> None:
    lived(access)
    settings = schema.config(shipped.migrations(), access.database, MigrationKeys(access.vault))
    command.downgrade(settings, "base")
    with access.database.read() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    command.upgrade(settings, "head")
    schema.check(access.database, shipped.migrations())


def test_a_newer_an_older_an_empty_and_a_foreign_database_are_refused(
    empty_database_url: str, tmp_path: Path
) -> None:
    database = Database(empty_database_url, create=True)
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


def test_a_database_of_another_program_is_left_alone(empty_database_url: str) -> None:
    database = Database(empty_database_url, create=True)
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
