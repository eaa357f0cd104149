"""``affect-tracker networks`` as it is typed, with the real YuNet where it lies beside the project."""

import hashlib
import json
import os
import pty
import re
from pathlib import Path

import pytest

from tests.fer.serving import serving
from tests.fer.test_zoo import YUNET
from tracker import shipped
from tracker.cli import run
from tracker.cli.exits import Exit

needs_yunet = pytest.mark.skipif(
    not YUNET.is_file(), reason="the real YuNet file is not there: pulling it by command is not tested"
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    capsys.readouterr()
    assert run(["networks", *words, "--json"]) == Exit.OK
    return dict(json.loads(capsys.readouterr().out))


def test_the_wrong_file_is_deleted_and_reported(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "wrong.onnx").write_bytes(bytes(232_589))
    words = ["networks", "pull", "yunet", "--from", str(home / "wrong.onnx"), "--accept-terms"]
    assert run(words) == Exit.NETWORK
    told = capsys.readouterr().err
    assert "it was deleted" in told
    assert "licence: MIT\nterms: Free to use" in told
    assert not list((home / "data").rglob("*.onnx*"))


@needs_yunet
def test_terms_are_accepted_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["networks", "pull", "yunet", "--from", str(YUNET)]
    assert run(words) == Exit.NETWORK  # nobody is there to answer
    assert "terms of yunet were not accepted, so nothing was fetched" in capsys.readouterr().err
    assert run([*words, "--accept-terms"]) == Exit.OK
    path = Path(capsys.readouterr().out.strip())
    assert path.read_bytes() == YUNET.read_bytes()
    path.unlink()
    assert run(words) == Exit.OK
    assert "licence" not in capsys.readouterr().err
    (row,) = [r for r in _json(capsys, "list")["networks"] if r["name"] == "yunet"]  # type: ignore[attr-defined]
    assert row["installed"] == "pulled"
    assert row["terms_accepted_at"]
    assert run(["networks", "list"]) == Exit.OK
    assert re.search(r"^yunet .* pulled +20\d\d-\d\d-\d\d +MIT *$", capsys.readouterr().out, re.MULTILINE)


@needs_yunet
@pytest.mark.parametrize(("answer", "code"), [("y\n", Exit.OK), ("n\n", Exit.NETWORK)])
def test_somebody_at_a_terminal_is_asked(
    home: Path, answer: str, code: Exit, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pty.openpty()
    os.write(here, answer.encode())
    with os.fdopen(there) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert run(["networks", "pull", "yunet", "--from", str(YUNET)]) == code
        monkeypatch.undo()
    os.close(here)
    told = capsys.readouterr()
    assert "Do you accept licence and terms?" in told.err
    assert ("detectors" in told.out) == (code == Exit.OK)
    assert bool(list((home / "data").rglob("*.onnx"))) == (code == Exit.OK)


@needs_yunet
def test_from_the_address_of_a_mirror(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        server.RequestHandlerClass._yunet = lambda handler: handler._send_from(  # type: ignore[attr-defined]
            handler._start, YUNET.read_bytes()
        )
        words = ["networks", "pull", "yunet", "--accept-terms", "--from", f"{server.url}/yunet/"]
        assert run(words) == Exit.OK
        assert server.paths == [f"/yunet/detectors/{YUNET.name}"]
    assert _json(capsys, "verify", "yunet")["networks"][0]["state"] == "ok"  # type: ignore[index]


def test_show_tells_all_there_is_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    row = _json(capsys, "show", "enet_b0_8_va_mtl")
    assert row["heads"] == {
        "affectnet": ["anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    }
    assert (row["pin"], row["sha256"], row["size"]) == ("git-blob", None, None)
    assert run(["networks", "show", "enet_b0_8_va_mtl"]) == Exit.OK
    told = " ".join(capsys.readouterr().out.split())
    assert "weaker than SHA-256" in told
    assert "Never read here" in told
    assert "valence and arousal; they are not used" in told
    assert run(["networks", "show", "nobody"]) == Exit.NETWORK


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_fits_and_says_what_is_weaker(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["networks", "list"]) == Exit.OK
    told = capsys.readouterr().out
    assert max(map(len, told.split("Known only")[0].splitlines())) <= width
    assert "…" not in told
    assert "weaker than SHA-256): enet_b0_8_best_vgaf" in told
    assert "opencv_fer" not in told.split("weaker than SHA-256): ")[1]


def test_what_can_be_pulled_is_said_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever pulls must see licence and terms, an address over TLS, and whether anybody here ever read the file."""
    rows = _json(capsys, "list")["networks"]
    for row in rows:  # type: ignore[attr-defined]
        if not row["url"]:
            continue
        assert row["url"].startswith("https://")
        assert row["licence"]
        assert row["terms"]
        assert row["kind"] == "detector" or row["card"] or "Never read here" in row["note"]


def test_the_pins_are_those_of_the_record() -> None:
    record = shipped.models().parents[1] / "shared" / "reference" / "fer.md"
    if not record.is_file():
        pytest.skip("the record of hashes is not there: the manifest's pins are not compared with it")
    text = record.read_text(encoding="utf-8")
    from tracker.fer.manifest import read_manifest  # noqa: PLC0415 - after the skip

    pins = [e.pin.digits for e in read_manifest(shipped.models() / "manifest.toml").values() if e.url]
    assert len(pins) >= 7
    detector = hashlib.sha256(YUNET.read_bytes()).hexdigest() if YUNET.is_file() else ""
    assert [pin for pin in pins if pin not in text and pin != detector] == []
