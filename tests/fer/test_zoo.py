import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fer.making import entry_for, tiny_zoo
from tests.fer.serving import BODY, serving
from tracker import shipped
from tracker.fer.manifest import Entry
from tracker.fer.terms import TermsError
from tracker.fer.writing import write_manifest
from tracker.fer.zoo import Zoo, ZooError

YUNET = shipped.models().parents[1] / "shared" / "detectors" / "face_detection_yunet_2023mar.onnx"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BLOB = hashlib.sha1(b"blob %d\0" % len(BODY) + BODY).hexdigest()


def finder(url: str = "", **changes: object) -> Entry:
    return entry_for(BODY, None, "finder", **{"file": "detectors/finder.onnx", "url": url, **changes})


def zoo_of(folder: Path, entry: Entry, *, accept: bool = True) -> Zoo:
    """A zoo whose one detector has to be pulled."""
    (folder / "models").mkdir(exist_ok=True)
    write_manifest(folder / "models" / "manifest.toml", [entry])
    zoo = Zoo(folder / "models", folder / "data")
    if accept:
        zoo.acceptances.record(entry, NOW)
    return zoo


def _zoo(folder: Path, url: str = "") -> Zoo:
    return zoo_of(folder, finder(url))


def test_a_download_arrives_and_stays(tmp_path: Path) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}/file")
        assert zoo.detector_path("finder") is None
        seen: list[tuple[int, int]] = []
        path = zoo.pull("finder", progress=lambda done, size: seen.append((done, size)))
        assert path.read_bytes() == BODY
        assert path == zoo.detector_path("finder") == zoo.pull("finder")
        assert seen[-1] == (len(BODY), len(BODY))
        assert len(server.ranges) == 1
    assert [p.name for p in path.parent.iterdir()] == ["finder.onnx"]


def test_nothing_is_fetched_before_the_terms_are_accepted(tmp_path: Path) -> None:
    with serving() as server:
        zoo = zoo_of(tmp_path, finder(f"{server.url}/file"), accept=False)
        assert zoo.needs_acceptance("finder")
        with pytest.raises(TermsError, match=r"were not accepted, so nothing was fetched\. MIT: For tests\."):
            zoo.pull("finder")
        (tmp_path / "source").write_bytes(BODY)
        with pytest.raises(TermsError):
            zoo.pull("finder", tmp_path / "source")
        assert server.ranges == []
    assert not (tmp_path / "data").exists()


