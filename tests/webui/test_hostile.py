"""What no page of ours sends: numbers that no column holds, ids that are none, U+0000 and half characters, anywhere."""

from __future__ import annotations

import uuid
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests import builders, lives
from tests.webui import walking
from tests.webui.rating import at_desk, key, member, shown_person
from tests.webui.site import Site, Visitor
from tests.webui.walking import Door, Somebody
from tracker.domain.affect import Emotion
from tracker.domain.members import Role
from webui.addresses import LARGEST

NONE = ("x\0y", "x\ud800y", "x\udfff")
"""Texts that cannot be kept; an address and a form can say the first of them alone."""

FIELDS = ("item", "hold", "back", "show", "within", "unit", "last", "scope", "gone", "rows", "done")
ASKING = (Role.PARTICIPANT, Role.RATER, Role.RESEARCHER)


def somebody(site: Site, role: Role) -> Somebody:
    if role is Role.PARTICIPANT:
        site.series(site.person("ada"), 5)
        return Somebody(lambda: site.logged_in("ada"))
    staff = walking.member(site.access, "kim", role)
    return Somebody(lambda: walking.with_session(site, staff))


def stands(answer: TestResponse) -> bool:
    # 503: nothing reads faces in this app.
    return answer.status_code < 500 or answer.status_code == 503


@pytest.mark.parametrize("role", ASKING)
def test_no_endpoint_fails_over_what_stands_in_its_address(site: Site, role: Role) -> None:
    asking, asked = somebody(site, role), 0
    for number, text in ((LARGEST + 1, "x\0y"), (LARGEST, "0" * 31 + "\0"), (253_402_300_799, "x")):
        for door in walking.strange_doors(site, number, text):
            answer = asking.asks(door)
            assert stands(answer), (role, door, answer.status_code)
            asked += 1
    assert asked > 60


@pytest.mark.parametrize("role", ASKING)
def test_no_endpoint_fails_over_a_text_in_its_query(site: Site, role: Role) -> None:
    asking = somebody(site, role)
    query = "?" + "&".join(f"{name}={quote(NONE[0])}" for name in FIELDS)
    refused = 0
    for door in walking.doors(site):
        answer = asking.asks(Door(door.endpoint, door.verb, door.path + query))
        assert stands(answer), (role, door, answer.status_code)
        refused += answer.status_code == 400
    assert refused > 10


@pytest.fixture
def pair(site: Site) -> tuple[Visitor, Visitor]:
    """Two participants at their pages."""
    for name in ("ada", "bob"):
        site.person(name)
    ada, bob = site.logged_in("ada"), site.logged_in("bob")
    for visitor in (ada, bob):
        assert visitor.get("/answer").status_code == 200
    return ada, bob


@pytest.mark.parametrize("text", NONE)
def test_a_text_that_cannot_be_kept_is_refused_and_harms_nobody(
    pair: tuple[Visitor, Visitor], text: str
) -> None:
    ada, bob = pair
    for field in ("place", "activity", "company", "note", "key", "more"):
        said = [{text: 1}] if field == "more" else text
        refused = ada.json("/answer", {"key": str(uuid.uuid4()), "alone": "yes", field: said})
        assert refused.status_code == 400, field
        assert "U+" in refused.get_json()["error"], field
        assert bob.get("/answer").status_code == 200, field
        assert bob.json("/answer", {"key": str(uuid.uuid4()), "alone": "no"}).status_code == 200, field


def test_a_form_that_holds_such_a_text_is_refused_too(site: Site) -> None:
    site.person()
    visitor = site.logged_in()
    visitor.get("/answer")
    refused = visitor.post("/answer", {"key": str(uuid.uuid4()), "alone": "yes", "place": NONE[0]})
    assert refused.status_code == 400
    assert "U+0000" in refused.text


def test_a_question_of_somebody_else_is_none_of_mine_however_it_is_asked(site: Site) -> None:
    site.person("ada")
    theirs = lives.answered(site.access, site.person("bob"), builders.NOW, Emotion.FEAR)
    visitor = site.logged_in("ada")
    for number in (theirs, 999):
        assert visitor.get(f"/answer/{number}").status_code == 404
        body = {"key": str(uuid.uuid4()), "emotion": "fear", "prompt": str(number)}
        assert visitor.json("/answer", body).status_code == 404
        assert visitor.post("/answer", body).status_code == 404


def test_what_is_nested_without_an_end_is_a_bad_request(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    visitor.get("/answer")
    refused = visitor.client.post(
        "/answer",
        data="[" * 50_000,
        headers={"X-CSRF-Token": visitor._token, "Content-Type": "application/json"},
    )
    assert refused.status_code == 400


@pytest.mark.parametrize("number", [LARGEST, LARGEST + 1, "9" * 5000])
def test_a_question_that_no_column_can_number_is_none(site: Site, number: object) -> None:
    site.person()
    visitor = site.logged_in()
    assert visitor.get(f"/answer/{number}").status_code == 404
    assert visitor.post(f"/answer/{number}/dismiss").status_code == 404
    assert visitor.get(f"/moment/picture/{number}").status_code == 404
    assert visitor.get(f"/moment/{number}").status_code == 404


@pytest.mark.parametrize("strange", ["x\0y", "0" * 31 + "\0", "0" * 33, "F" * 32, "1"])
def test_an_id_that_is_none_is_no_item_of_anybody(site: Site, strange: str) -> None:
    shown_person(site)
    visitor = at_desk(site, member(site))
    told = quote(strange, safe="")
    for path in (f"/rate/picture/{told}", f"/rate/series/{told}", f"/rate/series/{told}/open"):
        assert visitor.get(path).status_code == 404, path
    assert visitor.get(f"/rate?item={told}").status_code in (400, 404)
    held = visitor.get(f"/rate/closed?hold={told}")
    assert held.status_code == 400 or held.get_json() == {"gone": [strange]}
    for path in ("/rate/vote", "/rate/undo"):
        sent = visitor.json(path, {"item": strange, "answer": "fear", "key": key()})
        assert sent.status_code in (400, 404), path
