"""What `train_faces` made, as files that ``networks add`` takes: weights and the entry that says how to read them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tracker.fer.manifest import Entry, Head, NetworkSpec
from tracker.fer.weights import pack_weights, unpack_weights
from tracker.fer.writing import write_manifest
from tracker.lab.faces_recipe import FacesRecipe
from tracker.lab.training_faces import HEAD, Trained

WEIGHTS = "weights.safetensors"
MANIFEST = "manifest.toml"
LICENCE = "as the data's owners say"
TERMS = "Trained here: what one may do with it depends on the data and backbones that it was trained with."


def keep(recipe: FacesRecipe, trained: Trained, out: Path) -> Entry:
    """Write ``weights.safetensors`` and ``manifest.toml``, and read them back before anybody else does.

    Parameters
    ----------
    recipe
        What was trained.
    trained
        What came of it.
    out
        The training's folder.

    Raises
    ------
    tracker.fer.manifest.ZooError
        When the weights are not finite, because the training diverged.
    """
    spec = NetworkSpec(
        recipe.architecture,
        {**recipe.arguments, "classes": len(trained.classes)},
        (Head(HEAD, trained.classes, trained.temperature, recipe.label_smoothing),),
        recipe.crop,
        recipe.normalisation,
    )
    data = pack_weights(trained.network.state_dict(), spec)
    digits = hashlib.sha256(data).hexdigest()
    entry = Entry(
        name=recipe.name,
        kind="network",
        file=WEIGHTS,
        sha256=digits,
        size=len(data),
        licence=LICENCE,
        terms=TERMS,
        network=spec,
    )
    unpack_weights(data, entry, str(out / WEIGHTS))
    partial = out / f"{WEIGHTS}.partial"
    partial.write_bytes(data)
    partial.replace(out / WEIGHTS)
    write_manifest(out / MANIFEST, [entry])
    return entry
