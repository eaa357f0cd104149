"""Take along: everything about one participant, nothing about anybody else, readable and usable elsewhere."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from sqlalchemy import LargeBinary, select

from tests.builders import NOW, installation, leaning, observed, person, store
from tests.workflows.archived import bundle, face, film, noted, pictured, rows, unpacked, whole
from tests.workflows.exported import MINUTE, fill, someone
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.archives import MANIFEST, PAGE
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.store import belongings
from tracker.store.tables import metadata
from tracker.workflows import feedback
from tracker.workflows.export import export_dataset
from tracker.workflows.portability import write_bundle
from tracker.workflows.portability.bundle import stream_bundle
from tracker.workflows.portability.opening import LEFT_OUT, OPENED, OTHER_RATER
from tracker.workflows.portability.page import _MEANINGS

STAFF = {"members", "member_roles", "rater_consents", "rater_settings"}
NOT_ABOUT_PEOPLE = {"leases", "tombstones", "notices", "studies", "installation"} | STAFF
SALTS = {("consent_events", "salt"), ("access_events", "salt")}


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.database.close()
    opened.keys.close()


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.database.close()
    opened.keys.close()


def lived(access: Access, tmp_path: Path) -> tuple[Person, Person]:
    """Two people with something in every table."""
    ada, grace = whole(access, "ada"), whole(access, "grace", 200)
    export_dataset(access, tmp_path / "out", NOW)
    return ada, grace


def test_every_table_is_covered_or_holds_nothing_about_people() -> None:
    covered = {table.name for table in belongings.personal_tables()}
    assert covered == set(metadata.tables) - NOT_ABOUT_PEOPLE


def test_every_table_is_explained_on_the_page() -> None:
    assert set(_MEANINGS) == {table.name for table in belongings.personal_tables()}


def test_every_sealed_column_is_given_opened_and_no_column_is_left_out_in_silence() -> None:
    binary = {
        (t.name, c.name) for t in metadata.sorted_tables for c in t.columns if isinstance(c.type, LargeBinary)
    }
    theirs = {(table, name) for table, name in binary - SALTS if table not in STAFF} - set(LEFT_OUT)
    assert theirs == set(OPENED)
    columns = {(t.name, c.name) for t in metadata.sorted_tables for c in t.columns}
    assert set(LEFT_OUT) | set(OPENED) <= columns


def test_each_table_holds_exactly_the_persons_rows(access: Access, tmp_path: Path) -> None:
    ada, grace = lived(access, tmp_path)
    files, others = bundle(access, ada), bundle(access, grace)
    with access.database.read() as connection:
        for table in belongings.personal_tables():
            keys = [c.name for c in table.primary_key.columns]
            mine, theirs = ([tuple(r[k] for k in keys) for r in rows(f, table.name)] for f in (files, others))
            assert mine
            stored = [
                tuple(_plain(v) for v in r) for r in connection.execute(select(*table.primary_key.columns))
            ]
            assert len(set(mine)) == len(mine)
            assert set(mine) | set(theirs) == set(stored)
            shared = set(mine) & set(theirs)
            assert not shared or table.name == "exports", table.name


def test_names_and_evidence_are_opened_and_secrets_stay(access: Access, tmp_path: Path) -> None:
    ada, grace = lived(access, tmp_path)
    files = bundle(access, ada)
    [me] = rows(files, "participants")
    assert (me["name"], me["subject"], me["zone"]) == ("ada", ada.subject, "Europe/Berlin")
    assert rows(files, "consent_events")[-1]["evidence"] == "a call by ada"
    assert [r["text"] for r in rows(files, "notes")] == ["a note by ada"]
    look, exported = rows(files, "access_events")
    assert (look["reader"], look["what"]) == ("reader of ada", "the timeline of ada")
    assert exported["what"].startswith("export ")
    [crop] = rows(files, "crops")
    assert files[crop["file"]] == face(90)
    [frame] = rows(files, "frames")
    assert (frame["file"], files[frame["file"]]) == (f"frames/{frame['observation']}.jpg", film(90))
    [former] = rows(files, "former_records")
    assert (former["installation"], former["row"]) == ("elsewhere", {"reader": "ada"})
    assert {"code_hash", "password_hash"}.isdisjoint(rows(files, "accounts")[0])
    everything = b"\n".join(files.values())
    for secret in (grace.id, grace.subject, "grace", "argon2"):
        assert secret.encode() not in everything
    assert face(200) not in files.values()
    [export] = rows(files, "exports")
    assert set(export) == {"id", "at", "created_at", "manifest_sha256", "outdated_at"}


def test_the_manifest_has_the_size_and_hash_of_every_other_file(lite: Access, tmp_path: Path) -> None:
    ada, _ = lived(lite, tmp_path)
    files = bundle(lite, ada)
    manifest = json.loads(files[MANIFEST])
    assert set(manifest["files"]) == set(files) - {MANIFEST}
    for name, listed in manifest["files"].items():
        assert listed == {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
    assert {t: told["rows"] for t, told in manifest["tables"].items()} == {
        table.name: len(rows(files, table.name)) for table in belongings.personal_tables()
    }
    assert (manifest["zone"], manifest["simulated"]) == ("Europe/Berlin", False)


def test_parquet_holds_what_json_holds_with_times_as_times(lite: Access, tmp_path: Path) -> None:
    ada, _ = lived(lite, tmp_path)
    files = bundle(lite, ada)
    for table in belongings.personal_tables():
        read = pyarrow.parquet.read_table(io.BytesIO(files[f"data/{table.name}.parquet"])).to_pylist()
        kinds = json.loads(files[MANIFEST])["tables"][table.name]["fields"]
        parsed = [
            {k: json.loads(v) if kinds[k] == "json" and v is not None else _plain(v) for k, v in row.items()}
            for row in read
        ]
        assert parsed == rows(files, table.name)
    seen = pyarrow.parquet.read_table(io.BytesIO(files["data/observations.parquet"]))
    assert str(seen.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert str(seen.schema.field("aligned").type) == "bool"


def test_it_comes_in_pieces_and_can_be_stopped(lite: Access) -> None:
    who = someone(lite, "ada")
    store(lite, who, [observed(NOW - i * MINUTE, pts_us=i) for i in range(1, 4001)])
    shares: list[float] = []
    whole_ = b"".join(pieces := list(stream_bundle(lite, who, NOW, shares.append)))
    assert len(pieces) > 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert unpacked(whole_) == bundle(lite, who)
    stopped = stream_bundle(lite, who, NOW)
    next(stopped)
    stopped.close()
    # Its snapshot is let go: a checkpoint that no reader blocks takes all of the log.
    with lite.database.alone() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0] == 0


def test_json_and_csv_hold_the_same_and_values_come_back(lite: Access, tmp_path: Path) -> None:
    ada, _ = lived(lite, tmp_path)
    files = bundle(lite, ada)
    for table in belongings.personal_tables():
        found = rows(files, table.name)
        read = list(csv.DictReader(io.StringIO(files[f"data/{table.name}.csv"].decode(), newline="")))
        assert [{k: _cell(v) for k, v in row.items()} for row in found] == read
    first = rows(files, "observations")[0]
    with lite.database.read() as connection:
        table = metadata.tables["observations"]
        stored = connection.execute(select(table).where(table.c.id == first["id"])).mappings().one()
    assert {k: _plain(v) for k, v in stored.items()} == first
    assert rows(files, "learning_events")[0]["features"]


def test_the_page_reads_alone_and_tells_what_is_there(lite: Access, tmp_path: Path) -> None:
    who = person(lite, "<b>Äda & co", simulated=True)
    fill(lite, who)
    page = bundle(lite, who)["index.html"].decode()
    assert "&lt;b&gt;Äda &amp; co — SIMULATED" in page
    assert "<b>Äda" not in page
    assert "<svg" in page
    assert page.count("<circle") >= 2
    assert "fear 65%" in page
    noted(lite, who, "tired <i>today</i>")
    pictured(lite, who, 40)
    lite.record_look(who.id, NOW, reader="ro<b>ot", what="timeline")
    files = bundle(lite, who)
    page = files[PAGE].decode()
    assert "tired &lt;i&gt;today" in page
    assert "ro&lt;b&gt;ot" in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert set(links) == set(files) - {PAGE, MANIFEST}
    assert not re.search(r"https?:|url\(|<script|@import", page)


def test_somebody_elses_rating_is_given_without_who_they_are(lite: Access) -> None:
    who = person(lite, "ada")
    fill(lite, who)
    said = Correction(NOW, "emotion", leaning(Emotion.DISGUST), rater="rater-quux")
    feedback.correct(lite, who, said, NOW)
    files = bundle(lite, who)
    assert OTHER_RATER in {r["rater"] for r in rows(files, "corrections")}
    assert b"quux" not in b"".join(files.values())


def test_what_was_withdrawn_is_still_theirs_to_take(lite: Access) -> None:
    who = someone(lite, "ada", ())
    assert len(rows(bundle(lite, who), "observations")) == 15


def test_a_person_of_whom_nothing_is_known_but_the_name(lite: Access) -> None:
    files = bundle(lite, person(lite, "ada", ()))
    assert rows(files, "observations") == []
    assert "There is none." in files["index.html"].decode()


def test_it_streams_into_what_cannot_be_wound_back(lite: Access) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += data
            return len(data)

    who = someone(lite, "ada")
    pipe = Pipe()
    write_bundle(lite, who, NOW, pipe)  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(bytes(pipe.data))) as file:
        assert file.testzip() is None
        assert {entry.date_time for entry in file.infolist()} == {(2026, 3, 20, 12, 0, 0)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
