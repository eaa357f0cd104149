"""Take in: whatever is wrong with an archive is said in one line, and nothing of it is stored."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, installation, person
from tests.workflows.archived import bundle, packed, rows, taken_in, unpacked, whole
from tracker.access import Access
from tracker.cli.exits import Exit, exit_of
from tracker.domain.archives import MANIFEST
from tracker.workflows.importing import ArchiveError, reading
from tracker.workflows.importing.shape import Fate, tables_of

LATER = NOW + timedelta(days=1)
Change = Callable[[list[dict[str, Any]]], object]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sound archive."""
    folder = tmp_path_factory.mktemp("good")
    access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    archive = packed(access, whole(access, "ada"))
    access.close()
    return archive


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """An installation with one person, who has granted everything and has no series."""
    folder = tmp_path_factory.mktemp("there")
    access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    person(access, "ada", now=LATER, covers_from=NOW - timedelta(days=90))
    yield access
    access.close()


def refused(access: Access, archive: bytes, folder: Path) -> str:
    """Why an archive is refused; nothing of it may be stored, and a sound one is taken in afterwards."""
    path = folder / "mine.zip"
    path.write_bytes(archive)
    with pytest.raises(ArchiveError) as error:
        taken_in(access, path, "ada", LATER)
    assert exit_of(error.value) is Exit.SOURCE
    files = bundle(access, access.person("ada"), LATER)
    assert all(rows(files, table) == [] for table in (*tables_of(Fate.STORED), "former_records"))
    message = str(error.value)
    assert "\n" not in message
    return message


