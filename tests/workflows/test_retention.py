from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from tests.builders import NOW, installation
from tests.lives import lived
from tests.processes import close
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.store import compacting, leases, tables
from tracker.workflows import consenting, enrolment, retention

DAY = timedelta(days=1)
WINDOW = 30 * DAY


def count(access: Access, table: object) -> int:
    with access.database.read() as connection:
        return len(connection.execute(select(table)).all())  # type: ignore[call-overload]


def test_within_their_time_things_stay(access: Access) -> None:
    lived(access)
    before = {t.name: count(access, t) for t in tables.metadata.sorted_tables}
    assert retention.run(access, NOW + DAY) == {}
    assert {t.name: count(access, t) for t in tables.metadata.sorted_tables} == before


def test_what_a_live_learner_needs_for_its_replay_stays(access: Access) -> None:
    who = lived(access)
    retention.run(access, NOW + WINDOW + DAY)
    with access.read(who.id, NOW) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal
    assert replay.events == 3


def test_thirty_days_after_a_correction_it_is_forgotten(access: Access) -> None:
    who = lived(access)
    later = NOW + WINDOW + DAY
    with access.write(who.id, later) as unit:
        personal.rebase(unit)
    gone = retention.run(access, later)
    assert gone["learning_events"] == 5
    assert count(access, tables.snapshots) == 1
    assert count(access, tables.corrections) == 5, "what the participant said is theirs"
    with access.read(who.id, later) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal
    assert replay.events == 0


def test_a_learner_that_may_not_be_used_keeps_no_snapshot_and_no_memory(access: Access) -> None:
    who = lived(access)
    consenting.withdraw(
        access,
        who,
        [Scope.PERSONAL_LEARNING],
        NOW,
        recorder=Recorder.PARTICIPANT,
        answer=consenting.Answer.KEEP,
    )
    retention.run(access, NOW + DAY)
    assert count(access, tables.snapshots) == 0
    assert count(access, tables.learning_events) == 5
    consenting.grant(
        access,
        who,
        [Scope.PERSONAL_LEARNING],
        NOW + 2 * DAY,
        recorder=Recorder.PARTICIPANT,
        covers_from=NOW - DAY,
    )
    with access.write(who.id, NOW + 2 * DAY) as unit:
        learner = personal.current(unit)
    assert learner is not None
    assert learner.learner.learned == 3


def test_codes_that_nobody_can_use_are_forgotten(access: Access) -> None:
    made = enrolment.enrol(access, "ada", "UTC", NOW)
    assert retention.run(access, NOW + enrolment.CODE_HOLDS) == {}
    assert retention.run(access, NOW + enrolment.CODE_HOLDS + DAY) == {"accounts": 1}
    assert retention.run(access, NOW + enrolment.CODE_HOLDS + DAY) == {}
    with access.database.read() as connection:
        assert connection.execute(select(tables.accounts.c.code_hash)).scalars().all() == [None]
    assert made.code


def test_old_slots_are_forgotten(access: Access) -> None:
    with access.database.write() as connection:
        lease = leases.claim(connection, "j", "s", "h", NOW, NOW + DAY)
        assert lease is not None
        leases.finish(connection, lease, NOW, "done")
        leases.claim(connection, "j", "unfinished", "h", NOW, NOW + DAY)
    assert retention.run(access, NOW + 89 * DAY) == {}
    assert retention.run(access, NOW + 91 * DAY) == {"leases": 1}


def test_what_was_forgotten_is_gone_from_the_files(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = lived(access)
    with access.database.read() as connection:
        (hash_,) = connection.execute(select(tables.accounts.c.code_hash)).scalars().all()
    with access.write(who.id, NOW + WINDOW + DAY) as unit:
        personal.rebase(unit)
    files = compacting.files_of(access.database.path or Path())
    assert compacting.traces(files, [b"place=canary"]) != []
    retention.run(access, NOW + WINDOW + DAY)
    assert compacting.traces(files, [b"place=canary", hash_.encode()]) == []
    close(access)
