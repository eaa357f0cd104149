"""Write all that describes a dataset, for people and for programs; the manifest last: nothing is whole without it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tracker.workflows.export import anonymising, beeps, codebook, codebook_page, folder, openesm
from tracker.workflows.export.columns import IMPORTED, SIMULATED
from tracker.workflows.export.crate import crate
from tracker.workflows.export.croissant import croissant
from tracker.workflows.export.hashed import Written
from tracker.workflows.export.making import Made
from tracker.workflows.export.package import as_json, data_package, iso
from tracker.workflows.export.planning import Plan
from tracker.workflows.export.shapes import rules

MANIFEST = "manifest.json"


def describe(plan: Plan, here: Path, made: Made, told: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Write the descriptions; return the manifest with its SHA-256.

    Parameters
    ----------
    told
        What the manifest says that the files do not.
    """
    simulated = sum(m.who.simulated for m in plan.members)
    mark = f" {simulated} of the {len(plan.members)} participants are {SIMULATED}." if simulated else ""
    heading = (
        f"Export `{plan.id}` of {iso(plan.cut.at)}.{mark} `manifest.json` has the SHA-256 of every file."
    )
    if "anonymity" in told:  # exports from before it was looked at say what they said
        heading += f"\n\n{anonymising.sentence(told['anonymity'])}"
    file = made.into.beeps
    tables = [*made.tables, *([file.table] if file is not None else [])]
    seen = {name: writer.distributions for name, writer in made.into.writers.items()}
    tabbed = None
    if file is not None:
        seen[file.table.name] = file.distributions
        tabbed = (file.table, beeps.file_name(plan.id, "ts.tsv"))
    files, about = dict(made.files), (plan.id, plan.created_at, made.tables, made.files)
    described = {
        "datapackage.json": as_json(data_package(*about, simulated=bool(simulated), beeps=tabbed)),
        "croissant.json": as_json(croissant(*about, codebook.LIMITS, simulated=bool(simulated))),
        "codebook.md": codebook.render(seen, heading, tables).encode(),
        "codebook.html": codebook_page.page(seen, heading, tables).encode(),
    }
    if file is not None:
        contexts = bool(made.into.writers["contexts"].rows)
        told_of = openesm.metadata(
            plan.id, plan.created_at, file, len(plan.members), simulated=bool(simulated), contexts=contexts
        )
        described[beeps.file_name(plan.id, "metadata.json")] = as_json(told_of)
    for name, data in described.items():
        files[name] = _written(here, name, data)
    research = crate(plan.id, plan.created_at, made.tables, files, told, simulated=bool(simulated))
    files["ro-crate-metadata.json"] = _written(here, "ro-crate-metadata.json", as_json(research))
    asked = plan.asked
    manifest = {
        "export": plan.id,
        "at": iso(plan.cut.at),
        "created_at": iso(plan.created_at),
        "contains": sorted(
            {m.who.origin for m in plan.members} | ({IMPORTED} if told.get("imported_rows") else set())
        ),
        "participants": len(plan.members),
        "simulated_participants": simulated,
        "rows": {name: writer.rows for name, writer in made.into.writers.items()},
        **({"beeps": file.rows} if file is not None else {}),
        **({"series": rules(asked.shape, asked.every_s)} if asked.shape is not None else {}),
        "learner_now": asked.learner_now,
        **{name: told[name] for name in sorted(told)},
        "files": {f.name: {"bytes": f.size, "sha256": f.sha256} for _, f in sorted(files.items())},
    }
    data = as_json(manifest)
    folder.write(here / MANIFEST, data)
    return manifest, hashlib.sha256(data).hexdigest()


def _written(here: Path, name: str, data: bytes) -> Written:
    folder.write(here / name, data)
    return Written(name, len(data), hashlib.sha256(data).hexdigest())
