"""Whatever somebody brings, the manifest can be read afterwards: one bad entry would hide every network."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fer.making import tiny_zoo
from tests.fer.onnx_making import linear
from tracker.fer.adding import Wanted, add
from tracker.fer.brought import keep
from tracker.fer.manifest import Entry, Head, ZooError, parse_manifest, read_manifest
from tracker.fer.writing import render_manifest, write_manifest
from tracker.fer.zoo import Zoo


def _entry(folder: Path) -> Entry:
    return next(
        e for e in read_manifest(tiny_zoo(folder)[0] / "manifest.toml").values() if e.network is not None
    )


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    return _entry(tmp_path_factory.mktemp("models"))


@given(st.text(max_size=20), st.text(max_size=20))
def test_every_text_is_read_back_or_refused(entry: Entry, head: str, terms: str) -> None:
    one = replace(entry.spec.heads[0], name=head)
    arguments = {"heads": {head: len(one.classes)}}
    spec = replace(entry.spec, heads=(one,), arguments=arguments)
    wanted = replace(entry, terms=terms, network=spec)
    text = render_manifest([wanted])
    assert parse_manifest(tomllib.loads(text), "it") == {entry.name: wanted}


@pytest.mark.parametrize("name", ["a\x7f", "a\x1b[31m", 'a"b', "a\\b"])
def test_a_file_of_any_name_leaves_the_zoo_readable(tmp_path: Path, name: str) -> None:
    models, _ = tiny_zoo(tmp_path / "models")
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(linear(8).SerializeToString())
    zoo = Zoo(models, tmp_path / "data")
    add(zoo, Wanted("mine", path, order="affectnet", classes=8, normalisation="half"))
    assert name in Zoo(models, tmp_path / "data").entry("mine").note


@pytest.mark.parametrize("terms", ["a\udcff"])
def test_what_no_manifest_can_hold_is_refused_and_the_old_one_stays(
    tmp_path: Path, entry: Entry, terms: str
) -> None:
    write_manifest(tmp_path / "manifest.toml", [entry])
    worse = replace(entry, name="worse", terms=terms, file="added/worse/network.safetensors")
    with pytest.raises(ZooError, match="cannot hold these entries"):
        keep(tmp_path, worse, b"content")
    assert read_manifest(tmp_path / "manifest.toml") == {entry.name: entry}
    assert not (tmp_path / "added" / "worse").exists()
    assert not list(tmp_path.glob("*.partial"))


def test_a_number_that_toml_does_not_know_is_refused(tmp_path: Path, entry: Entry) -> None:
    odd = replace(entry, network=replace(entry.spec, arguments={"dropout": float("inf")}))
    with pytest.raises(ZooError, match="cannot hold these entries"):
        write_manifest(tmp_path / "manifest.toml", [odd])


@pytest.mark.parametrize(
    "text",
    [
        '[a]\nkind = "network"\nheads = 5\n',
        '[a]\nkind = "network"\nheads = { x = { classes = ["fear", "anger"] } }\narchitecture = "x"\narguments = 5\n'
        'crop = { size = 9 }\nnormalisation = "half"\n',
        "a = " + "[" * 5000 + "]" * 5000,
    ],
    ids=["heads", "arguments", "depth"],
)
def test_settings_of_another_kind_are_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(ZooError, match=r"manifest\.toml"):
        read_manifest(path)


def test_a_head_is_not_a_way_to_write_other_entries(tmp_path: Path, entry: Entry) -> None:
    name = "x]\n[default]\nkind = " + json.dumps("detector")
    one = Head(name, entry.spec.heads[0].classes)
    sly = replace(entry, network=replace(entry.spec, heads=(one,), arguments={}))
    write_manifest(tmp_path / "manifest.toml", [sly])
    assert list(read_manifest(tmp_path / "manifest.toml")) == [entry.name]
