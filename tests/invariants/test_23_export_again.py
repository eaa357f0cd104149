"""The same export is the same bytes; another one cannot be linked with it; no free text is in any."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.builders import ALL, NOW, person
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.lives import FACE, NOTE, lived
from tests.workflows.exported import DAY, bytes_of, fill, manifest, read
from tracker.access import Access
from tracker.domain.people import Person
from tracker.workflows.export import export_dataset

LINKING = ("participant", "recording", "rater")


def people(access: Access) -> list[Person]:
    made = []
    for n in range(3):
        who = person(access, f"canary-name-{n}", ALL, now=NOW - DAY)
        fill(access, who, source=f"{n:064x}")
        made.append(who)
    return made


def test_again_is_byte_for_byte_and_each_file_has_its_hash(
    access: Access, tmp_path: Path, figure: Tell
) -> None:
    people(access)
    first = export_dataset(access, tmp_path / "first", NOW)
    fill(access, people_late(access), NOW + DAY)  # what comes later changes nothing
    again = export_dataset(access, tmp_path / "again", NOW + DAY, again=first.id)
    one, other = bytes_of(first.folder), bytes_of(again.folder)
    assert one == other
    listed = dict(_hashes(manifest(first.folder)).items())
    for name, held in one.items():
        if name != "manifest.json":
            assert listed[name] == hashlib.sha256(held).hexdigest(), name
    assert hashlib.sha256(one["manifest.json"]).hexdigest() == first.manifest_sha256
    figure(f"{len(one)} files of {sum(map(len, one.values())) / 1e3:.0f} kB, byte for byte")


def people_late(access: Access) -> Person:
    return person(access, "late", ALL, now=NOW)


def _hashes(told: object) -> dict[str, str]:
    """Every file with a SHA-256 beside its name, wherever the manifest lists it."""
    found: dict[str, str] = {}
    if isinstance(told, dict):
        name = told.get("name") or told.get("path")
        digest = told.get("sha256") or str(told.get("hash", "")).removeprefix("sha256:")
        if isinstance(name, str) and isinstance(digest, str) and len(digest) == 64:
            found[name] = digest
        for key, value in told.items():
            if isinstance(value, str) and len(value) == 64 and "." in str(key):
                found[str(key)] = value
            if isinstance(value, dict) and isinstance(value.get("sha256"), str) and "." in str(key):
                found[str(key)] = value["sha256"]
            found |= _hashes(value)
    elif isinstance(told, list):
        for value in told:
            found |= _hashes(value)
    return found


def test_pseudonyms_of_two_exports_have_nothing_in_common(access: Access, tmp_path: Path) -> None:
    people(access)
    folders = [export_dataset(access, tmp_path / name, NOW).folder for name in ("one", "other")]
    for column in LINKING:
        names = [
            {
                row[column]
                for table in ("participants", "observations", "corrections")
                for row in read(f, table)
                if column in row
            }
            - {"participant"}
            for f in folders
        ]
        assert not names[0] & names[1], column
    assert len({row["participant"] for row in read(folders[0], "participants")}) == 3


def test_no_identifier_and_no_free_text_is_in_any_file(access: Access, tmp_path: Path) -> None:
    everyone = [*people(access), lived(access, "canary-name-lived", now=NOW)]
    folder = export_dataset(access, tmp_path / "out", NOW).folder
    needles = {f"{n} {kind}": text.encode() for n, p in enumerate(everyone) for kind, text in (
        ("participant", p.id), ("subject", p.subject), ("name", p.name))}  # fmt: skip
    needles |= {"note": NOTE.encode(), "face": FACE, "source": b"5ca1ab1e5ca1ab1e", "evidence": b"form"}
    hits = [hit for name, held in bytes_of(folder).items() for hit in search(name, held, needles)]
    assert [h for h in hits if h.canary != "evidence"] == []
    assert json.loads((folder / "manifest.json").read_bytes())
