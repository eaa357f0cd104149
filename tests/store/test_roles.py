"""What the program's own PostgreSQL role may do, and what not even it may."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from tests.builders import NOW, installation, observed, person, store
from tests.lives import lived
from tests.postgres import Server
from tests.processes import close
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.privacy.keys import Vault
from tracker.store import roles
from tracker.store.database import Database, DatabaseError, StatementError
from tracker.store.keystore import KeyStore
from tracker.workflows import consenting, erasure


@pytest.fixture
def owner(postgres_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(postgres_url, tmp_path)
    yield made
    close(made)


@pytest.fixture
def role(postgres_server: Server) -> Iterator[str]:
    name = f"affect_app_{uuid.uuid4().hex[:12]}"
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'app'")
    yield name
    # The database with the grants is gone by now.
    postgres_server.execute(f"DROP ROLE {name}")


@pytest.fixture
def app(role: str, postgres_url: str, tmp_path: Path, owner: Access) -> Iterator[Access]:
    roles.grant_to(owner.database, role)
    url = make_url(postgres_url).set(username=role, password="app")
    keys = KeyStore(tmp_path / "test.keys.db")
    access = Access(Database(url.render_as_string(hide_password=False)), Vault(bytes(range(32)), keys), keys)
    yield access
    close(access)
    with owner.database.write() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))


def test_the_program_does_its_work_as_a_role_that_owns_nothing(app: Access) -> None:
    who = lived(app)
    consenting.withdraw(app, who, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    consenting.grant(app, who, [Scope.CONTEXT], NOW + timedelta(hours=1), recorder=Recorder.PARTICIPANT)
    app.record_look(who.id, NOW, reader="ann", what="timeline")
    store(app, who, [observed(NOW + timedelta(minutes=5))], NOW + timedelta(hours=2))
    assert app.audit() is None
    done = erasure.erase_person(app, who, NOW + timedelta(hours=3))
    assert done.counts["observations"] > 0
    assert app.audit() is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_log SET hash = hash",
        "DELETE FROM consent_log",
        "TRUNCATE consent_log CASCADE",
        "UPDATE consent_events SET salt = salt",
        "UPDATE consent_events SET participant = participant",
        "UPDATE access_log SET hash = hash",
        "DELETE FROM access_log",
        "UPDATE studies SET applied_by = 'me'",
        "DELETE FROM notices",
        "UPDATE notices SET document = '{}'",
        "DROP TRIGGER consent_log_append_only ON consent_log",
        "ALTER TABLE consent_log DISABLE TRIGGER ALL",
        "ALTER TABLE observations DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION observations_granted() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN NEW; END $$",
        "SET session_replication_role = replica",
        "DROP TABLE consent_log CASCADE",
    ],
)
def test_not_even_the_program_can_rewrite_a_log_or_switch_a_trigger_off(app: Access, statement: str) -> None:
    who = person(app)
    app.record_look(who.id, NOW, reader="ann", what="timeline")
    refused = pytest.raises((StatementError, DatabaseError), match=r"42501|must be owner|permission denied")
    with refused, app.database.write() as connection:
        connection.execute(text(statement))
    assert app.audit() is None


def test_an_event_is_deleted_only_while_somebody_is_being_erased(app: Access) -> None:
    person(app)
    with pytest.raises(StatementError, match="append-only"), app.database.write() as connection:
        connection.execute(text("DELETE FROM consent_events"))


def test_roles_that_no_grant_binds_are_refused(owner: Access, role: str) -> None:
    with pytest.raises(DatabaseError, match=r"no role 'nobody_here'.*CREATE ROLE"):
        roles.grant_to(owner.database, "nobody_here")
    with pytest.raises(DatabaseError, match="superuser"):
        roles.grant_to(owner.database, "postgres")
    with owner.database.write() as connection:
        connection.execute(text(f"GRANT postgres TO {role}"))
    with pytest.raises(DatabaseError, match="owner of the tables"):
        roles.grant_to(owner.database, role)


def test_sqlite_has_no_roles(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    with pytest.raises(DatabaseError, match="SQLite has no roles"):
        roles.grant_to(access.database, "app")
    close(access)
