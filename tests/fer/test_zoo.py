import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fer.making import entry_for, tiny_zoo
from tracker import shipped
from tracker.fer.writing import write_manifest
from tracker.fer.zoo import Zoo, ZooError

YUNET = shipped.models().parents[1] / "shared" / "detectors" / "face_detection_yunet_2023mar.onnx"
BODY = bytes(range(256)) * 1000


class _Server(BaseHTTPRequestHandler):
    """Serves BODY: whole, in ranges, cut off after half, something else, or nothing."""

    def do_GET(self) -> None:
        ranges: list[str] = self.server.ranges  # type: ignore[attr-defined]
        ranges.append(self.headers.get("Range", ""))
        body = BODY[::-1] if self.path == "/other" else BODY
        if self.path == "/missing":
            self.send_error(404)
            return
        start = 0
        if ranges[-1] and self.path != "/no-ranges":
            start = int(ranges[-1].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        self.end_headers()
        body = body[start:]
        if self.path in ("/cut", "/no-ranges") and len(ranges) == 1:
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[tuple[str, list[str]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.ranges = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.ranges  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()


def _zoo(folder: Path, url: str = "") -> Zoo:
    """A zoo whose one detector has to be pulled."""
    (folder / "models").mkdir()
    entry = entry_for(BODY, None, "finder", file="detectors/finder.onnx", url=url)
    write_manifest(folder / "models" / "manifest.toml", [entry])
    return Zoo(folder / "models", folder / "data")


def test_a_download_arrives_and_stays(tmp_path: Path) -> None:
    with serving() as (url, ranges):
        zoo = _zoo(tmp_path, f"{url}/file")
        assert zoo.detector_path("finder") is None
        seen: list[tuple[int, int]] = []
        path = zoo.pull("finder", progress=lambda done, size: seen.append((done, size)))
        assert path.read_bytes() == BODY
        assert path == zoo.detector_path("finder") == zoo.pull("finder")
        assert seen[-1] == (len(BODY), len(BODY))
        assert len(ranges) == 1
    assert [p.name for p in path.parent.iterdir()] == ["finder.onnx"]


def test_a_broken_download_continues(tmp_path: Path) -> None:
    with serving() as (url, ranges):
        zoo = _zoo(tmp_path, f"{url}/cut")
        with pytest.raises(ZooError, match=f"only {len(BODY) // 2} of {len(BODY)} bytes arrived"):
            zoo.pull("finder")
        assert zoo.detector_path("finder") is None
        assert zoo.pull("finder").read_bytes() == BODY
        assert ranges == ["", f"bytes={len(BODY) // 2}-"]


def test_a_server_that_cannot_continue_starts_over(tmp_path: Path) -> None:
    with serving() as (url, _):
        zoo = _zoo(tmp_path, f"{url}/no-ranges")
        with pytest.raises(ZooError, match="bytes arrived"):
            zoo.pull("finder")
        assert zoo.pull("finder").read_bytes() == BODY


def test_another_file_is_deleted_and_reported(tmp_path: Path) -> None:
    with serving() as (url, _):
        zoo = _zoo(tmp_path, f"{url}/other")
        with pytest.raises(ZooError, match=f"{hashlib.sha256(BODY[::-1]).hexdigest()}, expected .* deleted"):
            zoo.pull("finder")
    assert list((tmp_path / "data" / "detectors").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "message"),
    [("/missing", "could not be pulled from .*Not Found"), (None, "no address to pull from")],
)
def test_no_download(tmp_path: Path, path: str | None, message: str) -> None:
    with serving() as (url, _):
        zoo = _zoo(tmp_path, f"{url}{path}" if path else "")
        with pytest.raises(ZooError, match=message):
            zoo.pull("finder")


def test_an_unreachable_server(tmp_path: Path) -> None:
    with serving() as (url, _):
        gone = url
    with pytest.raises(ZooError, match=r"could not be pulled.*--from PATH"):
        _zoo(tmp_path, f"{gone}/file").pull("finder")


@pytest.mark.parametrize("inside", ["", "finder.onnx", "detectors/finder.onnx"])
def test_pulling_from_a_file_or_a_mirror(tmp_path: Path, inside: str) -> None:
    source = tmp_path / "mirror" / (inside or "any-name")
    source.parent.mkdir(parents=True)
    source.write_bytes(BODY)
    zoo = _zoo(tmp_path)
    assert zoo.pull("finder", tmp_path / "mirror" if inside else source).read_bytes() == BODY


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


def test_verify_looks_at_the_bytes(tmp_path: Path) -> None:
    zoo = _zoo(tmp_path)
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
    assert [(i.entry.name, i.path) for i in zoo.list()] == [("tiny", folder / entry.file)]
    assert zoo.load("tiny").id == entry.id
    assert zoo.pull("tiny") == folder / entry.file
    (folder / entry.file).unlink()
    with pytest.raises(ZooError, match="tiny is not installed; run: affect-tracker networks pull tiny"):
        zoo.load("tiny")


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    (tmp_path / "source").write_bytes(BODY)
    with pytest.raises(ZooError, match="could not be brought from"):
        _zoo(tmp_path).pull("finder", tmp_path / "source")


@pytest.mark.skipif(not YUNET.is_file(), reason="the real YuNet file is not there: pulling it is not tested")
def test_the_real_detector(tmp_path: Path) -> None:
    zoo = Zoo(shipped.models(), tmp_path)
    path = zoo.pull("yunet", YUNET.parent)
    assert path == zoo.detector_path()
    assert path.read_bytes() == YUNET.read_bytes()


def test_a_changed_entry_does_not_load_old_weights(tmp_path: Path) -> None:
    folder, entry = tiny_zoo(tmp_path / "models")
    write_manifest(folder / "manifest.toml", [replace(entry, sha256="0" * 64)])
    with pytest.raises(ZooError, match="is not the file in the manifest"):
        Zoo(folder, tmp_path / "data").load("tiny")
