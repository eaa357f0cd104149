"""Downloads from a real server: broken off, lying, endless, sent elsewhere; killed; two at once; a full disk."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fer.serving import BODY, serving
from tests.fer.test_zoo import BLOB, finder, zoo_of
from tracker.fer import download as download_module
from tracker.fer import fetch as fetch_module
from tracker.fer.fetch import ZooFullError, fetch
from tracker.fer.locking import only_one
from tracker.fer.zoo import Zoo, ZooError

HALF = len(BODY) // 2


def _zoo(folder: Path, url: str, *, known: bool = True) -> Zoo:
    return zoo_of(folder, finder(url) if known else finder(url, sha256="", git_blob=BLOB, size=0))


def _refused(zoo: Zoo) -> str:
    """Why a pull failed, or nothing."""
    try:
        zoo.pull("finder")
    except ZooError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("known", [True, False])
def test_a_broken_download_continues(tmp_path: Path, known: bool) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}/cut", known=known)
        with pytest.raises(ZooError, match=f"only {HALF} of {len(BODY)} bytes arrived"):
            zoo.pull("finder")
        assert zoo.detector_path("finder") is None
        assert zoo.pull("finder").read_bytes() == BODY
        assert server.ranges == ["", f"bytes={HALF}-"]


@pytest.mark.parametrize("path", ["/no-ranges", "/elsewhere"])
def test_a_server_that_cannot_continue_starts_over(tmp_path: Path, path: str) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}{path}")
        with pytest.raises(ZooError, match="bytes arrived"):
            zoo.pull("finder")
        assert zoo.pull("finder").read_bytes() == BODY


def test_a_server_that_continues_without_saying_where(tmp_path: Path) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}/mute-range")
        with pytest.raises(ZooError, match="bytes arrived"):
            zoo.pull("finder")
        with pytest.raises(ZooError, match="continues a download without saying where"):
            zoo.pull("finder")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(have=st.integers(0, len(BODY) + 2000), right=st.booleans(), known=st.booleans())
def test_whatever_lies_there_from_before_the_file_is_right_in_the_end(
    tmp_path: Path, have: int, right: bool, known: bool
) -> None:
    """A partial file of any length, of this file or another: after at most one deletion the right one is there."""
    shutil.rmtree(tmp_path / "data", ignore_errors=True)
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}/file", known=known)
        partial = tmp_path / "data" / "detectors" / "finder.onnx.partial"
        partial.parent.mkdir(parents=True)
        partial.write_bytes((BODY if right else b"\xaa" * len(BODY))[:have] + b"!" * (have - len(BODY)))
        if said := _refused(zoo):
            assert "it was deleted" in said
            assert not right or have > len(BODY)
            assert not partial.exists()
            zoo.pull("finder")
        assert zoo.verify()[0].state == "ok"
        assert not partial.exists()


@pytest.mark.parametrize("known", [True, False])
def test_another_file_is_deleted_and_reported(tmp_path: Path, known: bool) -> None:
    with serving() as server:
        found = hashlib.sha256(BODY[::-1]).hexdigest() if known else ""
        with pytest.raises(ZooError, match=f"{found}, expected .* deleted"):
            _zoo(tmp_path, f"{server.url}/other", known=known).pull("finder")
    assert list((tmp_path / "data" / "detectors").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "known", "message"),
    [
        ("/missing", True, "could not be pulled from .*404"),
        ("/broken", True, "could not be pulled from .*500"),
        ("/longer", True, "the server offers 256100 bytes, expected 256000: that is another file"),
        ("/shorter", True, "the server offers 1000 bytes, expected 256000"),
        ("/longer", False, "only 256000 of 256100 bytes arrived|IncompleteRead"),
        ("/shorter", False, "deleted"),
        ("/page", True, "only 19 of 256000 bytes"),
        ("/page", False, "deleted"),
        ("/endless", True, "deleted"),
        ("/to-file", True, "the server sends elsewhere, to file, which is not followed"),
        ("/to-ftp", True, "the server sends elsewhere, to ftp, which is not followed"),
        ("/around", True, "infinite loop"),
    ],
)
def test_what_servers_do(tmp_path: Path, path: str, known: bool, message: str) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}{path}", known=known)
        with pytest.raises(ZooError, match=message) as found:
            zoo.pull("finder")
        assert zoo.path("finder") is None
        assert "\n" not in str(found.value)
    assert not list((tmp_path / "data").rglob("*.lock"))


def test_a_file_of_unknown_length_ends_somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "LARGEST", 100_000)
    with serving() as server:
        with pytest.raises(ZooError, match="deleted"):
            _zoo(tmp_path, f"{server.url}/endless", known=False).pull("finder")
        with pytest.raises(ZooError, match="offers 256000 bytes, expected fewer"):
            _zoo(tmp_path, f"{server.url}/file", known=False).pull("finder")


def test_from_https_nothing_leads_to_http() -> None:
    request = download_module.urllib.request.Request("https://a.example/b")
    redirects = download_module._Redirects()
    with (
        open(os.devnull, "rb") as nothing,  # noqa: PTH123 - any open file
        pytest.raises(download_module.DownloadError, match="to http, which is not followed"),
    ):
        redirects.redirect_request(request, nothing, 302, "", {}, "http://a.example/b")  # type: ignore[arg-type]


def test_an_unreachable_server(tmp_path: Path) -> None:
    with serving() as server:
        gone = server.url
    with pytest.raises(ZooError, match=r"could not be pulled.*refused.*--from PATH"):
        _zoo(tmp_path, f"{gone}/file").pull("finder")


def test_two_pulls_at_once_give_one_file_and_one_answer(tmp_path: Path) -> None:
    with serving() as server:
        zoo = _zoo(tmp_path, f"{server.url}/file")
        target = tmp_path / "data" / "detectors" / "finder.onnx"
        target.parent.mkdir(parents=True)
        with (
            only_one(target.with_name("finder.onnx.lock")),
            pytest.raises(ZooError, match="another process is bringing finder just now"),
        ):
            zoo.pull("finder")
        told: list[str] = []

        def pull() -> None:
            try:
                zoo.pull("finder")
            except ZooError as error:
                told.append(str(error))

        threads = [threading.Thread(target=pull) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert target.read_bytes() == BODY
    assert all("another process" in words for words in told)
    assert len(told) < 6
    assert [p.name for p in target.parent.iterdir()] == ["finder.onnx"]


def test_waiting_for_a_lock_lets_one_after_the_other_in(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with only_one(tmp_path / "lock"):
                inside += 1
                time.sleep(0.0005)  # others come in here, if anybody can
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not (tmp_path / "lock").exists()


_PULLS = """
import sys
from pathlib import Path
from tracker.fer.fetch import fetch
from tracker.fer.manifest import Entry
url, sha256, size, target = sys.argv[1:]
entry = Entry("finder", "detector", "detectors/finder.onnx", sha256, int(size), "MIT", "For tests.", url)
fetch(entry, Path(target), None, lambda done, size: None)
"""


def test_a_killed_pull_goes_on(tmp_path: Path) -> None:
    entry = finder("")
    target = tmp_path / "finder.onnx"
    partial = tmp_path / "finder.onnx.partial"
    with serving() as server:
        server.RequestHandlerClass._slow = _slowly  # type: ignore[attr-defined]
        arguments = [f"{server.url}/slow", entry.sha256, str(entry.size), str(target)]
        child = subprocess.Popen([sys.executable, "-c", _PULLS, *arguments])
        try:
            until = time.monotonic() + 60
            while not (partial.is_file() and partial.stat().st_size >= HALF // 2):
                assert time.monotonic() < until
                assert child.poll() is None
                time.sleep(0.01)
            with pytest.raises(ZooError, match="another process is bringing"):
                fetch(finder(f"{server.url}/file"), target, None, lambda done, size: None)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert not target.exists()
        have = partial.stat().st_size
        fetch(finder(f"{server.url}/file"), target, None, lambda done, size: None)
        assert server.ranges[-1] == f"bytes={have}-"
    assert target.read_bytes() == BODY
    assert [p.name for p in tmp_path.iterdir()] == ["finder.onnx"]


def _slowly(handler: object) -> None:
    """Sends half of the file and then waits until the one who asked is gone."""
    handler._send(BODY[:HALF])  # type: ignore[attr-defined]
    handler.wfile.flush()  # type: ignore[attr-defined]
    handler.connection.settimeout(60)  # type: ignore[attr-defined]
    handler.rfile.read(1)  # type: ignore[attr-defined]


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="no /dev/full: writing to a full disk is not tested"
)
@pytest.mark.parametrize("path", ["/file", None])
def test_a_disk_that_fills_up(tmp_path: Path, path: str | None) -> None:
    (tmp_path / "source").write_bytes(BODY)
    (tmp_path / "finder.onnx.partial").symlink_to("/dev/full")
    with serving() as server:
        entry = finder(f"{server.url}{path}") if path else finder()
        source = None if path else tmp_path / "source"
        with pytest.raises(ZooFullError, match="No space left"):
            fetch(entry, tmp_path / "finder.onnx", source, lambda done, size: None)
    assert not (tmp_path / "finder.onnx").exists()


def test_a_disk_without_room_is_said_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(fetch_module.shutil, "disk_usage", lambda _: usage(10, 9, 1000))
    with serving() as server:
        with pytest.raises(ZooFullError, match=r"needs 256000 bytes more at .*, and 1000 are free"):
            _zoo(tmp_path, f"{server.url}/file").pull("finder")
        assert server.ranges == []
