from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.face_making import sixteen, small_recipe
from tracker.lab.dan_losses import AffinityLoss, Losses, partition_loss
from tracker.lab.faces_recipe import FacesRecipe, load_faces_recipe
from tracker.lab.learning_faces import lesson_of
from tracker.lab.recipe import RecipeError
from tracker.lab.sharpness import climb, go_back, statistics_kept

RECIPES = Path(__file__).parents[2] / "models" / "recipes"


@given(share=st.floats(0, 0.6), people=st.integers(2, 12), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_nobodys_faces_are_both_learnt_and_kept_aside(share: float, people: int, seed: int) -> None:
    faces = replace(sixteen(n=40), people=np.arange(40) % people)
    recipe = small_recipe(reserved=share, seed=seed, batch_size=1)
    lesson = lesson_of(recipe, faces)
    assert faces.people is not None
    assert not set(faces.people[lesson.learnt]) & set(faces.people[lesson.reserved])
    assert sorted([*lesson.learnt, *lesson.reserved]) == list(range(40))
    assert len(set(faces.people[lesson.reserved])) == round(share * people)


@given(epoch=st.integers(0, 20), seed=st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_every_face_comes_once_an_epoch_in_an_order_of_its_own(epoch: int, seed: int) -> None:
    recipe = small_recipe(seed=seed)
    lesson = lesson_of(recipe, sixteen())
    order = lesson.order(recipe, epoch)
    assert sorted(order) == list(range(16))
    assert not np.array_equal(order, lesson.order(recipe, epoch + 1))


def test_balanced_draws_every_class_equally_often() -> None:
    faces = sixteen(n=400)
    faces.labels[:350] = 0
    recipe = small_recipe(balanced=True)
    lesson = lesson_of(recipe, faces)
    drawn = np.concatenate([lesson.order(recipe, epoch) for epoch in range(20)])
    counts = np.bincount(lesson.labels[drawn], minlength=7) / len(drawn)
    assert counts == pytest.approx([1 / 7] * 7, abs=0.02)


def test_only_the_training_split_is_learnt_from() -> None:
    faces = replace(sixteen(), splits=("train", "test"), split=np.array([0] * 10 + [1] * 6))
    lesson = lesson_of(small_recipe(reserved=0.2), faces)
    assert max([*lesson.learnt, *lesson.reserved]) == 9
    with pytest.raises(RecipeError, match="made data have no training split; they have a, b"):
        lesson_of(small_recipe(), replace(faces, splits=("a", "b")))


def test_the_order_of_the_recipe_decides_and_other_emotions_are_left_out() -> None:
    recipe = small_recipe(classes=("happiness", "neutral", "contempt"), batch_size=2)
    eight = sixteen(("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"))
    lesson = lesson_of(recipe, eight)
    assert [lesson.classes[lesson.labels[row]] for row in sorted(lesson.learnt)] == [
        "neutral", "happiness", "contempt", "neutral", "happiness", "contempt",
    ]  # fmt: skip
    assert "Faces labelled sadness, surprise, fear, disgust, anger are left out." in lesson.notes
    with pytest.raises(RecipeError, match="made data have no contempt; they have surprise"):
        lesson_of(recipe, sixteen())


def test_a_class_that_nobody_shows_is_said() -> None:
    faces = sixteen()
    faces.labels[faces.labels == 1] = -1
    lesson = lesson_of(small_recipe(), faces)
    assert "No face to learn from is labelled fear: the network cannot learn it." in lesson.notes
    assert lesson.notes[0] == "13 faces to learn from, 0 kept aside."


def test_too_few_faces() -> None:
    with pytest.raises(RecipeError, match="a batch of 17 needs as many faces; there are 16"):
        lesson_of(small_recipe(batch_size=17), sixteen())


@pytest.mark.parametrize("name", ["poster_v2", "dan", "dmue"])
def test_the_recipes_that_ship_can_be_read(name: str) -> None:
    recipe = load_faces_recipe(RECIPES / f"{name}.toml")
    assert recipe.name == name
    assert FacesRecipe.from_dict(recipe.as_dict()) == recipe
    assert recipe.crop.size == 224


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"epochs": 0}, "epochs must be above 0, not 0"),
    ({"sharpness": -1.0}, "sharpness must be 0 or more"),
    ({"reserved": 1.0}, r"reserved must be in \[0, 1\)"),
    ({"architecture": "se_resnet"}, "architecture must be one of poster_v2, dan"),
    ({"normalisation": "grey"}, "normalisation must be one of per_image, imagenet, half"),
    ({"optimiser": "lion"}, "optimiser must be one of adam, sgd"),
    ({"affinity": 1.0}, "affinity and partition are losses of dan, not of dmue_resnet18"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_recipes_that_make_no_sense(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        small_recipe(**change)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = ", "recipe.toml: "),
        ('colour = "grey"', "unknown setting 'colour'"),
        ('name = "x"', "missing .* required"),
        ("[augmentation]\nblur = 1", "blur"),
    ],
)
def test_files_that_are_no_recipe(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "recipe.toml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        load_faces_recipe(tmp_path / "recipe.toml")
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        load_faces_recipe(tmp_path / "nothing.toml")


def test_backbones_lie_beside_the_recipe(tmp_path: Path) -> None:
    text = (RECIPES / "dan.toml").read_text() + '\n[backbones]\nfeatures = "resnet18.pth"\n'
    (tmp_path / "recipe.toml").write_text(text)
    assert load_faces_recipe(tmp_path / "recipe.toml").backbones == {
        "features": str(tmp_path / "resnet18.pth")
    }


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=5), st.floats(0.01, 2))
@settings(deadline=None)
def test_every_climb_is_as_long_as_it_should_be_and_can_be_undone(values: list[float], radius: float) -> None:
    w = torch.tensor(values, requires_grad=True)
    idle = torch.ones(2, requires_grad=True)
    (w * torch.arange(1.0, len(values) + 1)).sum().backward()  # type: ignore[no-untyped-call]
    start = w.detach().clone()
    before = climb([w, idle], radius)
    assert (w.detach() - start).norm().item() == pytest.approx(radius, rel=1e-3)
    assert idle.tolist() == [1, 1]
    go_back([w, idle], before)
    assert torch.equal(w.detach(), start)


