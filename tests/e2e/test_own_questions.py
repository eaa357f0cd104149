"""A study's own questions in a browser: one answered by itself is saved from a phone, with script and keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from tests import builders
from tests.e2e.site import served, visiting
from tests.webui.test_study_form import FILE, OWN
from tracker.store import tables
from tracker.study import parse
from tracker.workflows import studies

pytestmark = pytest.mark.e2e


def test_a_question_of_the_study_alone_is_an_answer(
    sqlite_url: str, tmp_path: Path, browser: Browser
) -> None:
    access = builders.installation(sqlite_url, tmp_path)
    studies.apply(access, parse(FILE.format(more=OWN, version="1"), "own.yaml"), "ops", builders.NOW)
    ada = builders.person(access)
    phone = {"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True}
    with served(tmp_path, access, [ada]) as site, visiting(browser, site, **phone) as visit:
        visit.page.context.clock.install(time=builders.NOW)
        page = visit.page
        page.goto(site.doors["ada"])
        page.goto("answer")
        expect(page.locator("html[data-answering=ready]")).to_be_attached()
        assert visit.fits()
        scale = page.get_by_role("group", name="How stressed are you?")
        for chip in scale.locator(".chip").all():
            box = chip.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        scale.get_by_role("radio", name="1").focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        page.locator(".chip", has_text="Hard to say").tap()
        page.get_by_role("button", name="Save", exact=True).tap()
        saved = page.locator("[data-saved]")
        expect(saved.get_by_role("heading", name="Saved")).to_be_visible(timeout=20_000)
        expect(saved).to_contain_text("How stressed are you?")
        assert visit.fits()
    c = tables.corrections.c
    with access.database.read() as connection:
        found = {row.target: row.value for row in connection.execute(select(c.target, c.value))}
    assert found == {"number:stress": pytest.approx(2 / 3), "yes_no:tired": 0.5}
