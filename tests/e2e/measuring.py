"""How heavy the first page is, and how fast a month is drawn: ``python -m tests.e2e.measuring CHROMIUM [ROWS]``.

Figures for docs/benchmarks.md, measured in the browser on the real server; nothing is demanded of them here.
"""

from __future__ import annotations

import gzip
import os
import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Response, sync_playwright

from tests import builders
from tests.e2e.site import launch, served, visiting
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.people import Person

ROUNDS = 7
CHARTS = ("bokeh", "chart")
MONTH = f"timeline/month/{builders.NOW.date().isoformat()}"
TIMES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  return { interactive: page.domInteractive, complete: page.domContentLoadedEventEnd };
}"""


def filled(access: Access, rows: int) -> Person:
    """Somebody with 30 days of readings, one every few seconds, each ninth without a face."""
    who = builders.person(access, "ada", now=builders.NOW - timedelta(days=31))
    step = timedelta(days=30) / rows
    start = builders.NOW - timedelta(days=30)
    for first in range(0, rows, 5000):
        batch = [
            builders.observed(start + i * step, None if i % 9 == 4 else list(Emotion)[i // 500 % 8])
            for i in range(first, min(first + 5000, rows))
        ]
        builders.store(access, who, batch, builders.NOW)
        print(f"\r{first + len(batch):,} rows", end="", file=sys.stderr)
    print(file=sys.stderr)
    return who


def weight(page: Page, path: str) -> dict[str, int]:
    """What a page and all that it loads weighs, compressed, with and without its chart."""
    heard: set[str] = set()

    def hear(response: Response) -> None:
        heard.add(response.url)

    page.on("response", hear)
    page.goto(path, wait_until="networkidle")
    page.remove_listener("response", hear)
    found = {"without charts": 0, "charts": 0}
    for url in heard:
        # Asked for once more: a browser does not keep the body of everything that it loaded.
        chart = any(name in url.rsplit("/", 1)[-1] for name in CHARTS)
        body = page.context.request.get(url).body()
        found["charts" if chart else "without charts"] += len(gzip.compress(body, 6))
    return found


def drawn(page: Page, path: str) -> dict[str, float]:
    """When a timeline is interactive and its chart is drawn, in milliseconds after the page was asked for."""
    page.goto(path)
    frame = page.frame_locator("[data-chart] iframe")
    frame.locator("body[data-ready]").wait_for(state="attached", timeout=60_000)
    inner = next(f for f in page.frames if "/chart" in f.url)
    measured: dict[str, float] = inner.evaluate(
        """() => { const [m] = performance.getEntriesByName("chart-drawn");
          return { drawing: m.duration, end: performance.timeOrigin + m.startTime + m.duration }; }"""
    )
    began: float = page.evaluate("performance.timeOrigin")
    return {**page.evaluate(TIMES), "drawing": measured["drawing"], "drawn": measured["end"] - began}


def main(chromium: str, rows: int) -> None:
    """Fill, look, print the medians."""
    folder = Path(tempfile.mkdtemp())
    access = builders.installation(f"sqlite:///{folder / 'measure.db'}", folder)
    who = filled(access, rows)
    with sync_playwright() as playwright, served(folder, access, [who]) as site:
        browser = launch(playwright, Path(chromium))
        with visiting(browser, site) as visit:
            print(f"login: {weight(visit.page, 'login')}")
            visit.page.goto(site.doors[who.name])
            print(f"timeline: {weight(visit.page, MONTH)}")
            found: list[dict[str, Any]] = [drawn(visit.page, MONTH) for _ in range(ROUNDS)]
            for name in found[0]:
                times = [one[name] for one in found]
                print(f"{name}: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms")
        with visiting(browser, site) as visit:
            entered = []
            for _ in range(ROUNDS):
                visit.page.goto("login")
                entered.append(visit.page.evaluate(TIMES)["interactive"])
            print(
                f"login interactive: median {statistics.median(entered):.0f} ms, worst {max(entered):.0f} ms"
            )
        browser.close()
    print(f"load: {os.getloadavg()}")
    access.database.close()
    access.keys.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300_000)
