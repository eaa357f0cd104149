"""What describes a dataset to programs: `datapackage.json`, after the Data Package standard 2.0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tracker.workflows.export.columns import SIMULATED
from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.hashed import Written

_PROFILES = "https://datapackage.org/profiles/2.0"
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def as_json(value: Any) -> bytes:
    """JSON for people and programs: indented, in the order given, ending in a newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def iso(at: datetime) -> str:
    """An instant as ``2026-03-20T12:00:00.000000Z``."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def data_package(
    export: str,
    created_at: datetime,
    tables: Sequence[Table],
    files: Mapping[str, Written],
    *,
    simulated: bool,
    beeps: tuple[Table, str] | None = None,
) -> dict[str, Any]:
    """The descriptor of a dataset.

    Parameters
    ----------
    export, created_at
        Its id, and when it was first made.
    tables
        Those that it has.
    files
        Table files by name.
    simulated
        Whether any row is.
    beeps
        The table of prompts for experience-sampling research and the name of its file, where it is there.
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
        "resources": [
            *(found for table in tables if (found := _resource(table, files)) is not None),
            *([_tab_separated(*beeps, files)] if beeps is not None else []),
        ],
    }


def table_schema(table: Table) -> dict[str, Any]:
    """The Table Schema of a table."""
    return {
        "$schema": f"{_PROFILES}/tableschema.json",
        "fields": [_field(c, table) for c in table.columns],
        "missingValues": [""],
        **({"primaryKey": list(table.primary_key)} if table.primary_key else {}),
        "foreignKeys": [
            {
                "fields": [column],
                "reference": {"resource": "" if other == table.name else other, "fields": [there]},
            }
            for column, other, there in table.references
        ],
    }


def _resource(table: Table, files: Mapping[str, Written]) -> dict[str, Any] | None:
    # One resource per table, as the standard has no word for the same table in two formats: the CSV, which
    # every validator reads, with the Parquet files named beside it.
    there = []
    if (text := f"{table.name}.csv") in files:
        there.append({**_file(files[text], "csv"), "encoding": "utf-8"})
    if parts := parts_of(table, files):
        there.append(_parts(parts))
    if not there:
        return None  # in Parquet alone a table without rows has no partition, so no file
    main, *others = there
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": table.name,
        "type": "table",
        "description": table.meaning,
        **main,
        "schema": table_schema(table),
        **({"alternates": others} if others else {}),
    }


def parts_of(table: Table, files: Mapping[str, Written]) -> list[Written]:
    """The Parquet files of a table, in order of its rows."""
    if not table.moment:
        return [files[name]] if (name := f"{table.name}.parquet") in files else []
    return [files[name] for name in sorted(files) if name.startswith(f"{table.name}/")]


def _tab_separated(table: Table, name: str, files: Mapping[str, Written]) -> dict[str, Any]:
    return {
        "$schema": f"{_PROFILES}/dataresource.json",
        "name": table.name,
        "type": "table",
        "description": table.meaning,
        **_file(files[name], "csv"),
        "format": "tsv",
        "mediatype": "text/tab-separated-values",
        "encoding": "utf-8",
        "dialect": {"$schema": f"{_PROFILES}/tabledialect.json", "delimiter": "\t"},
        "schema": table_schema(table),
    }


def _file(file: Written, ending: str) -> dict[str, Any]:
    return {
        "path": file.name,
        "format": ending,
        "mediatype": _MEDIA[ending],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }


def _parts(parts: Sequence[Written]) -> dict[str, Any]:
    if len(parts) == 1:
        return _file(parts[0], "parquet")
    # Of several files the standard has no hash; manifest.json has that of each.
    return {"path": [part.name for part in parts], "format": "parquet", "mediatype": _MEDIA["parquet"]}


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
