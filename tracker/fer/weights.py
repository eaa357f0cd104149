"""Weights to and from safetensors: nothing is unpickled, and nothing is loaded that is not what it claims."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from tracker.fer.manifest import Entry, NetworkSpec, ZooError
from tracker.fer.networks import build, by_head
from tracker.fer.preprocess import prepare

_CLASSES = "classes"
_MORE = 1 << 26  # numbers that a network may have more than its file, before the difference is looked at


def pack_weights(state: Mapping[str, Tensor], spec: NetworkSpec, half: bool = False) -> bytes:
    """Turn a state dict into safetensors that carry their own class order.

    The same weights give the same bytes: floats as float32, the order of classes as the only metadata
    (with several entries the format's writer would shuffle them). `half` keeps matrices and kernels as float16, which
    loses what no figure shows; vectors, such as the variances of normalisations, stay float32.
    """
    tensors = {
        name: _stored(value, half).detach().cpu().contiguous() for name, value in sorted(state.items())
    }
    return safetensors.torch.save(tensors, {_CLASSES: json.dumps(_order(spec))})


def _stored(value: Tensor, half: bool) -> Tensor:
    if not value.dtype.is_floating_point:
        return value
    return value.half() if half and value.ndim > 1 else value.float()


def load_weights(path: Path, entry: Entry) -> nn.Module:
    """Build the entry's network and fill it from a file, checking file, shapes and class order.

    Returns
    -------
    nn.Module
        In evaluation mode, float32, on the CPU.

    Raises
    ------
    ZooError
        When the file is missing, truncated, not the one in the manifest, of another architecture, or was
        written with another class order than the manifest's.
    """
    return unpack_weights(read_pinned(path, entry), entry, str(path))


def unpack_weights(data: bytes, entry: Entry, path: str = "the weights") -> nn.Module:
    """Build the entry's network from the bytes of a safetensors file; see `load_weights`."""
    try:
        state = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ZooError(f"{path} is not a safetensors file: {error}") from error
    _check_order(path, data, entry.spec)
    network = _build(entry, state, path)
    _check_tables(path, network, state)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise ZooError(f"{path} holds no {entry.spec.architecture} with these arguments: {detail}") from error
    if any(not bool(value.isfinite().all()) for value in state.values() if value.dtype.is_floating_point):
        raise ZooError(
            f"{path} holds weights that are not finite numbers; it comes from a training that failed"
        )
    network.eval()
    _check_heads(network, entry)
    return network


def read_pinned(path: Path, entry: Entry) -> bytes:
    """Read a file whole, and refuse it when it is not the one that the entry pins."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) < entry.size:
        raise ZooError(
            f"{path} is truncated: {len(data)} of {entry.size} bytes; delete it and install it again"
        )
    pin = entry.pin
    if not pin.fits(data):
        raise ZooError(
            f"{path} is not the file in the manifest: {pin.kind} {pin.of_bytes(data)}, expected {pin.digits}"
        )
    return data


def _build(entry: Entry, state: Mapping[str, Tensor], path: str) -> nn.Module:
    architecture, arguments = entry.spec.architecture, entry.spec.arguments
    try:
        # First without memory: arguments that somebody sent with a small file may describe a giant.
        with torch.device("meta"):
            needed = _numbers(build(architecture, **arguments).state_dict())
        if needed > (held := _numbers(state)) + _MORE:
            raise ZooError(
                f"{path} holds no {architecture} with these arguments: it needs {needed} numbers, {held} are there"
            )
        return build(architecture, **arguments)
    except ZooError:
        raise
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ZooError(f"{entry.name}: {error}") from error


def _numbers(state: Mapping[str, Tensor]) -> int:
    return sum(value.numel() for value in state.values())


def _order(spec: NetworkSpec) -> dict[str, list[str]]:
    return {head.name: list(head.classes) for head in spec.heads}


def _check_order(path: str, data: bytes, spec: NetworkSpec) -> None:
    length = int.from_bytes(data[:8], "little")
    written = json.loads(data[8 : 8 + length]).get("__metadata__", {}).get(_CLASSES)
    stated = json.dumps(_order(spec), sort_keys=True)
    try:
        other = written is not None and json.dumps(json.loads(written), sort_keys=True) != stated
    except (ValueError, RecursionError) as error:
        raise ZooError(f"{path} states its class order in an unknown way") from error
    if other:
        raise ZooError(f"{path} was written with the class order {written}, but the manifest says {stated}")


def _check_tables(path: str, network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Refuse another table of positions: it is part of the architecture, and loading would replace it unseen."""
    for name, own in network.named_buffers():
        if own.dtype.is_floating_point or own.ndim == 0:  # statistics and counters are what was learnt
            continue
        given = state.get(name)
        if given is not None and (given.dtype != own.dtype or not torch.equal(given, own)):
            raise ZooError(f"{path} numbers places in another way than its architecture does, in {name}")


@torch.inference_mode()
def _check_heads(network: nn.Module, entry: Entry) -> None:
    size = entry.spec.crop.size
    stated = {head.name: len(head.classes) for head in entry.spec.heads}
    face = prepare(torch.zeros(1, size, size, 3, dtype=torch.uint8), entry.spec.normalisation)
    try:
        found = {name: z.shape[1] for name, z in by_head(network(face), stated).items()}
    except (RuntimeError, ValueError) as error:
        detail = " ".join(str(error).split())[:300]
        raise ZooError(f"{entry.name} cannot read crops as its manifest describes them: {detail}") from error
    if found != stated:
        raise ZooError(f"{entry.name} has the heads {found}, but the manifest says {stated}")
