"""Allowing things by a program: only what was read is allowed, in the state that was seen, by its person alone."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

import pytest
from werkzeug.test import TestResponse

from tests.webui import walking
from tests.webui.api.programs import Program, program, token
from tests.webui.site import Site
from tests.webui.test_study_form import govern as own
from tracker.domain import notice as notices
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.tokens import Purpose
from tracker.privacy import signed
from tracker.workflows import consenting, enrolment, erasure, receipts, studies


@pytest.fixture
def eve(site: Site) -> Person:
    """Somebody who was enrolled, and was asked nothing yet."""
    return enrolment.enrol(site.access, "eve", "Europe/Berlin", site.now).person


def read(asked: Program) -> tuple[str, dict[str, str]]:
    """The hash of the notice that was read, and the tag of the state that was seen."""
    told = asked.get("/consent/notice")
    assert told.status_code == 200, told.text
    return told.json["sha256"], {"If-Match": asked.get("/consent/grants").headers["ETag"]}


def allow(asked: Program, *scopes: str, **options: Any) -> TestResponse:
    sha, tag = read(asked)
    return asked.post("/consent/grants", {"notice": sha, "scopes": list(scopes)}, headers=tag, **options)


def govern(site: Site, **changes: Any) -> None:
    """Let the study that governs say something else."""
    other = studies.in_force(site.access).model_copy(update={"version": "9", **changes})
    studies.apply(site.access, other, "ops", site.now)


def in_force(site: Site, who: Person) -> set[Scope]:
    with site.access.read(who.id, site.now) as unit:
        return set(unit.grants())


def test_the_notice_is_given_word_for_word_and_hashes_to_what_is_recorded(site: Site, eve: Person) -> None:
    asked = program(site, eve, Purpose.GRANTS, Purpose.ANSWERS)
    assert "Read the notice" in asked.post("/answers", {"place": "home"}).json["detail"]
    told = asked.get("/consent/notice").json
    assert notices.digest(told["document"]) == told["sha256"]
    assert {card["scope"] for card in told["document"]["cards"]} == {s.value for s in Scope}
    done = allow(asked, "affect_series", "context")
    assert done.status_code == 200, done.text
    stands = {s["scope"]: (s["in_force"], s["confirmed"]) for s in done.json["scopes"]}
    assert stands["context"] == stands["affect_series"] == (True, True)
    assert stands["notes"] == (False, False)
    assert in_force(site, eve) == {Scope.AFFECT_SERIES, Scope.CONTEXT}
    with site.access.read(eve.id, site.now) as unit:
        (event, _) = unit.events
    assert (event.recorder, event.notice.sha256) == (Recorder.PARTICIPANT, told["sha256"])
    assert event.evidence.startswith("by a program, with token ")
    assert asked.post("/answers", {"place": "home"}).status_code == 201, "whoever chose has seen the notice"
    assert signed.read(signed.written(receipts.receipt(site.access, eve, site.now)))


@pytest.mark.parametrize("wrong", ["0" * 64, "short", None])
def test_nothing_is_allowed_under_a_text_that_nobody_read(lite: Site, wrong: str | None) -> None:
    eve = enrolment.enrol(lite.access, "eve", "Europe/Berlin", lite.now).person
    asked = program(lite, eve, Purpose.GRANTS)
    _, tag = read(asked)
    body = {"scopes": ["notes"]} | ({} if wrong is None else {"notice": wrong})
    refused = asked.post("/consent/grants", body, headers=tag)
    assert refused.status_code == (409 if wrong == "0" * 64 else 422)
    if wrong == "0" * 64:
        assert refused.json["type"] == "urn:affect-tracker:problem:notice-changed"
        same = asked.post("/consent/confirmations", {"notice": wrong}, headers=tag)
        assert same.status_code == 409
    assert in_force(lite, eve) == set()


def test_a_notice_that_changed_since_it_was_read_is_read_anew(site: Site, eve: Person) -> None:
    own(site, "")
    asked = program(site, eve, Purpose.GRANTS)
    sha, tag = read(asked)
    govern(site, title="Another title")
    tag = {"If-Match": asked.get("/consent/grants").headers["ETag"]}
    late = asked.post("/consent/grants", {"notice": sha, "scopes": ["notes"]}, headers=tag)
    assert (late.status_code, late.json["type"]) == (409, "urn:affect-tracker:problem:notice-changed")
    assert in_force(site, eve) == set()


def test_a_grant_is_said_of_the_state_that_was_seen(site: Site, eve: Person) -> None:
    asked = program(site, eve, Purpose.GRANTS, Purpose.CONSENT)
    sha, tag = read(asked)
    body = {"notice": sha, "scopes": ["notes"]}
    assert asked.post("/consent/grants", body).status_code == 428
    assert asked.post("/consent/grants", body, headers=tag).status_code == 200
    assert asked.post("/consent/grants", body, headers=tag).status_code == 412
    # Given, taken back, given, taken back: no state is ever the same as one before.
    for _ in range(2):
        asked.post("/consent/withdrawals", {"scopes": ["notes"], "then": "keep"})
        assert asked.post("/consent/grants", body, headers=tag).status_code == 412
        tag = {"If-Match": asked.get("/consent/grants").headers["ETag"]}
        assert asked.post("/consent/grants", body, headers=tag).status_code == 200
    assert in_force(site, eve) == {Scope.NOTES}


def test_a_grant_that_is_sent_again_after_an_erasure_undoes_no_withdrawal(site: Site, eve: Person) -> None:
    """What was answered is forgotten with an erasure, so its key does not know the request any more."""
    asked = program(site, eve, Purpose.GRANTS, Purpose.CONSENT)
    sha, tag = read(asked)
    body = {"notice": sha, "scopes": ["notes"]}
    first = asked.post("/consent/grants", body, headers=tag, key="the-same-key")
    again = asked.post("/consent/grants", body, headers=tag, key="the-same-key")
    assert (again.status_code, again.data) == (200, first.data)
    consenting.withdraw(site.access, eve, [Scope.NOTES], site.now, recorder=Recorder.PARTICIPANT)
    erasure.erase_scope(site.access, eve, Scope.NOTES, site.now)
    late = asked.post("/consent/grants", body, headers=tag, key="the-same-key")
    assert late.status_code == 412
    assert in_force(site, eve) == set()


def test_a_withdrawal_that_commits_between_the_look_and_the_grant_wins(lite: Site) -> None:
    eve = enrolment.enrol(lite.access, "eve", "Europe/Berlin", lite.now).person
    asked = program(lite, eve, Purpose.GRANTS)
    allow(asked, "affect_series")
    sha, tag = read(asked)
    grant = consenting.grant

    def slow(*args: Any, **options: Any) -> Any:
        consenting.withdraw(lite.access, eve, [Scope.AFFECT_SERIES], lite.now, recorder=Recorder.PARTICIPANT)
        return grant(*args, **options)

    with mock.patch.object(consenting, "grant", side_effect=slow):
        late = asked.post("/consent/grants", {"notice": sha, "scopes": ["affect_series"]}, headers=tag)
    assert late.status_code == 412
    assert in_force(lite, eve) == set()


def test_two_at_once_are_recorded_once(site: Site, eve: Person) -> None:
    asked = program(site, eve, Purpose.GRANTS)
    sha, tag = read(asked)
    codes: list[int] = []

    def send() -> None:
        one = Program(site, asked.text)
        body = {"notice": sha, "scopes": ["notes"]}
        codes.append(one.post("/consent/grants", body, headers=tag).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 412, 412, 412]
    with site.access.read(eve.id, site.now) as unit:
        assert len(unit.events) == 1


def test_what_an_operator_recorded_is_confirmed_under_what_was_read(site: Site, eve: Person) -> None:
    consenting.grant(
        site.access, eve, [Scope.NOTES], site.now, recorder=Recorder.OPERATOR, evidence="signed form 12"
    )
    asked = program(site, eve, Purpose.GRANTS)
    sha, tag = read(asked)
    done = asked.post("/consent/confirmations", {"notice": sha}, headers=tag)
    assert {s["scope"]: s["confirmed"] for s in done.json["scopes"]}["notes"] is True


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scopes": []}, 422),
        ({"scopes": ["everything"]}, 422),
        ({"scopes": ["notes"], "covers_from": "2999-01-01T00:00:00Z"}, 422),
        ({"scopes": ["notes"], "evidence": "mine"}, 422),
        ({"scopes": ["notes"], "recorder": "participant"}, 422),
    ],
)
def test_what_is_no_grant_is_refused(lite: Site, body: dict[str, Any], status: int) -> None:
    eve = enrolment.enrol(lite.access, "eve", "Europe/Berlin", lite.now).person
    asked = program(lite, eve, Purpose.GRANTS)
    sha, tag = read(asked)
    answer = asked.post("/consent/grants", {"notice": sha, **body}, headers=tag)
    assert answer.status_code == status, answer.text
    assert in_force(lite, eve) == set()


def test_a_study_that_is_closed_or_asks_for_less_takes_nothing_in(lite: Site) -> None:
    ada = lite.person(scopes=(Scope.AFFECT_SERIES,))
    asked = program(lite, ada, Purpose.GRANTS)
    govern(lite, scopes=(Scope.AFFECT_SERIES,))
    assert allow(asked, "notes").status_code == 403
    studies.apply(lite.access, studies.in_force(lite.access).closing(), "ops", lite.now)
    assert allow(asked, "affect_series").status_code == 403


def test_a_language_that_the_study_does_not_speak_is_told(lite: Site) -> None:
    asked = program(lite, lite.person(), Purpose.GRANTS)
    assert asked.get("/consent/notice?language=en").json["language"] == "en"
    other = asked.get("/consent/notice?language=tlh")
    assert (other.status_code, "it has en" in other.json["detail"]) == (404, True)


def test_no_other_purpose_allows_anything(lite: Site) -> None:
    ada = lite.person()
    rest = [p for p in Purpose if p is not Purpose.GRANTS and Role.PARTICIPANT in _roles(p)]
    asked = Program(lite, token(lite, ada, rest).text)
    for method, path in (
        ("GET", "/consent/notice"),
        ("GET", "/consent/grants"),
        ("POST", "/consent/grants"),
        ("POST", "/consent/confirmations"),
    ):
        assert "not for grants" in asked.ask(method, path, json={} if method == "POST" else None).text
    kim = walking.member(lite.access, "kim", Role.RATER)
    assert program(lite, kim).get("/consent/notice").status_code == 403


def _roles(purpose: Purpose) -> frozenset[Role]:
    from tracker.domain.tokens import ROLES_OF  # noqa: PLC0415

    return ROLES_OF[purpose]


def test_nobody_allows_anything_for_another(site: Site) -> None:
    ada, bob = site.person(scopes=(Scope.AFFECT_SERIES,)), site.person("bob", (Scope.AFFECT_SERIES,))
    sha, tag = read(program(site, ada, Purpose.GRANTS))
    program(site, bob, Purpose.GRANTS).post(
        "/consent/grants", {"notice": sha, "scopes": ["notes"]}, headers=tag
    )
    assert in_force(site, ada) == {Scope.AFFECT_SERIES}
