"""Which faces a network learns from, in which order, and which are kept aside to watch it by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.lab.datasets.faces import ALL, UNLABELLED, FaceSet
from tracker.lab.faces_recipe import FacesRecipe
from tracker.lab.recipe import RecipeError


@dataclass(frozen=True)
class Lesson:
    """Rows of a `FaceSet` as a training uses them.

    Attributes
    ----------
    classes
        Emotions in the order of the logits.
    labels
        (N,) index into `classes` for every row of the data, or `UNLABELLED`.
    learnt, reserved
        Rows that are learnt from, and rows that are not.
    notes
        What was left out, in sentences.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    learnt: NDArray[np.int64]
    reserved: NDArray[np.int64]
    notes: tuple[str, ...]

    def order(self, recipe: FacesRecipe, epoch: int) -> NDArray[np.int64]:
        """Rows of an epoch: each once, or, balanced, as many drawn with every class equally likely."""
        random = np.random.default_rng((recipe.seed, epoch))
        if not recipe.balanced:
            return random.permutation(self.learnt)
        own = self.labels[self.learnt]
        chance = 1 / np.bincount(own, minlength=len(self.classes))[own]
        drawn = random.choice(self.learnt, len(self.learnt), p=chance / chance.sum())
        return np.asarray(drawn, dtype=np.int64)

    def identity(self) -> str:
        """A hash that changes when other faces or labels are learnt from."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for column in (self.labels, self.learnt, self.reserved):
            digest.update(column.tobytes())
        return digest.hexdigest()


def lesson_of(recipe: FacesRecipe, faces: FaceSet) -> Lesson:
    """Choose the training split (its name begins with ``train``; data without splits are taken whole).

    Raises
    ------
    RecipeError
        When there is no training split, an emotion of the recipe is not among the data's, or there are too few
        faces for one batch.
    """
    classes = recipe.classes or faces.classes
    if unknown := [name for name in classes if name not in faces.classes]:
        raise RecipeError(f"{faces.kind} data have no {unknown[0]}; they have {', '.join(faces.classes)}")
    place = np.array(
        [classes.index(n) if n in classes else UNLABELLED for n in faces.classes], dtype=np.int64
    )
    labels = np.where(faces.labels == UNLABELLED, UNLABELLED, place[faces.labels])
    rows = np.flatnonzero(_training(faces) & (labels != UNLABELLED)).astype(np.int64)
    learnt, reserved = _parted(recipe, faces, rows)
    if len(learnt) < recipe.batch_size:
        raise RecipeError(
            f"a batch of {recipe.batch_size} needs as many faces; there are {len(learnt)} to learn from"
        )
    return Lesson(tuple(classes), labels, learnt, reserved, _notes(faces, classes, labels, learnt, reserved))


def _training(faces: FaceSet) -> NDArray[np.bool_]:
    if faces.splits == (ALL,):
        return np.ones(len(faces), dtype=np.bool_)
    own = [i for i, name in enumerate(faces.splits) if name.lower().startswith("train")]
    if not own:
        raise RecipeError(f"{faces.kind} data have no training split; they have {', '.join(faces.splits)}")
    return np.asarray(np.isin(faces.split, own), dtype=np.bool_)


def _parted(
    recipe: FacesRecipe, faces: FaceSet, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Learnt and reserved rows; nobody's faces are in both, where the data say whose they are."""
    _, units = faces.drawn()
    there = np.unique(units[rows])
    count = round(recipe.reserved * len(there))
    kept = np.random.default_rng((recipe.seed, len(there))).permutation(there)[:count]
    aside = np.isin(units[rows], kept)
    return rows[~aside], rows[aside]


def _notes(
    faces: FaceSet,
    classes: tuple[str, ...],
    labels: NDArray[np.int64],
    learnt: NDArray[np.int64],
    reserved: NDArray[np.int64],
) -> tuple[str, ...]:
    notes = [f"{len(learnt)} faces to learn from, {len(reserved)} kept aside."]
    left = [name for name in faces.classes if name not in classes]
    if left:
        notes.append(f"Faces labelled {', '.join(left)} are left out.")
    counts = np.bincount(labels[learnt], minlength=len(classes))
    if none := [name for name, n in zip(classes, counts, strict=True) if n == 0]:
        notes.append(f"No face to learn from is labelled {', '.join(none)}: the network cannot learn it.")
    return tuple(notes)
