"""How the study goes, for programs: those who share alone, every look noted, the same figures as in the room."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from tests.webui import walking
from tests.webui.api.programs import Program, program
from tests.webui.site import Site
from tests.webui.test_monitor import living, looks_at
from tracker import access as gate
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.stretches import Stretch
from tracker.domain.tokens import Purpose
from tracker.workflows import consenting, hiding, members
from webui.api import monitor
from webui.roles import RULES

QUIET = tuple(scope for scope in Scope if scope is not Scope.SHARE_WITH_RESEARCHERS)


@pytest.fixture
def rosa(site: Site) -> Program:
    return program(site, walking.member(site.access, "rosa", Role.RESEARCHER), Purpose.MONITOR)


def withdraw(site: Site, who: Person, scope: Scope) -> None:
    consenting.withdraw(site.access, who, [scope], site.now, recorder=Recorder.PARTICIPANT)


def test_one_who_shares_is_shown_as_on_the_page_and_reads_who_looked(site: Site, rosa: Program) -> None:
    ada = living(site)
    told = rosa.get(f"/monitor/people/{ada.id}?days=7")
    assert told.status_code == 200, told.text
    table = rosa.get(f"/monitor/people/{ada.id}/tables/days?days=7")
    assert table.mimetype == "text/csv"
    rows = {row["day"]: row for row in csv.DictReader(io.StringIO(table.text))}
    assert len(rows) == 7
    for came in told.json["arrived"]:
        assert int(rows[came["day"]]["read"]) == came["read"] > 0
    assert told.json["asked"], "she shares what she is asked"
    for asked in told.json["asked"]:
        assert int(rows[asked["day"]]["answered"]) == asked["answered"]
    assert [one["target"] for one in told.json["learners"]] == ["emotion"]
    (look, other) = looks_at(site, ada)
    assert look == other
    assert look.startswith("member ")
    assert [one["what"] for one in told.json["looks"]] == [look.partition(": ")[2]], (
        "their own look stands there"
    )


def test_nobody_else_is_there_at_all(site: Site, rosa: Program) -> None:
    bob = living(site, "bob", QUIET)
    ada = living(site)
    assert [one["name"] for one in rosa.get("/monitor/people").json["items"]] == ["ada"]
    for tail in ("", "/tables/days", "/tables/learners"):
        theirs, nobodys = (rosa.get(f"/monitor/people/{who}{tail}") for who in (bob.id, "0" * 32))
        assert (theirs.status_code, theirs.data) == (nobodys.status_code, nobodys.data) == (404, theirs.data)
    assert "bob" not in rosa.get("/monitor/prompts").text + rosa.get("/monitor/tables/prompts").text
    assert looks_at(site, bob) == []
    assert len(looks_at(site, ada)) == 2
    withdraw(site, ada, Scope.SHARE_WITH_RESEARCHERS)
    assert rosa.get(f"/monitor/people/{ada.id}").status_code == 404
    assert rosa.get("/monitor/people").json["items"] == rosa.get("/monitor/prompts").json["items"] == []


def test_prompts_are_told_by_person_and_day(site: Site, rosa: Program) -> None:
    ada = living(site)
    (one,) = rosa.get("/monitor/prompts?days=7").json["items"]
    rows = list(csv.DictReader(io.StringIO(rosa.get("/monitor/tables/prompts?days=7").text)))
    assert sum(int(row["put"]) for row in rows) == sum(day["put"] for day in one["days"]) == 6
    assert one["answered"]["n"] == 6
    assert one["answered"]["low"] < one["answered"]["value"] < one["answered"]["high"]
    withdraw(site, ada, Scope.PROMPTS)
    assert rosa.get("/monitor/prompts?days=7").json["items"] == []
    assert rosa.get(f"/monitor/people/{ada.id}").json["asked"] is None


def test_what_is_hidden_is_told_to_no_program(site: Site, rosa: Program) -> None:
    ada = living(site)
    before = rosa.get(f"/monitor/people/{ada.id}").json["arrived"]
    hiding.hide(site.access, ada, Stretch(site.now - timedelta(days=9), site.now), site.now)
    assert before
    assert rosa.get(f"/monitor/people/{ada.id}").json["arrived"] == []


def test_raters_jobs_and_everybody_are_told_with_their_tables(site: Site, rosa: Program) -> None:
    for name in monitor.TABLES:
        table = rosa.get(f"/monitor/tables/{name}")
        if name not in ("confusion", "prompts"):
            told = rosa.get(f"/monitor/{name}")
            assert (told.status_code, told.json["items"]) == (200, [])
        assert (table.status_code, table.mimetype) == (200, "text/csv")
    assert rosa.get("/monitor/everybody").json["epsilon_left"] > 0
    for wrong in ("/monitor/tables/people", f"/monitor/people/{'0' * 32}/tables/prompts"):
        assert rosa.get(wrong).status_code == 404
    assert rosa.get("/monitor/prompts?days=8").status_code == 422


def test_every_table_of_the_room_is_there_for_programs() -> None:
    room = {name.removeprefix("monitor.").removesuffix("_csv") for name in RULES if name.endswith("_csv")}
    assert {*monitor.TABLES, *monitor.TABLES_OF} == room


def test_without_the_look_being_noted_nothing_is_shown(
    site: Site, rosa: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = living(site)
    site.app.config["PROPAGATE_EXCEPTIONS"] = False

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no disk")

    for name in ("record_look", "record_looks", "look"):
        monkeypatch.setattr(gate.Access, name, broken)
    for path in (f"/monitor/people/{ada.id}", f"/monitor/people/{ada.id}/tables/days", "/monitor/prompts"):
        answer = rosa.get(path)
        assert answer.status_code == 500
        assert "arrived" not in answer.text


def test_a_role_that_was_taken_and_another_purpose_see_nothing(site: Site) -> None:
    ada = living(site)
    rosa = walking.member(site.access, "rosa", Role.RESEARCHER)
    asked = program(site, rosa)
    other = program(site, rosa, Purpose.STUDIES, Purpose.EXPORTS, Purpose.ADJUDICATION)
    assert "not for monitor" in other.get(f"/monitor/people/{ada.id}").json["detail"]
    members.revoke_role(site.access, rosa, Role.RESEARCHER, walking.in_force(site.access), site.now)
    assert asked.get(f"/monitor/people/{ada.id}").status_code == 403
    assert looks_at(site, ada) == []
