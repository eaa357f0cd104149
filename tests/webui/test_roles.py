"""Who may ask for what: every endpoint with every verb, as everybody there is; and no endpoint that nobody ruled on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.webui import walking
from tests.webui.api.programs import token
from tests.webui.site import Site, Visitor
from tests.webui.walking import Door, Somebody
from tracker.domain.members import Member, Role
from tracker.domain.tokens import new_token
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
    "api_docs",
}
"""Rooms for who is not logged in, too."""
EVERYBODYS = {"account", "confirming", "tokens"}
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
    "telling",
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
PROGRAMS: dict[str, set[Role]] = {
    "api_token": set(Role),
    "api_timeline": {Role.PARTICIPANT},
    "api_answers": {Role.PARTICIPANT},
    "api_prompts": {Role.PARTICIPANT},
    "api_consent": {Role.PARTICIPANT},
    "api_capture": {Role.PARTICIPANT},
    "api_uploads": {Role.PARTICIPANT},
    "api_rating": {Role.RATER},
    "api_studies": {Role.RESEARCHER, Role.OPERATOR},
    "api_exports": {Role.RESEARCHER},
    "api_grants": {Role.PARTICIPANT},
    "api_hiding": {Role.PARTICIPANT},
    "api_archives": {Role.PARTICIPANT},
    "api_erasures": {Role.PARTICIPANT},
    "api_clips": {Role.RATER},
    "api_rater": {Role.RATER},
    "api_adjudication": {Role.RESEARCHER},
    "api_monitor": {Role.RESEARCHER},
    "api_applying": {Role.OPERATOR},
}
"""Rooms for programs: a token alone lets in, of somebody who has one of these roles."""
TOLD = {"api_erased"}
"""Rooms for programs that were told a number; no token is needed, and none is looked at."""
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
    if room in TOLD:
        return None
    if room in PROGRAMS:
        return set()  # no session of anybody's
    assert room == "rate", f"{endpoint} is in a room that this test does not know"
    return {Role.RESEARCHER} if endpoint in DECIDING else {Role.RATER}


def is_shut(response: TestResponse, role: Role | None) -> bool:
    """Whether a door was shut because of who asked."""
    if response.content_type == "application/problem+json":
        return response.status_code == 401
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


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role or "nobody")
def test_a_token_opens_what_its_persons_role_opens_and_no_page(site: Site, role: Role | None) -> None:
    if role is Role.PARTICIPANT:
        text = token(site, site.person("ada")).text
    elif role is not None:
        text = token(site, walking.member(site.access, "kim", role)).text
    else:
        text = new_token()
    client, asked = site.app.test_client(use_cookies=False), 0
    for door in walking.doors(site):
        site.wait(timedelta(seconds=10))
        room, rule = door.endpoint.partition(".")[0], roles.rule(door.endpoint)
        answer = client.open(door.path, method=door.verb, headers={"Authorization": f"Bearer {text}"})
        if not rule.program:
            # A page takes whoever asks with a token for nobody.
            assert who_may(door.endpoint) is None or answer.status_code in (303, 401, 403), door
            continue
        if room in TOLD:
            assert answer.status_code in (404, 429), door
            continue
        allowed = {Role.OPERATOR} if door.endpoint == "api_studies.preview" else PROGRAMS[room]
        shut = (
            answer.status_code == 401 or "no part in it" in answer.text or "This token is not" in answer.text
        )
        assert shut is (role not in allowed), (role, door, answer.status_code, answer.text)
        assert answer.content_type == "application/problem+json" or answer.status_code < 300, door
        asked += 1
    assert asked > 40


def test_a_member_of_another_study_or_without_a_role_has_their_account_and_nothing_else(site: Site) -> None:
    lost = walking.member(site.access, "kim", Role.RATER, Role.RESEARCHER, Role.OPERATOR, study="another")
    somebody = Somebody(lambda: walking.with_session(site, lost))
    for door in walking.doors(site):
        allowed = who_may(door.endpoint)
        expected = allowed is not None and allowed != set(Role)
        if door.endpoint.partition(".")[0] in PROGRAMS:
            continue
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
        if not allowed or allowed == {Role.PARTICIPANT}:
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
            assert answer.status_code in (401, 403, 404, 405), (door, answer.status_code)
