from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.lab.face_making import sixteen, small_recipe
from tracker.fer.checkpoints import CheckpointError
from tracker.fer.device import available_devices
from tracker.fer.engine import Engine
from tracker.fer.manifest import ZooError, read_manifest
from tracker.fer.networks import build
from tracker.fer.weights import load_weights
from tracker.fer.zoo import Network
from tracker.lab import keeping_faces, training_faces
from tracker.lab.datasets.faces import BrokenPictureError, FaceSet, HeldPictures
from tracker.lab.faces_recipe import FacesRecipe
from tracker.lab.recipe import RecipeError
from tracker.lab.training_faces import FacesProgress, Trained, train_faces

FOUR = ("poster_v2", "dan", "dmue_resnet18", "dmue_resnet50ibn")

# What each needs to learn sixteen faces by heart; losses and optimiser are those of its recipe.
BY_HEART: dict[str, dict[str, Any]] = {
    "poster_v2": {"epochs": 8, "decay": 0.85, "sharpness": 0.05},
    "dan": {"epochs": 14, "decay": 0.8, "affinity": 1.0, "partition": 1.0},
    "dmue_resnet18": {"epochs": 8, "decay": 0.6},
    "dmue_resnet50ibn": {"epochs": 12, "decay": 0.7},
}


class _KilledError(Exception):
    pass


def _kill_after(epoch: int) -> Callable[[FacesProgress], None]:
    def report(progress: FacesProgress) -> None:
        if progress.epoch == epoch:
            raise _KilledError

    return report


def _equal(a: nn.Module, b: nn.Module) -> bool:
    other = b.state_dict()
    return all(torch.equal(value, other[name]) for name, value in a.state_dict().items())


def _read_back(recipe: FacesRecipe, trained: Trained, out: Path) -> Engine:
    entry = keeping_faces.keep(recipe, trained, out)
    assert read_manifest(out / keeping_faces.MANIFEST) == {recipe.name: entry}
    return Engine(Network(entry, load_weights(out / keeping_faces.WEIGHTS, entry)), "cpu")


def _settling_soon(architecture: str, **arguments: Any) -> nn.Module:
    """Statistics of a few steps: with torch's momentum they would still hold a tenth of what they began as."""
    network = build(architecture, **arguments)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.5
    return network


@pytest.mark.slow
@pytest.mark.parametrize("device", available_devices())
@pytest.mark.parametrize("architecture", FOUR)
def test_sixteen_faces_are_learnt_by_heart_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, architecture: str, device: str
) -> None:
    monkeypatch.setattr(training_faces, "build", _settling_soon)
    faces = sixteen()
    recipe = small_recipe(architecture, batch_size=16, **BY_HEART[architecture])
    seen: list[FacesProgress] = []
    trained = train_faces(recipe, faces, tmp_path, device=device, report=seen.append)
    assert seen[-1].loss < 0.8 * seen[0].loss
    engine = _read_back(recipe, trained, tmp_path)
    crops = np.stack([faces.pictures.read(row) for row in range(16)])
    logits = engine.logits(crops)["emotion"]
    assert (logits.argmax(1) == faces.labels).mean() >= 15 / 16
    read = engine.read(crops)
    assert [e.value for e in read.unread] == ["contempt"]
    assert (read.probabilities[:, -1] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(("checkpoint_every", "sharpness"), [(2, 0.0), (3, 0.05)])
def test_a_killed_training_ends_like_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint_every: int, sharpness: float
) -> None:
    # Three steps an epoch; killed after the first epoch, one step must be made again, or none.
    monkeypatch.setattr(training_faces, "CHECKPOINT_EVERY", checkpoint_every)
    recipe = small_recipe(batch_size=5, sharpness=sharpness, augmentation=sixteen_augmented())
    unbroken = train_faces(recipe, sixteen(), tmp_path / "unbroken")
    with pytest.raises(_KilledError):
        train_faces(recipe, sixteen(), tmp_path / "killed", report=_kill_after(1))
    state = torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)
    assert state["step"] == checkpoint_every
    resumed = train_faces(recipe, sixteen(), tmp_path / "killed", resume=True)
    assert _equal(unbroken.network, resumed.network)


def sixteen_augmented() -> Any:
    return replace(small_recipe().augmentation, rotation=10.0, erase=0.5, zoom=1.2)


def test_what_decides_the_weights(tmp_path: Path) -> None:
    def made(name: str, **changes: Any) -> nn.Module:
        recipe = small_recipe(epochs=1, **changes)
        return train_faces(recipe, sixteen(), tmp_path / name).network

    first = made("first")
    assert _equal(first, made("again"))
    for name, change in {"seed": 4, "sharpness": 0.05, "balanced": True, "label_smoothing": 0.2}.items():
        assert not _equal(first, made(name, **{name: change})), name


def test_another_recipe_or_other_faces_are_not_continued(tmp_path: Path) -> None:
    train_faces(small_recipe(epochs=1), sixteen(), tmp_path)
    with pytest.raises(RecipeError, match="another recipe; train into a new folder"):
        train_faces(small_recipe(epochs=2), sixteen(), tmp_path, resume=True)
    with pytest.raises(RecipeError, match="made from other faces"):
        train_faces(small_recipe(epochs=1), sixteen(n=17), tmp_path, resume=True)
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(RecipeError, match=r"checkpoint\.pt is damaged"):
        train_faces(small_recipe(epochs=1), sixteen(), tmp_path, resume=True)


