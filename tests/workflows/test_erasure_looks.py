"""What an erasure looks at: files, words that others say too, copies beside the database, PostgreSQL's statistics."""

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table, select, text

from tests.builders import NOW, installation, person
from tests.lives import FACE, NOTE, PLACE, SOURCE, cropped, lived
from tests.postgres import Server
from tests.processes import close
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Context
from tracker.store import compacting, crops, erasing, fingerprints, relations, tables
from tracker.workflows import consenting, erasure, feedback
from tracker.workflows.erasure import steps, whose

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(sqlite_url, tmp_path)
    yield made
    close(made)


def path_of(access: Access) -> Path:
    assert access.database.path is not None
    return access.database.path


def test_a_table_that_was_made_yesterday_is_covered(access: Access) -> None:
    diary = Table(
        "diary_pages",
        tables.metadata,
        Column("id", String(32), primary_key=True),
        Column("crop", ForeignKey("crops.id"), nullable=False),
        Column("sealed", LargeBinary, nullable=False),
    )
    try:
        diary.create(access.database.engine)
        who, other = lived(access), lived(access, "someone else")
        with access.database.write() as connection:
            for owner in (who, other):
                mine = select(tables.crops.c.id).where(tables.crops.c.subject == owner.subject)
                crop = connection.execute(mine).scalar_one()
                page = {"id": owner.id, "crop": crop, "sealed": b"canary-diary-page-" + os.urandom(24)}
                connection.execute(diary.insert().values(page))
        assert "diary_pages" in {t.name for t in erasing.owned("s", "p")}
        done = erasure.erase_person(access, who, LATER)
        assert done.counts["diary_pages"] == 1
        again = erasure.erase_scope(access, other, Scope.FACE_CROPS, LATER)
        assert again.counts == {"diary_pages": 1, "crops": 1}, "it cannot stand without the crop"
    finally:
        tables.metadata.remove(diary)


def test_samples_of_everything_are_looked_for(access: Access) -> None:
    who = lived(access)
    with access.database.read() as connection:
        sought = whose.of(connection, who, None)
        told = whose.read(sought.as_bytes())
    assert told == sought
    assert {PLACE, SOURCE} <= set(sought.words)
    assert who.name not in sought.words, "it is looked for by the run that knows it, and noted nowhere"
    assert whose.said(who, None) == (who.name,)
    assert {who.id.encode(), who.subject.encode()} <= set(sought.needles)
    assert len(sought.needles) > 5
    if access.database.path is not None:
        with access.database.alone() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        found = compacting.found_in(path_of(access), list(sought.needles))
        assert found == set(sought.needles), "each lies in the file before the erasure"
    assert whose.read(b'["p", "s"]') == whose.Whose("p", "s")  # as an older version has left it


@pytest.mark.parametrize("scope", [Scope.CONTEXT, Scope.NOTES, Scope.FACE_CROPS, None])
def test_rows_that_were_deleted_but_not_wiped_are_noticed(
    lite: Access, monkeypatch: pytest.MonkeyPatch, scope: Scope | None
) -> None:
    who = lived(lite)
    monkeypatch.setattr(compacting, "compact", lambda *_: True)  # the checkpoint is left out
    erase = erasure.erase_person if scope is None else partial(erasure.erase_scope, scope=scope)
    with pytest.raises(erasure.ErasureIncompleteError, match="bytes of it are left in affect"):
        erase(lite, who, now=LATER)
    monkeypatch.undo()
    assert len(erasure.resume(lite, LATER)) == 1


def test_what_a_scope_covered_is_in_no_file_afterwards(lite: Access) -> None:
    who = lived(lite)
    with lite.database.read() as connection:
        mine = select(tables.crops.c.sealed).where(tables.crops.c.subject == who.subject)
        crop = connection.execute(mine).scalar_one()
    files = compacting.files_of(path_of(lite))
    assert compacting.traces(files, [crop]) != []
    erasure.erase_scope(lite, who, Scope.FACE_CROPS, LATER)
    assert compacting.traces(files, [crop, FACE, NOTE.encode()]) == []
    assert not lite.keys.has(who.id) or "face_crops" not in lite.keys.purposes(who.id)


