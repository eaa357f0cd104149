from dataclasses import replace
from pathlib import Path

import pytest

from tests.fer.making import EIGHT, entry_for, tiny_spec
from tracker.domain.framing import CropSpec
from tracker.fer.manifest import Head, ZooError, read_manifest
from tracker.fer.writing import write_manifest


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    network = entry_for(b"x", tiny_spec(crop=CropSpec(48, 0.1, "eyes", 0.4, 0.5)), url="https://a.example/b")
    detector = entry_for(b"y", None, "finder", terms='With "quotes", ü and \\.')
    path = tmp_path / "manifest.toml"
    write_manifest(path, [network, detector])
    assert read_manifest(path) == {"tiny": network, "finder": detector}


def test_the_id_names_the_weights() -> None:
    entry = entry_for(b"x", tiny_spec())
    assert entry.id == f"tiny@{entry.sha256[:12]}"


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("neutral", "joy"), "'joy' is no emotion; known: neutral, happiness"),
        (("neutral", "neutral"), "each once"),
        (("neutral",), "two or more"),
    ],
)
def test_a_head_knows_emotions_each_once(classes: tuple[str, ...], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        Head("ferplus", classes)


def test_classes_must_be_as_many_as_the_head_has() -> None:
    with pytest.raises(ZooError, match=r"do not match the architecture's heads \{'ferplus': 7\}"):
        tiny_spec(arguments={"heads": {"ferplus": 7}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "../escape"}, "must be a path below"),
        ({"file": "/etc/passwd"}, "must be a path below"),
        ({"sha256": "ABC"}, "64 hexadecimal digits"),
        ({"kind": "detector"}, "do not belong together"),
    ],
)
def test_entries_that_contradict_themselves(change: dict[str, str], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        replace(entry_for(b"x", tiny_spec()), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "is not TOML"),
        ("[a]\nkind = 'detector'\n", "entry 'a'.*missing"),
        ("[a]\nkind = 'network'\n", "entry 'a'.*heads"),
        ("a = 1", "entry 'a'"),
        (
            "[a]\nkind='detector'\nfile='f'\nsha256='x'\nsize=1\nlicence='L'\nterms='T'\ncolour='red'",
            "colour",
        ),
    ],
)
def test_bad_manifests_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(ZooError, match=message):
        read_manifest(path)


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"cannot be read: No such file"):
        read_manifest(tmp_path / "manifest.toml")


def test_an_unknown_head_is_named_with_those_that_are() -> None:
    with pytest.raises(ZooError, match="no head 'fer2013'; there are: ferplus"):
        tiny_spec().head("fer2013")


def test_the_order_is_kept_not_sorted(tmp_path: Path) -> None:
    turned = EIGHT[::-1]
    write_manifest(tmp_path / "m.toml", [entry_for(b"x", tiny_spec(turned))])
    assert read_manifest(tmp_path / "m.toml")["tiny"].spec.head("ferplus").classes == turned
