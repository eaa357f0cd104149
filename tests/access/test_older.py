"""A database from an older copy, put back as it was: what ended since is told and comes back nowhere, on both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, installation, observed, person, store
from tests.processes import close
from tracker import shipped
from tracker.access import Access, matching
from tracker.access.older import DatabaseAgeError
from tracker.domain.consent import Recorder, Scope, State
from tracker.domain.people import Person
from tracker.store import copies, tables
from tracker.store.database import Database
from tracker.workflows import backup, consenting, erasure

SCOPE = Scope.AFFECT_SERIES
HOUR = timedelta(hours=1)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    matching.bind(made)
    yield made
    close(made)


def withdrawn(access: Access, ada: Person) -> None:
    consenting.withdraw(access, ada, [SCOPE], NOW + HOUR, recorder=Recorder.PARTICIPANT)


def looked(access: Access, ada: Person) -> None:
    access.record_look(ada.id, NOW + HOUR, reader="eve", what="timeline")


def scope_erased(access: Access, ada: Person) -> None:
    erasure.erase_scope(access, ada, SCOPE, NOW + HOUR)


def scope_erased_again(access: Access, ada: Person) -> None:
    erasure.erase_scope(access, ada, SCOPE, NOW + 2 * HOUR)


def erased(access: Access, ada: Person) -> None:
    erasure.erase_person(access, ada, NOW + HOUR)


def kept(access: Access, file: Path) -> Callable[[], None]:
    """Keep a copy of the database as it is; return what puts it back behind the program's back."""
    if (path := access.database.path) is not None:
        with access.database.alone() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        shutil.copyfile(path, file)

        def put_back() -> None:
            access.database.close()
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            shutil.copyfile(file, path)

        return put_back
    everything = tables.metadata.sorted_tables
    with access.database.read() as connection:
        held = {t: [dict(row) for row in connection.execute(t.select()).mappings()] for t in everything}

    def load() -> None:
        with copies.alone_with(access.database) as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text("TRUNCATE " + ", ".join(t.name for t in everything) + " CASCADE"))
            for table, rows in held.items():
                if rows:
                    connection.execute(table.insert(), rows)
            connection.execute(text("SET session_replication_role = DEFAULT"))

    return load


def count(access: Access, table: str) -> int:
    with access.database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("happened", [withdrawn, looked, scope_erased, scope_erased_again, erased])
def test_a_copy_from_before_is_told_and_nothing_follows_it(
    access: Access, tmp_path: Path, happened: Callable[[Access, Person], None]
) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    store(access, ada, [observed(NOW - HOUR)])
    if happened is scope_erased_again:
        scope_erased(access, ada)
        store(access, ada, [observed(NOW - HOUR)], NOW + HOUR)
    put_back = kept(access, tmp_path / "old")
    happened(access, ada)
    matching.require_same_age(access)
    assert access.audit() is None
    put_back()
    with pytest.raises(DatabaseAgeError, match="restore BACKUP"):
        matching.require_same_age(access)
    with pytest.raises(DatabaseAgeError):
        matching.accept(access)
    assert access.audit() is not None
    heads = access.keys.head("consent"), access.keys.head("looks")
    for hour in range(2, 5):
        if happened is withdrawn:
            before = count(access, "consent_log")
            with pytest.raises(DatabaseAgeError, match="of the consent log was signed, and is not in it"):
                consenting.grant(access, bob, [Scope.NOTES], NOW + hour * HOUR, recorder=Recorder.PARTICIPANT)
            assert count(access, "consent_log") == before, "not even committed"
            with pytest.raises(DatabaseAgeError):
                access.sign_head()
        if happened is looked:
            before = count(access, "access_log")
            with pytest.raises(DatabaseAgeError, match="of the log of looks was signed, and is not in it"):
                access.record_look(bob.id, NOW + hour * HOUR, reader="eve", what="timeline")
            assert count(access, "access_log") == before
            with pytest.raises(DatabaseAgeError):
                access.sign_looks_head()
    if happened in (withdrawn, looked):
        assert heads == (access.keys.head("consent"), access.keys.head("looks")), "what was signed stands"


def test_a_log_that_grew_otherwise_from_an_older_copy_is_told(access: Access, tmp_path: Path) -> None:
    """A program that did not look has written on: as many rows, others."""
    ada, bob = person(access, "ada"), person(access, "bob")
    put_back = kept(access, tmp_path / "old")
    withdrawn(access, ada)
    put_back()
    with access.write(bob.id, NOW + HOUR) as unit:
        notice = unit.events[-1].notice
        for _ in range(3):
            access.record(
                unit,
                Scope.NOTES,
                State.GIVEN,
                notice,
                Recorder.PARTICIPANT,
                covers_from=NOW,
                after_loss=True,
            )
    for refused in (access.sign_head, lambda: matching.require_same_age(access)):
        with pytest.raises(DatabaseAgeError, match="is another than the one that was signed"):
            refused()


def test_a_process_that_died_before_it_signed_holds_nobody_up(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person(access, "ada")
    with monkeypatch.context() as killed:
        killed.setattr(access, "sign_head", lambda: None)
        withdrawn(access, ada)
    matching.require_same_age(access)
    consenting.grant(access, ada, [SCOPE], NOW + 2 * HOUR, recorder=Recorder.PARTICIPANT)
    matching.require_same_age(access)
    assert access.audit() is None


@pytest.mark.parametrize("scope", [None, SCOPE])
def test_an_erasure_that_was_interrupted_holds_nobody_up(
    access: Access, monkeypatch: pytest.MonkeyPatch, scope: Scope | None
) -> None:
    from tracker.workflows.erasure import steps  # noqa: PLC0415

    ada = person(access, "ada")
    if scope is not None:
        erasure.erase_scope(access, ada, scope, NOW)
    every = steps.STEPS
    for done in range(1, len(every)):
        with monkeypatch.context() as killed:
            killed.setattr(steps, "STEPS", (*every[:done], _die))
            with pytest.raises(KeyboardInterrupt):
                begun(access, ada, scope) if done == 1 else erasure.resume(access, NOW + HOUR)
        matching.require_same_age(access)
    erasure.resume(access, NOW + HOUR)
    matching.require_same_age(access)
    assert access.audit() is None


def begun(access: Access, ada: Person, scope: Scope | None) -> None:
    erased(access, ada) if scope is None else scope_erased(access, ada)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_restore_takes_no_consent_from_an_older_copy(access: Access, tmp_path: Path) -> None:
    ada = person(access, "ada")
    store(access, ada, [observed(NOW - HOUR)])
    put_back = kept(access, tmp_path / "old")
    made, _ = backup.backup(access, tmp_path / "nightly.db", shipped.migrations(), NOW)
    withdrawn(access, ada)
    put_back()

    def restored(into: Database) -> backup.Restored:
        return backup.restore(
            made, into, access.vault, access.keys, shipped.migrations(), NOW + 2 * HOUR, replay=erasure.replay
        )

    with pytest.raises(backup.RestoreRefusedError, match="is older than the key store: row"):
        restored(access.database)
    into = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}", create=True)
    done = restored(into)
    assert done.problem is None
    assert done.lost is not None
    again = Access(into, access.vault, access.keys)
    matching.require_same_age(again)
    with again.read(ada.id, NOW + 2 * HOUR) as unit:
        assert unit.grants() == {}, "nobody can tell what was withdrawn"
    into.close()
