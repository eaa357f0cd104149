"""The job of prompts: one prompt for a slot, whatever dies, and however many processes look after it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.builders import installation, person
from tests.processes import close, die_at, finish, opened, start
from tests.workflows.scheduled import DAY, MINUTE, scheduled, states
from tests.workflows.test_prompting import DUE, ENDS, ENROLLED, NOON
from tracker.access import Access
from tracker.jobs import Jobs, Prompting, Ran
from tracker.store import leases, tables
from tracker.workflows import prompting

PEOPLE = 2


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    scheduled(made)
    for n in range(PEOPLE):
        person(made, f"p{n}", now=ENROLLED)
    yield made
    close(made)


def job(access: Access, now: datetime, holder: str = "here") -> list[Ran]:
    return Jobs(access, lambda: now, holder, [Prompting()]).run_once(now)


def per_slot(access: Access) -> list[int]:
    query = (
        select(func.count())
        .select_from(tables.prompts)
        .group_by(tables.prompts.c.subject, tables.prompts.c.slot)
    )
    with access.database.read() as connection:
        return list(connection.execute(query).scalars())


def test_every_minute_is_run_once_and_a_study_that_asks_nothing_has_none(access: Access) -> None:
    (ran,) = job(access, DUE)
    assert ran == Ran("prompts", "2026-03-20T11:30Z", f"{PEOPLE} put, 0 withheld, 0 recalled, 0 expired")
    assert job(access, DUE + timedelta(seconds=30)) == []
    (next_one,) = job(access, DUE + MINUTE)
    assert next_one.outcome == "0 put, 0 withheld, 0 recalled, 0 expired"
    scheduled(access, "", DUE + MINUTE)
    assert job(access, DUE + 2 * MINUTE) == []


def test_nobody_waits_for_somebody_who_cannot_be_looked_after(
    access: Access, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = prompting.tick

    def tick(access: Access, who: object, now: datetime) -> prompting.Ticked:
        if getattr(who, "name", "") == "p0":
            raise RuntimeError("p0 cannot be read")
        return real(access, who, now)  # type: ignore[arg-type]

    monkeypatch.setattr(prompting, "tick", tick)
    (ran,) = job(access, DUE)
    assert ran.outcome == "1 put, 0 withheld, 0 recalled, 0 expired, 1 people could not be looked after"
    assert "p0" not in caplog.text


def test_leases_of_prompts_name_nobody(access: Access) -> None:
    job(access, DUE)
    with access.database.read() as connection:
        rows = repr(leases.of_job(connection, "prompts"))
    assert "p0" not in rows
    assert access.person("p0").subject not in rows


def run_and_die(url: str, folder: Path, point: int) -> None:
    access = opened(url, folder)
    die_at(access, point)
    job(access, DUE, "dying")


@pytest.mark.parametrize("point", range(1, 2 * (PEOPLE + 2)))
def test_killed_before_or_after_any_commit_there_is_one_prompt_for_a_slot(
    access: Access, tmp_path: Path, point: int
) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    assert finish(start(run_and_die, url, tmp_path, point)) == [-signal.SIGKILL]
    for n in range(1, 4):
        job(access, DUE + n * MINUTE)
    assert per_slot(access) == [1] * PEOPLE
    for n in range(PEOPLE):
        assert states(access, access.person(f"p{n}")) == {NOON: ("notified", None)}


def look_after(url: str, folder: Path, minutes: int) -> None:
    access = opened(url, folder)
    while not (folder / "go").exists():
        time.sleep(0.005)
    for n in range(minutes):
        # Without a lease between them: the rows alone must hold.
        for who in access.everyone():
            prompting.tick(access, who, DUE + n * MINUTE)


def test_processes_that_tick_at_once_put_one_prompt_for_a_slot(access: Access, tmp_path: Path) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    racers = [start(look_after, url, tmp_path, 25) for _ in range(3)]
    time.sleep(1.0)
    (tmp_path / "go").touch()
    assert finish(*racers) == [0, 0, 0]
    assert per_slot(access) == [1] * PEOPLE
    with access.database.read() as connection:
        assert connection.execute(select(tables.prompts.c.reminders)).scalars().all() == [2] * PEOPLE


def test_reminders_expiry_and_the_next_day_follow_from_the_job_alone(access: Access) -> None:
    scheduled(access, DAY, DUE - MINUTE)
    now, outcomes = DUE, []
    while now <= ENDS + 5 * MINUTE:
        outcomes += [ran.outcome for ran in job(access, now)]
        now += 5 * MINUTE
    assert sum(int(told.split()[0]) for told in outcomes) == PEOPLE
    assert outcomes.count(f"0 put, 0 withheld, {PEOPLE} recalled, 0 expired") == 2
    assert outcomes.count(f"0 put, 0 withheld, 0 recalled, {PEOPLE} expired") == 1
