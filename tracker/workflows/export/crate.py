"""What describes a dataset as a research object: `ro-crate-metadata.json`, after RO-Crate 1.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.workflows.export.columns import SIMULATED
from tracker.workflows.export.croissant import LICENSE
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.hashed import Written
from tracker.workflows.export.package import iso

_MEDIA = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "md": "text/markdown",
    "html": "text/html",
    "parquet": "application/vnd.apache.parquet",
}


def crate(
    export: str,
    created_at: datetime,
    tables: Sequence[Table],
    files: Mapping[str, Written],
    told: Mapping[str, Any],
    *,
    simulated: bool,
) -> dict[str, Any]:
    """The description of a dataset.

    Parameters
    ----------
    files
        Everything that is in the folder but this file and the manifest.
    told
        What the manifest says: what made it, under which study and which notices.
    """
    folders = [t for t in tables if any(name.startswith(f"{t.name}/") for name in files)]
    parts = [name for name in sorted(files) if "/" not in name] + ["manifest.json"]
    made_with, study = told["made_with"], told.get("study")
    policies = [{"@id": f"#notice-{n['sha256'][:16]}-{n['language']}"} for n in told["notices"]]
    graph: list[dict[str, Any]] = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "identifier": export,
            "name": f"Affect series{f' (holds {SIMULATED} participants)' if simulated else ''}",
            "description": "Longitudinal affect estimates with human corrections and context, under pseudonyms of this "
            "export alone. codebook.md says what every column means and what the data are not.",
            "datePublished": iso(created_at),
            "license": {"@id": "#licence"},
            "hasPart": [{"@id": name} for name in parts] + [{"@id": f"{t.name}/"} for t in folders],
            "mentions": [{"@id": "#export"}, *policies],
        },
        {
            "@id": "#licence",
            "@type": "CreativeWork",
            "name": "No licence",
            "description": LICENSE,
        },
        {
            "@id": "#software",
            "@type": "SoftwareApplication",
            "name": "affect-tracker",
            "version": made_with["affect-tracker"],
            "softwareRequirements": f"pyarrow {made_with['pyarrow']}",
        },
        {
            "@id": "#export",
            "@type": "CreateAction",
            "name": f"Export {export}",
            "endTime": iso(created_at),
            "instrument": {"@id": "#software"},
            "result": {"@id": "./"},
            **({"object": {"@id": "#study"}} if study else {}),
        },
    ]
    if study:
        graph.append(
            {
                "@id": "#study",
                "@type": "CreativeWork",
                "name": f"The study {study['id']}, version {study['version']}",
                "version": str(study["version"]),
                "sha256": study["sha256"],
            }
        )
    graph += [
        {
            "@id": policy["@id"],
            "@type": "DigitalDocument",
            "name": f"The notice {notice['version']} that participants agreed to",
            "inLanguage": notice["language"],
            "sha256": notice["sha256"],
        }
        for policy, notice in zip(policies, told["notices"], strict=True)
    ]
    graph += [
        {
            "@id": f"{table.name}/",
            "@type": "Dataset",
            "name": table.name,
            "description": f"{table.meaning} Parquet, a file for each participant and month; manifest.json has the "
            "SHA-256 of each.",
        }
        for table in folders
    ]
    graph += [_file(name, files.get(name)) for name in parts]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _file(name: str, file: Written | None) -> dict[str, Any]:
    about = {"contentSize": str(file.size), "sha256": file.sha256} if file is not None else {}
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "encodingFormat": _MEDIA[name.rpartition(".")[2]],
        **about,
    }
