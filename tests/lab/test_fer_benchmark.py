"""The measurement itself: its figures hang together, one network's trouble is not the others', and it needs little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.fer.making import crops, tiny_network
from tracker import shipped
from tracker.fer.device import available_devices
from tracker.fer.zoo import Network, Zoo, ZooError
from tracker.lab import fer_benchmark
from tracker.lab.device_limits import in_turn, sustained, timed
from tracker.lab.fer_benchmark import UNTRAINED, Work, flops_of, measure, network_of

CPU = torch.device("cpu")


@pytest.mark.parametrize("device", available_devices())
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_figures_hang_together(device: str, precision: str) -> None:
    work = Work((1, 2), 0.0, False, precision, crops(70))
    found = measure(tiny_network(), torch.device(device), work)
    bare, engine = found["bare"], found["engine"]
    assert found["engine_over_bare"] == pytest.approx(engine["faces_per_s"] / bare["faces_per_s"])
    assert [row["batch"] for row in engine["latency"]] == [1, 2]
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in engine["latency"] + bare["latency_eager"])
    assert found["share_of_gemm_limit"] == pytest.approx(
        engine["faces_per_s"] * found["gflop_per_face"] / 1e3 / found["limits"]["gemm_tflop_per_s"]
    )
    assert engine["batch"] == bare["best_batch"]
    assert (engine["faces_per_s_resident"] is None) == (device != "cuda")
    assert json.loads(json.dumps(found)) == found


def test_operations_are_counted_as_in_the_literature() -> None:
    # fer.md: 1.814 billion multiply-adds for DMUE's ResNet-18, two operations each.
    network, trained = network_of("dmue_resnet18", Zoo(shipped.models(), Path("nowhere")))
    assert not trained
    assert flops_of(network) == pytest.approx(2 * 1.814e9, rel=0.01)
    assert set(UNTRAINED) == {"poster_v2", "dan", "dmue_resnet18", "dmue_resnet50ibn"}


def test_every_network_is_written_down_as_soon_as_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"
    before: list[int] = []

    def find(name: str, zoo: Zoo) -> tuple[Network, bool]:
        before.append(len(json.loads(path.read_text())["networks"]) if path.is_file() else 0)
        if name == "missing":
            raise ZooError("'missing' is not in the manifest")
        return tiny_network(), True

    monkeypatch.setattr(fer_benchmark, "network_of", find)
    networks = [f"--network={name}" for name in ("one", "missing", "two")]
    options = ["--device=cpu", "--seconds=0", "--sizes=1", "--no-compile", f"--json={path}"]
    assert fer_benchmark.main([*networks, *options]) == 1
    written = json.loads(path.read_text())["networks"]
    assert [row["name"] for row in written] == ["one", "missing", "two"]
    assert written[1]["error"].startswith("ZooError")
    assert [row.get("pixels") for row in written] == ["noise", None, "noise"]
    assert before == [0, 1, 2]
    assert "missing: ZooError" in capsys.readouterr().err


def test_a_warning_of_the_engine_stands_beside_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.fer.engine.NEAR", 0.0)
    found = measure(tiny_network(), CPU, Work((1,), 0.0, False, "bfloat16", crops(64)))
    assert found["engine"]["precision"] == "float32"
    assert ["bfloat16 is" in note and "away from float32" in note for note in found["notes"]] == [True]


def test_works_are_timed_as_often_as_asked() -> None:
    calls = {"a": 0, "b": 0}

    def count(name: str) -> None:
        calls[name] += 1

    assert len(timed(lambda: count("a"), CPU, seconds=0.0, least=4)) == 4
    assert sustained(lambda: count("b"), CPU, 0.0) > 0
    before = dict(calls)
    assert len(in_turn([lambda: count("a"), lambda: count("b")], rounds=3)) == 2
    assert calls["a"] - before["a"] == calls["b"] - before["b"] > 3


def test_it_runs_where_only_torch_opencv_and_numpy_are() -> None:
    absent = (
        "typer",
        "rich",
        "sqlalchemy",
        "river",
        "flask",
        "alembic",
        "onnxruntime",
        "sklearn",
        "scipy",
        "pydantic",
    )
    program = (
        f"import sys\nfor name in {absent!r}: sys.modules[name] = None\n"
        "from tracker.lab import fer_benchmark\nfrom tests.fer import making\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
