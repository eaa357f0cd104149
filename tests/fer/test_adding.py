"""Networks that people bring: DAN as its authors save it, DMUE, our own weights, ONNX; whole, or not at all."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fer.making import crops, tiny_network, tiny_zoo
from tests.fer.onnx_making import linear
from tracker.cli import run
from tracker.cli.exits import Exit
from tracker.domain.affect import EMOTIONS
from tracker.fer import adding, brought
from tracker.fer.adding import Wanted, add, remove
from tracker.fer.engine import Engine
from tracker.fer.fetch import ZooFullError
from tracker.fer.networks import build
from tracker.fer.orders import ORDERS, documented_order, parse_order
from tracker.fer.weights import pack_weights
from tracker.fer.zoo import Zoo, ZooError

AFFECTNET = ORDERS["affectnet"]


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    folder, _ = tiny_zoo(tmp_path / "models")
    return Zoo(folder, tmp_path / "data")


def _again(zoo: Zoo) -> Zoo:
    return Zoo(zoo.shipped, zoo.data)


def _onnx(folder: Path, columns: int = 8, **changes: object) -> Path:
    path = folder / "their.onnx"
    path.write_bytes(linear(columns, **changes).SerializeToString())  # type: ignore[arg-type]
    return path


def _graph(path: Path, **changes: object) -> Wanted:
    settings: dict[str, object] = {"order": "affectnet", "classes": 8, "normalisation": "half"}
    return Wanted("mine", path, **{**settings, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["dan", None])
def test_an_official_checkpoint_of_dan(zoo: Zoo, tmp_path: Path, architecture: str | None) -> None:
    torch.manual_seed(3)
    theirs = build("dan", classes=8).eval()
    path = tmp_path / "affecnet8_epoch5_acc0.6209.pth"
    torch.save({"iter": 5, "model_state_dict": theirs.state_dict(), "optimizer_state_dict": {}}, path)
    entry = add(zoo, Wanted("dan8", path, architecture))
    assert entry.spec.heads[0].classes == AFFECTNET
    assert entry.spec.normalisation == "imagenet"
    network = _again(zoo).load("dan8")
    assert network.id == entry.id
    faces = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(network.module(faces)[0], theirs(faces)[0])
    assert [(i.entry.name, i.came) for i in _again(zoo).list()] == [("tiny", "shipped"), ("dan8", "added")]
    assert [v.state for v in _again(zoo).verify("dan8")] == ["ok"]


def test_seven_classes_of_dan_need_an_order(zoo: Zoo, tmp_path: Path) -> None:
    path = tmp_path / "rafdb.pth"
    torch.save({"model_state_dict": build("dan", classes=7).state_dict()}, path)
    with pytest.raises(ZooError, match=r"order of the 7 classes must be stated for dan: .*--order rafdb"):
        add(zoo, Wanted("dan7", path))
    assert add(zoo, Wanted("dan7", path, order="rafdb")).spec.heads[0].classes == ORDERS["rafdb"]


@pytest.mark.parametrize("classes", [7, 8])
def test_nobody_documented_the_order_of_poster(classes: int) -> None:
    with pytest.raises(ZooError, match="must be stated for poster_v2: its authors documented"):
        documented_order("poster_v2", classes)


def test_another_architecture_than_was_said_is_named(zoo: Zoo, tmp_path: Path) -> None:
    path = tmp_path / "theirs.pth"
    torch.save(build("dmue_resnet18", classes=8).state_dict(), path)
    with pytest.raises(ZooError, match="dmue_resnet18"):
        add(zoo, Wanted("mine", path, "dan"))
    entry = add(zoo, Wanted("mine", path))
    assert (entry.spec.architecture, entry.spec.normalisation) == ("dmue_resnet18", "half")
    assert entry.spec.heads[0].classes == AFFECTNET


def test_weights_that_carry_their_order_need_none(zoo: Zoo, tmp_path: Path) -> None:
    spec = adding._spec(
        _graph(tmp_path), "dmue_resnet18", {"classes": 7}, ORDERS["rafdb"], tiny_network().spec.crop, "half"
    )
    path = tmp_path / "mine.safetensors"
    path.write_bytes(pack_weights(build("dmue_resnet18", classes=7).state_dict(), spec))
    with pytest.raises(ZooError, match=r"was written with the order surprise, .*, but --order says neutral"):
        add(zoo, Wanted("mine", path, "dmue_resnet18", order="affectnet"))
    assert add(zoo, Wanted("mine", path, "dmue_resnet18")).spec.heads[0].classes == ORDERS["rafdb"]
    with pytest.raises(ZooError, match="does not say what network it is"):
        add(zoo, Wanted("other", path))


def test_what_packaging_wrote_brings_its_own_description(zoo: Zoo, tmp_path: Path) -> None:
    folder, theirs = tiny_zoo(tmp_path / "elsewhere")
    entry = add(zoo, Wanted("mine", folder / theirs.file))
    assert entry.spec == theirs.spec
    assert entry.id == f"mine@{theirs.sha256[:12]}"
    pixels = crops(3)
    mine, original = (
        Engine(z.load(n), "cpu").read(pixels)
        for z, n in ((_again(zoo), "mine"), (Zoo(folder, tmp_path), "tiny"))
    )
    assert np.array_equal(mine.probabilities, original.probabilities)
    manifest = folder / "manifest.toml"
    with pytest.raises(ZooError, match="leave --order away"):
        add(zoo, Wanted("other", folder / theirs.file, order="affectnet", manifest=manifest))
    (tmp_path / "x").write_bytes(b"something else")
    with pytest.raises(ZooError, match="has no network with the sha256"):
        add(zoo, Wanted("other", tmp_path / "x", manifest=manifest))


def test_an_onnx_file(zoo: Zoo, tmp_path: Path) -> None:
    entry = add(zoo, _graph(_onnx(tmp_path, 10), columns=10, crop="margin=0.2, alignment=eyes"))
    assert (entry.spec.crop.size, entry.spec.crop.margin, entry.spec.crop.alignment) == (16, 0.2, "eyes")
    engine = Engine(_again(zoo).load("mine"), "cpu")
    assert engine.read(crops(2)).probabilities.shape == (2, len(EMOTIONS))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalisation": None}, "give --normalisation"),
        ({"normalisation": "histogram"}, "'histogram' is unknown"),
        ({"order": None}, "must be stated for onnx"),
        ({"order": "neutral,joy", "classes": 2}, "'joy' is neither an emotion"),
        ({"order": "neutral,neutral", "classes": 2}, "2 different ones are needed"),
        ({"order": "rafdb"}, "8 different ones are needed"),
        ({"classes": None}, "give --classes"),
        ({"crop": "size=20"}, r"expected tensor\(float\) \(N, 3, 20, 20\)"),
        ({"crop": "colour=red"}, "--crop: 'colour=red' is none of size="),
        ({"crop": "margin=wide"}, "margin=wide is no number"),
        ({"crop": "margin=9"}, r"margin 9\.0 is outside"),
        ({"columns": 10}, r"gives \(4, 8\) for 4 faces, expected \(4, 10\)"),
        ({"output": "faces"}, "has no output 'faces'"),
        ({"name": "Mine!"}, "is no name"),
        ({"name": "tiny"}, "'tiny' is taken; choose another name"),
        ({"checkpoint": Path("nowhere.onnx")}, "cannot be read: No such file"),
        ({"architecture": "vgg99"}, "'vgg99' cannot be added by itself"),
        ({"architecture": "se_resnet"}, "'se_resnet' cannot be added by itself; give --manifest"),
    ],
)
def test_what_cannot_be_added_leaves_nothing(
    zoo: Zoo, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ZooError, match=message) as found:
        add(zoo, replace(_graph(_onnx(tmp_path)), **changes))  # type: ignore[arg-type]
    assert "\n" not in str(found.value)
    assert not zoo.data.exists()


def test_a_file_that_is_too_large_is_not_read(
    zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "LARGEST", 100)
    with pytest.raises(ZooError, match="files of up to 100 are taken"):
        add(zoo, _graph(_onnx(tmp_path)))


def test_faces_of_any_size_need_a_size(zoo: Zoo, tmp_path: Path) -> None:
    path = _onnx(tmp_path, size="side")  # type: ignore[arg-type]
    with pytest.raises(ZooError, match="reads faces of any size; give --crop size=PIXELS"):
        add(zoo, _graph(path))
    assert add(zoo, _graph(path, crop="size=24")).spec.crop.size == 24


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), at=st.integers(0, 400), byte=st.integers(0, 255))
def test_no_damaged_file_is_added_and_all_else_works(
    zoo: Zoo, tmp_path: Path, cut: int, at: int, byte: int
) -> None:
    """Any damage is one line, or a file that loads; never half an entry."""
    path = _onnx(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[at % len(whole)] = byte
    path.write_bytes(bytes(whole[: len(whole) - cut]))
    _tried(zoo, path)
    again = _again(zoo)
    if again.is_added("mine"):
        assert again.load("mine").id == again.entry("mine").id
        remove(again, "mine")
    assert not list(zoo.data.rglob("*.onnx"))


def _tried(zoo: Zoo, path: Path) -> None:
    with suppress(ZooError):
        add(zoo, _graph(path))


def test_a_name_is_taken_until_it_is_removed(zoo: Zoo, tmp_path: Path) -> None:
    path = _onnx(tmp_path)
    add(zoo, _graph(path))
    with pytest.raises(ZooError, match="'mine' is taken; run: affect-tracker networks remove mine"):
        add(_again(zoo), _graph(path))
    with pytest.raises(ZooError, match="is there already"):
        add(zoo, _graph(path))  # one who looked before the other had finished
    remove(_again(zoo), "mine")
    assert _again(zoo).names == {"tiny"}
    assert not list(zoo.data.rglob("*.onnx"))
    add(_again(zoo), _graph(path))


def test_removing_what_is_not_ours_to_remove(zoo: Zoo) -> None:
    with pytest.raises(ZooError, match="tiny ships with the program"):
        remove(zoo, "tiny")
    with pytest.raises(ZooError, match="not in the manifest"):
        remove(zoo, "nobody")


def test_an_added_file_that_changed_is_found(zoo: Zoo, tmp_path: Path) -> None:
    entry = add(zoo, _graph(_onnx(tmp_path)))
    path = zoo.data / entry.file
    path.write_bytes(path.read_bytes()[:-1])
    again = _again(zoo)
    assert again.verify("mine")[0].state == "wrong"
    with pytest.raises(ZooError, match="truncated"):
        again.load("mine")
    with pytest.raises(ZooError, match="has no upstream; add that file again"):
        again.pull("mine")
    path.unlink()
    with pytest.raises(ZooError, match="run: affect-tracker networks remove mine, and add your file again"):
        again.load("mine")


def test_a_name_that_ships_one_day_is_said(zoo: Zoo, tmp_path: Path) -> None:
    add(zoo, _graph(_onnx(tmp_path)))
    folder, entry = tiny_zoo(tmp_path / "newer")
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("[tiny", "[mine"))
    newer = Zoo(folder, zoo.data)
    with pytest.raises(ZooError, match="was added here, and a network of that name ships by now"):
        newer.load("mine")
    remove(newer, "mine")
    assert Zoo(folder, zoo.data).load("mine").entry.sha256 == entry.sha256


def _added_and_killed(shipped: Path, data: Path, path: Path, before: Callable[[], None]) -> None:
    brought.write_manifest = lambda *_: before()  # type: ignore[attr-defined]
    add(Zoo(shipped, data), _graph(path))


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_one_who_is_killed_leaves_no_entry_and_the_next_clears_up(zoo: Zoo, tmp_path: Path) -> None:
    path = _onnx(tmp_path)
    child = multiprocessing.get_context("fork").Process(
        target=_added_and_killed, args=(zoo.shipped, zoo.data, path, _kill)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert list(zoo.data.rglob("*.onnx"))
    assert _again(zoo).names == {"tiny"}
    add(_again(zoo), replace(_graph(path), name="other"))
    assert [p.parent.name for p in zoo.data.rglob("*.onnx")] == ["other"]


def test_a_full_disk_leaves_nothing(zoo: Zoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = _onnx(tmp_path)
    add(zoo, replace(_graph(path), name="before"))
    monkeypatch.setattr(brought, "write_manifest", full)
    with pytest.raises(ZooFullError, match="No space left on device; nothing was added"):
        add(_again(zoo), _graph(path))
    assert _again(zoo).names == {"tiny", "before"}
    assert [p.parent.name for p in zoo.data.rglob("*.onnx")] == ["before"]


@pytest.mark.parametrize("name", sorted(ORDERS))
@given(classes=st.integers(2, 9))
def test_a_named_order_has_every_class_once(name: str, classes: int) -> None:
    if classes in (7, 8) and (classes == 7 or len(ORDERS[name]) == 8):
        order = parse_order(name, classes)
        assert len(set(order)) == classes
        assert parse_order(", ".join(order).upper(), classes) == order
    else:
        with pytest.raises(ZooError, match=f"{classes} different ones"):
            parse_order(name, classes)


def test_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(tmp_path / "data"))
    words = ["networks", "add", "mine", "--checkpoint", str(_onnx(tmp_path)), "--classes", "8"]
    assert run([*words, "--normalisation", "imagenet"]) == Exit.NETWORK
    assert "Give --order" in capsys.readouterr().err
    words += ["--normalisation", "imagenet", "--order", "alphabetical", "--licence", "mine alone"]
    assert run([*words, "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["heads"] == {"emotion": list(ORDERS["alphabetical"])}
    assert Path(told["path"]).is_file()
    assert run(["networks", "verify", "mine"]) == Exit.OK
    assert run(["networks", "list"]) == Exit.OK
    out = capsys.readouterr().out
    assert "mine alone" in " ".join(out.split())
    assert "added" in out
    assert run(["networks", "remove", "mine"]) == Exit.OK
    assert run(["networks", "remove", "mine"]) == Exit.NETWORK
    assert not Path(told["path"]).exists()
