"""What describes a dataset to machine-learning tools: Croissant 1.0 as JSON-LD, with its words on responsible use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.workflows.export.columns import SIMULATED
from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.hashed import Written
from tracker.workflows.export.package import iso, parts_of

LICENSE = "No licence: personal data, to be used and shared no further than its participants allowed."

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    Kind.INTEGER: "sc:Integer",
    Kind.NUMBER: "sc:Float",
    Kind.STRING: "sc:Text",
    Kind.BOOLEAN: "sc:Boolean",
    Kind.DATETIME: "sc:DateTime",
}
_PARQUET = "application/x-parquet"


def croissant(
    export: str,
    created_at: datetime,
    tables: Sequence[Table],
    files: Mapping[str, Written],
    limits: Sequence[str],
    *,
    simulated: bool,
) -> dict[str, Any]:
    """The description of a dataset.

    Parameters
    ----------
    export, created_at
        Its id, and when it was first made.
    tables, files
        Those that it has; files by name.
    limits
        What the data are not.
    simulated
        Whether any row is.
    """
    found = [(table, where) for table in tables if (where := _where(table, files))]
    names = {table.name for table, _ in found}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": f"affect-series-{export}",
        "description": "Longitudinal affect estimates with human corrections and context, under pseudonyms of this "
        f"export alone.{f' Holds {SIMULATED} participants.' if simulated else ''}",
        "version": "1.0.0",
        "datePublished": iso(created_at),
        "license": LICENSE,
        "url": f"urn:uuid:{export[:8]}-{export[8:12]}-{export[12:16]}-{export[16:20]}-{export[20:]}",
        "citeAs": f"Affect series, export {export}, {created_at:%Y}.",
        "isLiveDataset": False,
        "rai:dataCollection": "Faces were read by a network from a camera or a recording; participants and raters "
        "corrected what it said, and answered prompts. Everything rests on consent that can be withdrawn.",
        "rai:personalSensitiveInformation": "Emotion estimates and self-reports of people under pseudonyms; times and "
        "zones can identify them.",
        "rai:dataLimitations": list(limits),
        "distribution": [where for _, where in found],
        "recordSet": [_records(table, where, names) for table, where in found],
    }


def _where(table: Table, files: Mapping[str, Written]) -> dict[str, Any] | None:
    """The file of a table, or the set of its partitions."""
    text = files.get(f"{table.name}.csv")
    parts = parts_of(table, files)
    if text is not None or (parts and not table.moment):
        file = text if text is not None else parts[0]
        return {
            "@type": "cr:FileObject",
            "@id": file.name,
            "name": file.name,
            "contentUrl": file.name,
            "contentSize": f"{file.size} B",
            "encodingFormat": "text/csv" if text is not None else _PARQUET,
            "sha256": file.sha256,
        }
    if not parts:
        return None
    return {
        "@type": "cr:FileSet",
        "@id": f"{table.name}-parts",
        "name": f"{table.name}-parts",
        "encodingFormat": _PARQUET,
        "includes": f"{table.name}/*/*/rows.parquet",
    }


def _records(table: Table, where: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    inside = [c for c in table.columns if not (where["@type"] == "cr:FileSet" and c.name == "participant")]
    here = {c.name for c in inside}
    key = [{"@id": f"{table.name}/{name}"} for name in table.primary_key if name in here]
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.meaning,
        **({"key": key} if len(key) == len(table.primary_key) and key else {}),
        "field": [_field(table, c, where, names) for c in inside],
    }


def _field(table: Table, column: Column, where: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    kind = "fileSet" if where["@type"] == "cr:FileSet" else "fileObject"
    points = next(
        ((t, there) for c, t, there in table.references if c == column.name and t != table.name), None
    )
    # A cell that points to a table may be empty, and a reader of Croissant would look for it there.
    refers = points is not None and points[0] in names and not column.missing and kind == "fileObject"
    return {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": _TYPES[column.kind],
        "source": {kind: {"@id": where["@id"]}, "extract": {"column": column.name}},
        **({"references": {"field": {"@id": f"{points[0]}/{points[1]}"}}} if refers and points else {}),
    }
