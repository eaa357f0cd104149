"""Backups, and bringing them back without bringing back anybody who was erased since."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.builders import NOW, installation, observed, person, store
from tests.lives import NOTE, PLACE, SOURCE, lived
from tests.processes import close, finish, opened, start
from tracker import personal, shipped
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope, State
from tracker.domain.people import Person, UnknownParticipantError
from tracker.privacy.keys import KeyDestroyedError, KeyUnavailableError
from tracker.store import compacting, copies, erasing, tables
from tracker.store.database import Database, DatabaseError, StatementError
from tracker.workflows import backup, consenting, erasure
from tracker.workflows.backup import manifest
from tracker.workflows.backup.errors import BackupError, RestoreRefusedError

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(sqlite_url, tmp_path)
    yield made
    close(made)


def backed_up(access: Access, folder: Path, now: datetime = NOW) -> Path:
    target = folder / f"backup-{now:%H%M%S}.db"
    return backup.backup(access, target, shipped.migrations(), now)[0]


def restored(access: Access, file: Path, now: datetime = LATER) -> backup.Restored:
    close(access)
    return backup.restore(
        file,
        access.database,
        access.vault,
        access.keys,
        shipped.migrations(),
        now,
        replay=erasure.replay,
    )


def counts(access: Access, who: Person) -> dict[str, int]:
    with access.database.read() as connection:
        return erasing.left_of_person(connection, who.subject, who.id)


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.read() as connection:
        return {
            t.name: sorted(map(tuple, connection.execute(t.select())), key=repr)
            for t in tables.metadata.sorted_tables
        }


def test_a_backup_holds_every_row_and_no_name(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    before = everything(access.database)
    file = backed_up(access, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert manifest.beside(file).stat().st_mode & 0o777 == 0o600
    copy = Database(f"sqlite:///{file}")
    assert everything(copy) == before
    copy.close()
    assert compacting.traces([file], [who.name.encode(), NOTE.encode()]) == []
    assert sorted(p.name for p in tmp_path.glob("backup-*")) == [file.name, f"{file.name}.json"]
    found = manifest.read(file, access.vault)
    assert found.rows["observations"] == 31
    assert found.made_at == NOW


def test_a_folder_gets_a_file_named_for_the_instant(lite: Access, tmp_path: Path) -> None:
    file, _ = backup.backup(lite, tmp_path, shipped.migrations(), NOW)
    assert file.name == "affect-2026-03-20T120000Z.db"
    with pytest.raises(BackupError, match="something of this name already"):
        backup.backup(lite, file, shipped.migrations(), NOW)


def test_a_backup_comes_back_as_it_was(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    file = backed_up(access, tmp_path)
    before = everything(access.database)
    store(access, who, [observed(NOW)], NOW)
    told = restored(access, file)
    assert told.problem is None
    assert told.erased == 0
    assert told.lost is None
    after = everything(access.database)
    made_anew = {"snapshots", "summaries", "estimates"}  # by the learners
    for name in before.keys() - made_anew:
        assert after[name] == before[name], name
    with access.read(who.id, LATER) as unit:
        replayed = personal.replay(unit)
    assert replayed is not None
    assert replayed.equal
    assert store(access, who, [observed(NOW)], LATER).observations == 1


def test_rows_numbered_after_a_restore_take_no_number_again(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    file = backed_up(access, tmp_path)
    restored(access, file)
    with access.database.read() as connection:
        newest = max(connection.execute(select(tables.observations.c.id)).scalars())
    store(access, who, [observed(NOW)], LATER)
    with access.database.read() as connection:
        assert max(connection.execute(select(tables.observations.c.id)).scalars()) > newest


def test_a_backup_of_one_database_comes_back_to_the_other(
    postgres_url: str, sqlite_url: str, tmp_path: Path
) -> None:
    access = installation(postgres_url, tmp_path)
    who = lived(access)
    before = {**counts(access, who), "snapshots": 1}
    there = Access(Database(sqlite_url, create=True), access.vault, access.keys)
    assert restored(there, backed_up(access, tmp_path)).problem is None
    assert {**counts(there, who), "snapshots": 1} == before
    with pytest.raises(StatementError, match="no grant that stands"), there.database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO contexts (subject, at, zone, grant_id, recorded_at) VALUES (:s, 0, 'UTC', 1, 0)"
            ),
            {"s": who.subject},
        )
    close(there)
    close(access)


def test_whoever_was_erased_since_is_erased_again(access: Access, tmp_path: Path) -> None:
    other, who = lived(access, "someone else"), lived(access)
    file = backed_up(access, tmp_path)
    erasure.erase_person(access, who, LATER)
    stood = everything(access.database)
    told = restored(access, file)
    assert told.erased >= 31
    assert told.problem is None
    assert counts(access, who) == {}
    with pytest.raises(UnknownParticipantError):
        access.person(who.name)
    assert access.person(other.name).id == other.id
    assert counts(access, other)["observations"] == 31
    after = everything(access.database)
    assert after["tombstones"] == stood["tombstones"]
    assert after["exports"] == stood["exports"]
    if access.database.path is not None:
        files = compacting.files_of(access.database.path)
        assert compacting.traces(files, [who.id.encode(), who.subject.encode()]) == []


def test_with_the_database_lost_too_they_are_recognised_by_their_tombstones(
    lite: Access, tmp_path: Path
) -> None:
    other, who = lived(lite, "someone else"), lived(lite)
    file = backed_up(lite, tmp_path)
    erasure.erase_person(lite, who, LATER)
    close(lite)
    assert lite.database.path is not None
    lite.database.path.unlink()
    told = restored(lite, file)
    assert told.lost is None
    assert told.problem is None
    assert counts(lite, who) == {}
    assert lite.person(other.name).id == other.id
    with pytest.raises(UnknownParticipantError):
        lite.person(who.name)


def test_what_lies_in_an_old_backup_cannot_be_linked(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    file = backed_up(access, tmp_path)
    erasure.erase_person(access, who, LATER)
    copy = Access(Database(f"sqlite:///{file}"), access.vault, access.keys)
    with pytest.raises(KeyUnavailableError):
        copy.everyone()
    with pytest.raises(KeyDestroyedError), copy.read(who.id, LATER):
        pass
    with pytest.raises(UnknownParticipantError):
        copy.person(who.name)  # not even a guessed name is found
    copy.database.close()


def test_a_scope_that_was_erased_since_is_erased_again(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    early = backed_up(access, tmp_path)
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)
    late = backed_up(access, tmp_path, LATER + timedelta(seconds=1))
    told = restored(access, early, LATER + timedelta(seconds=2))
    assert told.erased > 0
    assert "contexts" not in counts(access, who)
    assert told.problem is None
    assert restored(access, late, LATER + timedelta(seconds=3)).erased == 0


def test_a_withdrawal_since_the_backup_stands(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    file = backed_up(access, tmp_path)
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], LATER, recorder=Recorder.PARTICIPANT)
    told = restored(access, file)
    assert told.problem is None
    assert counts(access, who)["observations"] == 31
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(LATER)], LATER)
    grace = LATER + timedelta(days=7)
    erasure.carry_out(access, grace)
    assert "observations" not in counts(access, who)


def test_where_the_newer_log_is_lost_everybody_is_asked_again(lite: Access, tmp_path: Path) -> None:
    who, other = lived(lite), person(lite, "grace")
    file = backed_up(lite, tmp_path)
    consenting.withdraw(lite, who, [Scope.CONTEXT], LATER, recorder=Recorder.PARTICIPANT)
    close(lite)
    assert lite.database.path is not None
    lite.database.path.write_bytes(b"not a database any more" * 100)
    told = restored(lite, file)
    assert told.lost is not None
    assert told.ended > 0
    assert told.problem is None
    for person_ in (who, other):
        with lite.read(person_.id, LATER) as unit:
            assert unit.grants() == {}
            assert {e.state for e in unit.events} >= {State.EXPIRED}
    with pytest.raises(ConsentMissingError):
        store(lite, other, [observed(LATER)], LATER)
    consenting.grant(lite, other, [Scope.AFFECT_SERIES], LATER, recorder=Recorder.PARTICIPANT)
    assert store(lite, other, [observed(LATER)], LATER).observations == 1
    assert lite.audit() is None


def test_whoever_enrolled_since_the_backup_is_still_there(access: Access, tmp_path: Path) -> None:
    lived(access)
    file = backed_up(access, tmp_path)
    new = person(access, "newcomer", now=LATER)
    assert restored(access, file).problem is None
    assert access.person("newcomer").id == new.id
    assert store(access, new, [observed(LATER)], LATER).observations == 1


def test_an_older_key_store_is_refused(lite: Access, tmp_path: Path) -> None:
    who = lived(lite)
    close(lite)
    old = tmp_path / "older.keys.db"
    shutil.copy(lite.keys.path, old)
    consenting.grant(lite, who, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    file = backed_up(lite, tmp_path)
    close(lite)
    assert lite.database.path is not None
    lite.database.path.unlink()
    shutil.copy(old, lite.keys.path)
    with pytest.raises(RestoreRefusedError, match="older than the backup"):
        restored(lite, file)
    assert not lite.database.path.exists()


def test_a_database_in_use_is_refused(access: Access, tmp_path: Path) -> None:
    lived(access)
    file = backed_up(access, tmp_path)
    before = everything(access.database)
    close(access)
    other = Database(access.database.url.render_as_string(hide_password=False))
    with other.read() as reading:
        reading.execute(text("SELECT count(*) FROM observations")).scalar_one()
        with pytest.raises(DatabaseError, match="in use by another process"):
            restored(access, file)
    with pytest.raises(DatabaseError, match="in use by another process"):
        restored(access, file)  # a connection that idles counts too
    other.close()
    assert everything(access.database) == before


@pytest.mark.parametrize("damage", ["cut", "flipped", "no manifest", "forged", "empty", "missing"])
def test_a_backup_that_is_not_whole_changes_nothing(lite: Access, tmp_path: Path, damage: str) -> None:
    lived(lite)
    file = backed_up(lite, tmp_path)
    before = everything(lite.database)
    content = file.read_bytes()
    note = manifest.beside(file)
    match damage:
        case "cut":
            file.write_bytes(content[:-5000])
        case "flipped":
            file.write_bytes(content[:9000] + bytes([content[9000] ^ 1]) + content[9001:])
        case "no manifest":
            note.unlink()
        case "forged":
            note.write_text(note.read_text().replace('"bytes": ', '"bytes": 1'))
        case "empty":
            file.write_bytes(b"")
        case "missing":
            file.unlink()
    with pytest.raises(BackupError) as told:
        restored(lite, file)
    assert "\n" not in str(told.value)
    assert everything(lite.database) == before
    assert list(lite.database.path.parent.glob("*.restoring*")) == []  # type: ignore[union-attr]


def test_another_installations_backup_is_refused(lite: Access, tmp_path: Path) -> None:
    lived(lite)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    foreign = installation(f"sqlite:///{elsewhere / 'a.db'}", elsewhere)
    file = backed_up(foreign, elsewhere)
    close(foreign)
    with pytest.raises(BackupError, match="signed"):
        restored(lite, file)


def back_up_and_die(url: str, folder: Path, target: Path) -> None:
    access = opened(url, folder)

    def die(_: float) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    backup.backup(access, target, shipped.migrations(), NOW, die)


def test_killed_while_it_is_written_it_is_no_backup(
    access: Access, database_url: str, tmp_path: Path
) -> None:
    lived(access)
    target = tmp_path / "backup.db"
    assert finish(start(back_up_and_die, database_url, tmp_path, target)) == [-signal.SIGKILL]
    assert not target.exists()
    backup.backup(access, target, shipped.migrations(), NOW)
    assert copies.fault(target) is None
    assert sorted(p.name for p in tmp_path.glob("backup.db*")) == ["backup.db", "backup.db.json"]


def test_interrupted_it_leaves_nothing(access: Access, tmp_path: Path) -> None:
    lived(access)

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.backup(access, tmp_path / "backup.db", shipped.migrations(), NOW, interrupt)
    assert list(tmp_path.glob("backup.db*")) == []


def restore_and_die(url: str, folder: Path, file: Path, point: int) -> None:
    access = opened(url, folder)
    passed = 0

    def replay(*args: object) -> int:
        count = erasure.replay(*args)  # type: ignore[arg-type]
        die()
        return count

    def die(*_: object) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    backup.restore(
        file,
        access.database,
        access.vault,
        access.keys,
        shipped.migrations(),
        LATER,
        replay=replay,
        report=die,
    )


def test_killed_while_it_is_brought_back_the_next_run_does_it(
    access: Access, database_url: str, tmp_path: Path
) -> None:
    other, who = lived(access, "someone else"), lived(access)
    file = backed_up(access, tmp_path)
    erasure.erase_person(access, who, LATER)
    close(access)
    for point in range(1, 10):
        (code,) = finish(start(restore_and_die, database_url, tmp_path, file, point))
        again = opened(database_url, tmp_path)
        assert again.person(other.name).id == other.id, "the database is whole before and after"
        assert counts(again, who) == {}
        assert again.audit() is None
        close(again)
        if code == 0:
            break
    assert code == 0
    assert point > 3
    assert list(tmp_path.glob("*.restoring*")) == []


def test_rows_written_meanwhile_break_no_snapshot(lite: Access, tmp_path: Path) -> None:
    who = lived(lite)
    at = iter(range(100))

    def write(_: float) -> None:
        if (i := next(at)) < 20:
            store(lite, who, [observed(NOW - timedelta(seconds=i), source="e" * 64)], NOW)

    file, found = backup.backup(lite, tmp_path / "b.db", shipped.migrations(), NOW, write)
    assert found.rows["observations"] == 31
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM observations").fetchone() == (31,)


def test_the_words_of_a_life_are_in_the_backup_or_this_test_sees_nothing(
    lite: Access, tmp_path: Path
) -> None:
    lived(lite)
    file = backed_up(lite, tmp_path)
    assert compacting.traces([file], [PLACE.encode()]) != []
    assert compacting.traces([file], [SOURCE.encode()]) != []