def test_a_word_that_somebody_else_says_too_holds_up_no_erasure(access: Access) -> None:
    who, other = lived(access), person(access, "someone else")
    feedback.add_context(access, other, Context(NOW, place=PLACE), NOW)
    erasure.erase_person(access, who, LATER)
    with access.database.read() as connection:
        assert fingerprints.said_elsewhere(connection, PLACE)
        assert not fingerprints.said_elsewhere(connection, SOURCE)


def test_a_word_is_found_however_it_is_spelt(access: Access) -> None:
    who = lived(access)
    place = "café-Straße-7f3a"
    feedback.add_context(access, who, Context(NOW, place=place), NOW)
    with access.database.read() as connection:
        assert fingerprints.said_elsewhere(connection, place)
    assert len(fingerprints.spellings(place)) == 2
    erasure.erase_person(access, who, LATER)


def test_a_copy_beside_the_database_is_named_and_holds_nothing_up(lite: Access) -> None:
    who = lived(lite)
    copy = path_of(lite).with_name(path_of(lite).name + ".bak")
    copy.write_bytes(who.subject.encode())
    done = erasure.erase_person(lite, who, LATER)
    assert f"the copy {copy.name} beside the database" in done.out_of_reach
    clean = erasure.erase_person(lite, lived(lite, "another one"), LATER)
    assert copy.name not in repr(clean.out_of_reach)


def test_what_an_interrupted_restore_left_is_ours(lite: Access) -> None:
    who = lived(lite)
    left = path_of(lite).with_name(path_of(lite).name + compacting.RESTORING)
    left.write_bytes(who.subject.encode())
    with pytest.raises(erasure.ErasureIncompleteError, match="restoring"):
        erasure.erase_person(lite, who, LATER)
    left.unlink()
    erasure.resume(lite, LATER)


def test_postgresql_forgets_what_it_had_noted_of_the_columns(
    postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    access = installation(postgres_url, tmp_path)
    who = lived(access)
    with access.database.alone() as connection:
        connection.execute(text("ANALYZE"))
        noted = connection.execute(text("SELECT string_agg(most_common_vals::text, ' ') FROM pg_stats"))
        assert SOURCE in noted.scalar_one()
    erasure.erase_person(access, who, LATER)
    with access.database.alone() as connection:
        noted = connection.execute(text("SELECT string_agg(most_common_vals::text, ' ') FROM pg_stats"))
        assert SOURCE not in noted.scalar_one()
    with access.database.read() as connection:
        assert relations.may_look(connection)
    close(access)


def test_postgresqls_files_are_looked_into(postgres_url: str, tmp_path: Path) -> None:
    access = installation(postgres_url, tmp_path)
    who = lived(access)
    with access.database.alone() as connection:
        connection.execute(text("CHECKPOINT"))
    found = relations.traces(access.database, [who.subject.encode(), b"nobody-says-this"])
    assert "observations" in found[who.subject.encode()]
    assert b"nobody-says-this" not in found
    close(access)


def test_without_the_right_to_look_that_is_said(postgres_url: str, tmp_path: Path) -> None:
    access = installation(postgres_url, tmp_path)
    who = lived(access)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relations, "may_look", lambda _: False)
        done = erasure.erase_person(access, who, LATER)
    assert any("pg_read_server_files" in told for told in done.unseen)
    close(access)


def test_a_withdrawn_request_is_gone_with_its_scope(access: Access) -> None:
    who = lived(access)
    answer = consenting.Answer.ERASE_SCOPE
    consenting.withdraw(access, who, [Scope.NOTES], LATER, recorder=Recorder.PARTICIPANT, answer=answer)
    (done,) = erasure.carry_out(access, LATER)
    assert done.counts == {"notes": 1}
    assert erasure.carry_out(access, LATER) == []
    assert steps.STEPS == erasure.STEPS


def test_what_is_sealed_after_the_rows_went_still_opens(access: Access) -> None:
    who = lived(access)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "STEPS", (*steps.STEPS[:3], stop))
        with pytest.raises(KeyboardInterrupt):
            erasure.erase_scope(access, who, Scope.FACE_CROPS, LATER)
    cropped(access, who, LATER)  # they are tracked again before the erasure goes on
    (done,) = erasure.resume(access, LATER)
    assert done.counts == {"crops": 1}
    with access.database.read() as connection:
        columns = tables.crops.c
        row = connection.execute(
            select(columns.id, columns.sealed).where(columns.subject == who.subject)
        ).one()
    assert access.vault.open(who.id, Scope.FACE_CROPS, row.sealed, crops.place(row.id)) == FACE
