import base64
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from tests.builders import ALL, NOW, installation, observed, person, store
from tests.lives import lived
from tests.processes import close, finish, opened, start
from tracker.access import Access
from tracker.domain.consent import (
    SCOPES_OF,
    ConsentMissingError,
    PausedError,
    Recorder,
    Scope,
    State,
    Use,
)
from tracker.domain.notice import notice
from tracker.domain.people import UnknownParticipantError
from tracker.privacy import chain
from tracker.privacy.consent import in_force
from tracker.privacy.keys import KeyUnavailableError, Vault, new_master_key, parse_master_key
from tracker.store import series, tables
from tracker.store.keystore import KeyStore
from tracker.store.series import store_observed
from tracker.store.types import to_microseconds
from tracker.workflows import consenting, enrolment, erasure


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


# The gate.


@pytest.mark.parametrize("use", Use)
def test_a_use_needs_all_of_its_scopes_and_no_other(sqlite_url: str, tmp_path: Path, use: Use) -> None:
    access = installation(sqlite_url, tmp_path)
    needed = SCOPES_OF[use]
    enough = person(access, "enough", sorted(needed))
    with access.read(enough.id, NOW) as unit:
        assert unit.permit(use).use is use
    for missing in needed:
        who = person(access, f"no {missing}", set(ALL) - {missing})
        with access.read(who.id, NOW) as unit, pytest.raises(ConsentMissingError, match=missing.value):
            unit.permit(use)
    close(access)


def test_store_observed_is_impossible_once_consent_is_withdrawn(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW)])
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(ConsentMissingError, match="affect_series"):
        store(access, who, [observed(NOW + timedelta(seconds=1))], NOW + timedelta(seconds=1))


@pytest.mark.parametrize("behind", [timedelta(hours=1), timedelta(0), timedelta(microseconds=1)])
def test_a_withdrawal_counts_for_a_writer_whose_clock_runs_behind(access: Access, behind: timedelta) -> None:
    who = person(access)
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(ConsentMissingError):
        store(access, who, [observed(NOW - timedelta(days=1))], NOW - behind)


def test_a_pause_stops_capture_until_it_is_resumed(access: Access) -> None:
    who = person(access)
    enrolment.pause(access, who, NOW)
    with pytest.raises(PausedError, match="paused capture"):
        store(access, who, [observed(NOW)])
    enrolment.resume(access, who, NOW)
    assert store(access, who, [observed(NOW)]).observations == 1


def test_a_unit_on_nobody_is_refused(access: Access) -> None:
    for open_ in (access.read, access.write):
        with pytest.raises(UnknownParticipantError), open_("0" * 32, NOW):
            pass


