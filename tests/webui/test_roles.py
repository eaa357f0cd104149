"""Who may ask for what: every endpoint with every verb, as everybody there is; and no endpoint that nobody ruled on."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.webui import walking
from tests.webui.site import Site, Visitor
from tests.webui.walking import Door, Somebody
from tracker.domain.members import Member, Role
from webui import roles

# Said once more here, and by room: a row that is changed in the table by mistake is noticed.
ANYBODYS = {
    "assets",
    "health",
    "languages",
    "second",
    "passkeys",
    "invited",
    "leaving",
    "privacy",
    "answer_shell",
    "answer_phone",
}
"""Rooms for who is not logged in, too."""
EVERYBODYS = {"account", "confirming"}
"""Rooms for whoever is logged in."""
PARTICIPANTS = {
    "consent",
    "timeline",
    "learned",
    "hiding",
    "correcting",
    "mydata",
    "erased",
    "capturing",
    "uploading",
    "answering",
}
SINGLE = {
    "entering.home": set(Role),
    "entering.password": set(Role),
    "entering.log_out": set(Role),
    "entering.log_in": None,
    "entering.enter": None,
    "entering.notice_page": {Role.PARTICIPANT},
    "erased.page": None,
    "erased.certificate": None,
    "rate.token": {Role.RATER, Role.RESEARCHER},
    "rate.keys": {Role.RATER, Role.RESEARCHER},
    "rate.change_keys": {Role.RATER, Role.RESEARCHER},
}
"""Endpoints that differ from their room; None: anybody."""
TELLING = {"/login", "/withdraw", "/answer/standing"}
"""Addresses that say 401 themselves: forms for a wrong password, and a phone is told that nobody is logged in."""
DECIDING = {
    "rate.adjudications",
    "rate.adjudicating",
    "rate.disputed",
    "rate.disputed_open",
    "rate.adjudicate",
}


def who_may(endpoint: str) -> set[Role] | None:
    """Whom an endpoint is for; None: anybody."""
    room = endpoint.partition(".")[0]
    if endpoint in SINGLE:
        return SINGLE[endpoint]
    if room in ANYBODYS:
        return None
    if room in EVERYBODYS:
        return set(Role)
    if room in PARTICIPANTS:
        return {Role.PARTICIPANT}
    if room in {"monitor", "datasets"}:
        return {Role.RESEARCHER}
    assert room == "rate", f"{endpoint} is in a room that this test does not know"
    return {Role.RESEARCHER} if endpoint in DECIDING else {Role.RATER}


def is_shut(response: TestResponse, role: Role | None) -> bool:
    """Whether a door was shut because of who asked."""
    if role is None:
        if response.request.path in (
            "/login/second",
            "/erased",
        ):  # nobody's password was given, nobody erased
            return False
        unknown = response.status_code == 401 and response.request.path not in TELLING
        return unknown or (response.status_code == 303 and response.location == "/login")
    return response.status_code == 403 and "your account has no part in it" in response.text


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nobody")
def test_every_endpoint_opens_to_whom_it_is_for_and_to_nobody_else(site: Site, role: Role | None) -> None:
    member: Member | None = None
    if role is Role.PARTICIPANT:
        site.person("ada")
    elif role is not None:
        member = walking.member(site.access, "kim", role)

    def visitor() -> Visitor:
        if member is not None:
            return walking.with_session(site, member)
        return site.visitor() if role is None else site.logged_in("ada")

    asked, somebody = 0, Somebody(visitor)
    for door in walking.doors(site):
        allowed = who_may(door.endpoint)
        expected = allowed is not None and (role is None or role not in allowed)
        answer = somebody.asks(door)
        assert is_shut(answer, role) is expected, (role, door, answer.status_code, answer.location)
        # 503: nothing reads faces in this app.
        assert answer.status_code < 500 or answer.status_code == 503, (role, door)
        asked += 1
    assert asked > 60


def test_a_member_of_another_study_or_without_a_role_has_their_account_and_nothing_else(site: Site) -> None:
    lost = walking.member(site.access, "kim", Role.RATER, Role.RESEARCHER, Role.OPERATOR, study="another")
    somebody = Somebody(lambda: walking.with_session(site, lost))
    for door in walking.doors(site):
        allowed = who_may(door.endpoint)
        expected = allowed is not None and allowed != set(Role)
        answer = somebody.asks(door)
        assert is_shut(answer, Role.RATER) is expected, (door, answer.status_code)


def test_the_table_and_the_app_have_the_same_endpoints(lite: Site) -> None:
    assert {rule.endpoint for rule in lite.app.url_map.iter_rules()} == set(roles.RULES)


def test_an_app_with_an_endpoint_that_nobody_ruled_on_does_not_start() -> None:
    app = Flask("unruled", static_folder=None)
    app.add_url_rule("/secret", "secret.page", lambda: "")
    with pytest.raises(roles.UnruledEndpointError, match=r"secret\.page"):
        roles.demand_complete(app)


def test_whoever_must_have_a_second_factor_has_no_other_page_before(site: Site) -> None:
    bare = walking.member(site.access, "kim", Role.OPERATOR, Role.RATER, Role.RESEARCHER, second=False)
    somebody = Somebody(lambda: walking.with_session(site, bare))
    for door in walking.doors(site):
        allowed = who_may(door.endpoint)
        if allowed is None or allowed == {Role.PARTICIPANT}:
            continue
        answer = somebody.asks(door)
        own = door.endpoint.startswith(("account.", "confirming.")) or door.endpoint in (
            "entering.log_out",
            "entering.password",
        )
        if not own:
            led = answer.location == "/account" or answer.status_code == 403
            assert led, (door, answer.status_code, answer.location)


def test_what_is_public_is_the_same_for_everybody(lite: Site) -> None:
    lite.person("ada")
    kim = walking.member(lite.access, "kim")
    for door in walking.doors(lite):
        rule = roles.rule(door.endpoint)
        if rule.looked_up or door.verb != "GET":
            continue
        answers = {
            (answer.status_code, answer.data)
            for answer in (
                walking.knock(visitor, door)
                for visitor in (lite.visitor(), lite.logged_in("ada"), walking.with_session(lite, kim))
            )
        }
        # What is not there has a page that says so, with the menu of whoever asks.
        assert {status for status, _ in answers} == {404} or len(answers) == 1, door


def test_a_verb_that_an_endpoint_does_not_know_changes_nothing(lite: Site) -> None:
    lite.person("ada")
    visitor = lite.logged_in("ada")
    for door in list(walking.doors(lite))[::5]:
        for verb in ("PUT", "PATCH", "DELETE"):
            answer = walking.knock(visitor, Door(door.endpoint, verb, door.path))
            assert answer.status_code in (403, 404, 405), (door, answer.status_code)
