import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, installation, leaning, observed, person, store
from tests.lives import lived
from tests.processes import close, finish, opened, start
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.jobs import LEASE, STANDARD, Jobs, Ran
from tracker.store import learned, leases, snapshots
from tracker.store.leases import LeaseLostError
from tracker.workflows import consenting, erasure
from tracker.workflows import feedback as correcting

NIGHT = datetime(2026, 3, 21, 2, 30, tzinfo=UTC)  # 03:30 in Berlin


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def jobs(access: Access, now: datetime, tasks: Sequence[object] = STANDARD) -> Jobs:
    return Jobs(access, lambda: now, "here", tasks)  # type: ignore[arg-type]


def latest(access: Access, who: Person) -> snapshots.SnapshotRow:
    with access.read(who.id, NOW) as unit:
        row = snapshots.latest(unit.connection, who.subject, "emotion")
    assert row is not None
    return row


def corrected(access: Access, who: Person, at: datetime, now: datetime = NOW) -> None:
    store(access, who, [observed(at)], now)
    correcting.correct(access, who, Correction(at, "emotion", leaning(Emotion.ANGER)), now)


def test_every_learner_is_rebased_once_each_night(access: Access) -> None:
    who = person(access)
    corrected(access, who, NOW - timedelta(hours=1))
    ran = jobs(access, NIGHT).run_once(NIGHT)
    assert Ran("rebase", "2026-03-21 Europe/Berlin", "1 learners rebased") in ran
    assert latest(access, who).rebased_at == NIGHT
    assert jobs(access, NIGHT).run_once(NIGHT + timedelta(minutes=20)) == []
    next_night = jobs(access, NIGHT + timedelta(days=1)).run_once(NIGHT + timedelta(days=1))
    assert {r.job for r in next_night} == {"priors", "raters", "rebase", "retention"}


def test_night_ends_at_three_where_the_person_lives(access: Access) -> None:
    person(access, "b", zone="Europe/Berlin")
    person(access, "t", zone="Pacific/Auckland")
    just_before = datetime(2026, 3, 21, 1, 59, tzinfo=UTC)
    for moment in (just_before, just_before + timedelta(minutes=1)):
        jobs(access, moment).run_once(moment)
    with access.database.read() as connection:
        slots = [row.slot for row in leases.of_job(connection, "rebase")]
    assert slots == ["2026-03-20 Europe/Berlin", "2026-03-21 Europe/Berlin", "2026-03-21 Pacific/Auckland"]


def test_a_rebase_forgets_what_is_older_than_thirty_days(access: Access) -> None:
    who = person(access)
    corrected(access, who, NOW - timedelta(hours=2))
    later = NOW + timedelta(days=31)
    jobs(access, later).run_once(later)
    with access.read(who.id, later) as unit:
        replayed = personal.replay(unit)
        kept = learned.learned_since(unit.connection, who.subject, "emotion", NOW - timedelta(days=1))
    assert replayed is not None
    assert replayed.equal
    assert replayed.events == 0
    jobs(access, later).run_once(later + timedelta(hours=1))
    with access.read(who.id, later) as unit:
        gone = learned.learned_since(unit.connection, who.subject, "emotion", NOW - timedelta(days=1))
    assert len(kept) == 1
    assert gone == []


def test_a_learner_that_may_not_be_used_is_not_rebased(access: Access) -> None:
    who = person(access)
    corrected(access, who, NOW - timedelta(hours=1))
    consenting.withdraw(access, who, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    assert Ran("rebase", "2026-03-21 Europe/Berlin", "0 learners rebased") in jobs(access, NIGHT).run_once(
        NIGHT
    )


def test_the_hourly_job_carries_out_what_is_due_and_finishes_what_was_interrupted(access: Access) -> None:
    who, other = lived(access), lived(access, "other")
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure.steps, "STEPS", erasure.STEPS[:3])
        with pytest.raises(erasure.ErasureIncompleteError):
            erasure.erase_person(access, other, NOW)
    week = NOW + timedelta(days=7)
    ran = jobs(access, week).run_once(week)
    (outcome,) = [r.outcome for r in ran if r.job == "retention"]
    # Of the one: context and what `lived` withdrew; of the other: everything.
    assert "3 erasures carried out" in outcome
    assert erasure.resume(access, week) == []
    assert not access.keys.has(other.id)


class Counting:
    """A task that leaves a mark each time it is run."""

    name = "counting"

    def __init__(self, marks: Path, wait: Callable[[], None] = lambda: None) -> None:
        self.marks = marks
        self.wait = wait

    def slots(self, access: Access, now: datetime) -> Sequence[str]:
        return [now.isoformat(timespec="minutes")]

    def run(self, access: Access, slot: str, now: datetime, hold: Callable[[], None]) -> str:
        with self.marks.open("a") as file:
            file.write(f"{os.getpid()} {slot}\n")
        self.wait()
        hold()
        return "counted"


def race(url: str, folder: Path) -> None:
    access = opened(url, folder)
    clock = [NOW]
    task = Counting(folder / "marks", lambda: time.sleep(0.005))
    runner = Jobs(access, lambda: clock[0], "racer", [task])
    while not (folder / "go").exists():
        time.sleep(0.005)
    for _ in range(20):
        runner.run_once(clock[0])
        clock[0] += timedelta(minutes=1)


