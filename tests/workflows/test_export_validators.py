"""What describes an export is read by the programs of those whose standards it follows, which are not ours."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import frictionless
import pytest

from tests.builders import NOW, installation
from tests.lives import pooled
from tests.workflows.exported import EVERY, read, someone
from tests.workflows.rated import given, observation_of, rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.members import Role
from tracker.domain.rating import Dimension, Sample, Trace
from tracker.workflows import rating
from tracker.workflows.export import export_dataset

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import mlcroissant
    from openesm import get_dataset as openesm_loader
    from rocrate.rocrate import ROCrate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An export with everything in it."""
    place = tmp_path_factory.mktemp("described")
    access: Access = installation(f"sqlite:///{place / 'test.db'}", place)
    pooled(access, someone(access, "ada"))
    someone(access, "grace", simulated=True, zone="Asia/Kolkata")
    judged(access)
    formats = {"csv", "parquet", "openesm"}
    yield export_dataset(access, place / "out", NOW, formats=formats, shape="long").folder
    access.close()


def judged(access: Access) -> None:
    """Somebody whose faces were rated, followed in a clip, and of whom an answer is known."""
    ada, kim = shown(access, "mary", faces=6, every=timedelta(seconds=5)), rater(access)
    judge = rater(access, "rosa", Role.RESEARCHER)
    for answer in (said(Emotion.FEAR), said(None)):
        [item] = given(access, kim)
        rating.vote(access, kim, item, answer, NOW)
        rating.set_gold(
            access, judge, ada, observation_of(access, item), Distribution.said(Emotion.ANGER), NOW
        )
    stretch = rating.stretches(access, kim, NOW)[0]
    frames = rating.open_series(access, kim, stretch.item, NOW).frames
    samples = tuple(Sample(f.at, 0.5, f.observation) for f in frames)
    rating.keep_trace(access, kim, stretch.item, Trace(Dimension.AROUSAL, samples, 2.0, "a-trace-once"), NOW)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An export of Parquet alone."""
    place = tmp_path_factory.mktemp("parquet")
    access: Access = installation(f"sqlite:///{place / 'test.db'}", place)
    someone(access, "ada")
    judged(access)
    yield export_dataset(access, place / "out", NOW, formats={"parquet"}).folder
    access.close()


def test_frictionless_reads_every_table_as_declared(folder: Path) -> None:
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.flatten(["title", "message"]) == []
    assert {task.name for task in report.tasks} == {*EVERY, "series", "beeps"}
    for table in EVERY:
        assert read(folder, table), f"{table} is empty: nothing of it was validated"


def test_frictionless_sees_a_cell_that_is_not_as_declared(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (tmp_path / "out" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "out" / "contexts.csv").write_text(
        (folder / "contexts.csv").read_text("utf-8").replace("RECORDED", "REHEARSED"), "utf-8"
    )
    assert not frictionless.validate(str(tmp_path / "out" / "datapackage.json")).valid


@pytest.mark.parametrize("which", ["folder", "parquet"])
def test_mlcroissant_finds_nothing_wrong_and_reads_the_records(
    which: str, request: pytest.FixtureRequest
) -> None:
    place: Path = request.getfixturevalue(which)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = mlcroissant.Dataset(jsonld=str(place / "croissant.json"))
        issues = dataset.metadata.ctx.issues
        assert (issues.errors, issues.warnings) == (set(), set())
        rows = read(place, "participants")
        found = list(dataset.records(record_set="participants"))
        assert [r["participants/participant"].decode() for r in found] == [r["participant"] for r in rows]
        for table in ("ratings", "traces"):
            # A Dataset of its own for each: mlcroissant gives keys for records of a table that was joined before.
            joined = mlcroissant.Dataset(jsonld=str(place / "croissant.json"))
            assert len(list(joined.records(record_set=table))) == len(read(place, table)) > 0
        observed = list(dataset.records(record_set="observations"))
        assert len(observed) == len(read(place, "observations"))
        assert {int(r["observations/observation"]) for r in observed} == {
            r["observation"] for r in read(place, "observations")
        }


def test_rocrate_reads_the_crate_and_finds_its_files(folder: Path) -> None:
    crate = ROCrate(str(folder))
    told = {entity.id: entity for entity in crate.get_entities()}
    assert told["./"]["license"].id == "#licence"
    for file in folder.iterdir():
        if file.name != "ro-crate-metadata.json":
            entity = told[f"{file.name}/" if file.is_dir() else file.name]
            assert entity.type == ("Dataset" if file.is_dir() else "File")
    assert told["#software"]["name"] == "affect-tracker"
    assert told["#export"]["result"].id == "./"


def test_the_loader_of_openesm_loads_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [metadata] = folder.glob("*_metadata.json")
    told: dict[str, Any] = json.loads(metadata.read_bytes())
    catalogue = tmp_path / "v1.0.0" / "datasets.json"
    catalogue.parent.mkdir()
    catalogue.write_text(json.dumps({"datasets": [told | {"zenodo_doi": "10.5281/zenodo.0"}]}), "utf-8")
    import polars  # noqa: PLC0415
    from openesm import get_dataset  # noqa: F401, PLC0415

    module: Any = __import__("sys").modules["openesm.get_dataset"]
    listed = polars.DataFrame([{k: told[k] for k in ("dataset_id", "first_author")}])
    monkeypatch.setattr(module, "list_datasets", lambda **_: listed)
    monkeypatch.setattr(module, "download_metadata_from_zenodo", lambda **_: catalogue)
    version = {"version": told["dataset_version"], "doi": "10.5281/zenodo.1"}
    monkeypatch.setattr(module, "get_zenodo_versions", lambda *_, **__: [version])
    dataset = openesm_loader(told["dataset_id"], path=folder, quiet=True)
    assert dataset.data.columns[:4] == ["id", "day", "beep", "counter"]
    assert dataset.data.height == told["n_time_points"] == 2
    assert set(dataset.data["id"]) == {r["participant"] for r in read(folder, "prompts")}
    assert dataset.data["leave_me_alone"].to_list() == [1.0, 1.0]
    assert [f["name"] for f in told["features"]] == dataset.data.columns
    assert dataset.metadata["n_participants"] == 3


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.headings: list[int] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "onclick")]
        if tag not in ("meta", "rect"):
            self.open.append(tag)
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))
        self.tables += tag == "table"

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def test_the_codebook_is_a_page_of_its_own_that_loads_nothing(folder: Path) -> None:
    text = (folder / "codebook.html").read_text("utf-8")
    page = _Page()
    page.feed(text.removeprefix("<!doctype html>"))
    assert page.open == page.loads == []
    assert page.headings == [1] + [2] * (len(EVERY) + 2 + 1)
    assert page.tables == len(EVERY) + 2
    assert "<script" not in text
    # Every column stands in it with its distribution, those with bounds as bars too.
    for name in ("leave_me_alone", "p_contempt", "valence_derived", "counter"):
        assert f"<code>{name}</code>" in text
    assert "p_sadness: values from 0 to 1 in ten equal parts: " in text
    assert (folder / "codebook.md").read_text("utf-8").count("\n## ") == len(EVERY) + 3