def test_the_climbed_weights_leave_no_statistics() -> None:
    norm = torch.nn.BatchNorm1d(2)
    with statistics_kept(norm):
        norm(torch.randn(4, 2) + 9)
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [0, 0]
    norm(torch.randn(4, 2) + 9)
    assert min(norm.running_mean.tolist()) > 0.5


def test_affinity_draws_faces_to_the_centre_of_their_class() -> None:
    loss = AffinityLoss(2, 3)
    with torch.no_grad():
        loss.centres.copy_(torch.tensor([[0.0, 0, 0], [2.0, 0, 0]]))
    features = torch.tensor([[1.0, 0, 0], [2.0, 1, 0]])[:, :, None, None].expand(2, 3, 4, 4)
    # Squared distances 1 and 1, mean 1; the centres' variances sum up to 2.
    assert loss(features, torch.tensor([0, 1])).item() == pytest.approx(0.5)


def test_partition_is_its_formula() -> None:
    heads = torch.tensor([[[0.0, 1.0], [2.0, 1.0]]])  # variances over heads: 2, and 0 taken as 1e-6
    assert partition_loss(heads).item() == pytest.approx((np.log(1 + 2 / 2) + np.log(1 + 2 / 1e-6)) / 2)
    assert partition_loss(heads[:, :1]).item() == 0


def test_losses_are_added_up() -> None:
    torch.manual_seed(0)
    output = torch.randn(3, 7), torch.randn(3, 512, 2, 2), torch.randn(3, 4, 512)
    labels = torch.tensor([0, 3, 6])
    plain, both = Losses(7), Losses(7, affinity=2.0, partition=3.0)
    assert both.affinity is not None
    expected = plain(output, labels) + 2 * both.affinity(output[1], labels) + 3 * partition_loss(output[2])
    assert torch.allclose(both(output, labels), expected)
    assert torch.equal(plain(output[0], labels), plain(output, labels))
    assert not torch.equal(Losses(7, 0.1)(output, labels), plain(output, labels))
