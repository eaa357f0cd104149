"""An archive holds every declared table of its person, opened, nothing of anybody else, and can be taken in again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from tests.builders import ALL, NOW, installation, person
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.processes import close
from tests.workflows.archived import bundle, packed, unpacked, whole
from tracker.access import Access
from tracker.domain.people import Person
from tracker.privacy.datamap import TABLES
from tracker.store import erasing
from tracker.workflows import importing
from tracker.workflows.export import export_dataset

LATER = NOW + timedelta(days=2)


def test_every_declared_table_that_holds_them_is_in_it(access: Access, tmp_path: Path, figure: Tell) -> None:
    ada, grace = whole(access, "canary-ada"), whole(access, "canary-grace", 200)
    export_dataset(access, tmp_path / "out", NOW)
    files = bundle(access, ada)
    with access.database.read() as connection:
        mine = erasing.left_of_person(connection, ada.subject, ada.id)
    declared = {table.name for table in TABLES}
    assert set(mine) <= declared
    tables = {
        name[len("data/") : -len(".json")]
        for name in files
        if name.startswith("data/") and name.endswith(".json")
    }
    # The link between person and series, and the numbers of grants, are told in the rows that they are of.
    assert set(mine) - tables <= {"subjects", "participants", "accounts", "grants"}, set(mine) - tables
    for table in set(mine) & tables:
        assert len(json.loads(files[f"data/{table}.json"])) == mine[table], table
    _nothing_of(files, grace, access)
    figure(
        f"{len(tables)} tables of {sum(mine.values())} rows, 0 bytes of somebody else in {len(files)} files"
    )


def _nothing_of(files: dict[str, bytes], other: Person, access: Access) -> None:
    needles = {"participant": other.id, "subject": other.subject, "name": other.name}
    hits = [
        hit
        for name, some in files.items()
        for hit in search(name, some, {key: text.encode() for key, text in needles.items()})
    ]
    assert hits == []
    theirs = {
        cell
        for row in held.rows(access)["observations"]
        if other.subject in row
        for cell in row
        if isinstance(cell, str) and len(cell) == 64
    }
    mine = {
        cell
        for row in held.rows(access)["observations"]
        if other.subject not in row
        for cell in row
        if isinstance(cell, str)
    }
    for source in theirs - mine:
        assert [name for name, some in files.items() if source.encode() in some] == []


def test_what_is_sealed_is_given_opened(access: Access) -> None:
    ada = whole(access, "ada")
    files = bundle(access, ada)
    assert json.loads(files["data/notes.json"])
    assert json.loads(files["data/consent_events.json"])[0]["scope"]
    assert any(some.startswith(b"\x89PNG") for some in files.values())
    assert b"ada" in files["index.html"]


def test_an_empty_installation_takes_it_in(access: Access, tmp_path: Path) -> None:
    ada = whole(access, "ada")
    path = tmp_path / "mine.zip"
    path.write_bytes(packed(access, ada))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    there = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    again = person(there, "ada", ALL, now=LATER, covers_from=NOW - timedelta(days=90))
    with importing.sound(path, LATER) as archive:
        importing.take_in(there, archive, again, LATER)
    mine, theirs = bundle(access, ada), unpacked(packed(there, again, LATER))
    for table in ("observations", "contexts", "prompts", "corrections", "notes", "crops", "frames"):
        one, other = (json.loads(files[f"data/{table}.json"]) for files in (mine, theirs))
        assert len(one) == len(other) > 0, table
        for column in ("at", "source", "place", "company", "slot", "value", "text", "scheduled_at"):
            if column in one[0]:
                assert sorted(map(str, (row[column] for row in one))) == sorted(
                    map(str, (row[column] for row in other))
                ), (table, column)
    close(there)
