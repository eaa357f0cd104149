"""``fer evaluate``, ``fer check-order`` and ``fer matrix``, as typed."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fer.making import entry_for, tiny_network
from tests.lab import trees
from tests.lab.making import tiny_faces, write_csvs
from tests.lab.real import needs_faces, real_faces
from tracker import cli, shipped
from tracker.cli.exits import Exit
from tracker.fer.manifest import read_manifest
from tracker.fer.weights import pack_weights, unpack_weights
from tracker.fer.writing import write_manifest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small networks instead of those that ship."""
    folder, entries = tmp_path / "models", []
    folder.mkdir()
    for name in ("tiny", "other"):
        network = tiny_network()
        data = pack_weights(network.module.state_dict(), network.spec)
        entry = entry_for(data, network.spec, name)
        (folder / entry.file).parent.mkdir()
        (folder / entry.file).write_bytes(data)
        entries.append(entry)
    write_manifest(folder / "manifest.toml", entries)
    monkeypatch.setattr(shipped, "models", lambda: folder)
    return folder


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.run(["fer", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.usefixtures("zoo")
def test_evaluate_by_group(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trees.rafdb(home / "raf", {"test": [1 + i % 7 for i in range(14)]}, [(i % 2, 0, 2) for i in range(14)])
    words = ["evaluate", "--network", "tiny", "--data", f"rafdb:{home / 'raf'}", "--device", "cpu"]
    code, said, _ = typed(capsys, *words, "--json")
    found = json.loads(said)
    assert code == Exit.OK
    assert (found["n"], found["split"], found["head"]) == (14, "test", "ferplus")
    assert set(found["per_class"]["fear"]) >= {"precision", "recall", "f1"}
    assert len(found["confusion"]) == 7
    assert found["groups"]["gender"]["groups"]["female"]["n"] == 7
    assert 0 < found["groups"]["gender"]["test"]["p"] <= 1
    assert set(found["intervals"]) == {"accuracy", "macro_f1", "ece", "nll"}
    code, said, notes = typed(capsys, *words)
    assert code == Exit.OK
    assert "by gender; p " in said
    assert "renormalised over the other" in " ".join(notes.split())


@pytest.mark.usefixtures("zoo")
def test_evaluate_says_what_it_skipped(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trees.classes(home / "own", {"happy": 4, "angry": 4})
    (home / "own" / "happy" / "0.png").write_bytes(b"broken")
    words = ["evaluate", "--network", "tiny", "--data", f"folder:{home / 'own'}", "--device", "cpu"]
    found = json.loads(typed(capsys, *words, "--json")[1])
    assert (found["n"], found["skipped"]["n"]) == (7, 1)
    assert "0.png is no picture" in found["skipped"]["first"][0]
    assert "skipped: 0.png is no picture" in " ".join(typed(capsys, *words)[2].split())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--data", "imagenet:/x"], Exit.SOURCE, "known kinds: fer2013, ferplus, affectnet, rafdb, expw"),
        (["--data", "rafdb:/nowhere"], Exit.SOURCE, "/nowhere is no folder"),
        (["--data", "fer2013:/nowhere.csv"], Exit.SOURCE, "is missing; give FER2013's"),
        (["--data", "rafdb:RAF", "--split", "validation"], Exit.SOURCE, "there are: train, test, all"),
        (["--data", "rafdb:RAF", "--head", "valence"], Exit.NETWORK, "there is no head 'valence'"),
        (["--data", "rafdb:RAF", "--network", "huge"], Exit.NETWORK, "'huge' is not in the manifest"),
        (["--data", "expw:EXPW", "--detect"], Exit.USAGE, "their boxes are used"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "check-order"])
@pytest.mark.usefixtures("zoo")
def test_what_cannot_be_judged(
    home: Path, capsys: pytest.CaptureFixture[str], command: str, words: list[str], code: Exit, message: str
) -> None:
    trees.rafdb(home / "raf", {"test": [1, 2]})
    trees.expw(home / "expw", ["a.jpg 0 10 10 50 50 9.5 3"], {"a.jpg": trees.picture(1)})
    words = [w.replace("RAF", str(home / "raf")).replace("EXPW", str(home / "expw")) for w in words]
    network = [] if "--network" in words else ["--network", "tiny"]
    found, said, complaint = typed(capsys, command, *network, *words)
    assert (found, said) == (code, "")
    assert message in " ".join(complaint.split())


@pytest.mark.usefixtures("zoo")
def test_the_matrix_is_written_and_goes_on(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trees.classes(home / "a,b", {"happy": 4, "angry": 4})
    trees.rafdb(home / "raf", {"train": [1, 2, 4, 4], "test": [1, 2, 4, 4, 5]})
    words = ["matrix", "--networks", "tiny, other", "--data", f"folder:{home / 'a,b'},rafdb:{home / 'raf'}",
             "--split", "rafdb=train", "--home", "other=rafdb", "--out", str(home / "out")]  # fmt: skip
    code, said, _ = typed(capsys, *words, "--json")
    found = json.loads(said)
    assert code == Exit.OK
    assert found["home"]["other"] == "rafdb"
    assert [(c["network"], c["data"], c["n"]) for c in found["cells"]] == [
        ("tiny", "folder", 8), ("other", "folder", 8), ("tiny", "rafdb", 4), ("other", "rafdb", 4),
    ]  # fmt: skip
    rows = list(csv.DictReader((home / "out" / "matrix.csv").read_text().splitlines()))
    assert [row["at_home"] for row in rows if row["network"] == "other"] == ["0", "1"]
    assert (home / "out" / "matrix.md").read_text().startswith("# Networks on data")
    assert (home / "out" / "matrix.svg").read_text().startswith("<svg")
    before = {p: p.stat().st_mtime_ns for p in (home / "out" / "cells").iterdir()}
    code, said, _ = typed(capsys, *words)
    assert code == Exit.OK
    assert "accuracy / macro-F1" in said
    assert {p: p.stat().st_mtime_ns for p in (home / "out" / "cells").iterdir()} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--home", "tiny=expw"], "--home tiny=expw: the networks are tiny, the data folder"),
        (["--home", "tiny"], "'tiny' is not like --home NETWORK=DATA"),
        (["--split", "x="], "'x=' is not like --split KIND=S"),
        (["--split", "folders=test"], "--split folders=...: the data are folder"),
        (["--out", "FILE"], "is a file; name a folder"),
    ],
)
@pytest.mark.usefixtures("zoo")
def test_a_matrix_that_makes_no_sense(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    trees.classes(home / "own", {"happy": 1, "angry": 1})
    (home / "file").write_text("")
    words = [w.replace("FILE", str(home / "file")) for w in words]
    code, said, complaint = typed(
        capsys, "matrix", "--networks", "tiny", "--data", f"folder:{home / 'own'}", *words
    )
    assert (code, said) == (Exit.USAGE, "")
    assert message in " ".join(complaint.split())


def swapped_zoo(folder: Path) -> None:
    """The shipped network with anger and happiness swapped in its manifest, and in its file's own word for it."""
    entry = read_manifest(shipped.models() / "manifest.toml")["default"]
    data = (shipped.models() / entry.file).read_bytes()
    module = unpack_weights(data, entry)
    classes = list(entry.spec.head("fer2013").classes)
    classes[0], classes[3] = classes[3], classes[0]
    heads = tuple(replace(h, classes=tuple(classes)) if h.name == "fer2013" else h for h in entry.spec.heads)
    spec = replace(entry.spec, heads=heads)
    packed = pack_weights(module.state_dict(), spec)
    wrong = entry_for(packed, spec, "wrong")
    (folder / wrong.file).parent.mkdir(parents=True)
    (folder / wrong.file).write_bytes(packed)
    write_manifest(folder / "manifest.toml", [wrong])


@needs_faces
def test_a_wrong_order_is_refused_with_its_code(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = real_faces(300)
    write_csvs(home / "real", real)
    words = ["check-order", "--data", f"fer2013:{home / 'real' / 'fer2013.csv'}", "--device", "cpu", "--json"]
    code, said, _ = typed(capsys, *words)
    assert (code, json.loads(said)["best"]) == (Exit.OK, json.loads(said)["stated"])
    swapped_zoo(home / "models")
    monkeypatch.setattr(shipped, "models", lambda: home / "models")
    code, said, complaint = typed(capsys, *words, "--network", "wrong")
    found = json.loads(said)
    assert (code, found["verdict"]) == (Exit.NETWORK, "wrong")
    assert found["best"][0] == "anger"
    assert found["stated"][0] == "happiness"
    assert "what is called happiness / anger is anger / happiness" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.usefixtures("zoo")
def test_too_few_faces_cannot_tell(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csvs(home, tiny_faces(0, 7))
    words = ["check-order", "--network", "tiny", "--data", f"ferplus:{home}", "--device", "cpu"]
    code, said, _ = typed(capsys, *words)
    assert code == Exit.OK
    assert "cannot tell: too few faces, or read too badly, to settle" in " ".join(said.split())
    assert "not checked" in said  # contempt
