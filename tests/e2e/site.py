"""A site for browsers: a database, the server on it, pages that report what goes wrong in them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from tests import builders
from tests.e2e.serving import AHEAD
from tracker.access import Access
from tracker.domain.people import Person

ROOT = Path(__file__).parents[2]


def launch(playwright: Playwright, chromium: Path, *more: str) -> Browser:
    """Start the distribution's Chromium, with more switches where a test needs them; as root it has no sandbox."""
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    arguments = [*alone, "--disable-dev-shm-usage", *more]
    return playwright.chromium.launch(executable_path=chromium, args=arguments)


@dataclass
class Served:
    """A running server, its database from outside, and the doors to its people."""

    address: str
    access: Access
    doors: dict[str, str]
    folder: Path

    def wait(self, time: timedelta) -> None:
        """Set the server's clock forward, to that long after it would be."""
        new = self.folder / f"{AHEAD}.new"
        new.write_text(str(time.total_seconds()))
        new.replace(self.folder / AHEAD)  # at once: the server never reads half of it


@dataclass
class Visit:
    """A page with everything that browsers complain about on it, and every host it asked."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def chart(self) -> Any:
        """Wait until the chart is drawn; return its frame."""
        frame = self.page.frame_locator("[data-chart] iframe")
        expect(frame.locator("body[data-ready]")).to_be_attached(timeout=20_000)
        return frame

    def fits(self) -> bool:
        """Whether nothing is wider than the window."""
        wide: bool = self.page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        return wide


@contextmanager
def served(
    folder: Path, access: Access, people: list[Person], started: datetime = builders.NOW
) -> Iterator[Served]:
    """Serve a database, with one-time doors to people: ``doors[name]`` is a path; its clock starts at `started`."""
    tokens = {person.name: secrets.token_urlsafe() for person in people}
    entries = {tokens[person.name]: person.id for person in people}
    arguments = [
        access.database.url.render_as_string(hide_password=False),
        folder,
        started.isoformat(),
        json.dumps(entries),
    ]
    command = [sys.executable, "-m", "tests.e2e.serving", *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            assert address, "the server did not start; its own words are above"
            doors = {name: f"enter/{token}" for name, token in tokens.items()}
            yield Served(address, access, doors, folder)
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def visiting(browser: Browser, site: Served, **options: Any) -> Iterator[Visit]:
    """Open a page; at the end nothing may have been complained about, and no other host asked."""
    context = browser.new_context(base_url=site.address, **options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    visit = Visit(page)

    def heard(message: ConsoleMessage) -> None:
        # A status that a test provokes is said by the page; all else is a fault.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            visit.complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
    yield visit
    context.close()
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(site.address).netloc}
