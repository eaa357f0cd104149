"""Which networks a study names that this installation has not: told when it is compared or applied."""

from __future__ import annotations

from collections.abc import Iterator

from tracker import shipped
from tracker.fer.manifest import read_manifest
from tracker.settings import Settings
from tracker.study import Study

_MANIFEST = "manifest.toml"


def absent_networks(settings: Settings, study: Study) -> Iterator[str]:
    """A line for each network of a study that no manifest here knows, by its name or by its very file."""
    if not study.networks:
        return
    added = settings.data_folder / "networks" / _MANIFEST
    entries = [
        *read_manifest(shipped.models() / _MANIFEST).values(),
        *(read_manifest(added).values() if added.is_file() else ()),
    ]
    reading = [entry for entry in entries if entry.kind == "network"]
    known = {*(entry.name for entry in reading), *(entry.id for entry in reading)}
    for name in study.networks:
        if name not in known:
            yield (
                f"the study reads faces with {name!r}, which is not known here: nothing is read with it until it is; "
                "affect-tracker networks list shows what is, networks add brings more"
            )
