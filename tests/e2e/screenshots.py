"""Take the screenshots of the documentation, of SIMULATED people: ``python -m tests.e2e.screenshots``."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests import builders
from tests.browser import chromium
from tests.e2e.site import ROOT, Served, Visit, launch, served, visiting
from tracker.cli.living import live
from tracker.domain.consent import Recorder, Scope
from tracker.workflows import consenting, enrolment

FOLDER = ROOT / "docs" / "screenshots"
WIDE = {"width": 1200, "height": 1060}
PHONE = {"width": 390, "height": 844}
LARGEST = 400 * 1024


def keep(visit: Visit, name: str) -> None:
    """Save what the window shows."""
    path = FOLDER / f"{name}.png"
    visit.page.wait_for_timeout(500)
    visit.page.screenshot(path=path)
    assert path.stat().st_size < LARGEST, f"{path} is too large for a repository"


def take(site: Served, browser: Browser) -> None:
    """Visit each page and save it."""
    day, month = "timeline/day/2026-03-19", "timeline/month/2026-03-19"
    with visiting(browser, site, viewport=WIDE) as visit:
        page = visit.page
        page.goto(site.doors["Sim A"])
        page.goto(month)
        visit.chart()
        keep(visit, "timeline-light")
        page.goto(day)
        visit.chart()
        box = page.locator("[data-chart] iframe").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.4)
        page.get_by_role("heading", name="How was it really?").wait_for()
        page.keyboard.press("Digit3")
        page.get_by_text("You said surprise").wait_for()
        keep(visit, "correct")
    with visiting(browser, site, viewport=WIDE, color_scheme="dark") as visit:
        visit.page.goto(site.doors["Sim B"])
        visit.page.goto(day)
        visit.chart()
        keep(visit, "timeline-dark")
    with visiting(browser, site, viewport=PHONE, device_scale_factor=2, has_touch=True) as visit:
        visit.page.goto(site.doors["Sim C"])
        visit.page.goto(day)
        visit.chart()
        visit.page.mouse.wheel(0, 150)
        keep(visit, "timeline-phone")
    with visiting(browser, site, viewport=WIDE) as visit:
        visit.page.goto(site.doors["Sim D"])
        visit.page.goto("notice")
        visit.page.get_by_role("button", name="I have read this").click()
        visit.page.goto("consent")
        keep(visit, "consent")


def main() -> None:
    """Make a database of simulated people, serve it, and take the screenshots."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        access = builders.installation(f"sqlite:///{folder / 'affect.sqlite3'}", folder)
        end = builders.NOW - timedelta(hours=13)
        people = [
            live(access, "Sim A", "Europe/Berlin", end, 30, seed=7),
            live(access, "Sim B", "Europe/Berlin", end, 8, seed=7),
            live(access, "Sim C", "Europe/Berlin", end, 8, seed=7),
            enrolment.enrol(access, "Sim D", "Europe/Berlin", end, simulated=True).person,
        ]
        chosen = [Scope.AFFECT_SERIES, Scope.PERSONAL_LEARNING]
        consenting.grant(access, people[3], chosen, end, recorder=Recorder.OPERATOR, evidence="form 12")
        with served(folder, access, people) as site:
            browser = launch(playwright, chromium())
            take(site, browser)
            browser.close()


if __name__ == "__main__":
    main()
