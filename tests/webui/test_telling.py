"""The page on which devices are switched on: off by default, in plain words, and stopped in as many ways."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.builders import ALL, NOW
from tests.webui.site import Site, Visitor
from tests.workflows.scheduled import DAY, scheduled
from tests.workflows.test_pushing import governed
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.workflows import consenting, prompting

ENDPOINT = "https://fcm.googleapis.com/fcm/send/canary-device-77"
ANOTHER = "https://updates.push.services.mozilla.com/wpush/v2/another"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def ada(site: Site) -> Person:
    governed(site.access, now=NOW)
    return site.person()


def switch_on(visitor: Visitor, endpoint: object = ENDPOINT) -> tuple[int, dict[str, str]]:
    visitor.get("/answer/devices")
    answer = visitor.client.post(
        "/answer/devices", json={"endpoint": endpoint}, headers={"X-CSRF-Token": visitor._token, **FIREFOX}
    )
    return answer.status_code, dict(answer.json or {})


def told(site: Site, who: Person) -> list[str]:
    with site.access.read(who.id, site.now) as unit:
        return [one.maker for one in prompting.devices_of(site.access, unit)]


def test_it_is_off_until_somebody_switches_it_on_and_says_what_leaves(site: Site, ada: Person) -> None:
    visitor = site.logged_in()
    page = visitor.get("/answer/devices").text
    assert "None is switched on." in page
    for words in (
        "A message without any content",
        "no text travels",
        "Google, Mozilla, Apple or Microsoft",
        "from 22:00 to 08:00",
        "“A question is waiting”",
        "By withdrawing “Ask me questions”",
    ):
        assert words in page, words
    assert f'data-key="{prompting.application_key(site.access)}"' in page
    assert told(site, ada) == []
    assert 'href="/answer/devices"' in visitor.get("/answer").text


def test_a_device_is_switched_on_listed_and_stopped(site: Site, ada: Person) -> None:
    visitor = site.logged_in()
    assert switch_on(visitor) == (201, {"next": "/answer/devices"})
    site.wait(timedelta(minutes=1))
    assert switch_on(visitor, ANOTHER)[0] == 201
    page = visitor.get("/answer/devices").text
    assert "through Google" in page
    assert "through Mozilla" in page
    assert "Firefox" in page
    assert "canary-device-77" not in page
    first = re.findall(r'name="device" value="(\w+)"', page)[0]
    assert visitor.post("/answer/devices/stop", {"device": first}).status_code == 303
    assert told(site, ada) == ["Mozilla"]
    assert visitor.post("/answer/devices/stop", {"device": first}).status_code == 404
    assert switch_on(visitor)[0] == 201
    assert visitor.post("/answer/devices/stop", {"all": "1"}).status_code == 303
    assert told(site, ada) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/",
        "http://fcm.googleapis.com/x",
        "https://evil.example/",
        "",
        None,
        7,
        ["x"],
        "x" * 5000,
    ],
)
def test_no_other_address_is_taken(site: Site, ada: Person, endpoint: object) -> None:
    status, said = switch_on(site.logged_in(), endpoint)
    assert status == 400
    assert "nothing was switched on" in said["error"]
    assert told(site, ada) == []


def test_nobody_stops_a_device_of_somebody_else(site: Site, ada: Person) -> None:
    switch_on(site.logged_in())
    with site.access.read(ada.id, site.now) as unit:
        (device,) = prompting.devices_of(site.access, unit)
    site.person("bob")
    assert site.logged_in("bob").post("/answer/devices/stop", {"device": device.id}).status_code == 404
    assert told(site, ada) == ["Google"]


def test_a_request_of_another_site_switches_nothing_on(site: Site, ada: Person) -> None:
    visitor = site.logged_in()
    assert visitor.client.post("/answer/devices", json={"endpoint": ENDPOINT}).status_code == 403
    assert told(site, ada) == []


@pytest.mark.parametrize("fields", [{}, {"everywhere": "1"}])
def test_logging_out_ends_it(site: Site, ada: Person, fields: dict[str, str]) -> None:
    visitor = site.logged_in()
    switch_on(visitor)
    visitor.post("/logout", fields)
    assert told(site, ada) == []


def test_a_later_session_that_logs_out_there_ends_it_too(site: Site, ada: Person) -> None:
    switch_on(site.logged_in())
    again = site.logged_in()
    again.post("/logout", {"device": ANOTHER})
    assert told(site, ada) == ["Google"], "another device's session goes on"
    again = site.logged_in()
    again.post("/logout", {"device": ENDPOINT})
    assert told(site, ada) == []


def test_withdrawing_questions_ends_it(site: Site, ada: Person) -> None:
    visitor = site.logged_in()
    switch_on(visitor)
    visitor.get("/consent")
    assert visitor.post("/consent/prompts/withdraw").status_code == 303
    assert told(site, ada) == []
    page = visitor.get("/answer/devices").text
    assert "You do not allow questions now" in page
    assert "data-key" not in page
    assert switch_on(visitor)[0] == 403


def test_a_study_without_it_offers_nothing(site: Site) -> None:
    scheduled(site.access, DAY, NOW)
    who = site.person()
    visitor = site.logged_in()
    assert "/answer/devices" not in visitor.get("/answer").text
    assert "This study sends nothing to devices." in visitor.get("/answer/devices").text
    assert switch_on(visitor)[0] == 409
    assert told(site, who) == []


def test_more_devices_than_enough_are_refused_in_words(site: Site, ada: Person) -> None:
    visitor = site.logged_in()
    for n in range(5):
        assert switch_on(visitor, f"{ENDPOINT}{n}")[0] == 201
    status, said = switch_on(visitor)
    assert (status, "stop one of them first" in said["error"]) == (409, True)


def test_confirming_that_it_is_me_keeps_my_device(site: Site) -> None:
    governed(site.access, now=NOW)
    who = site.with_password()
    visitor = site.visitor()
    visitor.log_in("ada", "correct horse battery")
    switch_on(visitor)
    visitor.get("/confirm")
    assert visitor.post("/confirm", {"password": "correct horse battery"}).status_code == 303
    assert told(site, who) == ["Google"]
    visitor.post("/logout")
    assert told(site, who) == []


def test_the_worker_shows_fixed_words_of_the_pages_language(site: Site, ada: Person) -> None:
    script = site.visitor().get("/answer/worker.js").text
    assert '"A question is waiting"' in script
    assert "event.data" not in script, "whatever a message holds is not read"


def test_whoever_never_allowed_questions_is_told_so(site: Site) -> None:
    governed(site.access, now=NOW)
    site.person("bob", tuple(scope for scope in ALL if scope is not Scope.PROMPTS))
    assert "You do not allow questions now" in site.logged_in("bob").get("/answer/devices").text


def test_an_operators_withdrawal_ends_it(site: Site, ada: Person) -> None:
    switch_on(site.logged_in())
    consenting.withdraw(
        site.access, ada, [Scope.PROMPTS], site.now, recorder=Recorder.OPERATOR, evidence="a letter"
    )
    assert told(site, ada) == []