class _Broken(HeldPictures):
    def read(self, row: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        if row % 3 == 0:
            raise BrokenPictureError(f"face {row}: cut off")
        return super().read(row)


def _broken(faces: FaceSet) -> FaceSet:
    assert isinstance(faces.pictures, HeldPictures)
    return replace(faces, pictures=_Broken(faces.pictures.pixels))


def test_broken_pictures_are_skipped_and_named(tmp_path: Path) -> None:
    seen: list[FacesProgress] = []
    train_faces(small_recipe(epochs=1, batch_size=16), _broken(sixteen()), tmp_path, report=seen.append)
    assert sorted(seen[0].broken) == sorted(f"face {row}: cut off" for row in (0, 3, 6, 9, 12, 15))


def test_backbones_that_are_not_named_are_said_to_start_from_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    train_faces(small_recipe("poster_v2", epochs=1, batch_size=16), sixteen(), tmp_path, note=said.append)
    for part in ("face_landback", "ir_back"):
        assert f"{part} starts from random weights and learns: the recipe names no file for it." in said


def test_backbones_are_filled_from_their_files_and_the_landmark_network_stays(tmp_path: Path) -> None:
    torch.manual_seed(5)
    donor = build("poster_v2", classes=7, side=32, blocks=(1, 1, 1), token=64)
    landmarks = {f"module.{name}": v for name, v in donor.get_submodule("face_landback").state_dict().items()}
    torch.save({"state_dict": landmarks}, tmp_path / "landmarks.pth")
    picture = donor.get_submodule("ir_back").state_dict()
    picture["body4.0.res_layer.0.weight"] = torch.ones(3)  # a whole recogniser has one stage more
    torch.save(picture, tmp_path / "ir50.pth")
    files = {"face_landback": str(tmp_path / "landmarks.pth"), "ir_back": str(tmp_path / "ir50.pth")}
    said: list[str] = []
    recipe = small_recipe("poster_v2", epochs=1, batch_size=16, backbones=files)
    trained = train_faces(recipe, sixteen(), tmp_path / "out", note=said.append)
    part = trained.network.get_submodule
    assert _equal(part("face_landback"), donor.get_submodule("face_landback"))
    assert not _equal(part("ir_back"), donor.get_submodule("ir_back"))
    assert any(line.startswith("face_landback starts from") and "stays as it is" in line for line in said)
    assert any(line.startswith("ir_back starts from") and "learns on" in line for line in said)


@pytest.mark.parametrize(
    ("architecture", "part", "rename"),
    [
        (
            "dan",
            "features",
            {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"},
        ),
        ("dmue_resnet18", "base", {}),
    ],
)
def test_a_recogniser_of_many_faces_fills_the_trunk(
    tmp_path: Path, architecture: str, part: str, rename: dict[str, str]
) -> None:
    torch.manual_seed(6)
    trunk = build(architecture, classes=7).get_submodule(part)
    named = {}
    for name, value in trunk.state_dict().items():
        first, _, rest = name.partition(".")
        named[f"{rename.get(first, first)}.{rest}"] = value
    if part == "base":
        named = {f"feat_net.{name}": value for name, value in named.items()}
    torch.save({"state_dict": {**named, "fc.weight": torch.ones(9, 512)}}, tmp_path / "recogniser.pth")
    recipe = small_recipe(
        architecture, learning_rate=1e-12, backbones={part: str(tmp_path / "recogniser.pth")}
    )
    trained = train_faces(replace(recipe, epochs=1, batch_size=16), sixteen(), tmp_path / "out")
    weights = trained.network.get_submodule(part).state_dict()
    kernels = [name for name, value in weights.items() if value.ndim == 4]
    assert all(torch.allclose(weights[name], trunk.state_dict()[name], atol=1e-6) for name in kernels)


def test_backbones_for_other_parts_or_of_another_kind(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.ones(2)}, tmp_path / "other.pth")
    path = str(tmp_path / "other.pth")
    with pytest.raises(RecipeError, match="dan has no part 'base'; its parts: features"):
        train_faces(small_recipe("dan", backbones={"base": path}), sixteen(), tmp_path / "out")
    with pytest.raises(CheckpointError, match=r"is no backbone for features: it lacks 0\.weight"):
        train_faces(small_recipe("dan", backbones={"features": path}), sixteen(), tmp_path / "out")


def test_a_training_that_diverged_is_not_kept(tmp_path: Path) -> None:
    recipe = small_recipe(epochs=1)
    trained = train_faces(recipe, sixteen(), tmp_path)
    with torch.no_grad():
        next(trained.network.parameters()).fill_(float("nan"))
    with pytest.raises(ZooError, match="not finite"):
        keeping_faces.keep(recipe, trained, tmp_path)
    assert not (tmp_path / keeping_faces.WEIGHTS).exists()


def test_reserved_faces_are_watched_and_give_the_temperature(tmp_path: Path) -> None:
    seen: list[FacesProgress] = []
    recipe = small_recipe(epochs=1, reserved=0.25)
    trained = train_faces(recipe, sixteen(), tmp_path, report=seen.append)
    assert seen[0].accuracy is not None
    assert seen[0].accuracy * 4 == round(seen[0].accuracy * 4)
    assert trained.temperature != 1.0
    alone = train_faces(small_recipe(epochs=1), sixteen(), tmp_path / "none", report=seen.append)
    assert seen[1].accuracy is None
    assert alone.temperature == 1.0


def test_a_batch_of_one_face_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing can be learnt in epoch 1; a batch of one face"):
        train_faces(small_recipe(epochs=1, batch_size=1), sixteen(), tmp_path)
