"""The job that tells devices: one message for each prompt, reminder and device, whatever dies and however many run."""

from __future__ import annotations

import signal
import ssl
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import installation, person
from tests.processes import close, die_at, finish, opened, start
from tests.push_service import PushService, push_service
from tests.workflows.scheduled import MINUTE
from tests.workflows.test_prompting import DUE, ENDS, ENROLLED
from tests.workflows.test_pushing import governed, on, outcomes, poster
from tracker.access import Access
from tracker.domain.pushing import PushServices
from tracker.jobs import HourlyRetention, Jobs, Prompting, Ran
from tracker.store import leases, tables
from tracker.workflows import prompting
from tracker.workflows.prompting import Poster, delivering
from tracker.workflows.prompting.posting import Posted, Push
from tracker.workflows.prompting.pushing import Outcome


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    governed(made)
    yield made
    close(made)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PushService]:
    with push_service(tmp_path, DUE) as running:
        yield running
        assert running.faults == []


def job(access: Access, now: object, service: PushService) -> list[Ran]:
    return Jobs(access, lambda: DUE, "here", [Prompting(poster(service))]).run_once(now)  # type: ignore[arg-type]


def test_the_job_tells_every_device_of_everybody_and_says_how_many(
    access: Access, service: PushService, caplog: pytest.LogCaptureFixture
) -> None:
    people = [person(access, f"p{n}", now=ENROLLED) for n in range(3)]
    for who in people:
        on(access, who, service, who.name)
    on(access, people[0], service, "tablet")
    service.answers = [(500, {}), (410, {})]
    (ran,) = job(access, DUE, service)
    assert ran.outcome == (
        "3 put, 0 withheld, 0 recalled, 0 expired, 2 pushed (1 to be tried again) (1 dropped)"
    )
    (ran,) = job(access, DUE + MINUTE, service)
    assert ran.outcome == "0 put, 0 withheld, 0 recalled, 0 expired, 1 pushed"
    now = DUE + 2 * MINUTE
    while now <= ENDS + MINUTE:
        job(access, now, service)
        now += MINUTE
    # Three were left, and each was recalled twice.
    assert len(service.taken) == 4 + 1 + 3 * 2
    with access.database.read() as connection:
        told = repr(leases.of_job(connection, "prompts")) + caplog.text
    assert not [word for who in people for word in (who.name, who.id, who.subject) if word in told]
    assert "localhost" not in told


def run_and_die(url: str, folder: Path, port: int, ca: str, point: int) -> None:
    access = opened(url, folder)
    die_at(access, point)
    host = f"localhost:{port}"
    services = PushServices({host: "Test"}, frozenset({host}))
    post = Poster(services, tls=ssl.create_default_context(cafile=ca), patience_s=10)
    Jobs(access, lambda: DUE, "dying", [Prompting(post)]).run_once(DUE)


@pytest.mark.parametrize("point", range(1, 12))
def test_killed_before_or_after_any_commit_a_device_is_told_once_at_most(
    access: Access, service: PushService, tmp_path: Path, point: int
) -> None:
    who = person(access, "ada", now=ENROLLED)
    on(access, who, service)
    url = access.database.url.render_as_string(hide_password=False)
    dead = start(run_and_die, url, tmp_path, service.port, str(service.ca), point)
    assert finish(dead) == [-signal.SIGKILL]
    for n in range(1, 6):
        job(access, DUE + n * MINUTE, service)
    m = tables.push_messages.c
    with access.database.read() as connection:
        rows = connection.execute(select(m.due_at, m.tries, m.outcome)).all()
    # Killed between the mark and the answer: nobody knows whether it arrived, so it is sent by nobody again.
    unknown = [tuple(row) for row in rows] == [(None, 1, None)]
    assert outcomes(access, who) == [(0, None if unknown else Outcome.SENT)]
    assert len(service.taken) <= 1
    assert unknown or len(service.taken) == 1


