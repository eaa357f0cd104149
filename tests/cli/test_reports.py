"""Commands that report do so as JSON too; jobs, erasure, export and the demo end to end."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

from tests.cli.conftest import COVERS, STARTED, Cli


def test_doctor_knows_what_is_missing_and_how_to_get_it(cli: Cli, data_folder: Path) -> None:
    before = cli("doctor", "--json")
    assert before.code == 6
    checks = {c["what"]: c for c in before.json["checks"]}
    assert "affect-tracker init" in checks["database"]["do"]
    assert "networks pull yunet" in checks["detector yunet"]["do"]
    cli("init")
    after = cli("doctor", "--json")
    assert after.code == 0
    assert after.json["ok"]
    assert cli("doctor").code == 0


def test_networks_are_listed_and_verified(cli: Cli) -> None:
    listed = {n["name"]: n for n in cli("networks", "list", "--json").json["networks"]}
    assert {"default", "yunet"} <= set(listed)
    assert cli("networks", "verify", "default", "--json").code == 0


def test_replay_of_nobody_yet(cli: Cli, ada: str) -> None:
    assert cli("replay", ada).code == 0


def test_a_correction_that_learning_does_not_cover_is_stored_and_told(cli: Cli, ada: str) -> None:
    cli("consent", "withdraw", ada, "personal_learning")
    cli("consent", "grant", ada, "personal_learning", "--evidence", "form")
    said = ("correct", ada, "--at", STARTED, "--emotion", "fear")
    done = cli(*said, "--json")
    assert done.code == 0, done.err
    assert done.json["not_covered_since"] is not None
    assert (done.json["after"], done.json["missing"]) == (None, [])
    assert "allows learning only from" in cli(*said).out


def test_jobs_run_once(cli: Cli, ada: str, clip: Path) -> None:
    cli("track", str(clip), "--participant", ada, "--started-at", STARTED)
    first = cli("jobs", "--once", "--json")
    assert first.code == 0, first.err
    assert cli("jobs", "--once", "--json").json == []
    assert cli("replay", ada, "--json").json["equal"]


def test_erase_leaves_no_byte_of_the_person(cli: Cli, ada: str, clip: Path, data_folder: Path) -> None:
    cli("track", str(clip), "--participant", ada, "--started-at", STARTED)
    digest = hashlib.sha256(clip.read_bytes()).hexdigest().encode()
    files = [p for p in data_folder.iterdir() if p.is_file()]
    assert any(digest in p.read_bytes() for p in files)
    erased = cli("erase", ada, "--json")
    assert erased.code == 0, erased.err
    assert cli("timeline", ada).code == 4
    assert not any(digest in p.read_bytes() for p in data_folder.iterdir() if p.is_file())
    assert cli("consent", "audit").code == 0


def test_an_export_rests_on_the_participants_own_word(cli: Cli, clip: Path, tmp_path: Path) -> None:
    cli("init")
    code = cli("enrol", "ada", "--zone", "Europe/Berlin", "--json").json["code"]
    cli(
        "consent", "grant", "ada", "affect_series", "export_pseudonymous",
        "--evidence", "form", "--covers-from", COVERS,
    )  # fmt: skip
    cli("track", str(clip), "--participant", "ada", "--started-at", STARTED)
    refused = cli("export", "--participant", "ada", "--out", str(tmp_path / "early"))
    assert refused.code == 3
    assert not (tmp_path / "early").exists()
    cli("consent", "confirm", "ada", "--code", code)
    first = cli("export", "--participant", "ada", "--out", str(tmp_path / "one"), "--json")
    assert first.code == 0, first.err
    with (tmp_path / "one" / "observations.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 30
    again = cli("export", "--again", first.json["id"], "--out", str(tmp_path / "two"), "--json")
    assert again.code == 0, again.err
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    cli("consent", "withdraw", "ada", "export_pseudonymous")
    assert cli("export", "--again", first.json["id"], "--out", str(tmp_path / "three")).code == 3
    assert not (tmp_path / "three").exists()


def test_the_demo_runs_the_whole_main_job(cli: Cli, tmp_path: Path) -> None:
    ended = cli("demo", "--no-serve", "--folder", str(tmp_path / "demo"), "--days", "3")
    assert ended.code == 0, ended.err
    assert "SIMULATED" in ended.out
    manifest = json.loads((tmp_path / "demo" / "dataset" / "manifest.json").read_text())
    assert manifest
    assert cli("demo", "--no-serve", "--folder", str(tmp_path)).code == 2  # not a demo's folder: left alone
    assert (tmp_path / "demo" / "dataset" / "manifest.json").is_file()
