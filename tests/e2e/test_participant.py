"""What a participant does, in a real browser against the real server."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import builders
from tests.e2e.site import Served, Visit, served, visiting
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.workflows import enrolment

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery"
DAY = "timeline/day/2026-03-20"


def live(site: Served, who: Person) -> None:
    """Half a day of readings, one a minute, that lean on sadness; an hour without a face."""
    start = builders.NOW - timedelta(hours=5)
    batch = [
        builders.observed(start + timedelta(minutes=i), None if 120 <= i < 180 else Emotion.SADNESS)
        for i in range(300)
    ]
    builders.store(site.access, who, batch, builders.NOW)


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, who granted everything and has a morning of readings; Sim, who is simulated and has none."""
    access = builders.installation(sqlite_url, tmp_path)
    people = [builders.person(access), builders.person(access, "Sim", simulated=True)]
    with served(tmp_path, access, people) as running:
        live(running, people[0])
        yield running
    access.database.close()
    access.keys.close()


def click_chart(visit: Visit, across: float) -> None:
    """Click into the shares, that far across the frame."""
    visit.chart()
    canvas = visit.page.locator("[data-chart] iframe")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    visit.page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * 0.3)


def shown_share(page: Page, emotion: str, column: int) -> float:
    text = page.locator(f".change tr:has-text('{emotion}') td").nth(column).inner_text()
    return 0.5 if "under" in text else float(text.split()[0])


def test_from_the_first_login_to_withdrawal(site: Served, browser: Browser) -> None:
    enrolled = enrolment.enrol(site.access, "Bob", "Europe/Berlin", builders.NOW)
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto("")
        page.get_by_label("Your name").fill("Bob")
        page.get_by_label("Password, or the one-time code").fill(enrolled.code)
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_role("heading", name="emotion recognition system")).to_be_visible()
        page.get_by_role("button", name="I have read this").click()
        page.get_by_label("Password, at least").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        page.get_by_role("button", name="Keep this password").click()

        expect(page.get_by_role("heading", name="What you allow")).to_be_visible()
        expect(page.locator(".badge.yes")).to_have_count(0)
        for scope in ("affect_series", "personal_learning"):
            card = page.locator(f"#{scope}")
            card.get_by_text("also for earlier recordings").click()
            card.get_by_label("made on or after").fill("2026-03-01")
            card.get_by_role("button", name="Allow").click()
            expect(card.locator(".badge.yes")).to_have_count(1)
        expect(page.locator(".badge.yes")).to_have_count(2)

        page.get_by_role("link", name="Timeline", exact=True).click()
        expect(page.get_by_role("heading", name="Your timeline is empty")).to_be_visible()
        live(site, enrolled.person)
        page.reload()
        expect(page.locator("#summary")).to_contain_text("looks on average most like sadness")
        expect(page.locator("#summary")).to_contain_text("no face in view 60")

        click_chart(visit, 0.85)
        expect(page.get_by_role("heading", name="How was it really?")).to_be_visible()
        page.get_by_role("button", name="anger").click()
        expect(page.get_by_text("You said anger.")).to_be_visible()
        assert shown_share(page, "anger", 1) > shown_share(page, "anger", 0)
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#table")).to_contain_text("anger (")

        page.get_by_role("link", name="Consent").click()
        page.get_by_role("button", name="Withdraw: Keep my series").click()
        expect(page.get_by_text("What should happen with what is stored?")).to_be_visible()
        expect(page.get_by_text("Without an answer it is erased on Friday 27 March 2026")).to_be_visible()
        page.get_by_role("button", name="Erase this").click()
        page.get_by_role("link", name="Timeline", exact=True).click()
        expect(page.get_by_role("heading", name="Your timeline is empty")).to_be_visible()


def test_correcting_needs_no_mouse(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        visit.chart()
        link = page.locator("a[data-moment]").nth(3)
        name = link.get_attribute("aria-label")
        page.locator("body").press("5")
        expect(page.locator("dialog")).not_to_be_visible()
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="How was it really?")).to_be_focused()
        page.keyboard.press("Shift+Digit7")
        expect(page.get_by_role("button", name="fear")).to_have_class("second")
        page.keyboard.press("Digit5")
        expect(page.get_by_text("You said anger and some fear.")).to_be_visible()
        page.keyboard.press("Digit1")
        expect(page.get_by_text("You said neutral.")).to_be_visible()
        expect(page.get_by_text("It takes the place of what you said before.")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#table")).to_contain_text("neutral (")
        expect(page.locator("a[data-moment]:focus")).to_have_attribute("aria-label", name or "")


def test_a_panel_that_is_closed_before_the_page_is_fresh_keeps_its_place(
    site: Served, browser: Browser
) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        visit.chart()
        held: list[Route] = []
        page.route("**/timeline/**", lambda route: held.append(route))
        link = page.locator("a[data-moment]").nth(3)
        name = link.get_attribute("aria-label")
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="How was it really?")).to_be_focused()
        page.keyboard.press("Digit5")
        expect(page.get_by_text("You said anger.")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("a[data-moment]:focus")).to_have_attribute("aria-label", name or "")
        page.evaluate("window.still = true")
        held.pop().continue_()
        expect(page.locator("#table")).to_contain_text("anger (")
        expect(page.locator("a[data-moment]:focus")).to_have_attribute("aria-label", name or "")
        assert page.evaluate("window.still"), "the page was not loaded anew"


