"""Exports in the web: made in the background, fetched by whoever just said who they are, gone once outdated."""

from __future__ import annotations

import io
import re
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.builders import ALL
from tests.webui.rating import at_desk, member
from tests.webui.site import Site, Visitor
from tests.workflows.exported import DAY, fill
from tracker.domain import readers
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.readers import Reader
from tracker.jobs import HourlyRetention
from tracker.store.waiting import Job, Waiting
from tracker.workflows import consenting
from tracker.workflows.export import BusyError, GoneError, Shelf
from webui.services import NAME, Services


def shelf_of(site: Site) -> Shelf:
    found: Services = site.app.extensions[NAME]
    return found.shelf


def archives(site: Site) -> list[Path]:
    return sorted(shelf_of(site).folder.glob("*.zip"))


@pytest.fixture
def ada(lite: Site) -> Iterator[Person]:
    who = lite.person("ada", ALL, now=lite.now - DAY)
    fill(lite.access, who, lite.now)
    yield who
    lite.app.extensions[NAME].close()


@pytest.fixture
def rosa(lite: Site, ada: Person) -> Visitor:
    return at_desk(lite, member(lite, "rosa", Role.RESEARCHER))


def made(site: Site, visitor: Visitor, **form: Any) -> str:
    """Ask for an export, wait for it, and return its number on the page."""
    answer = visitor.post("/study/exports", {"format": ["parquet", "csv"], **form})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/study/exports")
    shelf_of(site).wait()
    page = visitor.get("/study/exports").text
    return re.search(r'href="/study/exports/([0-9a-f]{32})"', page)[1]  # type: ignore[index]


def test_a_researcher_makes_one_and_fetches_it_whole(
    lite: Site, rosa: Visitor, ada: Person, tmp_path: Path
) -> None:
    page = rosa.get("/study/exports").text
    assert "Nothing yet." in page
    item = made(lite, rosa, shape="wide", every="300")
    answer = rosa.get(f"/study/exports/{item}")
    assert answer.mimetype == "application/zip"
    assert "attachment" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        packed.extractall(tmp_path)
    answer.close()
    [folder] = tmp_path.glob("affect-series-*")
    assert tracker.read_export(folder).height > 0
    assert tracker.read_export(folder, "participants").height == 1
    assert rosa.get("/study/exports/state").json["jobs"][0]["stage"] == "done"
    # Whoever is in it finds who made it.
    with lite.access.read(ada.id, lite.now) as unit:
        told = [(look.reader, look.what.split(" ")[0]) for look in lite.access.looks(unit)]
    assert told == [("rosa, as a researcher", "export")]
    rosa.post(f"/study/exports/{item}/discard", {})
    assert rosa.get(f"/study/exports/{item}").status_code == 404
    assert [p.name for p in shelf_of(lite).folder.iterdir()] == [".lock"]


def test_it_asks_first_who_one_is_where_that_was_long_ago(lite: Site, rosa: Visitor) -> None:
    item = made(lite, rosa)
    lite.wait(timedelta(minutes=40))
    for answer in (rosa.get(f"/study/exports/{item}"), rosa.post("/study/exports", {"format": ["csv"]})):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/confirm")


def test_a_withdrawal_takes_it_away_at_once_and_marks_it(lite: Site, rosa: Visitor, ada: Person) -> None:
    item = made(lite, rosa)
    assert len(archives(lite)) == 1
    assert archives(lite)[0].stat().st_mode & 0o077 == shelf_of(lite).folder.stat().st_mode & 0o077 == 0
    consenting.withdraw(
        lite.access, ada, [Scope.EXPORT_PSEUDONYMOUS], lite.now, recorder=Recorder.PARTICIPANT
    )
    assert rosa.get(f"/study/exports/{item}").status_code == 404
    assert archives(lite) == []
    assert "outdated since" in rosa.get("/study/exports").text


