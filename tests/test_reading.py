"""An export is read back as a typed frame in one line, whichever formats it has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.builders import NOW, installation
from tests.workflows.exported import EVERY, manifest, read, someone
from tracker.access import Access
from tracker.reading import NoExportError
from tracker.workflows.export import export_dataset

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    place = tmp_path_factory.mktemp("installation")
    opened = installation(f"sqlite:///{place / 'test.db'}", place)
    someone(opened, "ada")
    someone(opened, "grace", simulated=True, zone="Asia/Kolkata")
    yield opened
    opened.close()


@pytest.mark.parametrize("only", ["parquet", "csv"])
def test_every_table_is_what_was_written(access: Access, tmp_path: Path, only: str) -> None:
    formats = {"parquet", "csv", "openesm"}
    out = export_dataset(access, tmp_path / "out", NOW, formats=formats, shape="wide").folder
    expected = {table: read(out, table) for table in (*EVERY, "series")}
    if only == "csv":
        told = manifest(out)
        told["files"] = {n: f for n, f in told["files"].items() if not n.endswith(".parquet")}
        (out / "manifest.json").write_text(json.dumps(told))
    for table, rows in expected.items():
        frame = tracker.read_export(out, table)
        assert frame.to_dicts() == rows
    assert tracker.read_export(out, "beeps").columns[:3] == ["id", "day", "beep"]


def test_a_table_that_no_export_has_is_named_as_absent(access: Access, tmp_path: Path) -> None:
    out = export_dataset(access, tmp_path / "out", NOW, formats={"parquet"}).folder
    with pytest.raises(NoExportError, match="has no table 'moods'; it has participants, observations"):
        tracker.read_export(out, "moods")


def test_both_frames_have_the_types_of_the_codebook(access: Access, tmp_path: Path) -> None:
    out = export_dataset(access, tmp_path / "out", NOW).folder
    frame = tracker.read_export(out, "corrections")
    assert frame.schema["at"] == polars.Datetime("us", "UTC")
    assert frame.schema["supersedes"] == polars.Int64
    assert frame.schema["origin"] == polars.Enum(["RECORDED", "SIMULATED", "IMPORTED"])
    panda = tracker.read_export(out, "corrections", frame="pandas")
    assert str(panda["at"].dtype) == "datetime64[us, UTC]"
    assert panda["supersedes"].dtype == pandas.Int64Dtype()
    assert panda["suggestion_shown"].dtype == pandas.BooleanDtype()
    assert panda["origin"].dtype == pandas.CategoricalDtype(["RECORDED", "SIMULATED", "IMPORTED"])
    assert list(panda.columns) == frame.columns
    assert panda["p_fear"].dropna().tolist() == frame["p_fear"].drop_nulls().to_list()
    with pytest.raises(ValueError, match="polars or pandas, not 'arrow'"):
        tracker.read_export(out, frame="arrow")  # type: ignore[call-overload]


def test_the_series_is_read_where_there_is_one(access: Access, tmp_path: Path) -> None:
    with_series = export_dataset(access, tmp_path / "with", NOW, shape="long").folder
    without = export_dataset(access, tmp_path / "without", NOW).folder
    assert "variable" in tracker.read_export(with_series).columns
    assert "pts_us" in tracker.read_export(without).columns


def test_what_is_not_whole_is_not_read(access: Access, tmp_path: Path) -> None:
    out = export_dataset(access, tmp_path / "out", NOW, formats={"parquet"}).folder
    part = next((out / "observations").glob("*/*/rows.parquet"))
    held = part.read_bytes()
    part.write_bytes(held[:-1])
    with pytest.raises(NoExportError, match=r"rows\.parquet is not as manifest\.json says"):
        tracker.read_export(out)
    part.unlink()
    with pytest.raises(NoExportError, match=r"rows\.parquet is not as manifest\.json says"):
        tracker.read_export(out)


def test_importing_the_package_imports_no_frames() -> None:
    code = "import sys, tracker; print({'pandas', 'polars', 'pyarrow', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
