"""Small real networks and zoos for tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tracker.domain.affect import EMOTIONS
from tracker.domain.framing import CropSpec
from tracker.fer.manifest import Entry, Head, NetworkSpec
from tracker.fer.networks import build
from tracker.fer.weights import pack_weights
from tracker.fer.writing import write_manifest
from tracker.fer.zoo import Network

EIGHT = tuple(e.value for e in EMOTIONS)


def tiny_spec(classes: tuple[str, ...] = EIGHT, temperature: float = 1.3, **changes: object) -> NetworkSpec:
    settings: dict[str, object] = {
        "architecture": "se_resnet",
        "arguments": {"heads": {"ferplus": len(classes)}, "widths": [8, 8, 16], "depths": [1, 1]},
        "heads": (Head("ferplus", classes, temperature),),
        "crop": CropSpec(size=16),
    }
    return NetworkSpec(**{**settings, **changes})  # type: ignore[arg-type]


def entry_for(data: bytes, spec: NetworkSpec | None, name: str = "tiny", **changes: object) -> Entry:
    settings: dict[str, object] = {
        "name": name,
        "kind": "network" if spec else "detector",
        "file": f"{name}/weights.safetensors",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "licence": "MIT",
        "terms": "For tests.",
        "network": spec,
    }
    return Entry(**{**settings, **changes})  # type: ignore[arg-type]


def tiny_network(spec: NetworkSpec | None = None) -> Network:
    spec = spec or tiny_spec()
    torch.manual_seed(7)
    module = build(spec.architecture, **spec.arguments).eval()
    data = pack_weights(module.state_dict(), spec)
    return Network(entry_for(data, spec), module)


def tiny_zoo(folder: Path, spec: NetworkSpec | None = None) -> tuple[Path, Entry]:
    """A ``models`` folder with one network in it."""
    network = tiny_network(spec)
    data = pack_weights(network.module.state_dict(), network.spec)
    path = folder / network.entry.file
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    write_manifest(folder / "manifest.toml", [network.entry])
    return folder, network.entry


def crops(n: int, size: int = 16, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
