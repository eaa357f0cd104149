"""Sessions: their cookie, how long they last without a request, and ending one that is somewhere else."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.sessions import SecureCookieSessionInterface

from tests.webui import walking
from tests.webui.site import PASSWORD, Site
from tests.webui.test_account import BOTH, entered, kim, somebody, with_app
from tests.webui.test_forged import lets_in, own
from tracker.domain.members import Role
from tracker.workflows import accounts
from webui import auth
from webui.cookies import NAME, PREFIX

PARTS = {"timeline.chart"}
"""Pages that are parts of other pages."""


def buttons(page: str) -> list[str]:
    """The numbers of the sign-ins whose sessions can be ended, newest first."""
    return re.findall(r'name="sign_in" value="(\d+)"', page)


# --- the cookie -----------------------------------------------------------------------------------------------------


def test_over_tls_the_cookie_belongs_to_this_host_alone(sqlite_url: str, tmp_path: Path) -> None:
    site = Site(sqlite_url, tmp_path, secure_cookies=True)
    try:
        answer = site.app.test_client().get("/login", base_url="https://study.example.org")
        (made,) = answer.headers.getlist("Set-Cookie")
        name, _, rest = made.partition("=")
        said = {part.strip().partition("=")[0] for part in rest.split(";")[1:]}
        assert name == PREFIX + NAME
        assert {"Secure", "HttpOnly", "SameSite", "Path"} <= said
        assert "Path=/" in rest.replace(" ", "").split(";")
        assert "Domain" not in said
        assert "SameSite=Lax" in made
    finally:
        site.access.database.close()
        site.access.keys.close()


def test_what_is_signed_in_another_way_lets_nobody_in(lite: Site) -> None:
    lite.person()
    weaker = SecureCookieSessionInterface().get_signing_serializer(lite.app)  # Flask's own: SHA-1
    assert weaker is not None
    ours = lite.app.session_interface.get_signing_serializer(lite.app)  # type: ignore[attr-defined]
    assert lets_in(lite, ours.dumps(own(lite)))
    assert not lets_in(lite, str(weaker.dumps(own(lite))))


# --- without a request ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.OPERATOR])
def test_who_sees_others_is_logged_out_after_an_hour_without_a_request(lite: Site, role: Role) -> None:
    visitor = walking.with_session(lite, walking.member(lite.access, "kim", role))
    for _ in range(3):
        lite.wait(auth.IDLE - timedelta(minutes=1))
        assert visitor.get("/account").status_code == 200, "each request begins the hour anew"
    lite.wait(auth.IDLE + timedelta(minutes=1))
    assert visitor.get("/account").location == "/login"


def test_what_a_page_asks_by_itself_keeps_no_session_going(lite: Site) -> None:
    visitor = walking.with_session(lite, walking.member(lite.access, "kim", Role.RESEARCHER))
    for _ in range(5):
        lite.wait(timedelta(minutes=11))
        assert visitor.get("/study/exports/state").status_code == 200
    lite.wait(timedelta(minutes=11))
    assert visitor.get("/study/exports/state").status_code != 200


def test_who_sees_nobody_but_themselves_stays_for_half_a_day(lite: Site) -> None:
    lite.person()
    ada = lite.logged_in()
    rater = walking.with_session(lite, walking.member(lite.access, "kim", Role.RATER))
    lite.wait(auth.LASTS - timedelta(minutes=1))
    assert ada.get("/my-data").status_code == 200
    assert rater.get("/account").status_code == 200
    lite.wait(timedelta(minutes=2))
    assert ada.get("/my-data").location == "/login"
    assert rater.get("/account").location == "/login"


# --- somewhere else -------------------------------------------------------------------------------------------------


@BOTH
def test_one_session_of_ones_own_is_ended_and_the_others_go_on(site: Site, kind: str) -> None:
    somebody(site, kind)
    first, second, here = entered(site), entered(site), entered(site)
    newest_first = buttons(here.get("/account").text)
    assert len(newest_first) == 2, "this one has no button"
    assert here.post("/account/sessions/end", {"sign_in": newest_first[1]}).status_code == 303
    assert first.get("/account").location == "/login"
    assert second.get("/account").status_code == 200
    assert buttons(here.get("/account").text) == newest_first[:1]


def test_nobody_ends_a_session_of_somebody_else(site: Site) -> None:
    kim(site)
    site.with_password("ada")
    other, here = entered(site, "ada"), entered(site)
    site.with_password("bo")
    (number,) = buttons(entered(site, "ada").get("/account").text)
    for wrong in (number, "", "x", "9" * 30, "-1"):
        assert here.post("/account/sessions/end", {"sign_in": wrong}).status_code == 404
    assert other.get("/account").status_code == 200


def test_ending_one_asks_first_who_one_is_where_that_was_long_ago(site: Site) -> None:
    kim(site)
    there, here = entered(site), entered(site)
    (number,) = buttons(here.get("/account").text)
    site.wait(auth.FRESH + timedelta(seconds=1))
    assert here.post("/account/sessions/end", {"sign_in": number}).location == "/confirm"
    assert there.get("/account").status_code == 200
    here.get("/confirm")
    here.post("/confirm", {"password": PASSWORD})
    assert here.post("/account/sessions/end", {"sign_in": number}).status_code == 303
    assert there.get("/account").location == "/login"


def test_saying_who_one_is_once_more_ends_the_session_of_before(site: Site) -> None:
    kim(site)
    here, copy = entered(site), site.visitor()
    cookie = here.client.get_cookie(NAME)
    assert cookie is not None
    copy.client.set_cookie(NAME, cookie.value)
    assert copy.get("/account").status_code == 200
    here.get("/confirm")
    assert here.post("/confirm", {"password": PASSWORD}).status_code == 303
    assert copy.get("/account").location == "/login"
    assert here.get("/account").status_code == 200


def test_who_has_a_second_factor_says_who_they_are_with_both(site: Site) -> None:
    kim(site)
    here = entered(site)
    app, codes = with_app(site, here)
    site.wait(auth.FRESH + timedelta(seconds=1))
    here.get("/confirm")
    for code in ("", "000000", "ABCD-EFGH-JKLM"):
        assert here.post("/confirm", {"password": PASSWORD, "code": code}).status_code == 401
        site.wait(accounts.LOCKED_FOR)
    assert here.post("/account/remove", {"factor": "x"}).location == "/confirm", "nothing was confirmed"
    here.get("/confirm")
    assert here.post("/confirm", {"password": "wrong", "code": app.code(site)}).status_code == 401
    assert here.post("/confirm", {"password": PASSWORD, "code": app.code(site)}).status_code == 303
    site.wait(auth.FRESH + timedelta(seconds=1))
    here.get("/confirm")
    assert here.post("/confirm", {"password": PASSWORD, "code": codes[0]}).status_code == 303


def test_a_right_password_buys_no_more_tries_at_the_code(site: Site) -> None:
    kim(site)
    here = entered(site)
    app, _ = with_app(site, here)
    site.wait(timedelta(minutes=1))
    here.get("/confirm")
    for _ in range(3):
        assert here.post("/confirm", {"password": PASSWORD, "code": "000000"}).status_code == 401
    assert here.post("/confirm", {"password": PASSWORD, "code": app.code(site)}).status_code == 401, "locked"


def test_logging_in_begins_another_session(site: Site) -> None:
    kim(site)
    visitor = site.visitor()
    visitor.get("/login")
    before, token = visitor.client.get_cookie(NAME), visitor._token
    entered_with = visitor.log_in("kim", PASSWORD)
    assert entered_with.status_code == 303
    copy = site.visitor()
    assert before is not None
    copy.client.set_cookie(NAME, before.value)
    assert copy.get("/account").location == "/login"
    assert visitor.client.post("/logout", data={"csrf_token": token}).status_code == 403


def test_every_page_of_somebody_has_the_way_out(lite: Site) -> None:
    lite.series(lite.person())
    ada = lite.logged_in()
    staff = walking.with_session(lite, walking.member(lite.access, "kim", *walking.STAFF))
    seen = 0
    for visitor in (ada, staff):
        for door in walking.doors(lite):
            if door.verb != "GET" or door.endpoint in walking.ENDING:
                continue
            answer = visitor.get(door.path)
            if answer.status_code == 200 and "<main" in answer.text and "answer_shell" not in door.endpoint:
                if door.endpoint in PARTS:
                    continue
                assert 'action="/logout"' in answer.text, door
                seen += 1
    assert seen > 25


def test_what_was_ended_together_stands_as_ended(site: Site) -> None:
    kim(site)
    entered(site)
    here = entered(site)
    here.get("/password")
    new = "another long password"
    assert here.post("/password", {"current": PASSWORD, "password": new, "again": new}).status_code == 303
    page = here.get("/account").text
    assert buttons(page) == []
    assert page.count("<td>ended</td>") == 1
    assert page.count("<td>this one</td>") == 1


def test_whoever_came_long_ago_has_no_button(site: Site) -> None:
    kim(site)
    entered(site)
    site.wait(auth.LASTS + timedelta(minutes=1))
    assert buttons(entered(site).get("/account").text) == []
