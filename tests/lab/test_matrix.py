"""Networks on data sets: every cell once, kept when it is known, and written so that others can read it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.fer.making import tiny_network
from tests.lab import trees
from tests.lab.judging import seven
from tracker.fer.zoo import Network
from tracker.lab.datasets import DatasetError
from tracker.lab.matrix import running
from tracker.lab.matrix.cells import Cell
from tracker.lab.matrix.drawing import draw
from tracker.lab.matrix.running import Column, columns_of, run
from tracker.lab.matrix.tables import Matrix, as_csv, as_markdown


@pytest.fixture
def networks() -> dict[str, Network]:
    other = seven()
    return {"eight": tiny_network(), "seven": Network(replace(other.entry, name="seven"), other.module)}


@pytest.fixture
def columns(tmp_path: Path) -> tuple[Column, ...]:
    trees.rafdb(tmp_path / "raf", {"test": [1 + i % 7 for i in range(14)], "train": [4, 4]})
    trees.affectnet_2021(tmp_path / "aff", {"val_set": [i % 8 for i in range(16)], "train_set": [1]})
    return columns_of([f"rafdb:{tmp_path / 'raf'}", f"affectnet:{tmp_path / 'aff'}"], {})


def filled(
    networks: dict[str, Network], columns: tuple[Column, ...], out: Path | None = None
) -> tuple[Cell, ...]:
    return run(networks, columns, device="cpu", out=out, resamples=20)


def test_every_network_meets_every_data_set(
    networks: dict[str, Network], columns: tuple[Column, ...]
) -> None:
    steps = list[tuple[str, float]]()
    cells = run(networks, columns, device="cpu", resamples=20, report=lambda w, s: steps.append((w, s)))
    assert [(c.network, c.data, c.split, c.head, c.n) for c in cells] == [
        ("eight", "rafdb", "test", "ferplus", 14),
        ("seven", "rafdb", "test", "emotion", 14),
        ("eight", "affectnet", "val_set", "ferplus", 16),
        ("seven", "affectnet", "val_set", "emotion", 14),
    ]
    assert "contempt" not in cells[3].f1
    assert any("does not know contempt" in note for note in cells[3].notes)
    assert [share for _, share in steps] == sorted(share for _, share in steps)
    assert steps[-1] == ("done", 1.0)


def test_a_stopped_run_goes_on_where_it_was(
    tmp_path: Path, networks: dict[str, Network], columns: tuple[Column, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, judged = running.judge_faces, list[str]()

    def counting(engine, faces, *rest, **more):  # type: ignore[no-untyped-def]
        if len(judged) == 3:
            raise KeyboardInterrupt
        judged.append(faces.kind)
        return real(engine, faces, *rest, **more)

    monkeypatch.setattr(running, "judge_faces", counting)
    with pytest.raises(KeyboardInterrupt):
        filled(networks, columns, tmp_path / "out")
    assert judged == ["rafdb", "rafdb", "affectnet"]
    judged.clear()
    whole = filled(networks, columns, tmp_path / "out")
    assert judged == ["affectnet"]
    monkeypatch.setattr(running, "judge_faces", real)
    assert whole == filled(networks, columns)


def test_a_cell_is_computed_again_when_what_it_rests_on_changes(
    tmp_path: Path, networks: dict[str, Network], columns: tuple[Column, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    filled(networks, columns, out)
    real, judged = running.judge_faces, list[str]()

    def counting(engine, faces, *rest, **more):  # type: ignore[no-untyped-def]
        judged.append(f"{engine.network.entry.name} on {faces.kind}")
        return real(engine, faces, *rest, **more)

    monkeypatch.setattr(running, "judge_faces", counting)
    filled(networks, columns, out)
    assert judged == []
    (tmp_path / "raf/Image/aligned/test_0001_aligned.jpg").unlink()
    assert filled(networks, columns, out)[0].skipped == 1
    assert judged == ["tiny on rafdb", "seven on rafdb"]
    judged.clear()
    for damaged in (out / "cells").glob("*.json"):
        damaged.write_text(damaged.read_text()[:50])
    filled(networks, columns, out)
    assert len(judged) == 4
    judged.clear()
    other = replace(networks["eight"].entry, sha256="0" * 64)
    filled({"eight": Network(other, networks["eight"].module)}, columns, out)
    assert len(judged) == 2


def test_names_of_columns_and_their_splits() -> None:
    two = columns_of(["folder:a", "folder:b", "rafdb:c"], {"rafdb": "train"})
    assert [(c.name, c.split) for c in two] == [("folder:a", None), ("folder:b", None), ("rafdb", "train")]
    with pytest.raises(DatasetError, match="known kinds"):
        columns_of(["imagenet:x"], {})


def made() -> Matrix:
    def cell(network: str, data: str, f1: dict[str, float], macro: float) -> Cell:
        return Cell(
            network, data, f"{network}@1", f"{data}:/x|y", "test", "ferplus", 10, macro + 0.1, macro, 0.4, 0.02, 0.9,
            {"accuracy": (0.1, 0.9), "macro_f1": (0.2, 0.8)}, f1, 0, ("Pictures: <as they are> & so on.",),
        )  # fmt: skip

    return Matrix.of(
        [
            cell("a", "rafdb", {"fear": 0.5, "anger": 0.8, "contempt": 0.3}, 0.6),
            cell("a", "expw", {"fear": 0.2, "anger": 0.9, "neutral": 0.4}, 0.5),
            cell("b", "rafdb", {"fear": 0.1, "anger": 0.1}, 0.1),
            cell("b", "expw", {"fear": 0.3, "anger": 0.3}, 0.3),
        ],
        {"b": "rafdb"},
    )


def test_drops_are_measured_from_home() -> None:
    matrix = made()
    assert matrix.home == {"a": "rafdb", "b": "rafdb"}
    assert matrix.drop(matrix.at("a", "expw")) == pytest.approx({"fear": 0.3, "anger": -0.1})
    assert matrix.drop(matrix.at("b", "expw")) == pytest.approx({"fear": -0.2, "anger": -0.2})
    assert set(matrix.drop(matrix.at("a", "rafdb")).values()) == {0.0}


def test_the_csv_says_everything() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(made()))))
    assert len(rows) == 4
    first, second = rows[0], rows[1]
    assert (first["network"], first["at_home"], first["source"], first["n"]) == ("a", "1", "rafdb:/x|y", "10")
    assert (first["accuracy"], first["accuracy_low"], first["accuracy_high"]) == ("0.7", "0.1", "0.9")
    assert (first["ece_low"], first["f1_neutral"], first["f1_contempt"]) == ("", "", "0.3")
    assert (second["drop_fear"], second["drop_anger"], second["drop_neutral"]) == ("0.3", "-0.1", "")


def test_the_markdown_is_a_square_table() -> None:
    text = as_markdown(made())
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[0] == "| network | rafdb | expw |"
    assert lines[2].startswith("| a | 0.700 (0.100 to 0.900); 0.600 (0.200 to 0.800)* | 0.600 (")
    assert "| a | expw | 0.40 | - | - | - | 0.90 (+0.10) | - | 0.20 (-0.30) | - |" in lines
    assert len({line.count(" | ") for line in lines[:4] if "---" not in line}) == 1


def test_the_picture_is_well_formed_and_carries_the_numbers() -> None:
    matrix = made()
    root = ElementTree.fromstring(draw(matrix))
    texts = ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("text")]
    assert {"0.600", "70.0%", "a on expw", "-0.30", "contempt"} <= set(texts)
    hints = ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("title")]
    assert (
        "a on rafdb: macro-F1 0.600 (0.200 to 0.800); accuracy 0.700 (0.100 to 0.900); majority 0.400; 10 faces"
        in hints
    )
    framed = [e for e in root.iter() if e.tag.endswith("rect") and e.get("stroke") == "#111"]
    assert len(framed) == 2 + 3 + 2  # homes, and the emotions that are there at home
    width = float(root.get("width") or 0)
    assert all(
        float(e.get("x") or 0) + float(e.get("width") or 0) <= width for e in root.iter() if e.get("x")
    )


def test_cells_are_plain_json(
    tmp_path: Path, networks: dict[str, Network], columns: tuple[Column, ...]
) -> None:
    cells = filled(networks, columns, tmp_path / "out")
    kept = [json.loads(p.read_text()) for p in (tmp_path / "out" / "cells").glob("*.json")]
    assert sorted(k["accuracy"] for k in kept) == sorted(c.accuracy for c in cells)
    assert not list((tmp_path / "out" / "cells").glob("*.partial"))
