"""Log in and out: codes, passwords, lockout, sessions that end, and nothing said about who is enrolled."""

from datetime import timedelta

import pytest

from tests import builders
from tests.webui.site import PASSWORD, Site
from tracker.domain.passwords import SHORTEST
from tracker.workflows import accounts


def test_the_first_login_is_notice_password_consent(site: Site) -> None:
    who = builders.person(site.access, scopes=())
    code = site.code(who)
    visitor = site.visitor()
    visitor.get("/login")
    assert visitor.post("/login", {"name": "ada", "secret": code.lower()}).status_code == 303
    page = visitor.get("/consent")
    assert page.status_code == 303
    assert page.location == "/notice"
    assert "emotion recognition system" in visitor.get("/notice").text
    visitor.post("/notice")
    assert visitor.get("/").location == "/password"
    visitor.get("/password")
    done = visitor.post("/password", {"password": PASSWORD, "again": PASSWORD})
    assert done.status_code == 303
    assert visitor.get("/").location == "/consent"
    again = site.visitor()
    assert again.log_in("ada", code).status_code == 401, "the code is used up"
    assert again.log_in("ada", PASSWORD).status_code == 303


def test_the_notice_is_not_asked_again_of_whoever_chose_under_it(site: Site) -> None:
    site.person()
    assert site.logged_in().get("/").location == "/timeline"


@pytest.mark.parametrize(
    ("first", "again", "says"),
    [("short", "short", f"at least {SHORTEST}"), (PASSWORD, PASSWORD + "!", "not the same")],
)
def test_a_password_that_cannot_be_taken_is_said(lite: Site, first: str, again: str, says: str) -> None:
    code = lite.code(builders.person(lite.access))
    visitor = lite.visitor()
    visitor.log_in("ada", code)
    visitor.get("/password")
    answer = visitor.post("/password", {"password": first, "again": again})
    assert answer.status_code == 400
    assert says in answer.text


def test_an_old_code_does_not_work(lite: Site) -> None:
    code = lite.code(builders.person(lite.access))
    lite.wait(timedelta(days=15))
    assert lite.visitor().log_in("ada", code).status_code == 401


def test_a_password_is_not_changed_without_a_code(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    assert visitor.post("/password", {"password": "x" * 12, "again": "x" * 12}).status_code == 403


def test_unknown_names_wrong_passwords_and_locked_accounts_get_the_same_answer(site: Site) -> None:
    site.with_password()
    answers = set()
    for name in ("ada", "nobody"):
        for _ in range(accounts.TRIES + 1):
            visitor = site.visitor()
            visitor.get("/login")
            answer = visitor.post("/login", {"name": name, "secret": "wrong"})
            site.wait(timedelta(seconds=30))
            answers.add((answer.status_code, answer.text.replace(name, "").split("<form class")[0]))
    assert len(answers) == 1


def test_five_wrong_tries_lock_and_time_unlocks(site: Site) -> None:
    site.with_password()
    for _ in range(accounts.TRIES):
        assert site.visitor().log_in("ada", "wrong").status_code == 401
        site.wait(timedelta(seconds=30))
    assert site.visitor().log_in("ada", PASSWORD).status_code == 401
    site.wait(accounts.LOCKED_FOR)
    assert site.visitor().log_in("ada", PASSWORD).status_code == 303


def test_an_address_that_tries_too_fast_has_to_wait(lite: Site) -> None:
    statuses = [lite.visitor().post("/login", {"name": str(i), "secret": "x"}).status_code for i in range(11)]
    assert statuses == [401] * 10 + [429]


def test_log_out_ends_this_session_and_everywhere_ends_all(site: Site) -> None:
    site.person()
    here, there = site.logged_in(), site.logged_in()
    here.post("/logout")
    assert here.get("/consent").location == "/login"
    assert there.get("/consent").status_code == 200
    elsewhere = site.logged_in()
    there.post("/logout", {"everywhere": "1"})
    assert elsewhere.get("/consent").location == "/login"


def test_a_session_ends_after_half_a_day(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    lite.wait(timedelta(hours=13))
    assert visitor.get("/consent").location == "/login"


def test_a_stolen_cookie_is_worth_nothing_after_a_new_password(site: Site) -> None:
    who = site.person()
    visitor = site.logged_in()
    accounts.choose_password(site.access, who, "another long password", site.now)
    assert visitor.get("/consent").location == "/login"


def test_the_demo_door_opens_once_and_only_with_its_token(lite: Site) -> None:
    who = builders.person(lite.access, "sim", simulated=True)
    assert lite.visitor().get("/enter/anything").status_code == 404
    lite.app.config["DEMO_ENTRIES"]["t0ken"] = who.id
    visitor = lite.visitor()
    assert visitor.get("/enter/t0ken").location == "/timeline"
    assert visitor.get("/consent").status_code == 200
    assert lite.visitor().get("/enter/t0ken").status_code == 404


def test_simulated_people_are_marked_on_every_page_and_others_never(lite: Site) -> None:
    lite.person("sim", simulated=True)
    lite.person("ada")
    for path in ("/consent", "/my-data", f"/timeline/day/{builders.NOW:%Y-%m-%d}", "/moment/0", "/nowhere"):
        assert "SIMULATED" in lite.logged_in("sim").get(path).text
        assert "SIMULATED" not in lite.logged_in("ada").get(path).text
        lite.wait(timedelta(minutes=1))
