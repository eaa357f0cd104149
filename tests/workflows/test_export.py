"""What an export holds: every allowed row once, under names of its own, in formats that others can read."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import frictionless
import pyarrow.parquet
import pytest
from sqlalchemy import text

from tests.builders import NETWORK, NOW, installation, leaning, observed, person, store
from tests.lives import pooled
from tests.workflows.exported import (
    DAY,
    DESCRIBED,
    EVERY,
    MINUTE,
    TABLES,
    bytes_of,
    fill,
    manifest,
    read,
    someone,
    stored_instants,
)
from tracker import shipped
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Distribution, derived_valence_arousal
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Estimate
from tracker.fer.manifest import read_manifest
from tracker.workflows import consenting
from tracker.workflows.export import export_dataset
from tracker.workflows.export.tables import TABLES as DECLARED


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


def test_everything_granted_is_in_it_once_and_points_to_what_is_there(access: Access, tmp_path: Path) -> None:
    ada = someone(access, "ada")
    someone(access, "grace", simulated=True, zone="Asia/Kolkata")
    person(access, "nobody", ())
    result = export_dataset(access, tmp_path / "out", NOW)
    rows = {table: read(tmp_path / "out", table) for table in EVERY}
    assert {t: len(r) for t, r in rows.items()} == dict(result.rows)
    assert result.rows["observations"] == 30
    assert result.rows["corrections"] == 6
    assert result.rows["contexts"] == result.rows["prompts"] == result.rows["participants"] == 2
    [mine] = {r["participant"] for r in rows["participants"] if r["origin"] == "RECORDED"}
    for table, column in (
        ("observations", "at"),
        ("corrections", "at"),
        ("contexts", "at"),
        ("prompts", "scheduled_at"),
    ):
        instants = [r[column] for r in rows[table] if r["participant"] == mine]
        assert instants == stored_instants(access, table, ada, column)
    observations = {r["observation"]: r for r in rows["observations"]}
    assert len(observations) == 30
    for row in rows["estimates"]:
        there = observations[row["observation"]]
        assert (row["participant"], row["at"]) == (there["participant"], there["at"])
        assert there["reason"] is None
    for row in rows["corrections"]:
        assert observations[row["observation"]]["participant"] == row["participant"]
    assert dict(result.excluded_participants) == {"export_pseudonymous not in force": 1}
    assert result.excluded_rows == {}


def test_estimates_of_network_and_learner_are_told_apart_and_equal_the_stored(
    access: Access, tmp_path: Path
) -> None:
    someone(access, "ada")
    export_dataset(access, tmp_path / "out", NOW, formats={"parquet"})
    rows = read(tmp_path / "out", "estimates")
    columns = ", ".join(f"p_{e.value}" for e in EMOTIONS)
    with access.database.read() as connection:
        stored = connection.execute(text(f"select snapshot, {columns} from estimates")).all()
    said = [tuple(r[f"p_{e.value}"] for e in EMOTIONS) for r in rows]
    told = [values for row, values in zip(rows, said, strict=True) if row["source"] != "learner_now"]
    assert sorted(told) == sorted(tuple(r[1:]) for r in stored)
    snapshots = sorted({r.snapshot for r in stored} - {0})
    assert {r["snapshot"] for r in rows if r["source"] == "learner"} == set(range(1, len(snapshots) + 1))
    assert {r["snapshot"] for r in rows if r["source"] == "network"} == {0}
    for row, values in zip(rows, said, strict=True):
        valence, arousal = derived_valence_arousal(Distribution(values))
        assert math.isclose(row["valence_derived"], valence, abs_tol=1e-12)
        assert math.isclose(row["arousal_derived"], arousal, abs_tol=1e-12)


def test_it_validates_as_a_data_package_and_both_formats_hold_the_same(
    access: Access, tmp_path: Path
) -> None:
    someone(access, "ada", zone="Asia/Kolkata")
    out = export_dataset(access, tmp_path / "out", NOW).folder
    report = frictionless.validate(str(out / "datapackage.json"))
    assert report.flatten(["title", "message"]) == []
    assert len(report.tasks) == len(EVERY)
    for table in EVERY:
        with (out / f"{table}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [{k: _spelt(v) for k, v in row.items()} for row in read(out, table)] == rows
    described = json.loads((out / "datapackage.json").read_bytes())
    assert described["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    for resource in described["resources"]:
        for file in (resource, *resource.get("alternates", ())):
            assert isinstance(file["path"], str)  # all within one month, so one partition
            data = (out / file["path"]).read_bytes()
            assert (file["bytes"], file["hash"]) == (len(data), f"sha256:{sha256(data).hexdigest()}")


@pytest.mark.parametrize("wanted", ["csv", "parquet"])
def test_one_format_alone(lite: Access, tmp_path: Path, wanted: str) -> None:
    someone(lite, "ada")
    out = export_dataset(lite, tmp_path / "out", NOW, formats={wanted}).folder
    files = {f"{table}.csv" for table in EVERY}
    if wanted == "parquet":
        [who] = read(out, "participants")
        files = {
            f"{table}/participant={who['participant']}/month=2026-03/rows.parquet"
            for table in TABLES
            if table not in ("participants", "drifts", "ratings", "traces")
        } | {"participants.parquet", "raters.parquet"}
    assert set(bytes_of(out)) == files | DESCRIBED
    described = json.loads((out / "datapackage.json").read_bytes())
    assert {r["path"] for r in described["resources"]} == files
    if wanted == "csv":
        assert frictionless.validate(str(out / "datapackage.json")).valid


def test_the_manifest_hashes_every_file_and_says_what_made_it(lite: Access, tmp_path: Path) -> None:
    default = read_manifest(shipped.models() / "manifest.toml")["default"]
    ada = person(lite, "ada", now=NOW - DAY)
    said = leaning(EMOTIONS[1])
    seen = observed(NOW - MINUTE)
    store(lite, ada, [type(seen)(seen.observation, (Estimate(default.id, said), Estimate(NETWORK, said)))])
    result = export_dataset(lite, tmp_path / "out", NOW)
    told = manifest(result.folder)
    files = bytes_of(result.folder)
    assert sha256(files.pop("manifest.json")).hexdigest() == result.manifest_sha256
    assert {n: f["sha256"] for n, f in told["files"].items()} == {
        n: sha256(data).hexdigest() for n, data in files.items()
    }
    assert told["networks"] == [
        {"id": NETWORK, "sha256": None, "card": None},
        {"id": default.id, "sha256": default.sha256, "card": default.card},
    ]
    assert told["export"] == result.id
    assert told["at"] == "2026-03-20T12:00:00.000000Z"
    assert [set(n) for n in told["notices"]] == [{"version", "language", "sha256"}]


def test_simulated_people_are_marked_in_every_table_and_file(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    someone(lite, "robot", simulated=True)
    result = export_dataset(lite, tmp_path / "out", NOW)
    [robot] = {r["participant"] for r in read(result.folder, "participants") if r["origin"] == "SIMULATED"}
    for table in TABLES:
        for row in read(result.folder, table):
            assert row["origin"] == ("SIMULATED" if row["participant"] == robot else "RECORDED")
    assert result.simulated == 1
    assert manifest(result.folder)["contains"] == ["RECORDED", "SIMULATED"]
    for name in ("codebook.md", "datapackage.json"):
        assert "SIMULATED" in (result.folder / name).read_text("utf-8")


def test_no_name_id_or_file_hash_is_in_any_byte(lite: Access, tmp_path: Path) -> None:
    canary = "Zwölfkanarienvogel"
    who = [person(lite, f"{canary}{i}", now=NOW - DAY) for i in range(2)]
    recording = sha256(b"a recording").hexdigest()
    for one in who:
        fill(lite, one, source=recording)
    out = export_dataset(lite, tmp_path / "out", NOW).folder
    secret = [canary, recording, *(s for p in who for s in (p.id, p.subject))]
    tables = {t: read(out, t) for t in EVERY}
    everything = b"\n".join(
        [*bytes_of(out).values(), str(tables).encode(), *(n.encode() for n in bytes_of(out))]
    )
    assert [s for s in secret if s.encode() in everything] == []
    # The same file of two people has two names: nobody can tell that they were recorded together.
    pairs = {(r["participant"], r["recording"]) for r in read(out, "observations")}
    assert len({recording for _, recording in pairs}) == 2


def test_two_exports_share_no_pseudonym(lite: Access, tmp_path: Path) -> None:
    for name in ("ada", "grace", "mary"):
        someone(lite, name)
    names = []
    for i in range(2):
        out = export_dataset(lite, tmp_path / f"out{i}", NOW).folder
        names.append({r["participant"] for r in read(out, "participants")})
        names.append({r["recording"] for r in read(out, "observations")})
    assert len(set().union(*names)) == sum(map(len, names)) == 12


def test_every_instant_has_its_zone_and_offset_across_a_change_of_clocks(
    lite: Access, tmp_path: Path
) -> None:
    now = datetime(2026, 3, 29, 12, tzinfo=NOW.tzinfo)
    who = person(lite, "ada", now=now - DAY)
    change = datetime(2026, 3, 29, 1, tzinfo=NOW.tzinfo)
    store(lite, who, [observed(change + timedelta(seconds=s)) for s in (-1, 0, 1)], now)
    out = export_dataset(lite, tmp_path / "out", now, formats={"parquet"}).folder
    rows = read(out, "observations")
    assert [r["at_offset_min"] for r in rows] == [60, 120, 120]
    assert {r["zone"] for r in rows} == {"Europe/Berlin"}
    for table in DECLARED:
        names = [c.name for c in table.columns]
        for column in table.columns:
            if column.kind == "datetime":
                assert f"{column.name}_offset_min" in names
                assert "zone" in names


@pytest.mark.slow
def test_blocks_larger_than_one_batch_are_whole(lite: Access, tmp_path: Path) -> None:
    who = person(lite, "ada", now=NOW - DAY)
    n = 70_000
    store(lite, who, [observed(NOW - timedelta(milliseconds=i + 1), None) for i in range(n)])
    out = export_dataset(lite, tmp_path / "out", NOW).folder
    [part] = (out / "observations").glob("*/*/rows.parquet")
    table = pyarrow.parquet.ParquetFile(part).read()
    assert table["observation"].to_pylist() == list(range(1, n + 1))
    assert table["at"].to_pylist() == sorted(table["at"].to_pylist())
    assert pyarrow.parquet.ParquetFile(part).num_row_groups == 2
    assert (out / "observations.csv").read_bytes().count(b"\n") == n + 1


def test_a_person_chosen_by_name_is_there_alone(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    someone(lite, "grace")
    result = export_dataset(lite, tmp_path / "out", NOW, participants=["grace", "grace"])
    assert result.participants == 1
    assert {r["n_observations"] for r in read(result.folder, "participants")} == {15}


def test_the_export_is_registered_with_its_members(access: Access, tmp_path: Path) -> None:
    ada = someone(access, "ada")
    result = export_dataset(access, tmp_path / "out", NOW)
    with access.database.read() as connection:
        kept = connection.execute(text("select id, manifest_sha256 from exports")).all()
        members = connection.execute(text("select export, participant from export_members")).all()
    assert [tuple(r) for r in kept] == [(result.id, result.manifest_sha256)]
    assert [tuple(r) for r in members] == [(result.id, ada.id)]


def _spelt(value: object) -> str:
    """A value as the CSV spells it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, float):
        mantissa, _, exponent = repr(value).partition("e")
        plain = re.sub(r"\.0$", "", mantissa)
        return f"{plain}e{int(exponent)}" if exponent else plain
    return str(value)


def test_a_drift_is_in_it_where_learning_is_allowed(access: Access, tmp_path: Path) -> None:
    ada = someone(access, "ada")
    pooled(access, ada)
    (row,) = read(export_dataset(access, tmp_path / "out", NOW).folder, "drifts")
    assert (row["target"], row["before"], row["after"], row["answers"]) == ("number:canary", 0.0, 0.4, 8)
    assert (row["at"], row["zone"], row["at_offset_min"]) == (NOW, "Europe/Berlin", 60)
    consenting.withdraw(access, ada, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    assert read(export_dataset(access, tmp_path / "again", NOW).folder, "drifts") == []