def test_a_reading_unit_sees_consent_and_rows_in_one_snapshot(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW)])
    with access.read(who.id, NOW) as unit:
        erasure_elsewhere = opened(
            access.database.url.render_as_string(hide_password=False), access.keys.path.parent
        )
        consenting.withdraw(erasure_elsewhere, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
        close(erasure_elsewhere)
        assert unit.allowed(Use.STORE_SERIES) is not None
        assert series.count(unit.connection, who.subject) == (1, 1)


def write_until_told_otherwise(url: str, folder: Path, worker: int) -> None:
    """Store row after row; note each one that was committed. A writer that is refused ends well."""
    access = opened(url, folder)
    who = access.person("ada")
    n = 0
    (folder / f"ready{worker}").touch()
    while not (folder / "go").exists():
        time.sleep(0.002)
    try:
        while True:
            n += 1
            # All writers claim that no time passes: only the database may decide what came first.
            store(
                access,
                who,
                [observed(NOW - timedelta(hours=worker, seconds=n), source=f"{worker}" * 64)],
                NOW,
            )
            with (folder / f"stored{worker}").open("a") as file:
                file.write("x")
    except ConsentMissingError:
        pass


def test_a_committed_withdrawal_beats_every_later_write_in_other_processes(
    access: Access, tmp_path: Path
) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    who = person(access)
    for attempt in range(3):
        folder = tmp_path / f"race{attempt}"
        folder.mkdir()
        (folder / "test.keys.db").symlink_to(access.keys.path)
        writers = [start(write_until_told_otherwise, url, folder, w) for w in range(4)]
        while len(list(folder.glob("ready*"))) < len(writers):
            assert all(writer.is_alive() for writer in writers)
            time.sleep(0.01)
        (folder / "go").touch()
        # However slow the machine: somebody has written, and all are in the midst of it.
        while not list(folder.glob("stored*")):
            assert any(writer.is_alive() for writer in writers)
            time.sleep(0.01)
        time.sleep(0.1)
        consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
        with access.database.read() as connection:
            at_withdrawal = connection.execute(
                select(func.count()).select_from(tables.observations)
            ).scalar_one()
        assert finish(*writers) == [0] * len(writers)
        with access.database.read() as connection:
            afterwards = connection.execute(
                select(func.count()).select_from(tables.observations)
            ).scalar_one()
        assert afterwards == at_withdrawal
        assert at_withdrawal > 0
        erasure.erase_scope(access, who, Scope.AFFECT_SERIES, NOW)
        consenting.grant(
            access,
            who,
            [Scope.AFFECT_SERIES],
            NOW,
            covers_from=NOW - timedelta(days=60),
            recorder=Recorder.PARTICIPANT,
        )


def test_a_write_that_has_begun_holds_up_the_withdrawal(access: Access, tmp_path: Path) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    who = person(access)
    with access.write(who.id, NOW) as unit:
        process = start(withdraw_elsewhere, url, tmp_path)
        time.sleep(0.5)
        assert not (tmp_path / "withdrawn").exists()
        permit = unit.capture_permit()
        store_observed(unit.connection, permit, who.subject, "UTC", [observed(NOW)], NOW)
    assert finish(process) == [0]
    with access.read(who.id, NOW) as unit:
        assert series.count(unit.connection, who.subject) == (1, 1)
        assert unit.allowed(Use.STORE_SERIES) is None


def withdraw_elsewhere(url: str, folder: Path) -> None:
    access = opened(url, folder)
    who = access.person("ada")
    consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    (folder / "withdrawn").touch()


# The log.


def grants(access: Access, n: int = 6) -> None:
    who = person(access, "ada", [Scope.AFFECT_SERIES])
    for i in range(n):
        state = consenting.refuse if i % 2 else consenting.grant
        state(
            access,
            who,
            [Scope.NOTES],
            NOW + timedelta(minutes=i),
            recorder=Recorder.OPERATOR,
            evidence=f"form {i}",
        )


def tamper(access: Access, *statements: str) -> None:
    """Change the log as somebody would who owns the database."""
    with access.database.write() as connection:
        if access.database.is_sqlite:
            for verb in ("UPDATE", "DELETE", "replace"):
                connection.execute(text(f"DROP TRIGGER consent_log_no_{verb}"))
                connection.execute(text(f"DROP TRIGGER consent_events_no_{verb.lower()}"))
            connection.execute(text("DROP TRIGGER grants_stays"))
        else:
            connection.execute(text("DROP TRIGGER consent_log_append_only ON consent_log"))
            connection.execute(text("DROP TRIGGER consent_events_guarded ON consent_events"))
            connection.execute(text("DROP TRIGGER grants_stays ON grants"))
        for statement in statements:
            connection.execute(text(statement))


def test_a_log_that_nobody_touched_is_whole(access: Access) -> None:
    assert access.audit() is None
    grants(access)
    lived(access)
    assert access.audit() is None


HASH = "b" * 64


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (
            ["UPDATE consent_log SET commitment = '" + HASH + "' WHERE seq = 3"],
            "row 3 does not match its hash",
        ),
        (["UPDATE consent_log SET previous = '" + HASH + "' WHERE seq = 4"], "row 4 does not match its hash"),
        (
            ["DELETE FROM consent_events WHERE seq = 3", "DELETE FROM consent_log WHERE seq = 3"],
            "row 4 stands where row 3 is expected",
        ),
        (
            ["DELETE FROM consent_events WHERE seq > 5", "DELETE FROM consent_log WHERE seq > 5"],
            "rows 6 to 7 of the consent log were cut off",
        ),
        (
            [
                "UPDATE consent_events SET salt = (SELECT salt FROM consent_events WHERE seq = 6) WHERE seq = 7"
            ],
            "row 7 does not match its commitment",
        ),
        (
            [
                "UPDATE consent_events SET sealed = (SELECT sealed FROM consent_events WHERE seq = 1) WHERE seq = 2"
            ],
            "row 2 does not match",
        ),
        (
            [
                "UPDATE consent_events SET recorded_at = (SELECT max(recorded_at) FROM consent_log) WHERE seq = 1"
            ],
            "row 1 does not match",
        ),
        (["DELETE FROM grants WHERE scope = 'affect_series'"], "is missing from the table of grants"),
        (["UPDATE grants SET id = id + 1"], "holds another grant of affect_series than row 1"),
        (["DELETE FROM consent_events WHERE seq = 7"], "row 7 was removed, and no erasure accounts for it"),
        (
            [
                "INSERT INTO tombstones SELECT 'forged', 'forged', recorded_at, '"
                '{"step": "done", "rows": {}, "exports": 0, "keys": 0, "log": [7], "signature": "00", '
                '"pending": ""}'
                "' FROM consent_log WHERE seq = 1",
                "DELETE FROM consent_events WHERE seq = 7",
            ],
            "row 7 was removed",
        ),
    ],
)
def test_audit_finds_what_was_altered_removed_or_cut_off(
    access: Access, statements: list[str], told: str
) -> None:
    grants(access)
    tamper(access, *(s.replace('": ', '"\\: ') for s in statements))
    problem = access.audit()
    assert problem is not None
    assert told in problem


