"""Export observations with their estimates to Parquet, beside the driver's fetchmany straight into pyarrow.

The peer reads the same rows in the same order and writes them to two files with the same compression: no pseudonyms,
no local time, no consent, no counting.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from tracker.cli.benchmarks.figure import Figure, rate, seconds, size
from tracker.cli.benchmarks.scene import NOW, installed, observations, settings_in
from tracker.cli.installation import opened
from tracker.cli.output import progress
from tracker.domain.consent import Recorder, Scope
from tracker.settings import Settings
from tracker.store.bare import drop_gate, fetched, multiply
from tracker.store.exporting import BATCH, OBSERVATION_COLUMNS
from tracker.store.rows import EMOTION_COLUMNS
from tracker.workflows import consenting, enrolment, ingest
from tracker.workflows.export import export_dataset

PEOPLE = 10
TIMES = 100
ROUNDS = 3
MOST_MIB = 600.0
_MANY = 2_000_000
"""From so many rows on one round is enough."""

_SCOPES = (Scope.AFFECT_SERIES, Scope.EXPORT_PSEUDONYMOUS)
_SEEN = ", ".join(f'"{name}"' for name in OBSERVATION_COLUMNS)
_SAID = ", ".join(f"e.{name}" for name in ("network", "snapshot", *EMOTION_COLUMNS, "samples", "recorded_at"))
_QUERIES = (
    f'SELECT id, {_SEEN} FROM observations ORDER BY subject, "at", id',
    f'SELECT o.id, o."at", o.zone, {_SAID} FROM observations o JOIN estimates e ON e.observation = o.id '
    'ORDER BY o.subject, o."at", o.id',
)


def measure(settings: Settings, folder: Path, rows: int) -> list[Figure]:
    """Fill a database with `rows` observations of ten people, then export it, ours and bare in turn."""
    _apart(_fill, settings, folder, rows)
    ours, bare, peaks = [], [], []
    for i in range(1 if rows >= _MANY else ROUNDS):
        bare.append(seconds(lambda i=i: _bare(folder, i)))  # type: ignore[misc]
        took, peak = _apart(_export, settings, folder, i)
        shutil.rmtree(folder / f"ours-{i}")
        ours.append(took)
        peaks.append(peak)
    what = f"export {rows:,} observations with estimates to Parquet"
    return [
        rate(what, ours, "fetchmany into pyarrow", bare, 0.7),
        size(f"{what}: memory at most", max(peaks), "limit", MOST_MIB, 1.0, "MiB"),
    ]


def _fill(settings: Settings, folder: Path, rows: int) -> None:
    access = installed(settings, folder)
    each = max(1, rows // (PEOPLE * TIMES))
    drop_gate(access.database)
    with progress("Filling") as report:
        for n in range(PEOPLE):
            person = enrolment.enrol(access, f"bench{n}", "Europe/Berlin", NOW).person
            start = NOW.replace(month=1)
            consenting.grant(access, person, _SCOPES, NOW, recorder=Recorder.PARTICIPANT, covers_from=start)
            with access.write(person.id, NOW) as unit:
                batch = list(islice(observations(each, f"{n:064x}"), each))
                ingest.store(unit, unit.capture_permit(), batch, NOW)
            report((n + 1) / PEOPLE / 2)
        multiply(access.database, TIMES, 5_000_000 // TIMES)
        report(1.0)
    access.close()


def _bare(folder: Path, i: int) -> None:
    for k, query in enumerate(_QUERIES):
        path = folder / f"bare-{i}-{k}.parquet"
        writer = None
        for rows in fetched(folder / "bench.db", query, BATCH):
            batch = pa.table(
                [pa.array(column) for column in zip(*rows, strict=True)],
                [f"c{n}" for n in range(len(rows[0]))],
            )
            if writer is None:
                writer = pa.parquet.ParquetWriter(path, batch.schema, compression="zstd")
            writer.write_table(batch.cast(writer.schema))
        if writer is not None:
            writer.close()
        path.unlink(missing_ok=True)  # nothing was written where so few were made that no face is among them


def _apart(task: Callable[..., None], *arguments: object) -> tuple[float, float]:
    """Do a part in a process of its own, so that its memory is its own and free afterwards: seconds and MiB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_told, args=(there, task, arguments))
    process.start()
    there.close()
    try:
        took, peak = here.recv()
    finally:
        process.join()
        process.close()
    return took, peak


def _told(there: Connection, task: Callable[..., None], arguments: tuple[object, ...]) -> None:
    took = seconds(lambda: task(*arguments))
    there.send((took, _peak()))


def _export(settings: Settings, folder: Path, i: int) -> None:
    with closing(opened(settings_in(settings, folder))) as access:
        export_dataset(access, folder / f"ours-{i}", NOW, formats={"parquet"})


def _peak() -> float:
    """Most memory that this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage tells on Linux outlives exec: a child begins with what the process that made it held.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    unit = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit / 1024
