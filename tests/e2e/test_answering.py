"""Answers in seconds on a phone: with and without network, with two tabs, without a mouse, to a question."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect
from sqlalchemy import select

from tests import builders
from tests.e2e.site import Served, Visit, served, visiting
from tracker.domain.affect import Emotion
from tracker.domain.people import Person
from tracker.domain.series import Prompt
from tracker.store import tables
from tracker.workflows import accounts, prompts

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SEALED = """async () => {
  const done = (r) => new Promise((resolve, reject) => { r.onsuccess = () => resolve(r.result); r.onerror = reject; });
  const database = await done(indexedDB.open("affect-answers"));
  const rows = await done(database.transaction("waiting").objectStore("waiting").getAll());
  const keys = await done(database.transaction("keys").objectStore("keys").getAll());
  database.close();
  let readable = "";
  for (const row of rows) {
    readable += JSON.stringify(row) + new TextDecoder("latin1").decode(row.data);
  }
  return { n: rows.length, readable, extractable: keys.filter((k) => k.key).map((k) => k.key.extractable) };
}"""

LISTEN = """() => { window.told = new Promise((tell) => document.addEventListener(
  "waiting-answers", ({ detail }) => { if (detail.state === "sent") tell(true); })); }"""
WORKED = """async () => {
  const handlers = {};
  const self = { addEventListener: (name, handler) => (handlers[name] = handler) };
  const caches = { match: async () => "shell" };
  const fetch = async () => ({ status: %(status)s, toString: () => "page" });
  (function () { %(script)s })();
  let told = null;
  const request = { method: "GET", mode: "navigate", url: location.origin + "/answer" };
  handlers.fetch({ request, respondWith: (answer) => (told = answer) });
  return String(await told);
}"""
CONTROLLED = """async () => {
  await navigator.serviceWorker.ready;
  if (navigator.serviceWorker.controller) return;
  await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
}"""


@pytest.fixture
def people(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Served, Person, Person]]:
    """Ada, with an hour of readings, and Bob; both have a password."""
    access = builders.installation(sqlite_url, tmp_path)
    ada, bob = builders.person(access), builders.person(access, "bob")
    for who in (ada, bob):
        accounts.choose_password(access, who, PASSWORD, builders.NOW)
    minutes = [builders.NOW - timedelta(minutes=m) for m in range(60)]
    builders.store(access, ada, [builders.observed(at, Emotion.SADNESS) for at in minutes])
    with served(tmp_path, access, [ada, bob]) as running:
        yield running, ada, bob
    access.database.close()
    access.keys.close()


@contextmanager
def visited(browser: Browser, site: Served, **options: Any) -> Iterator[Visit]:
    """A visit of somebody whose phone's clock is right: it says what the server's does."""
    with visiting(browser, site, **options) as visit:
        visit.page.context.clock.install(time=builders.NOW)
        yield visit


def stored(site: Served) -> list[Any]:
    with site.access.database.read() as connection:
        return list(
            connection.execute(select(tables.corrections).order_by(tables.corrections.c.id)).mappings()
        )


def opened(page: Page, path: str = "answer") -> None:
    page.goto(path)
    expect(page.locator("html[data-answering=ready]")).to_be_attached()


def say(page: Page, emotion: str) -> None:
    expect(page.locator("form[data-answer]:not([aria-busy])")).to_be_attached()  # the one before is settled
    page.locator(".tile", has_text=emotion).click()
    page.get_by_role("button", name="Save", exact=True).click()


def log_in(page: Page, name: str) -> None:
    page.goto("login")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password, or the one-time code").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_an_answer_takes_three_taps_on_a_phone(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site, **PHONE) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        assert visit.fits()
        for part in page.locator(".tile, .chip, .save button").all():
            box = part.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        page.locator(".tile", has_text="fear").tap()
        page.locator(".chip", has_text="Leave me alone").tap()
        page.get_by_role("button", name="Save", exact=True).tap()
        saved = page.locator("[data-saved]")
        expect(saved.get_by_role("heading", name="Saved")).to_be_visible()
        expect(saved).to_contain_text("before and after it learned this")
        expect(saved).to_contain_text("rather be left alone, your learner held")
        assert visit.fits()
    rows = stored(site)
    assert [row["target"] for row in rows] == ["emotion", "leave_me_alone"]
    assert all(0 < row["response_ms"] < 60_000 for row in rows)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_320_pixels(
    people: tuple[Served, Person, Person], browser: Browser, scheme: Any
) -> None:
    site = people[0]
    with visited(browser, site, viewport={"width": 320, "height": 640}, color_scheme=scheme) as visit:
        visit.page.goto(site.doors["ada"])
        opened(visit.page)
        assert visit.fits()
        cell = visit.page.locator(".cell").first.bounding_box()
        assert cell is not None
        assert min(cell["width"], cell["height"]) >= 24


def test_the_square_and_all_the_rest_need_no_mouse(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.locator("input[name=emotion]").first.focus()
        page.keyboard.press("Digit4")
        expect(page.locator("input[value=sadness]")).to_be_checked()
        while page.evaluate("document.activeElement.name") != "grid":
            page.keyboard.press("Tab")
        # One stop for Tab: the middle. The arrows move on both axes, and stay within.
        assert page.evaluate("document.activeElement.value") == "0,0"
        for key in ["ArrowLeft", "ArrowLeft", "ArrowUp"]:
            page.keyboard.press(key)
        expect(page.locator('input[value="-2,1"]')).to_be_checked()
        expect(page.locator("[data-grid-said]")).to_have_text("rather unpleasant, slightly lively")
        for _ in range(12):
            page.keyboard.press("ArrowDown")
        expect(page.locator('input[value="-2,-4"]')).to_be_checked()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "alone"
        page.keyboard.press("Space")
        while page.evaluate("document.activeElement.textContent.trim()") != "Save":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
    said = {row["target"]: row["value"] for row in stored(site)}
    assert said == {"emotion": None, "valence": -0.5, "arousal": -1.0, "leave_me_alone": 1.0}


def test_it_is_a_plain_form_without_scripts(people: tuple[Served, Person, Person], browser: Browser) -> None:
    site = people[0]
    with visited(browser, site, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        page.goto("answer")
        page.locator(".tile", has_text="anger").click()
        page.locator('.cell:has(input[value="3,-3"])').click()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
        page.reload()  # sends the form once more
        expect(page.get_by_role("heading", name="Saved already")).to_be_visible()
    assert [row["target"] for row in stored(site)] == ["emotion", "valence", "arousal"]


def test_offline_answers_wait_sealed_and_are_delivered_once_in_order(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site, **PHONE) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.context.set_offline(True)
        say(page, "sadness")
        expect(page.get_by_role("heading", name="Kept on this phone")).to_be_visible()
        expect(page.get_by_role("heading", name="1 answer waits on this phone")).to_be_visible()
        say(page, "fear")
        expect(page.get_by_role("heading", name="2 answers wait on this phone")).to_be_visible()
        kept = page.evaluate(SEALED)
        assert kept["n"] == 2
        assert not re.search("sadness|fear|emotion|neutral", kept["readable"])
        assert kept["extractable"] == [False]
        assert stored(site) == []
        page.context.set_offline(False)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        opened(page)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        assert page.evaluate(SEALED)["n"] == 0
    rows = stored(site)
    assert [max(Emotion, key=lambda e: row[f"p_{e.value}"]).value for row in rows] == ["sadness", "fear"]
    assert rows[0]["at"] < rows[1]["at"] < rows[1]["recorded_at"]


def test_the_page_opens_without_a_network_and_what_is_said_there_is_sent_later(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site, **PHONE) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.evaluate(CONTROLLED)
        held = page.evaluate(
            "async () => { const all = []; for (const n of await caches.keys()) for (const r of await (await "
            "caches.open(n)).keys()) all.push(new URL(r.url).pathname); return all; }"
        )
        assert all(path == "/answer/shell" or path.startswith("/assets/") for path in held)
        page.context.set_offline(True)
        opened(page)
        expect(page.get_by_text("no connection", exact=True)).to_be_visible()
        expect(page.locator("body")).not_to_contain_text("ada")
        assert visit.fits()
        say(page, "disgust")
        expect(page.get_by_role("heading", name="1 answer waits on this phone")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("button", name="Send now").click()
        expect(page.locator("[data-waiting]")).to_be_hidden()
        visit.complaints[:] = [c for c in visit.complaints if "ERR_INTERNET_DISCONNECTED" not in c]
    assert [row["p_disgust"] for row in stored(site)] == [1.0]


def test_a_network_that_hangs_is_none_and_an_answer_waits(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site, **PHONE) as visit:
        page = visit.page
        page.context.add_init_script(
            "const real = AbortSignal.timeout.bind(AbortSignal);"
            "AbortSignal.timeout = (ms) => real(window.hurried ? ms / 20 : ms);"
        )
        page.goto(site.doors["ada"])
        opened(page)
        page.route("**/answer/standing", lambda route: None)
        page.evaluate("window.hurried = true")
        say(page, "fear")
        expect(page.locator("[data-saved]")).to_contain_text("There is no connection")
        assert stored(site) == []
        page.unroute("**/answer/standing")
        page.evaluate("window.hurried = false")
        page.get_by_role("button", name="Send now").click()
        expect(page.locator("[data-waiting]")).to_be_hidden()
        visit.complaints.clear()
    assert len(stored(site)) == 1


@pytest.mark.parametrize(("status", "shown"), [(200, "page"), (404, "page"), (502, "shell"), (504, "shell")])
def test_a_server_that_is_away_is_no_network_either(
    people: tuple[Served, Person, Person], browser: Browser, status: int, shown: str
) -> None:
    """The worker as it is served, with a network that is stated: what a proxy answers reaches no test's route."""
    site = people[0]
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        script = page.request.get("answer/worker.js").text()
        told = page.evaluate(WORKED % {"script": script, "status": status})
    assert told == shown


