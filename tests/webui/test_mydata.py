"""My data: pause, resume, take along, erase."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from tests import builders, lives
from tests.webui.site import PASSWORD, Site
from tests.webui.test_account import entered, with_app
from tracker.domain.consent import PausedError, Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.jobs import Jobs
from tracker.privacy import signed
from tracker.store import releases
from tracker.study import DEFAULT
from tracker.workflows import accounts, erasure, prompting
from tracker.workflows.portability import stream_bundle
from webui import auth, limits
from webui.participant import downloads, mydata


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


def test_few_take_along_at_a_time_and_each_turn_is_given_back(lite: Site) -> None:
    lite.series(lite.person())
    visitor = lite.logged_in()
    held = [visitor.post("/my-data/download") for _ in range(limits.ARCHIVES_AT_ONCE)]
    refused = visitor.post("/my-data/download")
    assert refused.status_code == 503
    assert "try again in a few minutes" in refused.text
    held.pop().close()  # nobody took it to its end
    assert len(held.pop().data) > 1000
    for _ in range(2 * limits.ARCHIVES_AT_ONCE):
        with visitor.post("/my-data/download") as answer:
            assert answer.status_code == 200
            assert len(answer.data) > 1000


def test_a_download_that_takes_too_long_is_broken_off_and_lets_go(lite: Site) -> None:
    who = lite.person()
    lite.series(who)
    seconds = [0.0]
    turns = limits.Turns(1, 0.0)
    pieces = downloads.Pieces(stream_bundle(lite.access, who, lite.now), turns, lambda: seconds[0])
    next(pieces)
    seconds[0] = downloads.LONGEST_S + 1
    with pytest.raises(downloads.BrokenOffError):
        next(pieces)
    with turns, lite.access.database.alone() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0


def test_nobody_takes_along_without_a_session_or_what_is_somebody_elses(site: Site) -> None:
    site.series(site.person())
    assert site.visitor().post("/my-data/download").location == "/login"
    with site.logged_in().post("/my-data/download", {"participant": "grace"}) as answer:
        mine = answer.data
    with zipfile.ZipFile(io.BytesIO(mine)) as bundle:
        [me] = json.loads(bundle.read("data/participants.json"))
    assert me["name"] == "ada"


def test_who_looked_is_shown_newest_first(site: Site) -> None:
    who = site.person()
    visitor = site.logged_in()
    assert "Nobody has looked." in visitor.get("/my-data").text
    for i in range(mydata.MOST_LOOKS + 2):
        site.access.record_look(who.id, site.now, reader=f"<Eve {i}>", what="timeline")
    page = visitor.get("/my-data").text
    assert page.index("&lt;Eve 21&gt;") < page.index("&lt;Eve 2&gt;")
    assert "&lt;Eve 1&gt;" not in page
    assert "The newest 20 of 22" in page


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        (
            "timeline from 2026-03-02T23:30+00:00 to 2026-03-29T02:00+00:00",
            "your timeline from Tuesday 3 March 2026, 00:30 to Sunday 29 March 2026, 04:00",
        ),
        ("a moment that was corrected: yes_no:day_off", "a moment that was corrected (“day off”)"),
        ("a moment that was corrected: leave_me_alone", "a moment that was corrected (“leave me alone”)"),
        ("export 0123456789ab", "data of yours, for a dataset (export 0123456789ab)"),
        ("whether to ask you now, and why", "whether to ask you now, and why"),
    ],
)
def test_what_was_looked_at_is_told_in_words_on_ones_own_clock(lite: Site, what: str, shown: str) -> None:
    lite.access.record_look(lite.person().id, lite.now, reader="Eve", what=what)
    assert f"<td>{shown}</td>" in lite.logged_in().get("/my-data").text


def test_erasing_needs_the_password(site: Site) -> None:
    site.series(site.with_password())
    visitor = site.logged_in()
    answer = visitor.post("/my-data/erase", {"password": "wrong"})
    assert answer.status_code == 400
    assert "nothing was erased" in answer.text
    assert site.access.person("ada")
    assert visitor.post("/my-data/erase", {"password": PASSWORD}).location == "/erased"
    done = visitor.get("/erased")
    assert "Everything about you is erased" in done.text
    assert "that could have opened old backups." in done.text
    assert "Log out" not in done.text
    assert "<nav" not in done.text
    with pytest.raises(UnknownParticipantError):
        site.access.person("ada")
    assert visitor.get("/consent").location == "/login"


def test_who_has_a_second_factor_erases_shortly_after_saying_who_they_are_with_both(site: Site) -> None:
    site.with_password("kim")
    visitor = entered(site)
    app, _ = with_app(site, visitor)
    site.wait(auth.FRESH + timedelta(seconds=1))
    visitor.get("/my-data")
    assert visitor.post("/my-data/erase", {"password": PASSWORD}).location == "/confirm"
    assert site.access.person("kim")
    visitor.get("/confirm")
    confirmed = visitor.post("/confirm", {"password": PASSWORD, "code": app.code(site)})
    assert confirmed.location == "/my-data"
    visitor.get("/my-data")
    assert visitor.post("/my-data/erase", {"password": PASSWORD}).location == "/erased"
    with pytest.raises(UnknownParticipantError):
        site.access.person("kim")


def test_without_a_password_the_word_is_typed(lite: Site) -> None:
    who = builders.person(lite.access, "sim", simulated=True)
    lite.app.config["DEMO_ENTRIES"]["t"] = who.id
    visitor = lite.visitor()
    visitor.get("/enter/t")
    visitor.get("/my-data")
    assert visitor.post("/my-data/erase", {"word": "yes"}).status_code == 400
    assert visitor.post("/my-data/erase", {"word": " Erase "}).location == "/erased"
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


def test_both_stages_are_shown_and_the_certificate_is_theirs_alone(site: Site) -> None:
    who = site.with_password()
    lives.pooled(site.access, who, site.now)
    visitor = site.logged_in()
    visitor.post("/my-data/erase", {"password": PASSWORD})
    page = visitor.get("/erased").text
    assert "1. Your data" in page
    assert "20 March 2026, 12:00 UTC" in page
    assert "within the hour" in page
    site.wait(timedelta(minutes=30))
    Jobs(site.access, lambda: site.now, "test").run_once(site.now)
    page = visitor.get("/erased").text
    assert "Clean since 20 March 2026, 12:30 UTC" in page
    answer = visitor.get("/erased/certificate.json")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    document = signed.read(answer.text)
    signed.require_signature(document, signed.fingerprint(site.access.vault.public_key()))
    assert document["learners_clean"] is True
    assert who.id not in answer.text
    stranger = site.visitor()
    assert stranger.get("/erased").location == "/login"
    assert stranger.get("/erased/certificate.json").status_code == 404
    site.wait(timedelta(hours=12))
    assert visitor.get("/erased").location == "/login"


def test_what_was_erased_of_somebody_who_stays_is_listed_with_its_certificate(lite: Site) -> None:
    who, other = lite.person(), lite.person("grace")
    lives.kept(lite.access, lives_in(lite, who))
    visitor = lite.logged_in()
    assert "What you had erased" not in visitor.get("/my-data").text
    erasure.erase_scope(lite.access, who, Scope.FACE_CROPS, lite.now)
    page = visitor.get("/my-data").text
    assert "What you had erased" in page
    assert "Keep small pictures of my face" in page
    answer = visitor.get("/my-data/erased/face_crops.json")
    assert signed.read(answer.text)["rows"] == {"crops": 1}
    assert visitor.get("/my-data/erased/notes.json").status_code == 404
    assert lite.logged_in(other.name).get("/my-data/erased/face_crops.json").status_code == 404


def lives_in(site: Site, who: Person) -> Person:
    site.series(who)
    return who


def test_where_one_is_can_be_said_and_only_places_count(site: Site) -> None:
    ada, visitor = site.person(), site.logged_in()
    assert 'value="Europe/Berlin"' in visitor.get("/my-data").text
    assert visitor.post("/my-data/zone", {"zone": " America/New_York "}).status_code == 303
    assert site.access.person("ada").zone == "America/New_York"
    with site.access.read(ada.id, site.now) as unit:
        assert [zone for _, zone in prompting.zones(unit)] == ["Europe/Berlin", "America/New_York"]
    for wrong in ("", "Atlantis/Deep", "../../etc/passwd", "x" * 5000, "Europe/Berlin\0"):
        refused = visitor.post("/my-data/zone", {"zone": wrong})
        assert refused.status_code == 400, wrong
    assert site.access.person("ada").zone == "America/New_York"
