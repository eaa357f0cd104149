"""What scripts say on a German page is German: the chart's words, its keys, the panel and its close button."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import builders
from tests.e2e.site import Served, served, visiting
from tracker.domain.affect import Emotion

pytestmark = pytest.mark.e2e


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, with an hour in which a minute without a face lies."""
    access = builders.installation(sqlite_url, tmp_path)
    ada = builders.person(access)
    seen = [
        builders.observed(builders.NOW - timedelta(minutes=m), None if m == 30 else Emotion.SADNESS)
        for m in range(60)
    ]
    builders.store(access, ada, seen, builders.NOW)
    with served(tmp_path, access, [ada]) as running:
        yield running
    access.database.close()
    access.keys.close()


def test_the_chart_and_the_panel_speak_german(site: Served, browser: Browser) -> None:
    with visiting(browser, site, locale="de-DE", viewport={"width": 1000, "height": 900}) as visit:
        page = visit.page
        page.goto(site.doors["ada"])
        frame = visit.chart()
        expect(frame.locator("html")).to_have_attribute("lang", "de")
        frame.locator("#chart").focus()
        page.keyboard.press("ArrowRight")
        said = re.compile(
            r"^Fr\.?,? 20\.? ?(März|3\.).*: sieht aus wie Trauer \(\d+ %\), dann .*; Enter berichtigt es$"
        )
        expect(frame.locator("#say")).to_have_text(said)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Einen Moment berichtigen")
        expect(dialog.get_by_role("heading", name="Wie war es wirklich?")).to_be_visible()
        dialog.get_by_role("button", name="Freude").click()
        expect(dialog.get_by_role("heading", name="Gespeichert")).to_be_visible()
        expect(dialog.get_by_text("Du hast Freude gesagt.")).to_be_visible()
        dialog.get_by_role("button", name="Schließen").click()
        expect(page.locator("#summary")).to_contain_text("du hast 1 Moment berichtigt")
