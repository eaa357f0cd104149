"""A backup from before an erasure yields nothing linkable, and what comes back with it is deleted again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, observed, person, store
from tests.invariants import held
from tests.invariants.canaries import search_files
from tests.invariants.conftest import Tell
from tests.invariants.test_14_nothing_left import NAME
from tests.lives import FACE, NOTE, lived
from tests.processes import close
from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import UnknownParticipantError
from tracker.privacy.keys import IDENTITY, KeyUnavailableError
from tracker.workflows import backup, consenting, erasure

HOUR = timedelta(hours=1)


def test_an_old_backup_says_nothing_about_whom(access: Access, tmp_path: Path, figure: Tell) -> None:
    other, who = lived(access, "somebody else"), lived(access, NAME)
    # What an attacker needs: every sealed value of theirs as it stands in the backup, and whose it is said to be.
    target = tmp_path / "old.db"
    backup.backup(access, target, shipped.migrations(), NOW)
    erasure.erase_person(access, who, NOW + HOUR)

    needles = {"name": NAME.encode(), "note": NOTE.encode(), "face": FACE}
    assert search_files([target], needles) == []
    opened = refused = 0
    with closing(sqlite3.connect(target)) as old:
        old.row_factory = sqlite3.Row
        links = old.execute(
            "SELECT id, subject_sealed, name_sealed, name_digest FROM participants"
        ).fetchall()
        digests = {row["name_digest"] for row in links}
        for row in links:
            for column in ("subject_sealed", "name_sealed"):
                place = f"participants.{column}"
                try:
                    access.vault.open(row["id"], IDENTITY, bytes(row[column]), place)
                except KeyUnavailableError:
                    refused += row["id"] == who.id
                else:
                    opened += row["id"] == other.id
        # Nothing in the backup lies beside both ids: neither a row, nor the same value in two tables.
        with_subject = [t for t in _tables(old) if _holds(old, t, who.subject)]
        with_person = [t for t in _tables(old) if _holds(old, t, who.id)]
        both = [t for t in _tables(old) for row in old.execute(f'SELECT * FROM "{t}"')
                if who.id in tuple(row) and who.subject in tuple(row)]  # fmt: skip
    assert (opened, refused) == (2, 2)
    assert both == []
    assert set(with_subject) & set(with_person) == set()
    # A guessed name cannot be tested with the keys that are left.
    for digest in access.vault.digests("names", NAME):
        assert digest not in digests
    figure(f"{len(with_subject)} tables of rows, {refused} links of 2 refused, a guessed name finds nobody")


def _tables(old: sqlite3.Connection) -> list[str]:
    return [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


def _holds(old: sqlite3.Connection, table: str, needle: str) -> bool:
    return any(needle in map(str, tuple(row)) for row in old.execute(f'SELECT * FROM "{table}"'))


def restored(access: Access, file: Path) -> backup.Restored:
    close(access)
    return backup.restore(
        file,
        access.database,
        access.vault,
        access.keys,
        shipped.migrations(),
        NOW + 2 * HOUR,
        replay=erasure.replay,
    )


def test_what_comes_back_is_deleted_again(access: Access, tmp_path: Path) -> None:
    other, who = lived(access, "somebody else"), lived(access, NAME)
    target = tmp_path / "old.db"
    backup.backup(access, target, shipped.migrations(), NOW)
    erasure.erase_person(access, who, NOW + HOUR)
    told = restored(access, target)
    assert told.erased > 0
    assert not held.naming(held.rows(access), who.id, who.subject)
    with pytest.raises(UnknownParticipantError):
        access.person(NAME)
    assert access.person("somebody else").id == other.id
    assert held.count(access, "observations") == 31
    assert access.audit() is None


def test_a_withdrawal_after_the_backup_holds_after_the_restore(access: Access, tmp_path: Path) -> None:
    who = person(access)
    store(access, who, [observed(NOW)])
    target = tmp_path / "old.db"
    backup.backup(access, target, shipped.migrations(), NOW)
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    restored(access, target)
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(NOW - HOUR)], NOW + 3 * HOUR)
    assert access.audit() is None


def test_a_scope_erased_by_a_job_that_was_at_work_when_the_backup_was_made_is_erased_again(
    access: Access, tmp_path: Path
) -> None:
    # The job's instant is when it began: the second erasure came after the backup and says that it came before.
    people = [person(access, name) for name in ("ada", "grace")]
    for who in people:
        store(access, who, [observed(NOW)])
    began, target = NOW + HOUR, tmp_path / "meanwhile.db"
    erasure.erase_scope(access, people[0], Scope.AFFECT_SERIES, began)
    backup.backup(access, target, shipped.migrations(), began + HOUR / 120)
    erasure.erase_scope(access, people[1], Scope.AFFECT_SERIES, began)
    assert restored(access, target).erased > 0
    assert held.count(access, "observations") == 0
    assert access.audit() is None


def test_without_the_keys_a_backup_is_worth_nothing(access: Access, tmp_path: Path) -> None:
    lived(access, NAME)
    target = tmp_path / "old.db"
    backup.backup(access, target, shipped.migrations(), NOW)
    with access.keys._database.write() as connection:
        connection.execute(text("DELETE FROM wrapped_keys WHERE owner <> 'installation'"))
    with closing(sqlite3.connect(target)) as old:
        for owner, sealed in old.execute("SELECT id, name_sealed FROM participants").fetchall():
            with pytest.raises(KeyUnavailableError):
                access.vault.open(owner, IDENTITY, bytes(sealed), "participants.name_sealed")
