"""Storing rows through the gate, beside SQLAlchemy Core's bulk insert into the same tables and indexes."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from tracker.cli.benchmarks.figure import Figure, alternate, rate, seconds
from tracker.cli.benchmarks.scene import NOW, observations, scene
from tracker.settings import Settings
from tracker.store.bare import bulk_insert
from tracker.workflows import ingest

BATCH = 1000
ROUNDS = 9


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Store batches of 1,000 observations with their estimates, ours and bare in turn."""
    access, person = scene(settings, folder)
    ours_rows = observations(BATCH * ROUNDS, "a" * 64)
    bare_rows = observations(BATCH * ROUNDS, "b" * 64)

    def ours(_: int) -> float:
        batch = list(islice(ours_rows, BATCH))

        def work() -> None:
            with access.write(person.id, NOW) as unit:
                ingest.store(unit, unit.capture_permit(), batch, NOW)

        return seconds(work)

    def bare(i: int) -> float:
        batch = list(islice(bare_rows, BATCH))
        return seconds(lambda: bulk_insert(access.database, person.subject, "Europe/Berlin", batch, NOW, i))

    found, limit = alternate(ROUNDS, ours, bare)
    return [rate("store 1,000 observations and estimates", found, "Core bulk insert", limit, 0.5)]
