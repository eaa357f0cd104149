"""Who a program is, and what it may: a token alone lets in, never more than its person, until it ends somehow."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.webui import walking
from tests.webui.api.programs import AT, Program, program, token
from tests.webui.site import PASSWORD, Site
from tracker.access.rotation import rotate
from tracker.domain import tokens as domain
from tracker.domain.consent import Recorder, Scope
from tracker.domain.members import Role
from tracker.domain.tokens import Purpose
from tracker.store import tables
from tracker.workflows import accounts, consenting, enrolment, members, retention, tokens
from webui import limits, roles
from webui.auth import FRESH

DAY = timedelta(days=1)


def test_a_token_tells_whose_it_is_and_what_for(site: Site) -> None:
    ada = site.person()
    told = program(site, ada, Purpose.TIMELINE).get("/token").json
    assert told == {
        "kind": "participant",
        "name": "ada",
        "study": walking.in_force(site.access),
        "roles": ["participant"],
        "purposes": ["timeline"],
        "zone": ada.zone,
        "simulated": False,
    }
    kim = walking.member(site.access, "kim", Role.RATER)
    assert program(site, kim).get("/token").json["purposes"] == ["archive", "erasure", "grants", "rating"]


def test_no_session_lets_a_program_in_and_no_token_opens_a_page(site: Site) -> None:
    ada = site.person()
    visitor = site.logged_in("ada")
    assert visitor.get("/my-data").status_code == 200
    assert visitor.get(f"{AT}/token").status_code == 401
    made = token(site, ada).text
    for path in ("/my-data", "/account", "/timeline"):
        assert (
            Program(site, made).client.get(path, headers={"Authorization": f"Bearer {made}"}).status_code
            == 303
        )


def test_nothing_of_a_browser_is_needed_and_nothing_is_left_with_it(site: Site) -> None:
    """No CSRF token, for no browser sends a token by itself; and no cookie comes back."""
    ada = site.person()
    answer = program(site, ada).post("/contexts", {"place": "home"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    assert not [name for name in answer.headers if name[0].startswith("Access-Control-")]
    visitor = site.logged_in("ada")
    # With everything that a page of ours would send, a session still is not a token.
    told = visitor.client.post(
        f"{AT}/contexts",
        json={"place": "home"},
        headers={"X-CSRF-Token": visitor._token, "Idempotency-Key": "x" * 9},
    )
    assert told.status_code == 401


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer aff_", "Bearer " + "x" * 9000, "Bearer aff_" + "a" * 49],
)
def test_what_is_no_token_lets_nobody_in(lite: Site, given: str) -> None:
    answer = lite.app.test_client().get(f"{AT}/token", headers={"Authorization": given} if given else {})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_is_for_its_purposes_alone(lite: Site) -> None:
    ada = lite.person()
    for purpose in domain.possible([Role.PARTICIPANT]):
        asked = program(lite, ada, purpose)
        for door in walking.doors(lite):
            rule = roles.rule(door.endpoint)
            if not rule.program or rule.purpose is None:
                continue
            answer = asked.client.open(
                door.path, method=door.verb, headers={"Authorization": f"Bearer {asked.text}"}
            )
            shut = answer.status_code == 403 and (
                "This token is not for" in answer.text or "no part in it" in answer.text
            )
            # Some purposes are a rater's too: what is a rater's alone stays shut to a participant.
            mine = rule.purpose is purpose and Role.PARTICIPANT in rule.roles
            assert shut is not mine, (purpose, door, answer.text)


def test_nobody_gets_a_token_for_what_their_roles_do_not_allow(lite: Site) -> None:
    kim, ada = walking.member(lite.access, "kim", Role.RATER), lite.person()
    for whom, held in ((kim, Role.RATER), (ada, Role.PARTICIPANT)):
        for purpose in Purpose:
            if held in domain.ROLES_OF[purpose]:
                continue
            with pytest.raises(domain.TokenError, match="is for a"):
                token(lite, whom, [purpose])


def test_a_role_that_was_taken_is_gone_at_the_next_request(site: Site) -> None:
    kim = walking.member(site.access, "kim", Role.RATER)
    asked = program(site, kim)
    assert asked.get("/rating/votes").status_code == 403  # they did not agree to the raters' notice yet
    assert asked.get("/rating/keys").status_code == 200
    members.revoke_role(site.access, kim, Role.RATER, walking.in_force(site.access), site.now)
    assert "no part in it" in asked.get("/rating/keys").json["detail"]


def test_a_token_of_another_study_opens_nothing(lite: Site) -> None:
    ada = lite.person()
    asked = Program(lite, token(lite, ada, study="another").text)
    assert "another study" in asked.get("/token").json["detail"]


def test_a_token_ends_in_its_time_and_its_row_goes(site: Site) -> None:
    ada = site.person()
    asked = Program(site, token(site, ada, lasts=DAY).text)
    site.wait(DAY - timedelta(seconds=1))
    assert asked.get("/token").status_code == 200
    site.wait(timedelta(seconds=1))
    assert asked.get("/token").status_code == 401
    assert tokens.mine(site.access, ada, site.now) == []
    assert retention.run(site.access, site.now)["tokens"] == 1


def test_a_token_ends_with_its_persons_sessions_and_no_others(site: Site) -> None:
    ada, bob = site.person(), site.person("bob")
    first, other = program(site, ada), program(site, bob)
    accounts.end_sessions(site.access, ada, site.now)
    assert first.get("/token").status_code == 401
    assert tokens.mine(site.access, ada, site.now) == []
    second = program(site, ada)
    accounts.choose_password(site.access, ada, PASSWORD, site.now)
    assert second.get("/token").status_code == 401
    assert other.get("/token").status_code == 200


def test_a_member_who_is_removed_takes_their_tokens_along(site: Site) -> None:
    kim = walking.member(site.access, "kim", Role.RATER)
    asked = program(site, kim)
    members.remove(site.access, kim)
    assert asked.get("/token").status_code == 401
    with site.access.database.read() as connection:
        assert connection.execute(select(tables.tokens)).all() == []


def test_a_locked_member_is_kept_out_and_a_locked_participant_is_not(site: Site) -> None:
    """Whoever tries passwords must not keep somebody from their own data, nor from withdrawing."""
    ada, kim = site.with_password(), walking.member(site.access, "kim", Role.RATER)
    mine, theirs = program(site, ada), program(site, kim)
    for whom in (ada, kim):
        for _ in range(accounts.TRIES):
            accounts.count_try(site.access, whom, site.now)
    assert theirs.get("/token").status_code == 401
    assert mine.get("/token").status_code == 200
    assert mine.post("/consent/withdrawals", {"scopes": ["notes"]}).status_code == 200
    site.wait(accounts.LOCKED_FOR)
    assert theirs.get("/token").status_code == 200


def test_a_role_that_demands_a_second_factor_has_no_token_without(site: Site) -> None:
    rob = walking.member(site.access, "rob", Role.RESEARCHER)
    asked = program(site, rob)
    assert asked.get("/study").status_code == 200
    (factor,) = accounts.factors(site.access, rob, site.now)
    accounts.remove_factor(site.access, rob, factor.id, site.now)
    assert asked.get("/study").status_code == 401


def test_nobody_is_captured_by_a_program_before_they_have_seen_the_notice(site: Site) -> None:
    """An operator recorded everything for her: she may withdraw it, and nothing else."""
    eve = enrolment.enrol(site.access, "eve", "Europe/Berlin", site.now).person
    consenting.grant(
        site.access, eve, list(Scope), site.now, recorder=Recorder.OPERATOR, evidence="signed form 12"
    )
    asked = program(site, eve)
    for method, path in (
        ("POST", "/answers"),
        ("GET", "/timeline/moments"),
        ("POST", "/captures?taken_ms=1"),
    ):
        assert "Read the notice" in asked.ask(method, path).json["detail"]
    assert asked.post("/consent/withdrawals", {"scopes": ["notes"], "then": "keep"}).status_code == 200
    assert asked.post("/answers", {"emotion": "fear"}).status_code == 201, (
        "she has chosen under this notice now"
    )


def test_a_token_lies_as_a_digest_and_tells_the_day_of_its_use_alone(site: Site) -> None:
    ada = site.person()
    made = token(site, ada)
    site.wait(timedelta(hours=5))
    Program(site, made.text).get("/token")
    with site.access.database.read() as connection:
        (row,) = connection.execute(select(tables.tokens)).all()
    assert made.text not in str(row)
    assert "a program" not in str(row)
    (shown,) = tokens.mine(site.access, ada, site.now)
    assert (shown.name, shown.used_on) == ("a program", site.now.date())
    assert (row.used_on.hour, row.used_on.minute) == (0, 0)


def test_too_many_requests_are_told_when_to_come_again(lite: Site, caplog: pytest.LogCaptureFixture) -> None:
    ada = lite.person()
    made = token(lite, ada, [Purpose.TIMELINE]).text
    asked = Program(lite, made)
    with caplog.at_level(logging.DEBUG):
        codes = [asked.get("/token").status_code for _ in range(limits.REQUESTS)]
        assert set(codes) == {200}
        late = asked.get("/token")
    assert late.status_code == 429
    assert late.content_type == "application/problem+json"
    assert late.headers["Retry-After"] == "60"
    lite.wait(timedelta(seconds=60))
    assert asked.get("/token").status_code == 200
    assert made not in caplog.text


def test_an_address_that_tries_tokens_is_stopped(lite: Site) -> None:
    asked = Program(lite, domain.new_token())
    assert {asked.get("/token").status_code for _ in range(limits.LOGINS)} == {401}
    assert asked.get("/token").status_code == 429


def test_tokens_survive_a_restart_and_a_new_key(site: Site) -> None:
    """The digest is of the token alone: nothing else is needed to find it, and rotating keys ends none."""
    ada = site.person()
    asked = program(site, ada)
    asked.post("/contexts", {"place": "home"}, key="the-same-key")
    rotate(site.access, [ada.id])
    assert tokens.mine(site.access, ada, site.now)[0].name == "a program"
    again = asked.post("/contexts", {"place": "home"}, key="the-same-key")
    assert again.headers["Idempotency-Replayed"] == "true"


class TestPage:
    def test_a_token_is_made_shown_once_listed_and_revoked(self, site: Site) -> None:
        site.with_password()
        visitor = site.visitor()
        visitor.log_in("ada", PASSWORD)
        form = {"name": "my watch", "purpose": "timeline", "days": "30"}
        visitor.get("/account/tokens")
        page = visitor.post("/account/tokens", form)
        found = re.search(domain.PATTERN, page.text)
        assert found
        assert Program(site, found[0]).get("/token").json["purposes"] == ["timeline"]
        shown = visitor.get("/account/tokens").text
        assert "my watch" in shown
        assert found[0] not in shown
        number = re.search(r'name="token" value="(\w+)"', shown)
        assert number
        assert visitor.post("/account/tokens/revoke", {"token": number[1]}).status_code == 303
        assert Program(site, found[0]).get("/token").status_code == 401

    def test_what_makes_no_token_is_said(self, lite: Site) -> None:
        lite.with_password()
        visitor = lite.visitor()
        visitor.log_in("ada", PASSWORD)
        visitor.get("/account/tokens")
        good = {"name": "watch", "purpose": "timeline", "days": "30"}
        for wrong in (
            {"name": " "},
            {"purpose": "rating"},
            {"purpose": "all"},
            {"days": "0"},
            {"days": "9" * 30},
        ):
            assert visitor.post("/account/tokens", good | wrong).status_code == 400
        assert tokens.mine(lite.access, lite.access.person("ada"), lite.now) == []

    def test_who_one_is_is_asked_first_and_the_demo_makes_none(self, lite: Site) -> None:
        lite.with_password()
        visitor = lite.visitor()
        visitor.log_in("ada", PASSWORD)
        lite.wait(FRESH + timedelta(seconds=1))
        assert visitor.get("/account/tokens").status_code == 303
        assert lite.logged_in("ada").post("/account/tokens", {"name": "x"}).status_code == 403

    def test_nobody_revokes_anothers(self, lite: Site) -> None:
        ada = lite.person()
        lite.with_password("bob")
        made = token(lite, ada)
        visitor = lite.visitor()
        visitor.log_in("bob", PASSWORD)
        assert visitor.post("/account/tokens/revoke", {"token": made.token.id}).status_code == 404
        assert Program(lite, made.text).get("/token").status_code == 200


def test_nobody_has_more_tokens_than_they_oversee(lite: Site) -> None:
    ada = lite.person()
    for _ in range(domain.MOST):
        token(lite, ada)
    with pytest.raises(domain.TokenError, match="revoke one"):
        token(lite, ada)
