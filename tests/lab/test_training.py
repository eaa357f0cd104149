from pathlib import Path

import pytest
import torch
from torch import nn

from tests.lab.making import tiny_faces, tiny_recipe
from tracker.lab import training
from tracker.lab.augment import Augmentation
from tracker.lab.recipe import RecipeError
from tracker.lab.training import Progress, learning_rate_share, train, vote_targets


class _KilledError(Exception):
    pass


def _equal(a: nn.Module, b: nn.Module) -> bool:
    other = b.state_dict()
    return all(torch.equal(value, other[name]) for name, value in a.state_dict().items())


def _kill(after: int) -> object:
    def report(progress: Progress) -> None:
        if progress.epoch == after:
            raise _KilledError

    return report


@pytest.mark.parametrize("checkpoint_every", [2, 3])
def test_a_killed_training_ends_like_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint_every: int
) -> None:
    # 44 faces in batches of 8 are 5 steps an epoch; killed after the first, the last checkpoint is
    # that of step 4 or of step 3, so that one or two steps have to be made again.
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", checkpoint_every)
    recipe, faces = tiny_recipe(), tiny_faces()
    unbroken = train(recipe, faces, tmp_path / "unbroken")
    with pytest.raises(_KilledError):
        train(recipe, faces, tmp_path / "killed", report=_kill(1))  # type: ignore[arg-type]
    assert torch.load(tmp_path / "killed" / "checkpoint.pt")["step"] == 6 - checkpoint_every
    resumed = train(recipe, faces, tmp_path / "killed", resume=True)
    assert _equal(unbroken, resumed)


def test_a_finished_training_has_nothing_left_to_do(tmp_path: Path) -> None:
    recipe, faces = tiny_recipe(epochs=1), tiny_faces()
    first = train(recipe, faces, tmp_path)
    seen: list[Progress] = []
    assert _equal(first, train(recipe, faces, tmp_path, resume=True, report=seen.append))
    assert seen == []


def test_resuming_where_nothing_was_begun_begins(tmp_path: Path) -> None:
    recipe, faces = tiny_recipe(epochs=1), tiny_faces()
    assert _equal(train(recipe, faces, tmp_path / "a", resume=True), train(recipe, faces, tmp_path / "b"))


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    train(tiny_recipe(epochs=1), tiny_faces(), tmp_path)
    with pytest.raises(RecipeError, match="another recipe; train into a new folder"):
        train(tiny_recipe(epochs=1, seed=4), tiny_faces(), tmp_path, resume=True)


def test_the_seed_decides(tmp_path: Path) -> None:
    a = train(tiny_recipe(epochs=1), tiny_faces(), tmp_path / "a")
    b = train(tiny_recipe(epochs=1, seed=4), tiny_faces(), tmp_path / "b")
    assert not _equal(a, b)


def test_something_is_learnt_and_private_test_is_not_needed(tmp_path: Path) -> None:
    faces = tiny_faces(training=56)
    faces.images[faces.split == 2] = 0
    still = Augmentation(rotation=0, zoom=1, shift=0, gamma=1, erase=0, mixup=0)
    seen: list[Progress] = []
    train(tiny_recipe(epochs=10, augmentation=still), faces, tmp_path, report=seen.append)
    assert [p.epoch for p in seen] == list(range(1, 11))
    assert seen[-1].loss < seen[0].loss
    assert seen[-1].fer2013_accuracy > 2 / 7  # twice chance


def test_votes_become_distributions() -> None:
    faces = tiny_faces()
    faces.votes[0] = [0, 0, 0, 0, 0, 0, 0, 0, 4, 6]
    faces.votes[1] = [5, 4, 0, 0, 0, 0, 0, 1, 0, 0]
    targets, weight = vote_targets(faces.votes)
    assert torch.allclose(targets.sum(1), torch.ones(len(targets)))
    assert weight[0] == 0
    assert targets[1].tolist() == pytest.approx([0.5, 0.4, 0, 0, 0, 0, 0, 0.1])


def test_the_learning_rate_rises_falls_and_ends_at_nothing() -> None:
    plain = tiny_recipe(epochs=10, warmup=2.0)
    cut = tiny_recipe(epochs=10, warmup=2.0, cosine=14, cooldown=4)
    assert learning_rate_share(2.0, plain) == learning_rate_share(2.0, cut) == 1
    assert learning_rate_share(0.0, plain) < learning_rate_share(1.0, plain) < 1
    for recipe in (plain, cut):
        falling = [learning_rate_share(2 + 8 * i / 100, recipe) for i in range(101)]
        assert falling == sorted(falling, reverse=True)
        assert falling[-1] == pytest.approx(0, abs=1e-12)
    assert learning_rate_share(8.0, cut) == pytest.approx(learning_rate_share(6.0, cut) / 2)
