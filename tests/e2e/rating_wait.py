"""Measure in the browser how long a rater waits for the next face: ``python -m tests.e2e.rating_wait``.

From the key to the second frame after the next face was drawn, as the page itself measures and sends it, at the pace
of a rater who looks first.
"""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests import builders, drawn
from tests.browser import chromium
from tests.e2e.sessions import let_in
from tests.e2e.site import launch, served, visiting
from tracker.domain.consent import Scope
from tracker.workflows import rating

FACES, THINKING_MS = 100, 700
SHOWS = (Scope.AFFECT_SERIES, Scope.FACE_CROPS, Scope.SHARE_WITH_RATERS)


def measure() -> list[int]:
    """Rate so many faces, and return the milliseconds until each next one was visible, in order of size."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        access = builders.installation(f"sqlite:///{folder / 'affect.sqlite3'}", folder)
        people = [builders.person(access, who, SHOWS) for who in ("ada", "bob")]
        for person in people:
            drawn.keep(access, person, FACES, builders.NOW, apart=timedelta(minutes=7))
        kim = builders.member(access, "kim")
        rating.agree(access, kim, rating.notice(access).sha256, builders.NOW)
        with served(folder, access, people) as site:
            browser = launch(playwright, chromium())
            with visiting(browser, site, viewport={"width": 1200, "height": 900}) as visit:
                let_in(site, visit, kim)
                page = visit.page
                page.goto("rate")
                page.locator("[data-desk][data-shown]").wait_for()
                for n in range(FACES + 1):
                    before = page.locator("[data-desk]").get_attribute("data-shown")
                    page.wait_for_timeout(THINKING_MS)
                    page.keyboard.press(f"Digit{n % 8 + 1}")
                    page.locator(f"[data-desk]:not([data-shown='{before}'])").wait_for()
            browser.close()
        votes = rating.own_data(access, kim)["votes"]
        access.database.close()
        access.keys.close()
    return sorted(vote["visible_ms"] for vote in votes if vote["visible_ms"] is not None)


def main() -> None:
    """Print the figure, with how busy the machine was: a figure without it says little."""
    load = os.getloadavg()[0]
    waits = measure()
    p95 = waits[-(-95 * len(waits) // 100) - 1]
    print(
        f"next face visible: median {median(waits):.0f} ms, p95 {p95} ms, longest {waits[-1]} ms, of {len(waits)}; "
        f"load average {load:.1f} before and {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