def test_a_double_press_stores_one(people: tuple[Served, Person, Person], browser: Browser) -> None:
    site = people[0]
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.locator(".tile", has_text="anger").click()
        page.get_by_role("button", name="Save", exact=True).dblclick()
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
        expect(page.locator("[data-waiting]")).to_be_hidden()
    assert len(stored(site)) == 1


@pytest.mark.parametrize("locks", [True, False])
def test_two_tabs_that_send_at_once_send_each_answer_once(
    people: tuple[Served, Person, Person], browser: Browser, locks: bool
) -> None:
    """Without the browser's locks both send everything: then the server alone stands between, by the keys."""
    site = people[0]
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        if not locks:
            visit.page.context.add_init_script(
                "navigator.locks.request = async (name, work) => work({ name });"
            )
        opened(page)
        other = page.context.new_page()
        opened(other)
        page.context.set_offline(True)
        for emotion in ("sadness", "fear", "anger"):
            say(page, emotion)
            expect(page.get_by_role("heading", name="Kept on this phone")).to_be_visible()
            expect(page.locator(".tile :checked")).to_have_count(0)
        for tab in (page, other):
            tab.evaluate(LISTEN)
        page.context.set_offline(False)
        for tab in (page, other):
            tab.evaluate("void waitingAnswers.deliver()")
        for tab in (page, other):
            tab.evaluate("window.told")
            expect(tab.locator("[data-waiting]")).to_be_hidden()
        other.close()
    assert [row["target"] for row in stored(site)] == ["emotion"] * 3
    assert len({row["key"] for row in stored(site)}) == 3


