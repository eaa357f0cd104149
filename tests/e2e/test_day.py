"""A participant's whole day on a phone: in, asked, answered, looked at, paused, out; all by thumb."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from tests import builders
from tests.e2e.site import Served, Visit, served, visiting
from tracker.domain.affect import Emotion
from tracker.domain.series import Prompt
from tracker.store import tables
from tracker.workflows import accounts, prompts

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
# Its name says, too, where a question waits.
ANSWER = re.compile(r"^Answer( A question waits.*)?$")
TABS = ("Answer", "Timeline", "Capture", "Learned")


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, with a morning of readings, a password, and a question that was put five minutes ago."""
    access = builders.installation(sqlite_url, tmp_path)
    ada = builders.person(access)
    accounts.choose_password(access, ada, PASSWORD, builders.NOW)
    minutes = [builders.NOW - timedelta(minutes=m) for m in range(180)]
    builders.store(access, ada, [builders.observed(at, Emotion.SADNESS) for at in minutes])
    at, ends = builders.NOW - timedelta(minutes=5), builders.NOW + timedelta(minutes=30)
    prompts.record(access, ada, Prompt("noon", at, at, None, None, "notified", expires_at=ends), builders.NOW)
    with served(tmp_path, access, [ada]) as running:
        yield running
    access.database.close()
    access.keys.close()


def under_the_thumb(page: Page) -> None:
    """The ways that are used every day lie in the lowest fifth of the screen, each large enough, and cover nothing."""
    height = page.evaluate("innerHeight")
    for name in TABS:
        box = page.get_by_role("link", name=re.compile(rf"^{name}( A question waits.*)?$")).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert height * 0.8 < box["y"]
        assert box["y"] + box["height"] <= height + 1
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    last = page.locator("footer p").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= height * 0.95, "the end of the page is not under the bar"


@pytest.mark.parametrize("width", [320, 390])
def test_a_day_on_a_phone(site: Served, browser: Browser, width: int) -> None:
    size = {"width": width, "height": 700}
    with visiting(browser, site, viewport=size, has_touch=True, is_mobile=True) as visit:
        page = visit.page
        page.context.clock.install(time=builders.NOW)  # the phone's clock is right

        def arrive(heading: str) -> None:
            expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
            assert visit.fits(), heading
            under_the_thumb(page)

        page.goto("login")
        assert visit.fits()
        page.get_by_label("Your name").fill("ada")
        page.get_by_label("Password, or the one-time code").fill(PASSWORD)
        page.get_by_role("button", name="Log in", exact=True).tap()
        arrive("Friday 20 March 2026")
        visit.chart()
        assert visit.fits()

        page.get_by_role("link", name=ANSWER).tap()
        arrive("How are you right now?")
        page.get_by_role("link", name="Answer it").tap()
        expect(page.get_by_role("heading", name="You were asked")).to_be_visible()
        expect(page.locator("html[data-answering=ready]")).to_be_attached()
        page.locator(".tile", has_text="happiness").tap()
        page.locator(".chip", has_text="Company is welcome").tap()
        save_is_reachable(visit)
        page.get_by_role("button", name="Save", exact=True).tap()
        expect(page.get_by_role("heading", name="Saved")).to_be_visible()
        assert visit.fits()

        page.get_by_role("link", name="Timeline", exact=True).tap()
        arrive("Friday 20 March 2026")
        expect(page.locator("#summary")).to_contain_text("you were asked once (1 answered)")

        page.get_by_role("link", name="Learned", exact=True).tap()
        arrive("What your learner has learned")
        page.get_by_role("link", name="Capture", exact=True).tap()
        arrive("Capture")
        page.get_by_role("link", name="My data", exact=True).tap()
        arrive("My data")
        page.get_by_role("button", name="Pause", exact=True).tap()
        expect(page.get_by_text("Paused since")).to_be_visible()
        page.get_by_role("button", name="Resume", exact=True).tap()
        expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
        page.get_by_role("link", name="Consent", exact=True).tap()
        arrive("What you allow")
        page.get_by_role("button", name="Log out").tap()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    with site.access.database.read() as connection:
        state = connection.execute(select(tables.prompts.c.state)).scalar_one()
        targets = connection.execute(select(tables.corrections.c.target)).scalars().all()
    assert state == "completed"
    assert sorted(targets) == ["emotion", "leave_me_alone"]


def save_is_reachable(visit: Visit) -> None:
    """Saving takes no scrolling, and neither bar covers the other."""
    save = visit.page.get_by_role("button", name="Save", exact=True).bounding_box()
    tab = visit.page.get_by_role("link", name=ANSWER).bounding_box()
    assert save is not None
    assert tab is not None
    assert save["y"] + save["height"] <= tab["y"]
