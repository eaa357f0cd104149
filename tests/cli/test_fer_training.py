"""From pictures in folders to a network that judges them, on the command line."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.lab.face_making import sixteen
from tracker.cli import fer, networks
from tracker.lab.recipe import RecipeError

RUN = CliRunner()
RECIPE = """
name = "own"
architecture = "dmue_resnet18"
normalisation = "half"
epochs = 2
batch_size = 4
optimiser = "adam"
learning_rate = 1e-3
seed = 3
size = 32
reserved = 0.2

[augmentation]
rotation = 0.0
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AFFECT_DATA_FOLDER", str(tmp_path / "data"))
    faces = sixteen()
    for row, label in enumerate(faces.labels):
        folder = tmp_path / "faces" / faces.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{row}.png"), faces.pictures.read(row))
    (folder / "broken.png").write_bytes(np.random.default_rng(0).bytes(80))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def test_pictures_recipe_weights_figures(home: Path) -> None:
    data = f"folder:{home / 'faces'}"
    train = [
        "train",
        str(home / "recipe.toml"),
        "--data",
        data,
        "--out",
        str(home / "out"),
        "--device",
        "cpu",
    ]
    done = RUN.invoke(fer.app, train, catch_exceptions=False)
    weights = home / "out" / "weights.safetensors"
    assert done.stdout.strip() == str(weights)
    said = " ".join(done.stderr.split())
    assert "base starts from random weights and learns: the recipe names no file for it." in said
    assert "own: epoch 2 of 2: loss" in said
    assert "right on faces kept aside" in said
    with pytest.raises(RecipeError, match="give --resume to continue it"):
        RUN.invoke(fer.app, train, catch_exceptions=False)
    before = weights.read_bytes()
    assert RUN.invoke(fer.app, [*train, "--resume"], catch_exceptions=False).exit_code == 0
    assert weights.read_bytes() == before

    RUN.invoke(networks.app, ["add", "own", "--checkpoint", str(weights)], catch_exceptions=False)
    judged = RUN.invoke(
        fer.app,
        ["evaluate", "--network", "own", "--data", data, "--device", "cpu", "--json"],
        catch_exceptions=False,
    )
    found = json.loads(judged.stdout)
    assert found["n"] == 16
    assert found["skipped"]["n"] == 1


def test_settings_of_our_own_networks_are_refused(home: Path) -> None:
    train = [
        "train",
        str(home / "recipe.toml"),
        "--data",
        "folder:x",
        "--out",
        str(home / "out"),
        "--compile",
    ]
    with pytest.raises(RecipeError, match="--compile and --teachers are for recipes of se_resnet"):
        RUN.invoke(fer.app, train, catch_exceptions=False)
