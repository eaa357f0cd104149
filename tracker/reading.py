"""Read an export back: one typed frame in one line, in polars or pandas, which are imported only then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    import pandas
    import polars

_PERSON = "participant="


class NoExportError(ValueError):
    """A folder that is no whole export, or has no such table."""


@overload
def read_export(
    path: str | Path, table: str | None = None, frame: Literal["polars"] = "polars"
) -> polars.DataFrame: ...


@overload
def read_export(
    path: str | Path, table: str | None = None, *, frame: Literal["pandas"]
) -> pandas.DataFrame: ...


def read_export(
    path: str | Path, table: str | None = None, frame: Literal["polars", "pandas"] = "polars"
) -> polars.DataFrame | pandas.DataFrame:
    """Read one table of an export.

    Parameters
    ----------
    path
        The export's folder, whichever formats it has.
    table
        Such as ``"estimates"``; None for `series` where the export has it, else for `observations`.
    frame
        ``"polars"`` or ``"pandas"``; each has to be installed (``pip install 'affect-tracker[analysis]'``).

    Returns
    -------
    polars.DataFrame or pandas.DataFrame
        The columns of the codebook in its order: instants with their zone (UTC), whole numbers that may be missing as
        such, columns of few known words as categories.

    Raises
    ------
    NoExportError
        When the folder is no export, not whole, or has no such table.

    Examples
    --------
    >>> import tracker
    >>> tracker.read_export("no/such/folder")
    Traceback (most recent call last):
    ...
    tracker.reading.NoExportError: no/such/folder is no whole export: it has no manifest.json
    """
    folder = Path(path)
    manifest = _manifest(folder)
    files = _files(folder, manifest["files"])
    resource = _resource(folder, table, manifest)
    found = _arrow(folder, files, resource)
    levels = {f["name"]: f["categories"] for f in resource["schema"]["fields"] if "categories" in f}
    if frame == "polars":
        return _polars(found, levels)
    if frame == "pandas":
        return _pandas(found, levels)
    raise ValueError(f"frame is polars or pandas, not {frame!r}")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise NoExportError(f"{folder} is no whole export: it has no manifest.json") from None
    return found


def _files(folder: Path, listed: dict[str, Any]) -> dict[str, int]:
    """The files of an export with their sizes, each of which is there."""
    for name, about in listed.items():
        place = folder / name
        if not place.is_file() or place.stat().st_size != about["bytes"]:
            raise NoExportError(f"{folder} is no whole export: {name} is not as manifest.json says")
    return {name: about["bytes"] for name, about in listed.items()}


def _resource(folder: Path, table: str | None, manifest: dict[str, Any]) -> dict[str, Any]:
    resources = json.loads((folder / "datapackage.json").read_bytes())["resources"]
    by_name: dict[str, dict[str, Any]] = {r["name"]: r for r in resources}
    rows: dict[str, int] = manifest["rows"]
    wanted = table or ("series" if "series" in rows else "observations")
    if wanted not in by_name and rows.get(wanted) == 0:
        # In Parquet alone a table without rows has no file, and so no word in the data package.
        return _empty(wanted, manifest)
    if wanted not in by_name:
        raise NoExportError(f"{folder} has no table {wanted!r}; it has {', '.join(by_name)}")
    return by_name[wanted]


def _empty(name: str, manifest: dict[str, Any]) -> dict[str, Any]:
    from tracker.workflows.export.package import table_schema  # noqa: PLC0415 - pyarrow takes a while
    from tracker.workflows.export.shapes import SERIES, Shape  # noqa: PLC0415
    from tracker.workflows.export.tables import TABLES  # noqa: PLC0415

    tables = {table.name: table for table in TABLES}
    if "series" in manifest:
        tables["series"] = SERIES[Shape(manifest["series"]["shape"])]
    return {"name": name, "schema": table_schema(tables[name])}


def _arrow(folder: Path, files: dict[str, int], resource: dict[str, Any]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - takes a while, and `import tracker` is light
    import pyarrow.csv  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    types = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "string": pa.string(),
        "boolean": pa.bool_(),
        "datetime": pa.timestamp("us", "UTC"),
    }
    schema = pa.schema([(f["name"], types[f["type"]]) for f in resource["schema"]["fields"]])
    name = resource["name"]
    parts = sorted(f for f in files if f == f"{name}.parquet" or f.startswith(f"{name}/"))
    if not parts and "path" not in resource:
        return schema.empty_table()
    if not parts:
        delimiter = resource.get("dialect", {}).get("delimiter", ",")
        return pa.csv.read_csv(
            folder / resource["path"],
            parse_options=pa.csv.ParseOptions(delimiter=delimiter),
            convert_options=pa.csv.ConvertOptions(
                column_types=schema, strings_can_be_null=True, null_values=[""], include_columns=schema.names
            ),
        )
    tables = []
    for part in parts:
        read = pa.parquet.ParquetFile(folder / part).read()
        if "/" in part:
            who = part.split("/")[1].removeprefix(_PERSON)
            read = read.append_column("participant", pa.repeat(pa.scalar(who), len(read)))
        tables.append(read.select(schema.names).cast(schema))
    return pa.concat_tables(tables)


def _polars(found: Any, levels: dict[str, list[str]]) -> polars.DataFrame:
    import polars  # noqa: PLC0415 - only who asks for it has to have it

    read = polars.from_arrow(found)
    assert isinstance(read, polars.DataFrame)
    return read.with_columns(
        [polars.col(name).cast(polars.Enum(of)) for name, of in levels.items() if name in read.columns]
    )


def _pandas(found: Any, levels: dict[str, list[str]]) -> pandas.DataFrame:
    import pandas  # noqa: PLC0415 - only who asks for it has to have it
    import pyarrow as pa  # noqa: PLC0415

    kinds: dict[Any, Any] = {pa.int64(): pandas.Int64Dtype(), pa.bool_(): pandas.BooleanDtype()}
    read: pandas.DataFrame = found.to_pandas(types_mapper=kinds.get)
    return read.astype({name: pandas.CategoricalDtype(of) for name, of in levels.items()})
