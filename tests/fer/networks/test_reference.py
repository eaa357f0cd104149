"""The authors' definitions, as far as they were recorded: keys, shapes, logits under known weights."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from tests.fer.networks.forms import described
from tracker import shipped
from tracker.fer.device import available_devices
from tracker.fer.networks import build, by_head

REFERENCE = shipped.models().parents[1] / "shared" / "fer-reference"
RECORDED = ("poster_v2_7", "poster_v2_8", "dan_7", "dan_8", "dmue_resnet18_8", "dmue_resnet50ibn_8")
TOLERANCE = {"cpu": 1e-5, "cuda": 1e-4, "mps": 1e-3}

pytestmark = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="recorded keys and logits (../shared/fer-reference) are not here"
)


@pytest.fixture(scope="module")
def weights() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_weights", REFERENCE / "reference_weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(REFERENCE / "state_dict_manifests.json").read_text())
    return found


@pytest.mark.parametrize("recorded", RECORDED)
def test_every_entry_is_the_authors(recorded: str, manifests: dict[str, Any]) -> None:
    name, _, classes = recorded.rpartition("_")
    state = described(name, int(classes)).state_dict()
    own = {key: {"shape": list(v.shape), "dtype": str(v.dtype)[6:]} for key, v in state.items()}
    assert own == manifests[recorded]


@pytest.mark.parametrize("device", available_devices())
@pytest.mark.parametrize("recorded", RECORDED)
def test_logits_are_the_authors(
    recorded: str, device: str, weights: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    name, _, classes = recorded.rpartition("_")
    network = weights.fill(build(name, classes=int(classes)), 7).to(device)
    x = weights.input_batch((3, 3, 224, 224), 7).to(device)
    with torch.inference_mode():
        z = by_head(network(x), ["emotion"])["emotion"].cpu().numpy()
    expected = np.load(REFERENCE / "reference_logits_seed7.npz")[recorded]
    error = np.abs(z - expected).max(1) / np.abs(expected).max(1)
    assert error.max() < TOLERANCE[device]
