from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.site import launch


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """Playwright itself: one in a process, for several browsers."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(driver: Playwright, chromium_path: Path) -> Iterator[Browser]:
    started = launch(driver, chromium_path)
    yield started
    started.close()
