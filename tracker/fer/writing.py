"""Write the manifest: the little of TOML that it needs, in an order that makes differences small."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tracker.fer.manifest import Entry

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
        return "{ " + ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, (bool, int, float, str)):
        return json.dumps(value, ensure_ascii=False)  # for these, JSON is TOML
    raise TypeError(f"{value!r} cannot be written to the manifest")


def render_manifest(entries: Iterable[Entry]) -> str:
    """Return the text of ``manifest.toml``; `read_manifest` reads back equal entries."""
    return _HEADER + "".join(_entry(entry) for entry in entries)


def write_manifest(path: Path, entries: Iterable[Entry]) -> None:
    """Replace the manifest, whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(render_manifest(entries), encoding="utf-8")
    partial.replace(path)


def _entry(entry: Entry) -> str:
    fields = asdict(entry)
    name, network = fields.pop("name"), fields.pop("network")
    lines = [f"\n[{name}]"]
    lines += [f"{key} = {toml_value(value)}" for key, value in fields.items() if value != ""]
    if network is not None:
        lines += [
            f"{key} = {toml_value(network[key])}" for key in ("architecture", "arguments", "normalisation")
        ]
        lines += [f"crop = {toml_value(network['crop'])}"]
        for head in network["heads"]:
            lines += [f"\n[{name}.heads.{head['name']}]"]
            lines += [f"{key} = {toml_value(head[key])}" for key in ("classes", "temperature", "smoothing")]
    return "\n".join(lines) + "\n"
