"""The zoo: networks and detectors, those that ship with the product and those that people pull."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from tracker.fer.fetch import fetch
from tracker.fer.manifest import Entry, NetworkSpec, ZooError, read_manifest
from tracker.fer.weights import load_weights, sha256_of

__all__ = ["Entry", "Installed", "Network", "Verification", "Zoo", "ZooError"]


@dataclass(frozen=True, slots=True)
class Installed:
    """An entry of the manifest, and where its file lies (None: nowhere yet)."""

    entry: Entry
    path: Path | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found when a file was looked at: ``ok``, ``wrong`` (another hash) or ``absent``."""

    name: str
    state: Literal["ok", "wrong", "absent"]
    path: Path | None
    expected: str
    found: str | None


@dataclass(frozen=True, slots=True)
class Network:
    """A network with its weights, checked against its entry; `tracker.fer.engine.Engine` runs it."""

    entry: Entry
    module: nn.Module

    @property
    def id(self) -> str:
        """What the database stores beside an estimate, such as ``default@0123456789ab``."""
        return self.entry.id

    @property
    def spec(self) -> NetworkSpec:
        """Heads, crop and normalisation."""
        return self.entry.spec


class Zoo:
    """What there is in two folders: one that ships and is only read, one that pulls write to.

    Parameters
    ----------
    shipped
        The folder with ``manifest.toml``; see `tracker.shipped.models`.
    data
        Where pulled files go, in the user's data folder; made at the first pull.

    Raises
    ------
    ZooError
        When the manifest is missing or contradicts itself.
    """

    def __init__(self, shipped: Path, data: Path) -> None:
        self.shipped = shipped
        self.data = data
        self._entries = read_manifest(shipped / "manifest.toml")

    def entry(self, name: str) -> Entry:
        """Return what the manifest says about a network or detector."""
        if name not in self._entries:
            raise ZooError(f"{name!r} is not in the manifest; there are: {', '.join(sorted(self._entries))}")
        return self._entries[name]

    def network(self, name: str) -> Entry:
        """Return what the manifest says about a network; a detector's name is an error."""
        entry = self.entry(name)
        _ = entry.spec
        return entry

    def path(self, name: str) -> Path | None:
        """Return where the file lies, shipped before pulled; None when it must be pulled first."""
        entry = self.entry(name)
        for folder in (self.shipped, self.data):
            if (folder / entry.file).is_file():
                return folder / entry.file
        return None

    def verify(self, name: str | None = None) -> list[Verification]:
        """Hash the file of one entry, or of all."""
        names = list(self._entries) if name is None else [name]
        return [self._verify(self.entry(n)) for n in names]

    def pull(
        self,
        name: str,
        source: Path | None = None,
        progress: Callable[[int, int], None] = lambda done, size: None,
    ) -> Path:
        """Bring a file into the data folder and return where it lies; what is there already stays.

        Parameters
        ----------
        name
            An entry of the manifest.
        source
            A file, or a folder with such files; without one the entry's URL is asked.
        progress
            Called with bytes so far and bytes in all.

        Raises
        ------
        ZooError
            When it cannot be had, or what came is not what the manifest pins; that is deleted.
        """
        entry = self.entry(name)
        if (present := self._verify(entry)).state == "ok" and present.path is not None:
            return present.path
        target = self.data / entry.file
        fetch(entry, target, source, progress)
        return target

    def load(self, name: str) -> Network:
        """Load a network's weights, checked; see `tracker.fer.weights.load_weights` for the errors."""
        entry = self.network(name)
        path = self.path(name)
        if path is None:
            raise ZooError(f"{name} is not installed; run: affect-tracker networks pull {name}")
        return Network(entry, load_weights(path, entry))

    def detector_path(self, name: str = "yunet") -> Path | None:
        """Return where a detector lies, its hash checked; None when it was not pulled.

        Raises
        ------
        ZooError
            When the file there is not the one that the manifest pins.
        """
        found = self._verify(self.entry(name))
        if found.state == "wrong":
            raise ZooError(
                f"{found.path} has the sha256 {found.found}, expected {found.expected}; "
                f"delete it and run: affect-tracker networks pull {name}"
            )
        return found.path

    def _verify(self, entry: Entry) -> Verification:
        path = self.path(entry.name)
        if path is None:
            return Verification(entry.name, "absent", None, entry.sha256, None)
        try:
            found = sha256_of(path)
        except OSError as error:
            raise ZooError(f"{path} cannot be read: {error.strerror}") from error
        return Verification(entry.name, "ok" if found == entry.sha256 else "wrong", path, entry.sha256, found)

    # Last, because from here on the bare word means this method.
    def list(self) -> list[Installed]:
        """Return every entry with where its file lies; hashes are not looked at, `verify` does that."""
        return [Installed(entry, self.path(name)) for name, entry in self._entries.items()]
