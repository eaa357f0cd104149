"""Which network a set of weights belongs to, told by the names and shapes of its entries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tracker.fer.checkpoints_pickle import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

_BRANCH = re.compile(r"base\.layer4_(\d+)\.(.+)")
_CLASSIFIER = re.compile(r"classifiers\.(\d+)\.(.+)")

# What people give by mistake, by an entry that only it has.
_OTHERS = {
    "feat_net.conv1.weight": "a face recogniser that DMUE's training starts from",
    "body1.0.res_layer.0.weight": "IR-50, a backbone of POSTER++'s training",
    "conv_6_sep.conv.weight": "MobileFaceNet, a backbone of POSTER++'s training",
    "heads.ferplus.weight": "se_resnet, this project's own network",
    "layer4.0.conv1.weight": "a plain ResNet",
    "conv_stem.weight": "an EfficientNet",
}


@dataclass(frozen=True, slots=True)
class Form:
    """What was recognised.

    Attributes
    ----------
    architecture
        As `tracker.fer.networks.build` knows it.
    classes
        How many it tells apart.
    branches
        Branches of DMUE's training form; 0 for a network as it is used.
    """

    architecture: str
    classes: int
    branches: int = 0


def recognise(shapes: Shapes) -> Form | None:
    """Say which of the four networks of the literature has such entries; None: none of them.

    Parameters
    ----------
    shapes
        Shapes by name, without any ``module.`` before the names.

    Examples
    --------
    >>> recognise({"cat_head0.sa.conv1x1.0.weight": (256, 512, 1, 1), "fc.weight": (7, 512)})
    Form(architecture='dan', classes=7, branches=0)
    """
    if "VIT.head.linear.weight" in shapes:
        return Form("poster_v2", _rows(shapes, "VIT.head.linear.weight"))
    if "cat_head0.sa.conv1x1.0.weight" in shapes and "fc.weight" in shapes:
        return Form("dan", _rows(shapes, "fc.weight"))
    if "base.conv1.weight" in shapes and "classifiers.0.weight" in shapes:
        architecture = "dmue_resnet50ibn" if "base.layer1.0.conv3.weight" in shapes else "dmue_resnet18"
        branches = len({match[1] for name in shapes if (match := _BRANCH.fullmatch(name))})
        last = max(branches - 1, 0)
        return Form(architecture, _rows(shapes, f"classifiers.{last}.weight"), branches)
    return None


def describe(names: Iterable[str]) -> str:
    """Say in words what weights that were not recognised may be.

    Examples
    --------
    >>> describe(["layer4.0.conv1.weight", "fc.weight"])
    'a plain ResNet'
    """
    there = list(names)
    for entry, words in _OTHERS.items():
        if entry in there:
            return words
    first = f", whose first entry is {there[0]!r}" if there else ""
    return f"something unknown here{first}"


def target_branch(names: Iterable[str], classes: int) -> dict[str, str]:
    """Find the branch that is used among the branches of DMUE's training form.

    Auxiliary branches 0 to C - 1 each leave one class out; the branch numbered C knows all. Its number is
    read as a number where it stands for one: replacing the digit wherever it occurs, as the authors' own
    conversion does, is wrong for another branch's number in another place of a name.

    Parameters
    ----------
    names
        Entries of the training form.
    classes
        C.

    Returns
    -------
    dict
        From the entry's name in use to its name in training.

    Examples
    --------
    >>> names = ["base.layer4_1.0.bn1.bias", "base.layer4_8.1.bn2.bias", "classifiers.8.weight", "project_w.1.weight"]
    >>> target_branch(names, 8)
    {'base.layer4.1.bn2.bias': 'base.layer4_8.1.bn2.bias', 'classifiers.0.weight': 'classifiers.8.weight'}
    """
    found = {}
    for name in names:
        branch, classifier = _BRANCH.fullmatch(name), _CLASSIFIER.fullmatch(name)
        if branch is not None:
            if branch[1] == str(classes):
                found[f"base.layer4.{branch[2]}"] = name
        elif classifier is not None:
            if classifier[1] == str(classes):
                found[f"classifiers.0.{classifier[2]}"] = name
        elif not name.startswith("project_w."):
            found[name] = name
    return found


def _rows(shapes: Shapes, name: str) -> int:
    if not shapes.get(name):
        raise CheckpointError(f"lacks {name}, which says how many classes there are")
    return shapes[name][0]