def test_audit_finds_rows_in_another_order(access: Access) -> None:
    grants(access)
    tamper(
        access,
        "CREATE TABLE other AS SELECT * FROM consent_log",
        "UPDATE consent_log SET commitment = (SELECT commitment FROM other WHERE seq = 2) WHERE seq = 3",
        "UPDATE consent_log SET commitment = (SELECT commitment FROM other WHERE seq = 3) WHERE seq = 2",
    )
    assert (access.audit() or "").startswith("row 2 does not match")


def test_audit_finds_a_whole_chain_that_was_made_anew(access: Access) -> None:
    grants(access)
    with access.database.read() as connection:
        rows = connection.execute(select(tables.consent_log).order_by(tables.consent_log.c.seq)).all()
    previous, statements = chain.GENESIS, []
    for row in rows:
        us = to_microseconds(row.recorded_at)
        commitment = HASH if row.seq == 7 else row.commitment
        link = chain.link(row.seq, commitment, us, previous)
        statements.append(
            f"UPDATE consent_log SET commitment = '{commitment}', previous = '{previous}', "
            f"hash = '{link.hash}' WHERE seq = {row.seq}"
        )
        previous = link.hash
    tamper(access, *statements, "DELETE FROM consent_events WHERE seq = 7")
    assert access.audit() is not None


def test_audit_finds_a_head_that_is_gone_or_forged(access: Access) -> None:
    grants(access)
    with access.keys._database.write() as connection:
        connection.execute(text("UPDATE chain_heads SET signature = x'00'"))
    assert "forged" in (access.audit() or "")
    with access.keys._database.write() as connection:
        connection.execute(text("DELETE FROM chain_heads"))
    assert "no signed head" in (access.audit() or "")


def test_audit_while_an_erasure_is_unfinished_blames_nobody(access: Access) -> None:
    who = lived(access)
    lived(access, "someone else")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure.steps, "STEPS", erasure.STEPS[:2])
        with pytest.raises(erasure.ErasureIncompleteError):
            erasure.erase_person(access, who, NOW)
    assert access.audit() is None
    assert [p.name for p in access.everyone()] == ["someone else"]
    with pytest.raises(UnknownParticipantError):
        access.person(who.name)


def test_consent_at_any_past_instant_is_recomputable(access: Access) -> None:
    who = person(access, "ada", [])
    steps: list[tuple[datetime, bool]] = []
    for hour in range(8):
        at = NOW + timedelta(hours=hour)
        if hour % 2:
            consenting.withdraw(access, who, [Scope.CONTEXT], at, recorder=Recorder.PARTICIPANT)
        else:
            consenting.grant(access, who, [Scope.CONTEXT], at, recorder=Recorder.PARTICIPANT)
        steps.append((at, not hour % 2))
    with access.read(who.id, NOW) as unit:
        for at, granted in steps:
            assert (Scope.CONTEXT in in_force(unit.events, at)) is granted
            assert (Scope.CONTEXT in in_force(unit.events, at + timedelta(minutes=59))) is granted
        assert in_force(unit.events, NOW - timedelta(seconds=1)) == {}


