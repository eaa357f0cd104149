"""Add a network that somebody brings: an official checkpoint, an ONNX file, or weights of our own format."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from tracker.domain.framing import CropSpec
from tracker.fer import brought, checkpoints, onnx_trial
from tracker.fer.manifest import Entry, Head, NetworkSpec, ZooError, read_manifest
from tracker.fer.onnx_graph import LARGEST, require_whole
from tracker.fer.onnx_network import ONNX, crop_size, open_onnx
from tracker.fer.orders import Order, documented_order, parse_order
from tracker.fer.weights import pack_weights, unpack_weights
from tracker.fer.zoo import Zoo

_NORMALISATIONS = {
    "poster_v2": "imagenet",
    "dan": "imagenet",
    "dmue_resnet18": "half",
    "dmue_resnet50ibn": "half",
}
_SIZE = 224  # of the crops that the four read

LITERATURE = tuple(_NORMALISATIONS)
"""Architectures whose official checkpoints can be brought."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known about a file that is brought.

    Parameters
    ----------
    name
        What it shall be called.
    checkpoint
        The file: of ``torch.save``, safetensors, or ONNX.
    architecture
        One of `LITERATURE` or ``onnx``. None takes what the file itself, or a manifest beside it, says.
    classes
        How many emotions it tells apart. None takes what the file or the order says.
    order
        Names of the classes in order, or of an order; see `tracker.fer.orders.parse_order`. None takes what
        the file says, or what the architecture's authors documented.
    crop
        Framing as ``size=224,margin=0.1,alignment=eyes``; what is not named stays as it is.
    normalisation
        One of `tracker.fer.manifest.NORMALISATIONS`; needed for ONNX, known for the others.
    columns, output
        For ONNX: how many columns there are where some after the classes are no emotions, and the output's name.
    manifest
        A ``manifest.toml`` that describes the file (by its hash), as ``fer package`` writes it.
    licence, terms
        What stands in the entry.
    """

    name: str
    checkpoint: Path
    architecture: str | None = None
    classes: int | None = None
    order: str | None = None
    crop: str | None = None
    normalisation: str | None = None
    columns: int | None = None
    output: str | None = None
    manifest: Path | None = None
    licence: str = "as its owner says"
    terms: str = "as its owner says"


def add(zoo: Zoo, wanted: Wanted) -> Entry:
    """Check a file, convert it, and write it with its entry into the data folder: whole, or not at all.

    Returns
    -------
    Entry
        As it now stands in the data folder's manifest.

    Raises
    ------
    ZooError
        When the name is taken, the file is damaged or something else than was said, or what its classes are is
        not known.
    """
    if wanted.name in zoo.names:
        hint = f"; run: affect-tracker networks remove {wanted.name}" if zoo.is_added(wanted.name) else ""
        raise ZooError(f"{wanted.name!r} is taken{hint or '; choose another name'}")
    data = _read(wanted.checkpoint)
    described = _described(wanted, data)
    if described is not None:
        entry, content = _as_described(wanted, described, data)
    elif (wanted.architecture or _seen(wanted, data)) == ONNX:
        entry, content = _onnx(wanted, data)
    else:
        entry, content = _torch(wanted, data)
    brought.keep(zoo.data, entry, content)
    return entry


def remove(zoo: Zoo, name: str) -> Path:
    """Delete a network that was added, or the file of one that was pulled; return where it lay.

    Raises
    ------
    ZooError
        When it ships, or is not here.
    """
    if zoo.is_added(name):
        folder = zoo.data / brought.FOLDER / name
        brought.drop(zoo.data, name)
        return folder
    path = zoo.path(name)
    if path is None:
        raise ZooError(f"{name} is not here; there is nothing to remove")
    if not path.is_relative_to(zoo.data):
        raise ZooError(f"{name} ships with the program and cannot be removed")
    try:
        path.unlink()
    except OSError as error:
        raise ZooError(f"{path} cannot be removed: {error.strerror}") from error
    return path


def _read(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise ZooError(f"{path} has {size} bytes; files of up to {LARGEST} are taken")
        return path.read_bytes()
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}") from error


def _described(wanted: Wanted, data: bytes) -> Entry | None:
    """The entry for just this file in the manifest that was named, or in one that lies where packaging puts it."""
    if wanted.manifest is None and wanted.architecture is not None:
        return None
    digits = hashlib.sha256(data).hexdigest()
    beside = (wanted.checkpoint.parent / "manifest.toml", wanted.checkpoint.parent.parent / "manifest.toml")
    for path in beside if wanted.manifest is None else (wanted.manifest,):
        if wanted.manifest is None and not path.is_file():
            continue
        for entry in read_manifest(path).values():
            if entry.kind == "network" and entry.sha256 == digits:
                return entry
    if wanted.manifest is not None:
        raise ZooError(f"{wanted.manifest} has no network with the sha256 {digits} of {wanted.checkpoint}")
    return None


def _as_described(wanted: Wanted, described: Entry, data: bytes) -> tuple[Entry, bytes]:
    suffix = Path(described.file).suffix
    entry = replace(
        described,
        name=wanted.name,
        file=f"{brought.FOLDER}/{wanted.name}/network{suffix}",
        url="",
        card="",
        note=f"Added from {wanted.checkpoint.name}, described as {described.name}. {described.note}".strip(),
    )
    if wanted.order is not None:
        (head, *_) = entry.spec.heads
        if parse_order(wanted.order, len(head.classes)) != head.classes:
            raise ZooError(f"its manifest says the order {', '.join(head.classes)}; leave --order away")
    if entry.spec.architecture == ONNX:
        _try(wanted, data, entry.spec.crop.size)
        open_onnx(data, entry, str(wanted.checkpoint))
    else:
        unpack_weights(data, entry, str(wanted.checkpoint))
    return entry, data


def _seen(wanted: Wanted, data: bytes) -> str:
    """What a file is by itself."""
    if wanted.checkpoint.suffix.lower() == ".onnx":
        return ONNX
    if _is_safetensors(data):
        raise ZooError(
            f"{wanted.checkpoint} does not say what network it is; give --architecture, or --manifest with the "
            "manifest.toml that was written beside it"
        )
    return checkpoints.identify(wanted.checkpoint).architecture


def _onnx(wanted: Wanted, data: bytes) -> tuple[Entry, bytes]:
    order = _order(wanted, ONNX, wanted.classes)
    if wanted.normalisation is None:
        raise ZooError("an ONNX file does not say how its pixels are scaled; give --normalisation")
    _try(wanted, data, _framed(wanted.crop, CropSpec(_SIZE)).size)
    size = crop_size(data, str(wanted.checkpoint))
    if size is None and "size" not in (wanted.crop or ""):
        raise ZooError(f"{wanted.checkpoint} reads faces of any size; give --crop size=PIXELS")
    arguments: dict[str, Any] = {}
    if wanted.columns is not None:
        arguments["columns"] = wanted.columns
    if wanted.output is not None:
        arguments["output"] = wanted.output
    spec = _spec(wanted, ONNX, arguments, order, CropSpec(size or _SIZE), wanted.normalisation)
    entry = _entry(wanted, spec, data, "network.onnx")
    open_onnx(data, entry, str(wanted.checkpoint))
    return entry, data


def _try(wanted: Wanted, data: bytes, size: int) -> None:
    require_whole(data, str(wanted.checkpoint))
    onnx_trial.require_frugal(data, str(wanted.checkpoint), size=size, seconds=onnx_trial.SECONDS)


def _torch(wanted: Wanted, data: bytes) -> tuple[Entry, bytes]:
    architecture = wanted.architecture or _seen(wanted, data)
    if architecture not in LITERATURE:
        raise ZooError(
            f"a file of {architecture!r} cannot be added by itself; give --manifest with the manifest.toml that "
            f"describes it, or one of the architectures {', '.join((*LITERATURE, ONNX))}"
        )
    written: Order | None = None
    if _is_safetensors(data):
        state, written = _our_weights(wanted, data)
        classes = wanted.classes or (len(written) if written else None)
        if written is not None and classes != len(written):
            raise ZooError(f"{wanted.checkpoint} tells {len(written)} classes apart, not {classes}")
    else:
        classes = wanted.classes or checkpoints.identify(wanted.checkpoint).classes
        state = checkpoints.convert(wanted.checkpoint, architecture, classes)
    order = _order(wanted, architecture, classes, written)
    normalisation = wanted.normalisation or _NORMALISATIONS[architecture]
    spec = _spec(wanted, architecture, {"classes": len(order)}, order, CropSpec(_SIZE), normalisation)
    content = pack_weights(state, spec)
    entry = _entry(wanted, spec, content, "network.safetensors")
    unpack_weights(content, entry, str(wanted.checkpoint))
    return entry, content


def _is_safetensors(data: bytes) -> bool:
    return len(data) > 9 and int.from_bytes(data[:8], "little") < len(data) and data[8:9] == b"{"


def _our_weights(wanted: Wanted, data: bytes) -> tuple[dict[str, Tensor], Order | None]:
    """Weights and, where the file carries it, the order of its one head."""
    try:
        state = safetensors.torch.load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        heads = json.loads(header.get("__metadata__", {}).get("classes", "{}"))
        orders = [tuple(map(str, classes)) for classes in heads.values()]
    except (SafetensorError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ZooError(f"{wanted.checkpoint} is not a safetensors file: {error}") from error
    return state, orders[0] if len(orders) == 1 else None


def _order(wanted: Wanted, architecture: str, classes: int | None, written: Order | None = None) -> Order:
    if classes is None and wanted.order is not None and "," in wanted.order:
        classes = len(wanted.order.split(","))
    if classes is None:
        raise ZooError("how many emotions it tells apart is not known; give --classes")
    stated = parse_order(wanted.order, classes) if wanted.order is not None else None
    if stated is not None and written is not None and stated != written:
        raise ZooError(
            f"{wanted.checkpoint} was written with the order {', '.join(written)}, but --order says {', '.join(stated)}"
        )
    return stated or written or documented_order(architecture, classes)


def _spec(
    wanted: Wanted,
    architecture: str,
    arguments: dict[str, Any],
    order: Order,
    crop: CropSpec,
    normalisation: str,
) -> NetworkSpec:
    heads = (Head("emotion", order),)
    return NetworkSpec(architecture, arguments, heads, _framed(wanted.crop, crop), normalisation)


def _framed(text: str | None, crop: CropSpec) -> CropSpec:
    kinds = {field.name: type(getattr(crop, field.name)) for field in fields(CropSpec)}
    changes: dict[str, Any] = {}
    for part in (text or "").split(",") if text else ():
        key, _, value = (word.strip() for word in part.partition("="))
        if key not in kinds or not value:
            raise ZooError(f"--crop: {part!r} is none of {', '.join(f'{name}=…' for name in kinds)}")
        try:
            changes[key] = kinds[key](value)
        except ValueError as error:
            raise ZooError(f"--crop: {key}={value} is no number") from error
    try:
        return replace(crop, **changes)
    except ValueError as error:
        raise ZooError(f"--crop: {error}") from error


def _entry(wanted: Wanted, spec: NetworkSpec, content: bytes, file: str) -> Entry:
    return Entry(
        name=wanted.name,
        kind="network",
        file=f"{brought.FOLDER}/{wanted.name}/{file}",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence=wanted.licence,
        terms=wanted.terms,
        note=(
            f"Added from {wanted.checkpoint.name}. Neither accuracy nor calibration was measured here; "
            "affect-tracker fer check-order and fer evaluate do that on labelled faces."
        ),
        network=spec,
    )
