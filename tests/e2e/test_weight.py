"""How much travels before somebody can begin: every byte that the browser took off the wire, as it came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests import builders
from tests.e2e.site import Served, Visit, served, visiting
from tracker.domain.consent import Scope

pytestmark = pytest.mark.e2e

MOST = 300 * 1000
PAGES = ("answer", "capture", "consent", "my-data", "timeline/day/2026-03-20", "learned")


@contextmanager
def weighed(visit: Visit) -> Iterator[dict[str, float]]:
    """Bytes by address, headers and all, of what a new browser loads meanwhile."""
    found: dict[str, float] = {}
    named: dict[str, str] = {}
    session = visit.page.context.new_cdp_session(visit.page)

    def asked(event: dict[str, Any]) -> None:
        named[event["requestId"]] = event["request"]["url"]

    def came(event: dict[str, Any]) -> None:
        found[named[event["requestId"]]] = event["encodedDataLength"]

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.loadingFinished", came)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    yield found
    session.detach()


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    """Ada, with one reading."""
    access = builders.installation(sqlite_url, tmp_path)
    ada = builders.person(access, scopes=tuple(Scope))
    builders.store(access, ada, [builders.observed(builders.NOW)], builders.NOW)
    with served(tmp_path, access, [ada]) as running:
        yield running
    access.database.close()
    access.keys.close()


def test_no_page_without_its_chart_weighs_more_than_300_kilobytes(site: Served, browser: Browser) -> None:
    with visiting(browser, site) as visit, weighed(visit) as found:
        visit.page.goto("login", wait_until="networkidle")
        assert any("login" in address for address in found)
        assert any(address.endswith(".css") or ".css?" in address for address in found), "its style came too"
        assert sum(found.values()) < MOST, found
        visit.page.goto(site.doors["ada"])
        for path in PAGES:
            found.clear()
            visit.page.goto(path, wait_until="networkidle")
            charts = {a for a in found if "bokeh" in a or "/chart" in a}
            rest = sum(size for address, size in found.items() if address not in charts)
            assert 0 < rest < MOST, (path, found)