def zipped(files: dict[str, bytes], *, listed: bool = True) -> bytes:
    """An archive of some files, whose list is put right again unless it shall not be."""
    if listed:
        manifest = json.loads(files[MANIFEST])
        manifest["files"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
            if name != MANIFEST
        }
        files = files | {MANIFEST: json.dumps(manifest).encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def changed(archive: bytes, table: str, change: Change) -> bytes:
    """An archive with other rows in a table, as somebody would make it who knows its form."""
    files = unpacked(archive)
    found = rows(files, table)
    change(found)
    lines = ",\n".join(json.dumps(row) for row in found)
    files[f"data/{table}.json"] = f"[\n{lines}\n]\n".encode()
    manifest = json.loads(files[MANIFEST])
    manifest["tables"][table]["rows"] = len(found)
    files[MANIFEST] = json.dumps(manifest).encode()
    return zipped(files)


def picture_of(archive: bytes) -> str:
    """The file of the one picture."""
    [crop] = rows(unpacked(archive), "crops")
    return str(crop["file"])


def told(archive: bytes, **changes: Any) -> bytes:
    """An archive whose list says something else."""
    files = unpacked(archive)
    files[MANIFEST] = json.dumps(json.loads(files[MANIFEST]) | changes).encode()
    return zipped(files, listed=False)


def test_a_sound_archive_that_was_packed_again_is_taken_in(good: bytes, tmp_path: Path) -> None:
    access = installation(f"sqlite:///{tmp_path / 'affect.db'}", tmp_path)
    path = tmp_path / "mine.zip"
    path.write_bytes(zipped(unpacked(good)))
    assert taken_in(access, path, "ada", LATER, evidence="a letter")[1].stored["observations"] == 15
    access.close()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_cut_archive(there: Access, good: bytes, tmp_path: Path, share: float) -> None:
    assert "cut off" in refused(there, good[: int(len(good) * share)], tmp_path)


def test_no_file_and_no_archive(there: Access, good: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="No such file"):
        taken_in(there, tmp_path / "none.zip", "ada", LATER)
    with pytest.raises(ArchiveError, match="directory"):
        taken_in(there, tmp_path, "ada", LATER)
    assert "no zip file" in refused(there, b"\x89PNG" * 100, tmp_path)
    assert "no archive of affect-tracker" in refused(there, zipped({"a.txt": b"a"}, listed=False), tmp_path)
    foreign = zipped({MANIFEST: b'{"format": "of somebody else"}'}, listed=False)
    assert "of something else" in refused(there, foreign, tmp_path)
    assert "of something else" in refused(there, zipped({MANIFEST: b"\xff{"}, listed=False), tmp_path)
    assert "of something else" in refused(there, zipped({MANIFEST: b"[]"}, listed=False), tmp_path)


@pytest.mark.parametrize("version", [2, 99, "1", None, True])
def test_a_newer_version(there: Access, good: bytes, tmp_path: Path, version: object) -> None:
    assert f"version {version}" in refused(there, told(good, version=version), tmp_path)


def test_a_list_that_says_nothing_usable(there: Access, good: bytes, tmp_path: Path) -> None:
    for name, value in (
        ("zone", 3),
        ("simulated", "no"),
        ("tables", []),
        ("files", None),
        ("tables", {"observations": {"rows": True}}),
        ("files", {"index.html": {"bytes": "1", "sha256": ""}}),
        ("files", {"index.html": 3}),
    ):
        refused(there, told(good, **{name: value}), tmp_path)


def test_names_that_lead_elsewhere(there: Access, good: bytes, tmp_path: Path) -> None:
    for name in ("../../evil.txt", "/etc/evil", "data/../../evil", "C:\\evil", "data/evil.json"):
        archive = io.BytesIO(good)
        with zipfile.ZipFile(archive, "a") as file:
            file.writestr(name, b"evil")
        assert "does not list" in refused(there, archive.getvalue(), tmp_path)
        # Even one that is listed is written nowhere.
        path = tmp_path / "listed.zip"
        path.write_bytes(zipped(unpacked(good) | {name: b"evil"}))
        with reading.open_archive(path) as archive_:
            assert len(list(archive_.rows("observations"))) == 15
        assert not list(tmp_path.parent.rglob("evil*"))
        assert not Path("/etc/evil").exists()


def test_a_file_that_is_there_twice(there: Access, good: bytes, tmp_path: Path) -> None:
    archive = io.BytesIO(good)
    with zipfile.ZipFile(archive, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("data/notes.json", b"[\n]\n")
    assert "twice" in refused(there, archive.getvalue(), tmp_path)


def test_a_file_that_is_missing(there: Access, good: bytes, tmp_path: Path) -> None:
    for name in ("data/estimates.json", "data/consent_events.json", picture_of(good)):
        files = unpacked(good)
        del files[name]
        assert f"lacks {name}" in refused(there, zipped(files, listed=False), tmp_path)
        if name.startswith("data/"):
            table = name.removeprefix("data/").removesuffix(".json")
            assert f"lacks the table {table}" in refused(there, zipped(files), tmp_path)
        else:
            assert f"no picture '{name}'" in refused(there, zipped(files), tmp_path)


def test_bombs(there: Access, good: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = unpacked(good)
    bomb = zipped(files | {"data/observations.json": bytes(40 * 1024**2)})
    assert "would unfold" in refused(there, bomb, tmp_path)
    monkeypatch.setattr(reading, "STEEPEST", 10**9)
    monkeypatch.setattr(reading, "LONGEST_LINE", 1024**2)
    assert "a line of more than" in refused(there, bomb, tmp_path)
    monkeypatch.setattr(reading, "LARGEST", 30 * 1024**2)
    assert "more than" in refused(there, bomb, tmp_path)
    monkeypatch.setattr(reading, "LARGEST", 10**12)
    picture = zipped(files | {picture_of(good): bytes(9 * 1024**2)})
    assert "no picture of ours" in refused(there, picture, tmp_path)


def test_a_size_that_lies_is_found_before_more_is_read(there: Access, good: bytes, tmp_path: Path) -> None:
    files = unpacked(good)
    manifest = json.loads(files[MANIFEST])
    manifest["files"]["data/observations.json"]["bytes"] = 3
    lying = zipped(files | {MANIFEST: json.dumps(manifest).encode()}, listed=False)
    assert "not as it was written" in refused(there, lying, tmp_path)


def test_an_encrypted_entry(there: Access, good: bytes, tmp_path: Path) -> None:
    archive = bytearray(good)
    at = archive.rindex(b"PK\x01\x02")  # the directory's last entry
    archive[at + 8] |= 1
    assert "encrypted" in refused(there, bytes(archive), tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_byte_is_stored(there: Access, good: bytes, tmp_path: Path, data: st.DataObject) -> None:
    """Every flip is refused, or lies in what is not taken in, such as the page, the CSV and the time of a file."""
    archive = bytearray(good)
    place = data.draw(st.integers(0, len(good) - 1))
    archive[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.zip"
    path.write_bytes(bytes(archive))
    try:
        with reading.open_archive(path) as opened:
            read = {t: list(opened.rows(t)) for t in (*tables_of(Fate.STORED), *tables_of(Fate.HISTORY))}
            pictures = [opened.picture(crop["file"]) for crop in read["crops"]]
    except ArchiveError:
        return
    files = unpacked(good)
    assert read == {t: rows(files, t) for t in read}
    assert pictures == [files[crop["file"]] for crop in read["crops"]]


def _first(**values: Any) -> Change:
    return lambda found: found[0].update(values)


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("observations", _first(faces="many"), "row 1 of observations .* faces is 'many'"),
        ("observations", _first(faces=-1), "faces"),
        ("observations", _first(samples=0), "samples"),
        ("estimates", _first(samples=None), "samples"),
        ("observations", _first(id=True), "id"),
        ("observations", _first(pts_us=2**63), "pts_us"),
        ("observations", _first(at="2026-03-20T11:00:00"), "no UTC offset"),
        ("observations", _first(at="2040-01-01T00:00:00Z"), "in the future"),
        ("observations", _first(at=5), "no time"),
        ("observations", _first(zone="Mars/Olympus"), "no IANA time zone"),
        ("observations", _first(zone="../../etc/passwd"), "no IANA time zone"),
        ("observations", _first(reason="bored"), "bored"),
        ("observations", _first(source=""), "source"),
        ("observations", _first(source="x" * 65), "source"),
        ("observations", _first(detector="a\0b"), "detector"),
        ("observations", _first(score=1e400), "score"),
        ("observations", _first(aligned=1), "neither true nor false"),
        ("observations", lambda found: found[0].pop("at"), "at is missing"),
        ("observations", lambda found: found.append(found[0]), "twice"),
        ("observations", lambda found: found.append(found[0] | {"id": 999}), "twice"),
        ("observations", lambda found: found.pop(), "which the archive lacks"),
        ("estimates", _first(p_fear=2.0), "sum"),
        ("estimates", _first(p_fear=-0.1), "finite and >= 0"),
        ("estimates", _first(p_fear=None), "no number"),
        ("estimates", _first(observation=12345), "12345, which the archive lacks"),
        ("estimates", lambda found: found.append(found[0]), "says something twice"),
        ("contexts", _first(place="x" * 65), "at most 64"),
        ("prompts", _first(slot=None), "slot"),
        ("prompts", lambda found: found.append(found[0] | {"id": 99}), "twice"),
        ("corrections", _first(target="mood:ring"), "mood:ring"),
        ("corrections", _first(p_neutral=None), "distribution"),
        ("corrections", _first(prompt=77), "77, which the archive lacks"),
        ("corrections", _first(observation=777), "777, which the archive lacks"),
        ("corrections", _first(supersedes=1), "not said before"),
        ("corrections", _first(rater=None), "rater"),
        ("notes", _first(text=" \n"), "empty"),
        ("notes", _first(text="x" * 2001), "2000"),
        ("notes", _first(correction=99), "99, which the archive lacks"),
        ("notes", lambda found: found.append(found[0]), "twice"),
        ("crops", _first(file="index.html"), "no picture"),
        ("crops", _first(file="pictures/../../secret"), "no picture"),
        ("crops", lambda found: found.append(found[0]), "twice"),
        ("participants", lambda found: found.append(found[0]), "not of one person"),
        ("participants", lambda found: found.clear(), "not of one person"),
    ],
)
def test_rows_that_no_archive_holds(
    there: Access, good: bytes, tmp_path: Path, table: str, change: Change, words: str
) -> None:
    message = refused(there, changed(good, table, change), tmp_path)
    assert re.search(words, message), message


def test_lines_that_are_no_rows(there: Access, good: bytes, tmp_path: Path) -> None:
    for text in (b"[\n3\n]\n", b"{]\n", b"[\n{},\n{}}\n]\n", b"\xff\xfe", b'[\n"]"\n]'):
        refused(there, zipped(unpacked(good) | {"data/contexts.json": text}), tmp_path)


def test_a_count_that_lies(there: Access, good: bytes, tmp_path: Path) -> None:
    files = unpacked(good)
    manifest = json.loads(files[MANIFEST])
    manifest["tables"]["prompts"]["rows"] += 1
    lying = zipped(files | {MANIFEST: json.dumps(manifest).encode()})
    assert "not the 2 that the archive lists" in refused(there, lying, tmp_path)


def test_a_picture_that_is_none(there: Access, good: bytes, tmp_path: Path) -> None:
    gif = zipped(unpacked(good) | {picture_of(good): b"GIF89a"})
    assert "no PNG" in refused(there, gif, tmp_path)
