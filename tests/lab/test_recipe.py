from pathlib import Path

import pytest

from tests.lab.making import RECIPE, tiny_recipe
from tracker import shipped
from tracker.lab.recipe import Recipe, RecipeError


def test_a_recipe_is_read_and_survives_as_plain_values(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    assert Recipe.load(path) == tiny_recipe()
    assert Recipe.from_dict(tiny_recipe().as_dict()) == tiny_recipe()


def test_the_shipped_recipes_are_read() -> None:
    paths = sorted(shipped.models().glob("*/recipe.toml"))
    assert paths
    for path in paths:
        assert Recipe.load(path).name == path.parent.name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 2", "epochs = 2\ncolour = 1", "unknown setting 'colour'; known: architecture"),
        ("epochs = 2", "", "missing .* 'epochs'"),
        ("epochs = 2", "epochs = 0", "epochs must be above 0, not 0"),
        ("ema = 0.9", "ema = 1.0", r"ema must be in \[0, 1\), not 1.0"),
        ("epochs = 2", "epochs = 2\ncooldown = 2", "cooldown must fit between warmup and the end, not 2"),
        ("epochs = 2", "epochs = 2\ncosine = 1", "cosine must be 0 or at least epochs, not 1"),
        ("epochs = 2", "epochs = ", "recipe.toml: Invalid value"),
        ("[arguments]", "[augmentation]\nwobble = 1\n[arguments]", "wobble"),
    ],
)
def test_bad_recipes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.replace(old, new))
    with pytest.raises(RecipeError, match=message):
        Recipe.load(path)


def test_a_missing_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        Recipe.load(tmp_path / "recipe.toml")