def look_after(url: str, folder: Path, port: int, ca: str) -> None:
    access = opened(url, folder)
    host = f"localhost:{port}"
    services = PushServices({host: "Test"}, frozenset({host}))
    post = Poster(services, tls=ssl.create_default_context(cafile=ca), patience_s=10)
    while not (folder / "go").exists():
        time.sleep(0.005)
    for n in range(12):
        # Without a lease between them: the rows alone must hold.
        for who in access.everyone():
            prompting.tick(access, who, DUE + n * MINUTE)
        prompting.deliver(access, access.everyone(), DUE + n * MINUTE, post, time.monotonic)


def test_processes_that_send_at_once_send_each_message_once(
    access: Access, service: PushService, tmp_path: Path
) -> None:
    for name in ("ada", "bob"):
        on(access, person(access, name, now=ENROLLED), service, name)
    url = access.database.url.render_as_string(hide_password=False)
    racers = [start(look_after, url, tmp_path, service.port, str(service.ca)) for _ in range(3)]
    time.sleep(1.0)
    (tmp_path / "go").touch()
    assert finish(*racers) == [0, 0, 0]
    # Put, and recalled once.
    assert sorted(service.devices()) == ["ada", "ada", "bob", "bob"]


def test_no_more_is_begun_once_a_round_has_taken_long(access: Access, service: PushService) -> None:
    who = person(access, "ada", now=ENROLLED)
    on(access, who, service)
    assert prompting.tick(access, who, DUE).put == 1
    clock = iter((0.0, 1_000.0))
    prompting.deliver(access, [who], DUE, poster(service), lambda: next(clock))
    assert service.taken == []
    prompting.deliver(access, [who], DUE + MINUTE, poster(service), lambda: 0.0)
    assert service.devices() == ["phone"]


def test_who_has_waited_longest_is_told_first(access: Access, service: PushService) -> None:
    people = [person(access, name, now=ENROLLED) for name in ("ada", "bob")]
    for who in people:
        on(access, who, service, who.name)
    # What ada's push service did not take is due anew a minute later; bob's has waited since it was put.
    assert prompting.tick(access, people[0], DUE).put == 1
    service.answers = [(500, {})]
    prompting.push(access, people[0], DUE, poster(service))
    assert prompting.tick(access, people[1], DUE).put == 1
    asked: list[str] = []

    def post(push: Push, now: datetime) -> Posted:
        asked.append(push.endpoint)
        return Posted(201)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(delivering, "AT_ONCE", 1)
        prompting.deliver(access, people, DUE + MINUTE, post, lambda: 0.0)
    assert asked == [service.endpoint("bob"), service.endpoint("ada")]


def test_a_round_that_has_taken_long_leaves_the_rest_of_somebodys_devices(
    access: Access, service: PushService
) -> None:
    who = person(access, "ada", now=ENROLLED)
    for n in range(3):
        on(access, who, service, f"d{n}")
    assert prompting.tick(access, who, DUE).put == 1
    clock = iter((0.0, 1.0, 2.0, 1_000.0))
    assert prompting.deliver(access, [who], DUE, poster(service), lambda: next(clock)).sent == 1
    assert prompting.deliver(access, [who], DUE + MINUTE, poster(service), lambda: 0.0).sent == 2
    assert sorted(service.devices()) == ["d0", "d1", "d2"]


def test_devices_are_forgotten_where_the_study_tells_none(access: Access, service: PushService) -> None:
    who = person(access, "ada", now=ENROLLED)
    on(access, who, service)
    jobs = Jobs(access, lambda: DUE, "here", [HourlyRetention()])
    jobs.run_once(DUE)
    with access.database.read() as connection:
        assert len(connection.execute(select(tables.push_devices)).all()) == 1
    governed(access, "", DUE)
    jobs.run_once(DUE + 60 * MINUTE)
    with access.database.read() as connection:
        assert connection.execute(select(tables.push_devices)).all() == []