def test_four_processes_never_run_a_slot_twice(access: Access, tmp_path: Path) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    racers = [start(race, url, tmp_path) for _ in range(4)]
    time.sleep(1.0)
    (tmp_path / "go").touch()
    assert finish(*racers) == [0, 0, 0, 0]
    slots = [line.split()[1] for line in (tmp_path / "marks").read_text().splitlines()]
    assert len(slots) == 20
    assert len(set(slots)) == 20


def hang(url: str, folder: Path) -> None:
    access = opened(url, folder)
    Jobs(access, lambda: NOW, "hanging", [Counting(folder / "marks", signal.pause)]).run_once(NOW)


def test_a_slot_whose_holder_was_killed_is_taken_over_when_its_lease_has_run_out(
    access: Access, tmp_path: Path
) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    hanging = start(hang, url, tmp_path)
    marks = tmp_path / "marks"
    for _ in range(6000):
        if marks.exists() and marks.read_text():
            break
        time.sleep(0.02)
    task = Counting(marks)
    assert jobs(access, NOW, [task]).run_once(NOW) == []
    hanging.kill()
    assert finish(hanging) == [-signal.SIGKILL]
    assert jobs(access, NOW + LEASE, [task]).run_once(NOW) == [], "its lease has not run out at NOW"

    class Fixed(Counting):
        def slots(self, access: Access, now: datetime) -> Sequence[str]:
            return [NOW.isoformat(timespec="minutes")]

    later = NOW + LEASE
    (ran,) = jobs(access, later, [Fixed(marks)]).run_once(later)
    assert ran.outcome == "counted"
    assert jobs(access, later, [Fixed(marks)]).run_once(later + 2 * LEASE) == []
    assert len(marks.read_text().splitlines()) == 2


def test_a_holder_whose_slot_was_taken_over_stops(access: Access) -> None:
    with access.database.write() as connection:
        slow = leases.claim(connection, "j", "s", "slow", NOW, NOW + LEASE)
    assert slow is not None
    with access.database.write() as connection:
        assert leases.claim(connection, "j", "s", "quick", NOW, NOW + LEASE) is None
    with access.database.write() as connection:
        quick = leases.claim(connection, "j", "s", "quick", NOW + LEASE, NOW + 2 * LEASE)
    assert quick is not None
    with access.database.write() as connection:
        with pytest.raises(LeaseLostError, match="another process"):
            leases.extend(connection, slow, NOW)
        with pytest.raises(LeaseLostError, match="another process"):
            leases.finish(connection, slow, NOW, "done")
    with access.database.write() as connection:
        leases.extend(connection, quick, NOW + 3 * LEASE)
        leases.finish(connection, quick, NOW, "done")
    with access.database.write() as connection:
        assert leases.claim(connection, "j", "s", "third", NOW + 9 * LEASE, NOW + 10 * LEASE) is None


def test_a_failing_job_says_its_kind_and_is_tried_again_after_its_lease(
    access: Access, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("ada is at the clinic")

    class Fixed(Counting):
        def slots(self, access: Access, now: datetime) -> Sequence[str]:
            return ["once"]

    marks = tmp_path / "marks"
    (ran,) = jobs(access, NOW, [Fixed(marks, fail)]).run_once(NOW)
    assert ran.outcome == "failed: RuntimeError"
    assert "ada" not in caplog.text
    assert jobs(access, NOW, [Fixed(marks)]).run_once(NOW) == []
    (again,) = jobs(access, NOW + LEASE, [Fixed(marks)]).run_once(NOW + LEASE)
    assert again.outcome == "counted"


def test_leases_name_nobody(access: Access) -> None:
    who = lived(access)
    jobs(access, NIGHT).run_once(NIGHT)
    with access.database.read() as connection:
        rows = [*leases.of_job(connection, "rebase"), *leases.of_job(connection, "retention")]
    assert rows
    for secret in (who.name, who.id, who.subject):
        assert secret not in repr(rows)


def test_two_runners_of_one_process_name_are_two_holders(access: Access, tmp_path: Path) -> None:
    task = Counting(tmp_path / "marks")
    assert len(jobs(access, NOW, [task]).run_once(NOW)) == 1
    assert jobs(access, NOW, [task]).run_once(NOW) == []


def test_in_the_background_jobs_run_at_once_and_stop_when_told(access: Access, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    runner = jobs(access, datetime.now(UTC), [Counting(marks)])
    runner.start()
    for _ in range(500):
        if marks.exists():
            break
        time.sleep(0.02)
    runner.stop()
    assert len(marks.read_text().splitlines()) == 1
    runner.stop()


def block(url: str, folder: Path) -> None:
    access = opened(url, folder)
    try:
        Jobs(access, lambda: NOW, "blocking", [Counting(folder / "marks")]).blocking()
    except KeyboardInterrupt:
        (folder / "interrupted").touch()


def test_blocking_jobs_run_until_interrupted(access: Access, tmp_path: Path) -> None:
    process = start(block, access.database.url.render_as_string(hide_password=False), tmp_path)
    for _ in range(6000):
        if (tmp_path / "marks").exists():
            break
        time.sleep(0.02)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    assert finish(process) == [0]
    assert (tmp_path / "interrupted").exists()
