"""A device is told that a question waits: switched on by hand, shown without content, opened with a tap, stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests import builders
from tests.e2e.site import Served, served, visiting
from tests.e2e.wcag import violations
from tests.workflows.test_pushing import governed
from tracker.workflows import prompting

pytestmark = pytest.mark.e2e

SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "color_scheme": "light"},
}
# No browser of ours can reach its maker from here: what the maker gives is stood in for, all else is real.
MAKER = """
const kept = () => JSON.parse(localStorage.getItem("maker") || "null");
const given = ({ endpoint }) => ({
  endpoint,
  unsubscribe: async () => { localStorage.removeItem("maker"); return true; },
});
PushManager.prototype.getSubscription = async () => (kept() ? given(kept()) : null);
PushManager.prototype.subscribe = async (options) => {
  if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error("refused");
  const made = { endpoint: "https://fcm.googleapis.com/fcm/send/" + crypto.randomUUID() };
  localStorage.setItem("maker", JSON.stringify(made));
  return given(made);
};
Notification.requestPermission = async () => "granted";
"""


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    access = builders.installation(sqlite_url, tmp_path)
    governed(access, now=builders.NOW)
    who = builders.person(access)
    with served(tmp_path, access, [who]) as running:
        yield running
    access.database.close()
    access.keys.close()


def opened(site: Served, page: Page) -> None:
    page.add_init_script(MAKER)
    page.goto(site.doors["ada"])
    page.goto("answer/devices")
    expect(page.locator("[data-ready]")).to_be_attached()


def told(site: Served) -> int:
    who = site.access.person("ada")
    with site.access.read(who.id, builders.NOW) as unit:
        return len(prompting.devices_of(site.access, unit))


def switch_on(page: Page) -> None:
    page.get_by_role("button", name="Switch on for this device").click()
    expect(page.get_by_text("this device", exact=True)).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_page_is_for_everybody_to_read(
    browser: Browser, site: Served, screen: str, tmp_path: Path
) -> None:
    with visiting(browser, site, **SCREENS[screen]) as visit:
        opened(site, visit.page)
        assert violations(visit.page) == []
        assert visit.fits()
        switch_on(visit.page)
        assert violations(visit.page) == []
        assert visit.fits()
        kept = os.environ.get("AFFECT_SCREENS")
        visit.page.screenshot(path=Path(kept or tmp_path) / f"devices-{screen}.png", full_page=True)


def test_it_is_switched_on_by_a_press_and_stopped_by_another(browser: Browser, site: Served) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        opened(site, page)
        assert told(site) == 0, "off until somebody asks for it"
        switch_on(page)
        assert told(site) == 1
        expect(page.get_by_text("through Google")).to_be_visible()
        page.get_by_role("button", name="Stop telling").click()
        expect(page.get_by_text("None is switched on.")).to_be_visible()
        assert told(site) == 0
        assert page.evaluate("localStorage.getItem('maker')") is None, "the browser forgot it too"


def test_logging_out_and_withdrawing_end_it_here_and_in_the_browser(browser: Browser, site: Served) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        opened(site, page)
        switch_on(page)
        page.goto("consent")
        page.locator('form[action="/consent/prompts/withdraw"] button').click()
        page.wait_for_url("**/consent#prompts")
        assert told(site) == 0
        assert page.evaluate("localStorage.getItem('maker')") is None
        page.locator('form[action="/consent/prompts/grant"] button').first.click()
        page.wait_for_url("**/consent#prompts")
        page.goto("answer/devices")
        switch_on(page)
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        assert told(site) == 0


def test_who_says_no_to_the_browser_is_told_and_nothing_is_stored(browser: Browser, site: Served) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.add_init_script("Notification.requestPermission = async () => 'denied';")
        page.goto(site.doors["ada"])
        page.goto("answer/devices")
        page.get_by_role("button", name="Switch on for this device").click()
        expect(page.get_by_role("status").filter(has_text="nothing was switched on")).to_be_visible()
        assert told(site) == 0


def delivered(page: Page, cdp: CDPSession, origin: str) -> None:
    """Have the browser hand a message to the worker, as it does when one of its maker comes."""
    found: list[str] = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda said: found.extend(
        one["registrationId"] for one in said["registrations"] if not one["isDeleted"]))  # fmt: skip
    cdp.send("ServiceWorker.enable")
    for _ in range(100):
        if found:
            break
        page.wait_for_timeout(50)
    assert found, "no worker is registered"
    cdp.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": found[-1], "data": ""})


@pytest.mark.parametrize(
    ("language", "title"), [("en", "A question is waiting"), ("de", "Eine Frage wartet")]
)
def test_a_message_shows_fixed_words_and_nothing_else(
    browser: Browser, site: Served, language: str, title: str
) -> None:
    context = browser.new_context(base_url=site.address)
    context.grant_permissions(["notifications"], origin=site.address.rstrip("/"))
    page = context.new_page()
    page.goto(site.doors["ada"])
    if language == "de":
        page.get_by_role("button", name="Deutsch").click()
    page.goto("answer")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    cdp = context.new_cdp_session(page)
    delivered(page, cdp, site.address.rstrip("/"))
    shown: list[dict[str, str]] = []
    for _ in range(100):
        shown = page.evaluate(
            "navigator.serviceWorker.ready.then((r) => r.getNotifications()).then("
            "(all) => all.map((n) => ({ title: n.title, tag: n.tag, lang: n.lang })))"
        )
        if shown:
            break
        time.sleep(0.05)
    assert shown == [{"title": title, "tag": "question", "lang": language}]
    with suppress(Exception):
        cdp.detach()
    context.close()
