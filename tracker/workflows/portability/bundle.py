"""One zip with everything about one participant and nothing about anybody else (GDPR Art. 15 and 20).

It is streamed to the caller: nothing of it is written to a disk on the way, and little is held in memory.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from typing import Any, BinaryIO

from tracker.access import Access, Unit
from tracker.domain.archives import FORMAT, MANIFEST, PAGE, VERSION, data
from tracker.domain.people import Person
from tracker.store import belongings
from tracker.workflows.portability.entries import Entries, Sink
from tracker.workflows.portability.formats import WRITERS
from tracker.workflows.portability.overview import overview
from tracker.workflows.portability.page import render
from tracker.workflows.portability.tables import PersonalTable

_CHUNK = 64 * 1024


def write_bundle(
    access: Access,
    person: Person,
    now: datetime,
    out: BinaryIO,
    report: Callable[[float], None] = lambda _: None,
) -> None:
    """Write the archive into a file; see `stream_bundle`.

    Parameters
    ----------
    access, person, now
        Whose data, through which gate, when (UTC).
    out
        Where the zip goes; need not be seekable.
    report
        Called with the share done, 0 to 1.
    """
    for chunk in stream_bundle(access, person, now, report):
        out.write(chunk)


def stream_bundle(
    access: Access, person: Person, now: datetime, report: Callable[[float], None] = lambda _: None
) -> Generator[bytes]:
    """Give the archive piece by piece: a page to read, and each table as JSON, CSV and Parquet.

    Everything comes from one snapshot of the database, which is held until the last piece was taken or the
    iterator is closed. It needs no scope: what is stored about people is theirs to see, withdrawn or not.

    Parameters
    ----------
    access, person, now
        Whose data, through which gate, when (UTC).
    report
        Called with the share done, 0 to 1.
    """
    sink = Sink()
    waiting = b""
    with access.read(person.id, now) as unit:
        for done in _written(access, unit, Entries(sink, now)):
            report(done)
            waiting += sink.take()
            if len(waiting) >= _CHUNK:
                yield waiting
                waiting = b""
    if waiting:
        yield waiting


def _written(access: Access, unit: Unit, entries: Entries) -> Iterator[float]:
    tables = [PersonalTable(access, unit, table.name) for table in belongings.personal_tables()]
    counts = {table.name: table.count() for table in tables}
    whole = 1 + len(WRITERS) * sum(counts.values())
    before = 0
    for table in tables:
        for ending, write in WRITERS.items():
            packed = ending == "parquet"
            with entries.file(data(table.name, ending), counts[table.name], packed=packed) as file:
                for n in write(file, table):
                    yield (before + n) / whole
            before += counts[table.name]
        for name, picture in table.pictures():
            with entries.file(name) as file:
                file.write(picture)
            yield before / whole
    pictures = [name for name in entries.written if not name.startswith("data/")]
    with entries.file(PAGE) as file:
        file.write(render(overview(access, unit, counts, _notes(access, unit), pictures)).encode())
    with entries.file(MANIFEST) as file:
        file.write(json.dumps(_manifest(unit, tables, counts, entries), indent=1).encode() + b"\n")
    entries.close()
    yield 1.0


def _notes(access: Access, unit: Unit) -> list[tuple[datetime, str]]:
    moments = dict(_columns(PersonalTable(access, unit, "corrections"), "id", "at"))
    written = _columns(PersonalTable(access, unit, "notes"), "correction", "text")
    return sorted((moments[correction], text) for correction, text in written)


def _columns(table: PersonalTable, *wanted: str) -> Iterator[tuple[Any, ...]]:
    places = [[field.name for field in table.fields].index(name) for name in wanted]
    return (tuple(row[i] for i in places) for row in table.each())


def _manifest(
    unit: Unit, tables: list[PersonalTable], counts: dict[str, int], entries: Entries
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": unit.now.isoformat().replace("+00:00", "Z"),
        "made_by": f"affect-tracker {importlib.metadata.version('affect-tracker')}",
        "zone": unit.person.zone,
        "simulated": unit.person.simulated,
        "tables": {
            table.name: {
                "rows": counts[table.name],
                "fields": {field.name: field.kind.value for field in table.fields},
            }
            for table in tables
        },
        "files": dict(entries.written),
    }