def test_a_note_is_written_with_keys_that_choose_nothing_and_stays(site: Served, browser: Browser) -> None:
    with visiting(browser, site, viewport={"width": 390, "height": 844}, color_scheme="dark") as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        visit.chart()
        page.locator("a[data-moment]").nth(3).click()
        page.get_by_label("Note, if you like").click()
        page.keyboard.type("Slept 5 hours, 2 of them well")
        expect(page.get_by_role("heading", name="How was it really?")).to_be_visible()
        assert visit.fits()
        page.get_by_role("button", name="sadness").click()
        expect(page.get_by_text("Your note is kept, encrypted")).to_be_visible()
        expect(page.get_by_label("Note, if you like")).to_have_value("Slept 5 hours, 2 of them well")
        page.keyboard.press("Digit5")  # the panel has the focus again, and its digits choose
        expect(page.get_by_text("You said anger.")).to_be_visible()
        expect(page.get_by_label("Note, if you like")).to_have_value("Slept 5 hours, 2 of them well")


def test_every_view_is_drawn_and_can_be_stepped_through(site: Served, browser: Browser) -> None:
    with visiting(browser, site, color_scheme="dark") as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        for view in ("Week", "30 days", "Day"):
            page.get_by_role("link", name=view, exact=True).press("Enter")
            visit.chart()
        page.get_by_role("button", name="Zoom in").click()
        page.get_by_role("button", name="All").click()
        page.get_by_role("link", name="Earlier").click()
        expect(page.get_by_role("heading", name="No recording on this day")).to_be_visible()
        page.get_by_role("link", name="Go to its newest day").click()
        visit.chart()


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_nothing_scrolls_sideways(site: Served, browser: Browser, width: int) -> None:
    size = {"width": width, "height": 740}
    with visiting(browser, site, viewport=size, has_touch=True, is_mobile=True) as visit:
        page = visit.page
        page.goto("login")
        assert visit.fits()
        page.goto(site.doors["ada"])
        visit.chart()
        assert visit.fits()
        page.locator("a[data-moment]").first.tap()
        expect(page.get_by_role("heading", name="How was it really?")).to_be_visible()
        page.get_by_role("button", name="contempt").tap()
        expect(page.get_by_text("You said contempt.")).to_be_visible()
        assert visit.fits()
        for path in (
            "timeline/week/2026-03-20",
            "timeline/month/2026-03-20",
            "consent",
            "my-data",
            "privacy",
            "withdraw",
            "nowhere",
        ):
            page.goto(path)
            assert visit.fits(), path


def test_without_scripts_everything_can_be_read_and_corrected(site: Served, browser: Browser) -> None:
    with visiting(browser, site, java_script_enabled=False) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        expect(page.locator("svg.overview")).to_be_visible()
        expect(page.locator("table.numbers")).to_be_visible()
        page.locator("a[data-moment]").first.click()
        page.get_by_role("button", name="surprise").click()
        expect(page.get_by_text("You said surprise.")).to_be_visible()
        page.get_by_role("link", name="Back to that day").click()
        expect(page.locator("table.numbers")).to_contain_text("surprise (")


def test_a_simulated_person_is_marked_and_can_erase_everything(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["Sim"])
        expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
        page.get_by_role("link", name="My data").click()
        expect(page.get_by_text("SIMULATED", exact=True)).to_be_visible()
        page.get_by_label("Type erase").fill("erase")
        page.get_by_role("button", name="Erase everything about me").click()
        expect(page.get_by_role("heading", name="Everything about you is erased")).to_be_visible()
        page.goto("my-data")
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_session_that_ended_in_mid_correction_is_said_and_nothing_is_lost(
    site: Served, browser: Browser
) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        page.locator("a[data-moment]").first.click()
        expect(page.get_by_role("heading", name="How was it really?")).to_be_visible()
        page.context.clear_cookies()
        page.get_by_role("button", name="fear").click()
        expect(page.get_by_role("alert")).to_contain_text("nothing was saved")


def test_withdrawn_scopes_stay_readable_to_their_person(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        page.goto("consent")
        page.get_by_role("button", name="Withdraw: Keep my series").click()
        page.get_by_role("button", name="Keep it, for me alone").click()
        page.goto(DAY)
        expect(page.locator("#summary")).to_contain_text("sadness")
        expect(page.locator("a[data-moment]")).to_have_count(0)
    with site.access.read(site.access.person("ada").id, builders.NOW) as unit:
        assert Scope.AFFECT_SERIES not in unit.grants()
