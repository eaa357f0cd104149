import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.lab.making import RECIPE, tiny_faces, tiny_recipe
from tracker.domain.affect import EMOTIONS
from tracker.domain.framing import CropSpec
from tracker.fer.engine import Engine
from tracker.fer.manifest import Entry, Head, NetworkSpec, read_manifest
from tracker.fer.weights import unpack_weights
from tracker.fer.writing import write_manifest
from tracker.fer.zoo import Zoo
from tracker.lab import packaging
from tracker.lab.card import _training
from tracker.lab.packaging import PackagingError, package, read_training
from tracker.lab.recipe import Distillation, Recipe
from tracker.lab.training import train

DAY = date(2030, 1, 2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    train(tiny_recipe(), tiny_faces(), out)
    (out / "recipe.toml").write_text(RECIPE)
    return out


def test_a_training_becomes_a_network_that_the_zoo_loads(trained: Path, tmp_path: Path) -> None:
    near = np.zeros(len(tiny_faces()), dtype=np.bool_)
    near[-3:] = True
    entry = package(trained, tiny_faces(), tmp_path, today=DAY, near_duplicates=near)
    network = Zoo(tmp_path, tmp_path / "data").load("tiny")
    assert network.entry == entry
    assert all(head.temperature != 1 for head in network.spec.heads)
    averaged = torch.load(trained / "checkpoint.pt")["average"]
    assert all(torch.equal(value, averaged[name]) for name, value in network.module.state_dict().items())
    assert len(Engine(network, "cpu").read(np.zeros((2, 48, 48, 3), np.uint8))) == 2
    card = (tmp_path / "tiny" / "card.md").read_text()
    for word in (
        "2030-01-02: PrivateTest was read once", "not for commercial decisions about people",
        "majority", "without near duplicates", "mini-XCEPTION", "Contempt", "skin tone", "blur",
        "Reliability", entry.sha256,
    ):  # fmt: skip
        assert word in card
    assert "PROVISIONAL" not in card
    assert not list(tmp_path.rglob("*.partial"))


def test_private_test_is_read_once(trained: Path, tmp_path: Path) -> None:
    package(trained, tiny_faces(), tmp_path, today=DAY)
    first = json.loads((tmp_path / "tiny" / "figures.json").read_text())
    spoilt = tiny_faces()
    spoilt.images[spoilt.split == 2] = 0  # whoever looked again would find something else
    package(trained, spoilt, tmp_path, today=date(2031, 1, 1))
    assert json.loads((tmp_path / "tiny" / "figures.json").read_text()) == first


def test_what_people_edit_in_the_manifest_is_kept(trained: Path, tmp_path: Path) -> None:
    entry = package(trained, tiny_faces(), tmp_path, today=DAY)
    crop = CropSpec(48, 0.1, "eyes", 0.4, 0.45)
    edited = replace(entry, terms="Ask first.", network=replace(entry.spec, crop=crop))
    write_manifest(tmp_path / "manifest.toml", [edited])
    package(trained, tiny_faces(), tmp_path, today=DAY)
    assert read_manifest(tmp_path / "manifest.toml")["tiny"] == edited
    assert "eye line 0.40" in (tmp_path / "tiny" / "card.md").read_text()


def test_an_unfinished_training_is_provisional(trained: Path, tmp_path: Path) -> None:
    state = torch.load(trained / "checkpoint.pt")
    out = tmp_path / "out"
    out.mkdir()
    torch.save({**state, "step": 3}, out / "checkpoint.pt")
    (out / "recipe.toml").write_text(RECIPE)
    package(out, tiny_faces(), tmp_path, today=DAY)
    card = (tmp_path / "tiny" / "card.md").read_text()
    assert "PROVISIONAL" in card
    assert "step 3 of 10" in card
    assert "PrivateTest was never read" in card
    figures = json.loads((tmp_path / "tiny" / "figures.json").read_text())
    assert {judged["split"] for judged in figures["judged"]} == {"PublicTest"}


def test_trainings_that_cannot_be_packaged(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(PackagingError, match="does not exist; train first"):
        package(out, tiny_faces(), tmp_path, today=DAY)
    (out / "checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes()[:1000])
    with pytest.raises(PackagingError, match="is not a checkpoint of this software"):
        package(out, tiny_faces(), tmp_path, today=DAY)
    (out / "checkpoint.pt").write_bytes((trained / "checkpoint.pt").read_bytes())
    with pytest.raises(PackagingError, match=r"recipe\.toml is missing"):
        package(out, tiny_faces(), tmp_path, today=DAY)
    (out / "recipe.toml").write_text(RECIPE.replace("seed = 3", "seed = 4"))
    with pytest.raises(PackagingError, match="is not the recipe of"):
        package(out, tiny_faces(), tmp_path / "models", today=DAY)
    monkeypatch.setattr(packaging, "SIZE_LIMIT", 1000)
    with pytest.raises(PackagingError, match="bytes of weights; at most 1000 can ship"):
        package(trained, tiny_faces(), tmp_path / "more", today=DAY)
    assert not list(tmp_path.rglob("manifest.toml"))


def test_half_the_bytes_read_the_same_faces(trained: Path) -> None:
    made = read_training(trained, tiny_faces())
    kept, entries = {}, {}
    for stored in ("float32", "float16"):
        entries[stored], kept[stored] = packaging._entry(
            replace(made, recipe=replace(made.recipe, stored=stored)), 48, None
        )
    faces = torch.randn(4, 1, 48, 48)
    whole, half = (unpack_weights(kept[s], entries[s])(faces) for s in ("float32", "float16"))
    for head in whole:
        assert torch.allclose(whole[head], half[head], atol=0.01)
        assert not torch.equal(whole[head], half[head])
    assert len(kept["float16"]) < 0.8 * len(kept["float32"])


def test_the_card_says_who_taught() -> None:
    teacher = tiny_recipe(epochs=5).as_dict()
    alone, lesson = tiny_recipe(), Distillation((1, 2), teacher, share=0.75)
    assert "random weights" in _training_of(alone)
    assert "answer of" not in _training_of(alone)
    said = _training_of(replace(alone, distillation=lesson))
    assert "75% of each target is the answer of the mean of 2 networks" in said
    assert "for 5 epochs" in said
    assert "random weights" in said
    begun = replace(alone, distillation=replace(lesson, seeds=(1,), start=True))
    assert "its teacher's weights" in _training_of(begun)


def _training_of(recipe: Recipe) -> str:
    head = Head("ferplus", tuple(e.value for e in EMOTIONS))
    spec = NetworkSpec("se_resnet", {}, (head,), CropSpec(size=48))
    return _training(
        Entry("tiny", "network", "tiny/w", "0" * 64, 1, "MIT", "Research.", network=spec), recipe
    )
