"""The timeline page over 30 days at one observation every 5 s, beside the bare query and JSON of its points.

One request carries the page and the numbers of its chart.
"""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from tracker.cli.benchmarks.figure import Figure, absolute, alternate, cost, seconds
from tracker.cli.benchmarks.scene import NOW, observations, scene
from tracker.cli.output import progress
from tracker.settings import Settings
from tracker.store import summaries
from tracker.workflows import ingest

BATCH = 5000
ROUNDS = 15
_PAGE = f"/timeline/month/{NOW.date()}"


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Fill 30 days, then ask for the page through the web app, and for the bare query, in turn."""
    access, person = scene(settings, folder)
    source = observations(rows, "c" * 64)
    with progress("Filling 30 days") as report:
        done = 0
        while batch := list(islice(source, BATCH)):
            with access.write(person.id, NOW) as unit:
                ingest.store(unit, unit.capture_permit(), batch, NOW)
            done += len(batch)
            report(done / rows)

    client = _logged_in(access, person.id)

    def page(_: int) -> float:
        return seconds(lambda: _expect(client.get(_PAGE)))

    def bare(_: int) -> float:
        def work() -> None:
            with access.database.read() as connection:
                names = [summaries.MACHINE_SERIES, "reason:no_face"]
                found = summaries.read_summaries(
                    connection, person.subject, NOW - timedelta(days=30), NOW, names
                )
            json.dumps([[at.isoformat(), name, n, sums] for at, name, n, sums in found])

        return seconds(work)

    page(0)
    found, limit = alternate(ROUNDS, page, bare)
    beside = "indexed query + JSON of the same points"
    what = f"timeline page with its chart's data, 30 days of {rows:,} rows"
    return [cost(what, found, beside, limit, 3.0), absolute(what, found, 0.3)]


def _logged_in(access: Any, participant: str) -> Any:
    app = import_module("webui.app").create_app(access, lambda: NOW, entries={"bench": participant})
    client = app.test_client()
    _expect(client.get("/enter/bench", follow_redirects=True))
    return client


def _expect(response: Any) -> None:
    if response.status_code != 200:
        raise RuntimeError(f"{response.request.path} answered {response.status}")