def record_many(url: str, folder: Path, name: str) -> None:
    access = opened(url, folder)
    who = access.person(name)
    for i in range(10):
        consenting.grant(
            access, who, [Scope.NOTES], NOW + timedelta(seconds=i), recorder=Recorder.PARTICIPANT
        )


def test_events_recorded_by_many_processes_make_one_chain(access: Access, tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        person(access, name, [])
    url = access.database.url.render_as_string(hide_password=False)
    assert finish(*[start(record_many, url, tmp_path, name) for name in names]) == [0] * 4
    assert access.audit() is None
    with access.database.read() as connection:
        assert connection.execute(select(func.max(tables.consent_log.c.seq))).scalar_one() == 40


# What is sealed.


def test_names_subjects_and_evidence_are_not_in_the_files(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = person(access, "Wilhelmina Canary", [])
    consenting.grant(
        access, who, [Scope.NOTES], NOW, recorder=Recorder.OPERATOR, evidence="binder of Wilhelmina"
    )
    close(access)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Wilhelmina" not in held
    with access.read(who.id, NOW) as unit:
        (event,) = unit.events
    assert event.evidence == "binder of Wilhelmina"
    close(access)


def test_a_sealed_name_or_subject_does_not_open_for_somebody_else(access: Access) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    for column in ("name_sealed", "subject_sealed"):
        with access.database.write() as connection:
            table = tables.participants
            stolen = select(table.c[column]).where(table.c.id == bob.id).scalar_subquery()
            connection.execute(table.update().where(table.c.id == ada.id).values({column: stolen}))
        with pytest.raises(KeyUnavailableError, match="does not open"):
            access.person("ada")
        close(access)


def test_a_sealed_subject_does_not_pass_for_a_name(access: Access) -> None:
    ada = person(access, "ada")
    with access.database.write() as connection:
        table = tables.participants
        connection.execute(table.update().values(name_sealed=table.c.subject_sealed))
    with pytest.raises(KeyUnavailableError), access.read(ada.id, NOW):
        pass


def test_another_master_key_opens_nothing(access: Access, tmp_path: Path) -> None:
    person(access)
    keys = KeyStore(tmp_path / "test.keys.db")
    stranger = Access(access.database, Vault(parse_master_key(new_master_key()), keys), keys)
    with pytest.raises(KeyUnavailableError, match="the key that this store was made with"):
        stranger.person("ada")
    with pytest.raises(KeyUnavailableError, match="the key that this store was made with"):
        stranger.everyone()
    keys.close()


@pytest.mark.parametrize("text_", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_a_damaged_master_key_says_so(text_: str) -> None:
    with pytest.raises(KeyUnavailableError, match="master key"):
        parse_master_key(text_)


def test_a_key_store_that_is_older_than_the_database_says_so(access: Access, tmp_path: Path) -> None:
    who = person(access)
    keys = KeyStore(tmp_path / "other.keys.db", create=True)
    stranger = Access(access.database, Vault(bytes(range(32)), keys), keys)
    (names,) = access.keys.of("installation", "names")
    keys.put("installation", "names", names)
    with pytest.raises(KeyUnavailableError, match="older than the database"):
        stranger.person("ada")
    with pytest.raises(KeyUnavailableError, match="older than the database"):
        stranger.everyone()
    with pytest.raises(KeyUnavailableError), stranger.read(who.id, NOW):
        pass
    keys.close()


def seal_at_once(url: str, folder: Path, n: int) -> None:
    access = opened(url, folder)
    sealed = access.vault.seal("owner", "purpose", b"said", "place")
    (folder / f"sealed{n}").write_bytes(sealed)


def test_processes_that_make_a_key_at_once_make_one(access: Access, tmp_path: Path) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    assert finish(*[start(seal_at_once, url, tmp_path, n) for n in range(4)]) == [0] * 4
    for n in range(4):
        sealed = (tmp_path / f"sealed{n}").read_bytes()
        assert access.vault.open("owner", "purpose", sealed, "place") == b"said"


def test_the_notice_that_was_shown_is_on_every_event(access: Access) -> None:
    who = person(access)
    with access.read(who.id, NOW) as unit:
        assert {e.notice for e in unit.events} == {notice()}
        assert {e.state for e in unit.events} == {State.GIVEN}
