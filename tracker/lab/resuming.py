"""Checkpoints of trainings: written whole or not at all, and read back only for the recipe that made them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from tracker.lab.recipe import RecipeError


def write_checkpoint(path: Path, recipe: Mapping[str, Any], **parts: Any) -> None:
    """Write a training's state beside its recipe; a crash leaves the checkpoint before it.

    Parameters
    ----------
    path
        Replaced.
    recipe
        Plain values.
    parts
        State dicts and numbers.
    """
    partial = path.with_suffix(".partial")
    torch.save({"recipe": dict(recipe), **parts}, partial)
    partial.replace(path)


def read_checkpoint(path: Path, recipe: Mapping[str, Any], device: str) -> dict[str, Any]:
    """Read what `write_checkpoint` wrote.

    Raises
    ------
    RecipeError
        When it is damaged, or was made from another recipe.
    """
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
    except (RuntimeError, UnpicklingError, EOFError, OSError) as error:
        raise RecipeError(f"{path} is damaged: {error}; begin anew in another folder") from error
    if not isinstance(state, dict) or state.get("recipe") != dict(recipe):
        raise RecipeError(
            f"{path} was made from another recipe; train into a new folder or restore the recipe"
        )
    return state
