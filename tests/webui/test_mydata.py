"""My data: pause, resume, take along, erase."""

import io
import zipfile

import pytest

from tests import builders
from tests.webui.site import PASSWORD, Site
from tracker.domain.consent import PausedError
from tracker.domain.people import UnknownParticipantError
from tracker.store import releases
from tracker.study import DEFAULT
from tracker.workflows import accounts


def test_pause_stops_storing_and_resume_starts_it(site: Site) -> None:
    who = site.person()
    visitor = site.logged_in()
    visitor.post("/pause")
    assert "paused since" in visitor.get("/timeline", follow_redirects=True).text
    with pytest.raises(PausedError):
        builders.store(site.access, who, [builders.observed(site.now)], site.now)
    assert visitor.post("/resume", {"back": "timeline"}).location == "/timeline"
    builders.store(site.access, who, [builders.observed(site.now)], site.now)


def test_take_along_is_a_zip(site: Site) -> None:
    site.series(site.person())
    answer = site.logged_in().post("/my-data/download")
    assert answer.mimetype == "application/zip"
    assert "attachment" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
        assert bundle.testzip() is None
        assert bundle.namelist()


def test_erasing_needs_the_password(site: Site) -> None:
    site.series(site.with_password())
    visitor = site.logged_in()
    answer = visitor.post("/my-data/erase", {"password": "wrong"})
    assert answer.status_code == 400
    assert "nothing was erased" in answer.text
    assert site.access.person("ada")
    done = visitor.post("/my-data/erase", {"password": PASSWORD})
    assert "Everything about you is erased" in done.text
    assert "rows, and the keys that could have opened old backups." in done.text
    assert "Log out" not in done.text
    assert "<nav" not in done.text
    with pytest.raises(UnknownParticipantError):
        site.access.person("ada")
    assert visitor.get("/consent").location == "/login"


def test_without_a_password_the_word_is_typed(lite: Site) -> None:
    who = builders.person(lite.access, "sim", simulated=True)
    lite.app.config["DEMO_ENTRIES"]["t"] = who.id
    visitor = lite.visitor()
    visitor.get("/enter/t")
    visitor.get("/my-data")
    assert visitor.post("/my-data/erase", {"word": "yes"}).status_code == 400
    assert "erased" in visitor.post("/my-data/erase", {"word": " Erase "}).text
    with pytest.raises(UnknownParticipantError):
        lite.access.person("sim")


def test_guessing_the_password_when_erasing_locks_too(lite: Site) -> None:
    lite.with_password()
    visitor = lite.logged_in()
    for _ in range(accounts.TRIES):
        visitor.post("/my-data/erase", {"password": "wrong"})
    assert visitor.post("/my-data/erase", {"password": PASSWORD}).status_code == 400
    assert lite.access.person("ada")


def test_the_page_says_how_often_one_was_counted_with_others(lite: Site) -> None:
    me, other = lite.person(), builders.person(lite.access, "grace", now=lite.now)
    visitor = lite.logged_in()
    assert "no figures about everybody in the study together have counted you" in visitor.get("/my-data").text
    for epsilon, subjects in (
        (0.25, [me.subject]),
        (0.5, [me.subject, other.subject]),
        (0.1, [other.subject]),
    ):
        with lite.access.database.write() as connection:
            query = {"epsilon": epsilon}
            releases.add(connection, DEFAULT.id, query, (epsilon, 0.0), {"refused": True}, subjects, lite.now)
    page = visitor.get("/my-data").text
    assert "have counted you twice" in page
    assert "75 % is used up" in page


def test_every_page_names_the_help_contact_and_that_nobody_watches(lite: Site) -> None:
    lite.person()
    visitor = lite.logged_in()
    for path in ("/consent", "/my-data", "/timeline/day/2026-03-20", "/moment/0", "/nowhere"):
        page = visitor.get(path).text
        assert "Nobody watches in real time" in page
        assert "the people who gave you your code" in page
    assert "Nobody watches in real time" in lite.visitor().get("/login").text
