"""Exports by programs: the same shelf as the page's, for researchers alone, gone once somebody in it withdraws."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.webui import walking
from tests.webui.api.programs import Program, program
from tests.webui.site import Site
from tests.workflows.exported import DAY, fill
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.workflows import consenting
from webui.services import NAME


@pytest.fixture
def ada(site: Site) -> Iterator[Person]:
    who = site.person(now=site.now - DAY)
    fill(site.access, who, site.now)
    yield who
    site.app.extensions[NAME].close()


@pytest.fixture
def rosa(site: Site, ada: Person) -> Program:
    return program(site, walking.member(site.access, "rosa", Role.RESEARCHER))


def test_a_dataset_is_begun_waited_for_and_fetched_whole(
    site: Site, ada: Person, rosa: Program, tmp_path: Path
) -> None:
    begun = rosa.post("/exports", {"formats": ["parquet"], "shape": "wide", "every_s": 300}, key="one-export")
    assert begun.status_code == 202, begun.text
    site.app.extensions[NAME].shelf.wait()
    job = rosa.get(f"/exports/{begun.json['id']}").json
    assert (job["stage"], job["problem"]) == ("done", "")
    answer = rosa.get(f"/exports/{job['id']}/archive")
    assert (answer.status_code, answer.mimetype, len(answer.data)) == (200, "application/zip", job["size"])
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        packed.extractall(tmp_path)
    answer.close()
    [folder] = tmp_path.glob("affect-series-*")
    assert tracker.read_export(folder).height > 0
    (listed,) = rosa.get("/exports").json["items"]
    assert (listed["id"], listed["participants"], listed["outdated_at"]) == (job["export"], 1, None)
    again = rosa.post("/exports", {"formats": ["parquet"], "shape": "wide", "every_s": 300}, key="one-export")
    assert again.json["id"] == job["id"], "the same key begins no second one"
    assert len(rosa.get("/exports").json["jobs"]) == 1
    with site.access.read(ada.id, site.now) as unit:
        told = [(look.reader, look.what.split(" ")[0]) for look in site.access.looks(unit)]
    assert told == [("rosa, as a researcher", "export")], "whoever is in it finds who made it"
    assert rosa.ask("DELETE", f"/exports/{job['id']}").status_code == 204
    assert rosa.get(f"/exports/{job['id']}").status_code == 404


def test_nobody_fetches_what_another_researcher_asked_for(site: Site, rosa: Program) -> None:
    job = rosa.post("/exports", {"formats": ["csv"]}).json["id"]  # type: ignore[index]
    site.app.extensions[NAME].shelf.wait()
    rick = program(site, walking.member(site.access, "rick", Role.RESEARCHER))
    assert rick.get(f"/exports/{job}").json["by"] == "rosa"
    assert rick.get(f"/exports/{job}/archive").status_code == 404


def test_once_somebody_in_it_withdraws_it_is_given_no_more(site: Site, ada: Person, rosa: Program) -> None:
    job = rosa.post("/exports", {"formats": ["csv"]}).json["id"]  # type: ignore[index]
    site.app.extensions[NAME].shelf.wait()
    consenting.withdraw(site.access, ada, [Scope.AFFECT_SERIES], site.now, recorder=Recorder.PARTICIPANT)
    assert rosa.get(f"/exports/{job}/archive").status_code == 404
    assert rosa.get("/exports").json["items"][0]["outdated_at"] is not None


@pytest.mark.parametrize(
    "asked",
    [{"formats": []}, {"formats": ["xlsx"]}, {"formats": ["csv"], "every_s": 60}, {}, {"public": True}],
)
def test_what_cannot_be_asked_for_is_refused(rosa: Program, asked: dict[str, object]) -> None:
    assert rosa.post("/exports", asked).status_code == 422
