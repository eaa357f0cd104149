"""Checkpoints in the forms in which authors publish them, made of the small networks of these tests."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.fer.networks.forms import described, filled

LITERATURE = ("poster_v2", "dan", "dmue_resnet18", "dmue_resnet50ibn")


@cache
def state(name: str, classes: int = 7) -> dict[str, Tensor]:
    """The entries of a network as published, every number its own; do not change them."""
    return dict(filled(name, classes).state_dict())


def thin(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same names and shapes, each of one number: nothing to save. Names and shapes are checked first."""
    return {name: torch.zeros((), dtype=value.dtype).expand(value.shape) for name, value in weights.items()}


@cache
def described_state(name: str, classes: int = 7) -> dict[str, Tensor]:
    """Names and shapes of a network as published."""
    return thin(described(name, classes).state_dict())


def save(path: Path, content: Any, legacy: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def in_poster_form(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """As the authors' script saves: from DataParallel, beside an instance of a class of `__main__`."""
    return {
        "epoch": 3,
        "state_dict": {f"module.{name}": value for name, value in weights.items()},
        "best_acc": torch.tensor(92.2),
        "optimizer": {"state": {0: {"step": 1}}, "param_groups": [{"lr": 1e-6, "params": [0]}]},
        "recorder1": _recorder(),
        "recorder": _recorder(),
    }


def in_dan_form(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"iter": 6, "model_state_dict": dict(weights), "optimizer_state_dict": {"param_groups": []}}


def in_dmue_training_form(weights: Mapping[str, Tensor], classes: int) -> dict[str, Tensor]:
    """All branches: the one that is used has the highest number; the others hold other numbers."""
    found: dict[str, Tensor] = {}
    for name, value in weights.items():
        if name.startswith("base.layer4."):
            for branch in range(classes + 1):
                own = value if branch == classes else torch.full((), branch).expand(value.shape)
                found[name.replace("base.layer4.", f"base.layer4_{branch}.")] = own
        elif name == "classifiers.0.weight":
            for branch in range(classes):
                found[f"classifiers.{branch}.weight"] = value[:-1] + branch + 1
            found[f"classifiers.{classes}.weight"] = value
        else:
            found[name] = value
    found["project_w.0.weight"] = torch.zeros(8, 16)
    found["project_w.1.weight"] = torch.zeros(1)
    return found


def in_form_of(name: str, weights: Mapping[str, Tensor], classes: int = 7) -> Any:
    if name == "poster_v2":
        return in_poster_form(weights)
    if name == "dan":
        return in_dan_form(weights)
    return in_dmue_training_form(weights, classes)


def from_cuda(path: Path) -> Path:
    """Rewrite an archive so that its tensors claim to lie on a CUDA device."""
    here, there = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("data.pkl"):
                assert here in data
                data = data.replace(here, there)
            new.writestr(info.filename, data)
    path.write_bytes(out.getvalue())
    return path


def _recorder() -> object:
    """An instance of a class that only the authors' training script had."""
    main = sys.modules["__main__"]
    kind = getattr(main, "RecorderMeter1", None)
    if kind is None:
        kind = type("RecorderMeter1", (), {"__module__": "__main__"})
        main.RecorderMeter1 = kind  # type: ignore[attr-defined]
    recorder: object = kind()
    recorder.__dict__.update(total_epoch=200, current_epoch=3, epoch_losses=[[0.5, 0.4]])
    return recorder
