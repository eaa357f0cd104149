"""Sessions: their cookie, how long they last without a request, and ending one that is somewhere else."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.sessions import SecureCookieSessionInterface

from tests.webui import walking
from tests.webui.site import PASSWORD, Site
from tests.webui.test_account import BOTH, entered, kim, somebody
from tests.webui.test_forged import lets_in, own
from tracker.domain.members import Role
from webui import auth
from webui.cookies import NAME, PREFIX


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
