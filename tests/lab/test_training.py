from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.lab.making import tiny_faces, tiny_recipe
from tracker.lab import training
from tracker.lab.augment import Augmentation
from tracker.lab.learning_rate import learning_rate_share
from tracker.lab.mixing import mix
from tracker.lab.recipe import Distillation, Recipe, RecipeError
from tracker.lab.targets import vote_targets
from tracker.lab.training import Progress, train


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


def test_other_faces_are_not_continued_and_only_those_learnt_from_count(tmp_path: Path) -> None:
    recipe = tiny_recipe(epochs=1)
    first = train(recipe, tiny_faces(), tmp_path)
    unread = tiny_faces()
    unread.images[unread.split == 2] = 0
    unread.labels[unread.split == 2] = 0
    assert _equal(first, train(recipe, unread, tmp_path, resume=True))
    assert _equal(first, train(recipe, unread, tmp_path / "anew")), "PrivateTest decides nothing"
    other = tiny_faces()
    other.images[0] = 255 - other.images[0]
    with pytest.raises(RecipeError, match="made from other faces; train into a new folder"):
        train(recipe, other, tmp_path, resume=True)
    checkpoint = tmp_path / "checkpoint.pt"
    older = torch.load(checkpoint, weights_only=True)
    del older["faces"]
    torch.save(older, checkpoint)
    assert _equal(first, train(recipe, other, tmp_path, resume=True))


def test_too_few_faces_for_a_batch_make_no_network(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="a batch of 45 needs as many faces; there are 44 to learn from"):
        train(tiny_recipe(batch_size=45), tiny_faces(), tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()


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


def taught_recipe(**changes: object) -> Recipe:
    teacher = tiny_recipe(name="teacher", epochs=1).as_dict()
    lesson = Distillation((11, 12), teacher, share=0.5)
    return tiny_recipe(distillation=lesson, augmentation=Augmentation(cutmix=0.5), **changes)


def test_teachers_are_trained_first_and_their_answers_matter(tmp_path: Path) -> None:
    faces = tiny_faces()
    seen: list[Progress] = []
    taught = train(taught_recipe(), faces, tmp_path / "taught", report=seen.append)
    assert [p.network for p in seen] == ["teacher", "teacher", "tiny", "tiny"]
    assert {p.name for p in (tmp_path / "taught").iterdir()} == {"checkpoint.pt", "teacher-11", "teacher-12"}
    alone = train(tiny_recipe(augmentation=Augmentation(cutmix=0.5)), faces, tmp_path / "alone")
    assert not _equal(taught, alone)


def test_a_killed_student_ends_like_an_unbroken_one_and_teachers_are_used_again(tmp_path: Path) -> None:
    recipe, faces = taught_recipe(), tiny_faces()
    unbroken = train(recipe, faces, tmp_path / "unbroken")
    with pytest.raises(_KilledError):
        train(recipe, faces, tmp_path / "killed", teachers=tmp_path / "unbroken", report=_kill(1))  # type: ignore[arg-type]
    seen: list[Progress] = []
    resumed = train(
        recipe, faces, tmp_path / "killed", resume=True, teachers=tmp_path / "unbroken", report=seen.append
    )
    assert _equal(unbroken, resumed)
    assert {p.network for p in seen} == {"tiny"}, "its teachers were finished"


def test_a_student_may_begin_where_its_teacher_ended(tmp_path: Path) -> None:
    faces = tiny_faces()
    recipe = taught_recipe(learning_rate=1e-9, ema=0.0, weight_decay=0.0)
    assert recipe.distillation is not None
    begun = replace(recipe, distillation=replace(recipe.distillation, start=True))
    student = train(begun, faces, tmp_path)
    teacher = torch.load(tmp_path / "teacher-11" / "checkpoint.pt")["average"]
    for name, value in student.named_parameters():
        assert torch.allclose(value, teacher[name], atol=1e-5), name
    wider = {**recipe.arguments, "widths": [8, 8, 24]}
    with pytest.raises(RecipeError, match="same architecture"):
        replace(begun, arguments=wider)


def test_teachers_of_another_recipe_are_refused(tmp_path: Path) -> None:
    faces = tiny_faces()
    train(tiny_recipe(seed=11), faces, tmp_path / "teacher-11")
    with pytest.raises(RecipeError, match="another recipe"):
        train(taught_recipe(), faces, tmp_path / "out", teachers=tmp_path)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.0, 0.0), (0.2, 0.0), (0.0, 1.0), (0.2, 0.5)])
def test_mixtures_keep_areas_and_labels_in_step(mixup: float, cutmix: float) -> None:
    # Faces of one value each: what share of a picture a face has is read off the picture itself.
    x = torch.arange(1.0, 9.0).view(8, 1, 1, 1).expand(8, 1, 48, 48)
    target = torch.eye(8)
    how = Augmentation(mixup=mixup, cutmix=cutmix)
    for seed in range(20):
        torch.manual_seed(seed)
        mixed, (soft,) = mix(x, (target,), how)
        assert torch.allclose(soft.sum(1), torch.ones(8))
        assert torch.allclose(mixed.mean((1, 2, 3)), soft @ torch.arange(1.0, 9.0), atol=1e-4)
    assert torch.equal(mixed, x) == (mixup == cutmix == 0)
