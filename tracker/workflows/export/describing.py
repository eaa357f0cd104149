"""What describes a dataset to programs: `datapackage.json`, after the Data Package standard 2.0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.tables import SIMULATED, TABLES
from tracker.workflows.export.writing import Written

_PROFILES = "https://datapackage.org/profiles/2.0"
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def as_json(value: Any) -> bytes:
    """JSON for people and programs: indented, in the order given, ending in a newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def iso(at: datetime) -> str:
    """An instant as ``2026-03-20T12:00:00.000000Z``."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def data_package(
    export: str, created_at: datetime, files: Mapping[str, Written], *, simulated: bool
) -> dict[str, Any]:
    """The descriptor of a dataset.

    Parameters
    ----------
    export, created_at
        Its id, and when it was first made.
    files
        Table files by name.
    simulated
        Whether any row is.
    """
    return {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": f"affect-series-{export}",
        "id": export,
        "title": f"Affect series{f' (holds {SIMULATED} participants)' if simulated else ''}",
        "description": "Longitudinal affect estimates with human corrections and context, under pseudonyms "
        "of this export alone. codebook.md says what every column means and what the data are not.",
        "version": "1.0",
        "created": iso(created_at),
        "resources": [_resource(table, files) for table in TABLES],
    }


def table_schema(table: Table) -> dict[str, Any]:
    """The Table Schema of a table."""
    return {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": [_field(c, table) for c in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.primary_key),
        "foreignKeys": [
            {
                "fields": [column],
                "reference": {"resource": "" if other == table.name else other, "fields": [there]},
            }
            for column, other, there in table.references
        ],
    }


def _resource(table: Table, files: Mapping[str, Written]) -> dict[str, Any]:
    there = [f for f in ("csv", "parquet") if f"{table.name}.{f}" in files]
    # One resource per table, as the standard has no word for the same table in two formats: the CSV, which
    # every validator reads, with the Parquet file named beside it.
    main, *others = (_file(table, f, files) for f in there)
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": table.name,
        "type": "table",
        "description": table.meaning,
        **main,
        **({"encoding": "utf-8"} if there[0] == "csv" else {}),
        "schema": table_schema(table),
        **({"alternates": others} if others else {}),
    }


def _file(table: Table, ending: str, files: Mapping[str, Written]) -> dict[str, Any]:
    file = files[f"{table.name}.{ending}"]
    return {
        "path": file.name,
        "format": ending,
        "mediatype": _MEDIA[ending],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }


def _field(column: Column, table: Table) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": True} if not column.missing else {}
    if column.levels:
        constraints["enum"] = list(column.levels)
    if column.bounds is not None:
        constraints["minimum"], constraints["maximum"] = column.bounds
    if table.primary_key == (column.name,):
        constraints["unique"] = True
    return {
        "name": column.name,
        "type": column.kind.value,
        "description": column.meaning,
        **({"unit": column.unit} if column.unit else {}),
        **({"categories": list(column.levels)} if column.levels and column.kind is Kind.STRING else {}),
        **({"missing": column.missing} if column.missing else {}),
        **({"constraints": constraints} if constraints else {}),
    }


def networks(found: Sequence[str], known: Mapping[str, tuple[str, str]]) -> list[dict[str, str | None]]:
    """Each network whose estimates are in a dataset, with its hash and card where they are known here.

    Parameters
    ----------
    found
        Ids such as ``default@0123456789ab``.
    known
        SHA-256 and card by id.
    """
    return [
        {"id": i, "sha256": known.get(i, (None, None))[0], "card": known.get(i, (None, None))[1] or None}
        for i in sorted(found)
    ]