def test_an_acceptance_is_kept_with_its_words_and_ends_when_they_change(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(BODY)
    zoo = zoo_of(tmp_path, finder())
    assert not zoo.needs_acceptance("finder")
    zoo.pull("finder", tmp_path / "source").unlink()
    kept = json.loads((tmp_path / "data" / "accepted.json").read_text())["finder"]
    assert [(k["accepted_at"], k["licence"], k["terms"]) for k in kept] == [
        (NOW.isoformat(), "MIT", "For tests.")
    ]
    changed = zoo_of(tmp_path, finder(terms="For tests on Sundays."), accept=False)
    assert changed.needs_acceptance("finder")
    assert changed.list()[0].accepted is None
    with pytest.raises(TermsError, match="Sundays"):
        changed.pull("finder", tmp_path / "source")
    changed.acceptances.record(changed.entry("finder"), NOW)
    assert changed.pull("finder", tmp_path / "source").is_file()
    assert zoo_of(tmp_path, finder(), accept=False).list()[0].accepted == NOW


@pytest.mark.parametrize("text", ["{", "[]", '{"finder": [{"accepted_at": "x"}]}', '{"finder": [7]}', "\xff"])
def test_a_damaged_record_of_acceptances_is_named(tmp_path: Path, text: str) -> None:
    zoo = zoo_of(tmp_path, finder(), accept=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "accepted.json").write_text(text, encoding="latin-1")
    with pytest.raises(ZooError, match=r"accepted\.json .*delete it to be asked again"):
        zoo.needs_acceptance("finder")


def test_what_is_here_needs_no_acceptance(tmp_path: Path) -> None:
    folder, _ = tiny_zoo(tmp_path / "models")
    assert not Zoo(folder, tmp_path / "data").needs_acceptance("tiny")


@pytest.mark.parametrize("inside", ["", "finder.onnx", "detectors/finder.onnx"])
def test_pulling_from_a_file_or_a_mirror(tmp_path: Path, inside: str) -> None:
    source = tmp_path / "mirror" / (inside or "any-name")
    source.parent.mkdir(parents=True)
    source.write_bytes(BODY)
    zoo = _zoo(tmp_path)
    given = tmp_path / "mirror" if inside else source
    assert zoo.pull("finder", given).read_bytes() == BODY
    zoo.pull("finder").unlink()
    assert zoo.pull("finder", given.as_uri()).read_bytes() == BODY


@pytest.mark.parametrize("path", ["/file", "/mirror/", "/away"])
def test_pulling_from_the_address_of_a_mirror(tmp_path: Path, path: str) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, "https://unreachable.invalid/finder.onnx")
        assert zoo.pull("finder", server.url + path).read_bytes() == BODY
        if path == "/mirror/":
            assert server.paths == ["/mirror/detectors/finder.onnx", "/mirror/finder.onnx"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ftp://a.example/b", "only https, http and file addresses"),
        ("https:///b", "only https, http and file addresses"),
        ("data:text/plain,hello", "only https, http and file addresses"),
        ("file://elsewhere/b", "names a file of this machine"),
    ],
)
def test_sources_of_another_kind(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        _zoo(tmp_path).pull("finder", source)


@pytest.mark.parametrize(
    ("content", "message"),
    [(BODY[:-1], "only 255999 of 256000 bytes"), (BODY + b"x", "deleted"), (BODY[::-1], "deleted")],
)
def test_the_wrong_file_never_gets_the_name(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "source").write_bytes(content)
    zoo = _zoo(tmp_path)
    with pytest.raises(ZooError, match=message):
        zoo.pull("finder", tmp_path / "source")
    assert zoo.path("finder") is None


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    zoo = _zoo(tmp_path)
    with pytest.raises(ZooError, match="does not exist"):
        zoo.pull("finder", tmp_path / "nowhere")
    with pytest.raises(ZooError, match=r"holds no finder\.onnx"):
        zoo.pull("finder", tmp_path)
    with pytest.raises(ZooError, match="no address to pull from"):
        zoo.pull("finder")
    with pytest.raises(ZooError, match="no address to pull from"):
        zoo_of(tmp_path, finder("file:///etc/passwd")).pull("finder")


@pytest.mark.parametrize("size", [0, len(BODY)])
def test_a_file_that_only_git_names(tmp_path: Path, size: int) -> None:
    with serving() as server:
        zoo = zoo_of(tmp_path, finder(f"{server.url}/file", sha256="", git_blob=BLOB, size=size))
        assert zoo.entry("finder").id == f"finder@{BLOB[:12]}"
        assert zoo.entry("finder").pin.weaker
        assert zoo.pull("finder").read_bytes() == BODY
        (found,) = zoo.verify()
        assert (found.state, found.pin, found.expected, found.found) == ("ok", "git-blob", BLOB, BLOB)
        assert found.path is not None
        found.path.write_bytes(BODY[::-1])
        assert zoo.verify()[0].state == "wrong"
        with pytest.raises(ZooError, match=f"git-blob [0-9a-f]{{40}}, expected {BLOB}; it was deleted"):
            zoo.pull("finder", f"{server.url}/other")


def test_verify_looks_at_the_bytes(tmp_path: Path) -> None:
    zoo = _zoo(tmp_path, "https://unreachable.invalid/finder.onnx")
    assert [v.state for v in zoo.verify()] == ["absent"]
    (tmp_path / "source").write_bytes(BODY)
    path = zoo.pull("finder", tmp_path / "source")
    assert [v.state for v in zoo.verify("finder")] == ["ok"]
    path.write_bytes(BODY[::-1])
    assert [v.state for v in zoo.verify()] == ["wrong"]
    with pytest.raises(ZooError, match="delete it and run: affect-tracker networks pull finder"):
        zoo.detector_path("finder")
    assert zoo.pull("finder", tmp_path / "source").read_bytes() == BODY


def test_unknown_names_and_kinds(tmp_path: Path) -> None:
    zoo = _zoo(tmp_path)
    with pytest.raises(ZooError, match="'mona' is not in the manifest; there are: finder"):
        zoo.pull("mona")
    with pytest.raises(ZooError, match="finder is a detector, not a network"):
        zoo.network("finder")


def test_a_network_is_listed_and_loaded(tmp_path: Path) -> None:
    folder, entry = tiny_zoo(tmp_path / "models")
    zoo = Zoo(folder, tmp_path / "data")
    assert [(i.entry.name, i.path, i.came) for i in zoo.list()] == [("tiny", folder / entry.file, "shipped")]
    assert zoo.load("tiny").id == entry.id
    assert zoo.pull("tiny") == folder / entry.file
    (folder / entry.file).unlink()
    with pytest.raises(ZooError, match="tiny is not installed; install affect-tracker again"):
        zoo.load("tiny")
    write_manifest(folder / "manifest.toml", [replace(entry, url="https://a.example/b")])
    with pytest.raises(ZooError, match="tiny is not installed; run: affect-tracker networks pull tiny"):
        Zoo(folder, tmp_path / "data").load("tiny")


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(BODY)
    zoo = _zoo(tmp_path)
    (tmp_path / "data" / "detectors").write_text("a file, not a folder")
    with pytest.raises(ZooError, match="could not be brought from"):
        zoo.pull("finder", tmp_path / "source")


@pytest.mark.skipif(not YUNET.is_file(), reason="the real YuNet file is not there: pulling it is not tested")
def test_the_real_detector(tmp_path: Path) -> None:
    zoo = Zoo(shipped.models(), tmp_path)
    zoo.acceptances.record(zoo.entry("yunet"), NOW)
    path = zoo.pull("yunet", YUNET.parent)
    assert path == zoo.detector_path()
    assert path.read_bytes() == YUNET.read_bytes()


def test_a_changed_entry_does_not_load_old_weights(tmp_path: Path) -> None:
    folder, entry = tiny_zoo(tmp_path / "models")
    write_manifest(folder / "manifest.toml", [replace(entry, sha256="0" * 64)])
    with pytest.raises(ZooError, match="is not the file in the manifest"):
        Zoo(folder, tmp_path / "data").load("tiny")
