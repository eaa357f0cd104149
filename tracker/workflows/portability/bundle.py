"""One zip with everything about one participant and nothing about anybody else (GDPR Art. 15 and 20).

It is streamed into what the caller gives: nothing of it is written to a disk on the way.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from tracker.access import Access, Unit
from tracker.domain.people import Person
from tracker.store import belongings
from tracker.workflows.portability.page import Overview, overview, render

OPENED = {
    ("participants", "name_sealed"): "name",
    ("participants", "subject_sealed"): "subject",
    ("consent_events", "evidence_sealed"): "evidence",
}
"""What is stored sealed, and the name under which it is given opened."""

LEFT_OUT = {
    ("participants", "name_digest"): "serves only to find the name, which is given",
    ("accounts", "code_hash"): "would help whoever finds the file to break in",
    ("accounts", "password_hash"): "would help whoever finds the file to break in",
    ("exports", "request"): "says how many other people are in the dataset",
    ("priors", "parameters"): "are of other people too",
    ("priors", "people"): "says how many other people are in it",
    ("priors", "events"): "says how much other people answered",
}
"""Columns that are not given, and why."""

OTHER_RATER = "somebody else"
"""Given in the place of another rater's id: who they are is theirs to tell."""


def write_bundle(access: Access, person: Person, now: datetime, out: BinaryIO) -> None:
    """Write a zip with ``index.html`` to read, and each table as JSON and CSV to use elsewhere.

    Everything comes from one snapshot of the database. It needs no scope: what is stored about people
    is theirs to see, withdrawn or not.

    Parameters
    ----------
    access, person, now
        Whose data, through which gate, when (UTC).
    out
        Where the zip goes; need not be seekable.
    """
    with access.read(person.id, now) as unit, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        opened = _opened(access, unit)
        counts = {}
        for table in belongings.personal_tables():
            names = [c.name for c in table.columns if (table.name, c.name) not in LEFT_OUT]
            rows = _Rows(unit, table.name, names, opened)
            counts[table.name] = rows.write_json(bundle, _entry(f"data/{table.name}.json", now))
            rows.write_csv(bundle, _entry(f"data/{table.name}.csv", now))
        with bundle.open(_entry("index.html", now), "w") as file:
            file.write(render(_overview(access, unit, counts)).encode())


class _Rows:
    """A table's rows of one person, as mappings of plain values."""

    def __init__(
        self, unit: Unit, table: str, names: list[str], opened: Mapping[tuple[str, str], Mapping[Any, str]]
    ) -> None:
        self._unit, self._opened = unit, opened
        self._table = next(t for t in belongings.personal_tables() if t.name == table)
        self._columns = [self._table.c[name] for name in names]
        self._names = [OPENED.get((table, name), name) for name in names]

    def write_json(self, bundle: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
        """Write a JSON array, one object per line; return how many there are."""
        n = 0
        with bundle.open(entry, "w") as file:
            file.write(b"[")
            for row in self._each():
                file.write(b",\n" if n else b"\n")
                file.write(json.dumps(row, ensure_ascii=False).encode())
                n += 1
            file.write(b"\n]\n")
        return n

    def write_csv(self, bundle: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        """Write CSV with a header line; what has parts stands as JSON in its cell."""
        with bundle.open(entry, "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self._names)
            for row in self._each():
                writer.writerow([json.dumps(v) if isinstance(v, dict | list) else v for v in row.values()])

    def _each(self) -> Iterator[dict[str, Any]]:
        person, table = self._unit.person, self._table
        rows = belongings.rows(self._unit.connection, table, self._columns, person.id, person.subject)
        key = [self._columns.index(c) for c in table.primary_key.columns]
        sealed = {
            i: found for i, c in enumerate(self._columns) if (found := self._opened.get((table.name, c.name)))
        }
        rater = self._names.index("rater") if "rater" in self._names else None
        for row in rows:
            values = [_plain(value) for value in row]
            for i, found in sealed.items():
                values[i] = found[row[key[0]]]
            if rater is not None and values[rater] != "participant":
                values[rater] = OTHER_RATER
            yield dict(zip(self._names, values, strict=True))


def _opened(access: Access, unit: Unit) -> dict[tuple[str, str], dict[Any, str]]:
    """Everything sealed, opened, by primary key."""
    person = unit.person
    return {
        ("participants", "name_sealed"): {person.id: person.name},
        ("participants", "subject_sealed"): {person.id: person.subject},
        ("consent_events", "evidence_sealed"): {e.seq: e.evidence for e in access.history(unit)},
    }


def _overview(access: Access, unit: Unit, counts: Mapping[str, int]) -> Overview:
    return overview(unit, access.history(unit), counts)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.hex() if isinstance(value, bytes) else value


def _entry(name: str, now: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=now.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
