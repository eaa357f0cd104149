"""The manifest: what ships in ``models/`` and what can be pulled, with everything needed to read it right."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from tracker.domain.affect import EMOTIONS
from tracker.domain.framing import CropSpec
from tracker.fer.pins import Pin

LARGEST_CROP = 1024
"""Pixels of a crop's side that a network may ask for; those that read faces take 48 to 384."""

LONGEST = 2000
"""Characters of an error's line."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # the database has 64 places for name and hash

NORMALISATIONS = ("per_image", "imagenet", "half")
"""How pixels are scaled; `tracker.fer.preprocess.prepare` does it."""


class ZooError(ValueError):
    """A network or detector is unknown, absent, damaged, or not what the manifest says.

    Names in it may come from the file: as text it is one line of at most `LONGEST` characters that a terminal
    shows and does not obey.

    Examples
    --------
    >>> print(ZooError("has the unknown \\x1b[2J\\n"))
    has the unknown \\x1b[2J\\n
    """

    def __str__(self) -> str:
        """Say it in one printable line."""
        said = super().__str__()
        if len(said) > LONGEST:
            said = f"{said[:LONGEST]} …"
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in said)


@dataclass(frozen=True, slots=True)
class Head:
    """One set of classes that a network tells apart.

    Parameters
    ----------
    name
        The head's key in the network's output.
    classes
        Emotion names in the order of the logits.
    temperature
        Logits are divided by it; fitted on data that the network was not trained on. 1 changes nothing.
    smoothing
        Label smoothing of the training, undone after the temperature; see `tracker.fer.calibration.calibrate`.
    """

    name: str
    classes: tuple[str, ...]
    temperature: float = 1.0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        known = [e.value for e in EMOTIONS]
        if unknown := [c for c in self.classes if c not in known]:
            raise ZooError(f"head {self.name!r}: {unknown[0]!r} is no emotion; known: {', '.join(known)}")
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise ZooError(f"head {self.name!r} needs two or more classes, each once: {self.classes}")
        if not 0.01 <= self.temperature <= 100:
            raise ZooError(f"head {self.name!r}: temperature {self.temperature} is outside [0.01, 100]")
        if not 0 <= self.smoothing <= 0.5:
            raise ZooError(f"head {self.name!r}: smoothing {self.smoothing} is outside [0, 0.5]")


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """What a file of weights means.

    Parameters
    ----------
    architecture, arguments
        What `tracker.fer.networks.build` is called with.
    heads
        The heads with their classes in order.
    crop
        The framing of the faces; its size is the network's input size in pixels.
    normalisation
        One of `NORMALISATIONS`.
    """

    architecture: str
    arguments: Mapping[str, Any]
    heads: tuple[Head, ...]
    crop: CropSpec
    normalisation: str = "per_image"

    def __post_init__(self) -> None:
        if self.normalisation not in NORMALISATIONS:
            raise ZooError(
                f"normalisation {self.normalisation!r} is unknown; known: {', '.join(NORMALISATIONS)}"
            )
        if self.crop.size > LARGEST_CROP:
            raise ZooError(f"crops of {self.crop.size} px are too large; up to {LARGEST_CROP} are read")
        sizes = self.arguments.get("heads")
        stated = {head.name: len(head.classes) for head in self.heads}
        if sizes is not None and dict(sizes) != stated:
            raise ZooError(f"the heads' classes {stated} do not match the architecture's heads {dict(sizes)}")

    def head(self, name: str) -> Head:
        """Return a head by name; `ZooError` names those that there are."""
        for head in self.heads:
            if head.name == name:
                return head
        raise ZooError(f"there is no head {name!r}; there are: {', '.join(h.name for h in self.heads)}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the manifest.

    Parameters
    ----------
    name
        What people call it.
    kind
        ``"network"`` reads emotions, ``"detector"`` finds faces.
    file
        Where it lies below ``models/`` or below the data folder, with forward slashes.
    sha256, size
        Of the file; what differs is not loaded. Size in bytes, 0 where nobody here ever saw the file.
    licence, terms
        Shown before a pull, and accepted: the licence's name, and what one may do in one sentence.
    url
        Where it can be pulled from; empty when it ships.
    card
        The card below ``models/``; empty when there is none.
    git_blob
        What git calls the file, where its SHA-256 is not known; see `tracker.fer.pins.Pin`.
    note
        What a user should know beside the terms, such as that its figures were never measured here.
    network
        How to read it, for networks.
    """

    name: str
    kind: Literal["network", "detector"]
    file: str
    sha256: str
    size: int
    licence: str
    terms: str
    url: str = ""
    card: str = ""
    git_blob: str = ""
    note: str = ""
    network: NetworkSpec | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ZooError(
                f"{self.name!r} is no name: use 1 to 40 of a-z, 0-9, _ and -, a letter or digit first"
            )
        if self.kind not in ("network", "detector") or (self.kind == "network") != (self.network is not None):
            raise ZooError(f"{self.name}: kind {self.kind!r} and the settings given do not belong together")
        path = PurePosixPath(self.file)
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise ZooError(f"{self.name}: file {self.file!r} must be a path below the folder")
        if self.size < 0:
            raise ZooError(f"{self.name}: size {self.size} is not the size of a file")
        try:
            _ = self.pin
        except ValueError as error:
            raise ZooError(f"{self.name}: {error}") from error

    @property
    def pin(self) -> Pin:
        """The hash that the file must have."""
        if self.sha256 or not self.git_blob:
            return Pin("sha256", self.sha256)
        return Pin("git-blob", self.git_blob)

    @property
    def id(self) -> str:
        """What the database stores beside an estimate: name and the first 12 digits of the hash."""
        return f"{self.name}@{self.pin.digits[:12]}"

    @property
    def spec(self) -> NetworkSpec:
        """How to read the network; `ZooError` for a detector."""
        if self.network is None:
            raise ZooError(f"{self.name} is a {self.kind}, not a network")
        return self.network


def read_manifest(path: Path) -> dict[str, Entry]:
    """Read ``manifest.toml`` into entries by name.

    Raises
    ------
    ZooError
        When it is missing, no TOML, or a setting is missing, unknown or contradicts another.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ZooError(f"the manifest {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ZooError(f"the manifest {path} is not TOML: {error}") from error
    return parse_manifest(tables, str(path))


def parse_manifest(tables: Mapping[str, Any], path: str) -> dict[str, Entry]:
    """Turn the tables of a manifest into entries; see `read_manifest`.

    Parameters
    ----------
    tables
        As TOML gives them.
    path
        What errors call it.
    """
    entries = {}
    for name, table in tables.items():
        try:
            entries[name] = _entry(name, dict(table))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ZooError(f"{path}, entry {name!r}: {error}") from error
    return entries


def _entry(name: str, table: dict[str, Any]) -> Entry:
    network = None
    if table.get("kind") == "network":
        heads = tuple(
            Head(head, **{**values, "classes": tuple(values["classes"])})
            for head, values in table.pop("heads").items()
        )
        network = NetworkSpec(
            table.pop("architecture"),
            table.pop("arguments"),
            heads,
            CropSpec(**table.pop("crop")),
            table.pop("normalisation"),
        )
    if "git_blob" in table:  # then its SHA-256 and size may be unknown
        table = {"sha256": "", "size": 0, **table}
    return Entry(name=name, network=network, **table)