def test_the_watch_deletes_it_without_anybody_looking(
    lite: Site, rosa: Visitor, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.workflows.export.shelf.LOOK_S", 0.05)
    made(lite, rosa)
    gone = threading.Event()
    consenting.withdraw(
        lite.access, ada, [Scope.EXPORT_PSEUDONYMOUS], lite.now, recorder=Recorder.PARTICIPANT
    )
    for _ in range(600):
        if not archives(lite):
            break
        gone.wait(0.05)
    assert archives(lite) == []


def test_what_nobody_fetches_goes_after_a_day(lite: Site, rosa: Visitor) -> None:
    made(lite, rosa)
    lite.wait(DAY)
    assert shelf_of(lite).jobs() == []


def test_one_at_a_time_with_its_progress_and_it_can_be_stopped(
    lite: Site, rosa: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.workflows.export import shelf  # noqa: PLC0415

    real, reached, on = shelf.export_dataset, threading.Event(), threading.Event()

    def slow(*arguments: Any, progress: Any, **more: Any) -> Any:
        progress(0.4)
        reached.set()
        assert on.wait(30)
        return real(*arguments, progress=progress, **more)

    monkeypatch.setattr(shelf, "export_dataset", slow)
    rosa.post("/study/exports", {"format": ["csv"]})
    assert reached.wait(30)
    assert rosa.post("/study/exports", {"format": ["parquet"]}).status_code == 409
    assert rosa.post("/study/exports", {"format": ["csv"]}).status_code == 303  # the same: one is made
    [job] = rosa.get("/study/exports/state").json["jobs"]
    assert (job["stage"], round(job["share"], 2)) == ("running", 0.38)
    assert "38 %</progress>" in rosa.get("/study/exports").text
    rosa.post(f"/study/exports/{job['id']}/discard", {})
    on.set()
    shelf_of(lite).close()
    with lite.access.database.read() as connection:
        from sqlalchemy import text  # noqa: PLC0415

        assert connection.execute(text("select count(*) from exports")).scalar_one() == 0


def test_one_that_is_stopped_is_left_alone_until_its_process_notices(
    lite: Site, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.workflows.export import shelf  # noqa: PLC0415

    real, reached, on = shelf.export_dataset, threading.Event(), threading.Event()

    def slow(*arguments: Any, **more: Any) -> Any:
        reached.set()
        assert on.wait(30)
        return real(*arguments, **more)

    monkeypatch.setattr(shelf, "export_dataset", slow)
    here, there = (Shelf(lite.access, lambda: lite.now) for _ in range(2))
    rosa = Reader("rosa", readers.Role.RESEARCHER)
    job = here.begin(rosa, formats={"csv"}, shape=None)
    assert reached.wait(30)
    half = here.folder / f"{job.id}.partial-1234"
    half.mkdir()
    there.discard(job.id)
    assert there.jobs() == []
    assert half.is_dir()
    for one in (here, there):
        with pytest.raises(BusyError):
            one.begin(rosa, formats={"csv"}, shape=None)
    on.set()
    here.wait()
    assert [path.name for path in here.folder.iterdir()] == [".lock"]
    there.begin(rosa, formats={"csv"}, shape=None)
    there.wait()
    assert [job.stage.value for job in here.jobs()] == ["done"]
    here.close()
    there.close()


def test_what_fails_says_why_and_what_is_no_choice_is_refused(lite: Site, rosa: Visitor, ada: Person) -> None:
    consenting.withdraw(
        lite.access, ada, [Scope.EXPORT_PSEUDONYMOUS], lite.now, recorder=Recorder.PARTICIPANT
    )
    rosa.post("/study/exports", {"format": ["csv"]})
    shelf_of(lite).wait()
    assert "nothing to export" in rosa.get("/study/exports").text
    for form in (
        {},
        {"format": ["xlsx"]},
        {"format": ["csv"], "shape": "tall"},
        {"format": ["csv"], "every": "7"},
    ):
        assert rosa.post("/study/exports", form).status_code == 400


def test_nobody_fetches_what_another_researcher_asked_for(lite: Site, rosa: Visitor) -> None:
    item = made(lite, rosa)
    other = at_desk(lite, member(lite, "rick", Role.RESEARCHER))
    assert f"/study/exports/{item}/discard" in other.get("/study/exports").text
    assert f'href="/study/exports/{item}"' not in other.get("/study/exports").text
    assert other.get(f"/study/exports/{item}").status_code == 404
    answer = rosa.get(f"/study/exports/{item}")
    assert answer.status_code == 200
    answer.close()


def test_what_failed_is_forgotten_after_a_day_and_leaves_no_archive(
    lite: Site, rosa: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    rosa.post("/study/exports", {"format": ["csv"]})
    shelf = shelf_of(lite)
    shelf.wait()
    assert [job.stage.value for job in shelf.jobs()] == ["failed"]
    assert archives(lite) == []
    lite.wait(DAY)
    assert shelf.jobs() == []


def test_what_one_process_made_another_gives_out_after_a_restart(lite: Site, rosa: Visitor) -> None:
    """Another shelf on the same installation is what another process of the server has."""
    item = made(lite, rosa)
    lite.app.extensions[NAME].close()
    other = Shelf(lite.access, lambda: lite.now)
    assert [job.id for job in other.jobs()] == [item]
    assert zipfile.is_zipfile(other.open(item, "rosa"))
    with pytest.raises(GoneError):
        other.open(item, "rick")
    other.discard(item)
    other.close()
    assert archives(lite) == []


def test_two_processes_that_are_asked_for_the_same_make_one(
    lite: Site, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.workflows.export import shelf  # noqa: PLC0415

    real, on, runs = shelf.export_dataset, threading.Event(), []

    def slow(*arguments: Any, **more: Any) -> Any:
        runs.append(1)
        assert on.wait(30)
        return real(*arguments, **more)

    monkeypatch.setattr(shelf, "export_dataset", slow)
    shelves = [Shelf(lite.access, lambda: lite.now) for _ in range(2)]
    rosa = Reader("rosa", readers.Role.RESEARCHER)
    asked: list[Any] = []
    threads = [
        threading.Thread(target=lambda s=s: asked.append(s.begin(rosa, formats={"csv"}, shape=None)))
        for s in shelves
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for reader, formats in ((rosa, {"parquet"}), (Reader("rick", readers.Role.RESEARCHER), {"csv"})):
        with pytest.raises(BusyError):
            shelves[1].begin(reader, formats=formats, shape=None)
    on.set()
    for one in shelves:
        one.wait()
    assert len({job.id for job in asked}) == len(runs) == 1
    assert [job.stage.value for one in shelves for job in one.jobs()] == ["done", "done"]
    for one in shelves:
        one.close()
    assert len(archives(lite)) == 1


def test_what_a_process_that_was_killed_was_making_has_failed_and_leaves_nothing(
    lite: Site, ada: Person
) -> None:
    shelf = Shelf(lite.access, lambda: lite.now)
    waiting = Waiting(shelf.folder)
    with waiting.alone():
        waiting.write(Job("a" * 32, "rosa", lite.now))
    with waiting.making("a" * 32):
        assert [job.stage.value for job in shelf.jobs()] == ["running"]
    (shelf.folder / ("a" * 32 + ".partial-1234")).mkdir()
    (shelf.folder / ("b" * 32 + ".zip")).write_bytes(b"rows of people")
    assert [job.stage.value for job in shelf.jobs()] == ["failed"]
    assert {p.suffix for p in shelf.folder.iterdir() if p.name != ".lock"} <= {".json", ".held"}
    shelf.close()


def test_the_hourly_job_clears_what_nobody_looks_at(lite: Site, rosa: Visitor, ada: Person) -> None:
    made(lite, rosa)
    lite.app.extensions[NAME].close()
    assert len(archives(lite)) == 1
    HourlyRetention().run(lite.access, "2026", lite.now + DAY, lambda: None)
    assert archives(lite) == []