def test_logging_out_leaves_nothing_on_the_phone(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.context.set_offline(True)
        say(page, "fear")
        expect(page.get_by_role("heading", name="1 answer waits on this phone")).to_be_visible()
        page.context.set_offline(False)
        # From a page that knows nothing of answers: it asks first, and the server's word empties the browser.
        page.goto("consent")
        page.route("**/answer/standing", lambda route: route.abort())
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.dismiss()

        page.once("dialog", stay)
        page.get_by_role("button", name="Log out").click()
        page.wait_for_timeout(300)
        assert asked == ["Answers wait on this phone. Logging out deletes them. Log out?"]
        assert page.evaluate(SEALED)["n"] == 1
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
        assert page.evaluate("indexedDB.databases()") == []
        assert page.evaluate("caches.keys()") == []
        assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


def waits(page: Page, emotion: str) -> None:
    """Say something without a network."""
    page.context.set_offline(True)
    say(page, emotion)
    expect(page.get_by_role("heading", name="Kept on this phone")).to_be_visible()
    page.context.set_offline(False)


@pytest.mark.parametrize("way", ["logout", "erase"])
def test_who_leaves_takes_nothing_of_others_from_the_phone(
    people: tuple[Served, Person, Person], browser: Browser, way: str
) -> None:
    site, ada, _ = people
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.context.clear_cookies()
        say(page, "contempt")
        expect(page.locator("[data-saved]")).to_contain_text("You were logged out")
        log_in(page, "bob")
        opened(page)
        page.route("**/answer/standing", lambda route: route.abort())
        say(page, "anger")
        expect(page.get_by_role("heading", name="1 answer waits on this phone")).to_be_visible()
        assert page.evaluate(SEALED)["n"] == 2
        page.goto("my-data")
        page.on("dialog", lambda dialog: dialog.accept())
        if way == "logout":
            page.get_by_role("button", name="Log out").click()
            expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
        else:
            form = page.locator('form[action="/my-data/erase"]')
            form.get_by_label("password").fill(PASSWORD)
            form.get_by_role("button").click()
            page.wait_for_url("**/erased")
        expect(page.locator("html[data-left=gone]")).to_be_attached()
        left = page.evaluate(SEALED)
        assert (left["n"], len(left["extractable"])) == (1, 1), (
            "ada's answer and her key, and nothing of bob's"
        )
        page.unroute("**/answer/standing")
        log_in(page, "ada")
        opened(page)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        visit.complaints.clear()  # of the network that was cut
    (row,) = stored(site)
    assert (row["subject"], row["p_contempt"]) == (ada.subject, 1.0)


def test_erasing_everything_leaves_nothing_on_the_phone(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site = people[0]
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        waits(page, "fear")
        page.route("**/answer/standing", lambda route: route.abort())
        page.goto("my-data")
        form = page.locator('form[action="/my-data/erase"]')
        form.get_by_label("password").fill(PASSWORD)
        form.get_by_role("button").click()
        page.wait_for_url("**/erased")
        expect(page.locator("html[data-left=gone]")).to_be_attached()
        assert page.evaluate("indexedDB.databases()") == []
        assert page.evaluate("caches.keys()") == []
        visit.complaints.clear()


@pytest.mark.parametrize("days", [-10, 3])
def test_an_answer_of_a_phone_whose_clock_is_far_off_is_stored_when_it_was_given(
    people: tuple[Served, Person, Person], browser: Browser, days: int
) -> None:
    """It is put right at the first refusal, and stays right when somebody sets the clock before it is sent."""
    site = people[0]
    posts: list[str] = []

    def cut(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        posts.append(route.request.post_data or "")
        if len(posts) == 2:
            route.abort()
        else:
            route.continue_()

    with visiting(browser, site) as visit:
        page = visit.page
        page.context.clock.install(time=builders.NOW + timedelta(days=days))
        page.goto(site.doors["ada"])
        opened(page)
        page.route("**/answer", cut)
        say(page, "fear")
        expect(page.get_by_role("heading", name="Kept on this phone")).to_be_visible()
        assert stored(site) == []
        page.context.clock.set_system_time(builders.NOW + timedelta(minutes=10))
        opened(page)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        visit.complaints.clear()  # of the refusal and of the network that was cut
    (row,) = stored(site)
    assert abs(row["at"] - builders.NOW) < timedelta(minutes=5)
    assert len(posts) == 3, "refused, cut off, taken"


def test_a_session_that_ends_in_mid_answer_loses_nothing_and_nobody_else_gets_it(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site, ada, _ = people
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.context.clear_cookies()
        say(page, "contempt")
        expect(page.locator("[data-saved]")).to_contain_text("You were logged out")
        assert stored(site) == []
        log_in(page, "bob")
        opened(page)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        assert page.evaluate(SEALED)["n"] == 1
        assert stored(site) == []
        page.context.clear_cookies()
        log_in(page, "ada")
        opened(page)
        expect(page.locator("[data-waiting]")).to_be_hidden()
        assert page.evaluate(SEALED)["n"] == 0
    (row,) = stored(site)
    assert (row["subject"], row["p_contempt"]) == (ada.subject, 1.0)


def put(site: Served, who: Person, ends: timedelta) -> int:
    """A question put five minutes before the server's clock began."""
    at = builders.NOW - timedelta(minutes=5)
    prompt = Prompt(f"by-hand-{ends}", at, at, None, None, "notified", expires_at=builders.NOW + ends)
    number = prompts.record(site.access, who, prompt, builders.NOW)
    assert number is not None
    return number


def state_of(site: Served, prompt: int) -> str:
    with site.access.database.read() as connection:
        found: str = connection.execute(
            select(tables.prompts.c.state).where(tables.prompts.c.id == prompt)
        ).scalar_one()
        return found


def test_a_question_is_found_opened_and_answered(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site, ada, _ = people
    number = put(site, ada, timedelta(minutes=30))
    with visited(browser, site, **PHONE) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page)
        page.get_by_role("link", name="Answer it").click()
        expect(page.get_by_role("heading", name="You were asked")).to_be_visible()
        assert state_of(site, number) == "started"
        expect(page.locator("html[data-answering=ready]")).to_be_attached()
        say(page, "happiness")
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
        opened(page, f"answer/{number}")
        expect(page.get_by_text("You have answered this question already")).to_be_visible()
    assert state_of(site, number) == "completed"
    assert [row["prompt"] for row in stored(site)] == [number]


def test_a_question_that_was_missed_says_so_and_takes_how_it_is_now(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site, ada, bob = people
    number = put(site, ada, timedelta(minutes=-1))
    theirs = put(site, bob, timedelta(minutes=30))
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page, f"answer/{number}")
        expect(page.get_by_text("This question ended on")).to_contain_text("No harm done")
        page.get_by_text("Questions of the last seven days").click()
        expect(page.locator("details.history li")).to_contain_text("missed")
        say(page, "neutral")
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
        answer = page.goto(f"answer/{theirs}")
        assert answer is not None
        assert answer.status == 404
    assert [row["prompt"] for row in stored(site)] == [None]
    assert state_of(site, theirs) == "notified"


def test_a_question_that_ends_while_it_is_open_loses_no_answer(
    people: tuple[Served, Person, Person], browser: Browser
) -> None:
    site, ada, _ = people
    number = put(site, ada, timedelta(minutes=30))
    with visited(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        opened(page, f"answer/{number}")
        other = page.context.new_page()
        other.goto(f"answer/{number}")
        other.get_by_role("button", name="put it away").click()
        expect(other.get_by_role("heading", name="How are you right now?")).to_be_visible()
        other.close()
        assert state_of(site, number) == "cancelled"
        say(page, "surprise")
        expect(page.get_by_role("alert")).to_contain_text("put away, or taken back")
        expect(page.locator("input[value=surprise]").first).to_be_checked()
        assert stored(site) == []
        page.get_by_role("button", name="Save it for now instead").click()
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
    assert [row["prompt"] for row in stored(site)] == [None]
