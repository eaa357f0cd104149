"""Write the manifest: the little of TOML that it needs, in an order that makes differences small."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker.fer.manifest import Entry, ZooError, parse_manifest

_NEEDED = ("licence", "terms")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = """\
# What ships here and what can be pulled: `affect-tracker networks list`.
# Entries of our own networks are written by `affect-tracker fer package`; edit crop and terms by hand, nothing else.
"""


def toml_value(value: Any) -> str:
    """Render one value as TOML.

    Examples
    --------
    >>> toml_value({"heads": {"a": 2}, "on": True, "rates": (0.5, 1)})
    '{ heads = { a = 2 }, on = true, rates = [0.5, 1] }'
    """
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, (bool, int, float, str)):
        # For these, JSON is TOML, but for the one control character that JSON lets stand.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(f"{value!r} cannot be written to the manifest")


def render_manifest(entries: Iterable[Entry]) -> str:
    """Return the text of ``manifest.toml``; `read_manifest` reads back equal entries."""
    return _HEADER + "".join(_entry(entry) for entry in entries)


def write_manifest(path: Path, entries: Iterable[Entry]) -> None:
    """Replace the manifest, whole or not at all.

    Raises
    ------
    ZooError
        When it could not be read back: an entry that no manifest can hold would hide all others.
    """
    kept = list(entries)
    text = render_manifest(kept)
    try:
        content = text.encode()
        same = render_manifest(parse_manifest(tomllib.loads(text), str(path)).values()) == text
    except (ValueError, RecursionError) as error:  # of which TOML's and Unicode's are kinds
        raise ZooError(f"{path} cannot hold these entries: {error}") from error
    if not same:
        raise ZooError(f"{path} cannot hold these entries: they would read otherwise")
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml_value(name)


def _entry(entry: Entry) -> str:
    fields = asdict(entry)
    name, network = fields.pop("name"), fields.pop("network")
    lines = [f"\n[{name}]"]
    lines += [
        f"{key} = {toml_value(value)}" for key, value in fields.items() if value != "" or key in _NEEDED
    ]
    if network is not None:
        lines += [
            f"{key} = {toml_value(network[key])}" for key in ("architecture", "arguments", "normalisation")
        ]
        lines += [f"crop = {toml_value(network['crop'])}"]
        for head in network["heads"]:
            lines += [f"\n[{name}.heads.{_key(head['name'])}]"]
            lines += [f"{key} = {toml_value(head[key])}" for key in ("classes", "temperature", "smoothing")]
    return "\n".join(lines) + "\n"
