"""Screenshots for the documentation, of people who do not exist: ``python -m tests.e2e.screenshots [NAME …]``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from playwright.sync_api import Page, sync_playwright

from tests import builders
from tests.browser import chromium
from tests.e2e.scene import DAY, enter, scene
from tests.e2e.site import ROOT, Served, Visit, launch, visiting
from tracker.lab.portrait import write_clip

FOLDER = ROOT / "docs" / "screenshots"
WIDE: dict[str, Any] = {"viewport": {"width": 1200, "height": 1060}}
DARK = {**WIDE, "color_scheme": "dark"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
LARGEST = 400 * 1024


def timeline(visit: Visit) -> None:
    """Thirty days."""
    visit.page.goto(f"timeline/month/{DAY}")
    visit.chart()


def day(visit: Visit) -> None:
    """One day."""
    visit.page.goto(f"timeline/day/{DAY}")
    visit.chart()


def thumbed(visit: Visit) -> None:
    """One day, scrolled a little."""
    day(visit)
    visit.page.mouse.wheel(0, 150)


def correct(visit: Visit) -> None:
    """What a correction changes."""
    day(visit)
    box = visit.page.locator("[data-chart] iframe").bounding_box()
    assert box is not None
    visit.page.mouse.click(box["x"] + box["width"] * 0.42, box["y"] + box["height"] * 0.3)
    visit.page.get_by_role("heading", name="How was it really?").wait_for()
    visit.page.keyboard.press("Digit3")
    visit.page.get_by_text("You said surprise").wait_for()


def consent(visit: Visit) -> None:
    """Choices, of which two are made."""
    page = visit.page
    page.goto("notice")
    page.get_by_role("button", name="I have read this").click()
    page.goto("consent")
    for scope in ("affect_series", "context"):
        page.locator(f"#{scope}").get_by_role("button", name="Allow:").click()
        page.locator(f"#{scope} .badge.yes").wait_for()
    page.evaluate("scrollTo(0, 0)")


def answer(visit: Visit) -> None:
    """An answer in three taps."""
    page = visit.page
    page.goto("answer")
    page.locator("html[data-answering=ready]").wait_for(state="attached")
    page.locator(".tile", has_text="happiness").tap()
    page.locator(".chip", has_text="moderately").tap()
    page.evaluate("scrollTo(0, 0)")


def capture(visit: Visit) -> None:
    """The camera sees a portrait, and it is being read."""
    page = visit.page
    page.goto("capture")
    page.get_by_role("button", name="Turn the camera on").tap()
    page.get_by_role("button", name="This is me").tap(timeout=60_000)
    page.locator("[data-looks]", has_text="looks like").wait_for(timeout=60_000)
    page.evaluate("scrollTo(0, 180)")


def learned(visit: Visit) -> None:
    """What the learner has learned."""
    visit.page.goto("learned")


def rate(visit: Visit) -> None:
    """A face to rate."""
    visit.page.goto("rate")
    visit.page.locator("[data-desk][data-shown]").wait_for()


def clip(visit: Visit) -> None:
    """A clip to rate and to follow."""
    visit.page.goto("rate/series")
    visit.page.get_by_role("link", name="Clip 1").click()
    visit.page.locator("[data-desk][data-ready]").wait_for()


def decide(visit: Visit) -> None:
    """Votes that differ, side by side."""
    visit.page.goto("rate/adjudicate")
    visit.page.get_by_role("link", name="Face 1").click()
    visit.page.locator(".votes li").first.wait_for()


def data(visit: Visit) -> None:
    """What can be done with everything that is stored."""
    visit.page.goto("my-data")


PICTURES: dict[str, tuple[str, dict[str, Any], Callable[[Visit], None]]] = {
    "timeline-light": ("sim", WIDE, timeline),
    "timeline-dark": ("sim", DARK, day),
    "timeline-phone": ("sim", PHONE, thumbed),
    "answer-phone": ("sim", PHONE, answer),
    "learned": ("sim", WIDE, learned),
    "my-data-phone": ("sim", {**PHONE, "color_scheme": "dark"}, data),
    "correct": ("sim", WIDE, correct),
    "consent": ("new", WIDE, consent),
    "capture-phone": ("ben", PHONE, capture),
    "rate": ("kim", WIDE, rate),
    "clip-dark": ("kim", DARK, clip),
    "decide": ("judge", WIDE, decide),
}
"""Which pictures there are: of whom, on what, and what leads there."""


def keep(page: Page, name: str) -> None:
    """Save what the window shows."""
    path = FOLDER / f"{name}.png"
    page.wait_for_timeout(500)
    page.screenshot(path=path)
    assert path.stat().st_size < LARGEST, f"{path} is too large for a repository"


def take(site: Served, browser: Any, name: str) -> None:
    """Take one picture."""
    who, options, lead = PICTURES[name]
    with visiting(browser, site, **options) as visit:
        visit.page.context.clock.install(time=builders.NOW)
        enter(site, visit, who)
        lead(visit)
        keep(visit.page, name)


def camera(folder: Path) -> str:
    """A switch of Chromium's that puts a portrait before its camera, as bare JPEGs, one after another."""
    write_clip(folder / "portrait.mp4", 8.0)
    stream, clip = folder / "portrait.mjpeg", cv2.VideoCapture(str(folder / "portrait.mp4"))
    with stream.open("wb") as file:
        while (seen := clip.read())[0]:
            file.write(cv2.imencode(".jpg", seen[1])[1].tobytes())
    clip.release()
    return f"--use-file-for-fake-video-capture={stream}"


def main(*names: str) -> None:
    """Make a database of people who do not exist, serve it, and take the screenshots."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        with scene(folder, days=30) as site:
            browser = launch(playwright, chromium(), *fake, camera(folder))
            for name in names or PICTURES:
                print(name, flush=True)
                take(site, browser, name)
            browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
