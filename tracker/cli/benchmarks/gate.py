"""What the gate costs: our own path storing batches, beside the same path with neither permits nor triggers."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

from tracker.cli.benchmarks.figure import Figure, alternate, cost, seconds
from tracker.cli.benchmarks.scene import NOW, observations, scene
from tracker.settings import Settings
from tracker.store.bare import drop_gate
from tracker.workflows import ingest

BATCH = 1000
ROUNDS = 25


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Store batches of 1,000 observations with their estimates in two databases, with the gate and without.

    Without it: no lock, no key fetched, no consent read or decided in the transaction (a permit of an earlier one is
    used again, which the software itself never does), and no trigger that looks for each row's grant.
    """
    access, person = scene(settings, folder / "with")
    open_, stranger = scene(settings, folder / "without")
    with open_.write(stranger.id, NOW) as unit:
        kept, permit = unit, unit.capture_permit()
    drop_gate(open_.database)
    ours_rows = observations(BATCH * ROUNDS, "a" * 64)
    bare_rows = observations(BATCH * ROUNDS, "a" * 64)

    def gated(_: int) -> float:
        batch = list(islice(ours_rows, BATCH))

        def work() -> None:
            with access.write(person.id, NOW) as unit:
                ingest.store(unit, unit.capture_permit(), batch, NOW)

        return seconds(work)

    def ungated(_: int) -> float:
        batch = list(islice(bare_rows, BATCH))

        def work() -> None:
            with open_.database.write() as connection:
                ingest.store(replace(kept, connection=connection), permit, batch, NOW)

        return seconds(work)

    found, limit = alternate(ROUNDS, gated, ungated)
    what, beside = "store 1,000 observations through the gate", "the same without it"
    # The least of each: on a busy machine it is what is closest to the work itself.
    return [cost(what, [min(found)], beside, [min(limit)], 1.15)]
