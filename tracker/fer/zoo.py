"""The zoo: networks and detectors, those that ship with the product, those that people pull, those they bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from torch import nn

from tracker.fer.fetch import fetch
from tracker.fer.manifest import Entry, NetworkSpec, ZooError, read_manifest
from tracker.fer.onnx_network import ONNX, load_onnx
from tracker.fer.terms import Acceptances, TermsError
from tracker.fer.weights import load_weights

__all__ = ["Entry", "Installed", "Network", "Verification", "Zoo", "ZooError"]

MANIFEST = "manifest.toml"


@dataclass(frozen=True, slots=True)
class Installed:
    """An entry, and what there is of it here.

    Attributes
    ----------
    entry
        Of the manifest that ships, or of the one beside what was added.
    path
        Where its file lies; None: nowhere yet.
    came
        ``shipped``, ``pulled`` or ``added``; ``no`` when it is not here.
    accepted
        When its terms were accepted on this machine; None when they were not, or need not be.
    """

    entry: Entry
    path: Path | None
    came: Literal["shipped", "pulled", "added", "no"]
    accepted: datetime | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found when a file was looked at: ``ok``, ``wrong`` (another hash) or ``absent``.

    `expected` and `found` are digits of the `pin`'s kind: ``sha256``, or ``git-blob`` where only that is known.
    """

    name: str
    state: Literal["ok", "wrong", "absent"]
    path: Path | None
    expected: str
    found: str | None
    pin: Literal["sha256", "git-blob"] = "sha256"


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
    """What there is in two folders: one that ships and is only read, one that pulls and additions write to.

    Parameters
    ----------
    shipped
        The folder with ``manifest.toml``; see `tracker.shipped.models`.
    data
        Where files go that are pulled or added, in the user's data folder; made when the first one comes.

    Raises
    ------
    ZooError
        When a manifest is missing or contradicts itself.
    """

    def __init__(self, shipped: Path, data: Path) -> None:
        self.shipped = shipped
        self.data = data
        self.acceptances = Acceptances(data / "accepted.json")
        self._entries = read_manifest(shipped / MANIFEST)
        own = data / MANIFEST
        self._added = read_manifest(own) if own.is_file() else {}

    @property
    def names(self) -> frozenset[str]:
        """Names that are taken."""
        return frozenset({*self._entries, *self._added})

    def is_added(self, name: str) -> bool:
        """Whether somebody brought this one from a file of their own."""
        return name in self._added

    def entry(self, name: str) -> Entry:
        """Return what the manifest says about a network or detector."""
        if name in self._entries and name in self._added:
            raise ZooError(
                f"{name!r} was added here, and a network of that name ships by now; "
                f"run: affect-tracker networks remove {name}, and add yours by another name"
            )
        found = self._entries.get(name) or self._added.get(name)
        if found is None:
            raise ZooError(f"{name!r} is not in the manifest; there are: {', '.join(sorted(self.names))}")
        return found

    def network(self, name: str) -> Entry:
        """Return what the manifest says about a network; a detector's name is an error."""
        entry = self.entry(name)
        _ = entry.spec
        return entry

    def path(self, name: str) -> Path | None:
        """Return where the file lies, shipped before pulled; None when it must be pulled first."""
        return self._path(self.entry(name))

    def verify(self, name: str | None = None) -> list[Verification]:
        """Hash the file of one entry, or of all."""
        chosen = self._all() if name is None else [self.entry(name)]
        return [self._verify(entry) for entry in chosen]

    def needs_acceptance(self, name: str) -> bool:
        """Whether a pull would bring something here whose terms, as they stand today, nobody accepted."""
        entry = self.entry(name)
        return self._verify(entry).state != "ok" and self.acceptances.of(entry) is None

    def pull(
        self,
        name: str,
        source: Path | str | None = None,
        progress: Callable[[int, int], None] = lambda done, size: None,
    ) -> Path:
        """Bring a file into the data folder and return where it lies; what is there already stays.

        Parameters
        ----------
        name
            An entry of the manifest, its terms accepted (`acceptances`).
        source
            A file, a folder or the address of a mirror, see `tracker.fer.sources.locate`; without one the
            entry's URL is asked.
        progress
            Called with bytes so far and bytes in all; 0 in all where nobody knows.

        Raises
        ------
        TermsError
            When its terms were not accepted, or have changed since.
        ZooError
            When it cannot be had, or what came is not what the manifest pins; that is deleted.
        """
        entry = self.entry(name)
        if (present := self._verify(entry)).state == "ok" and present.path is not None:
            return present.path
        if name in self._added:
            raise ZooError(f"{name} was added from a file and has no upstream; add that file again")
        if self.acceptances.of(entry) is None:
            raise TermsError(
                f"the terms of {name} were not accepted, so nothing was fetched. {entry.licence}: {entry.terms} "
                "To accept them: --accept-terms"
            )
        target = self.data / entry.file
        fetch(entry, target, source, progress)
        return target

    def load(self, name: str) -> Network:
        """Load a network's weights, checked; see `tracker.fer.weights.load_weights` for the errors."""
        entry = self.network(name)
        path = self.path(name)
        if path is None:
            raise ZooError(f"{name} is not installed; {self._how(entry)}")
        loading = load_onnx if entry.spec.architecture == ONNX else load_weights
        return Network(entry, loading(path, entry))

    def detector_path(self, name: str = "yunet") -> Path | None:
        """Return where a detector lies, its hash checked; None when it was not pulled.

        Raises
        ------
        ZooError
            When the file there is not the one that the manifest pins.
        """
        found = self._verify(self.entry(name))
        if found.state == "wrong":
            raise ZooError(self.explain(found))
        return found.path

    def explain(self, found: Verification) -> str:
        """Say what is wrong with a file that is absent or another, and what to do."""
        entry = self.entry(found.name)
        if found.path is None:
            return f"{found.name} is not installed; {self._how(entry)}"
        return (
            f"{found.path} has the {found.pin} {found.found}, expected {found.expected}; "
            f"delete it and {self._how(entry)}"
        )

    def _how(self, entry: Entry) -> str:
        if entry.name in self._added:
            return f"run: affect-tracker networks remove {entry.name}, and add your file again"
        if not entry.url:
            return "install affect-tracker again"
        return f"run: affect-tracker networks pull {entry.name}"

    def _all(self) -> list[Entry]:
        return [self.entry(name) for name in {**self._entries, **self._added}]

    def _path(self, entry: Entry) -> Path | None:
        for folder in (self.data,) if entry.name in self._added else (self.shipped, self.data):
            if (folder / entry.file).is_file():
                return folder / entry.file
        return None

    def _verify(self, entry: Entry) -> Verification:
        path, pin = self._path(entry), entry.pin
        if path is None:
            return Verification(entry.name, "absent", None, pin.digits, None, pin.kind)
        try:
            found = pin.of_file(path)
        except OSError as error:
            raise ZooError(f"{path} cannot be read: {error.strerror}") from error
        state: Literal["ok", "wrong"] = "ok" if found == pin.digits else "wrong"
        return Verification(entry.name, state, path, pin.digits, found, pin.kind)

    def _installed(self, entry: Entry) -> Installed:
        path = self._path(entry)
        came: Literal["shipped", "pulled", "added", "no"] = "pulled"
        if path is None:
            came = "no"
        elif entry.name in self._added:
            came = "added"
        elif path.is_relative_to(self.shipped):
            came = "shipped"
        return Installed(entry, path, came, self.acceptances.of(entry))

    # Last, because from here on the bare word means this method.
    def list(self) -> list[Installed]:
        """Return every entry with where its file lies; hashes are not looked at, `verify` does that."""
        return [self._installed(entry) for entry in self._all()]
