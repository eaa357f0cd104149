"""Places to pull from that are odd, and data folders that are: one clear line, and nobody's file is harmed."""

from pathlib import Path

import pytest

from tests.fer.serving import BODY
from tests.fer.test_zoo import NOW, finder, zoo_of
from tracker.fer.sources import Web, locate
from tracker.fer.zoo import Zoo, ZooError


def _partial(zoo: Zoo) -> Path:
    path = zoo.data / "detectors" / "finder.onnx.partial"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@pytest.mark.parametrize("source", ["http://[a/b", "https://[::1/", "file://[a/b"])
def test_what_is_no_address(tmp_path: Path, source: str) -> None:
    with pytest.raises(ZooError, match="is no address"):
        zoo_of(tmp_path, finder()).pull("finder", source)


def test_other_letters_and_spaces_are_written_as_addresses_have_them() -> None:
    assert locate(finder(), "https://a.example/grüße und/x?y=%20&z#") == Web(
        ("https://a.example/gr%C3%BC%C3%9Fe%20und/x?y=%20&z#",)
    )
    assert locate(finder(), "https://a.example/ö/") == Web(
        ("https://a.example/%C3%B6/detectors/finder.onnx", "https://a.example/%C3%B6/finder.onnx")
    )


def test_a_host_of_other_letters_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="could not be pulled from"):
        zoo_of(tmp_path, finder()).pull("finder", "http://grüße.invalid/")


def test_what_was_collected_is_no_source_and_stays(tmp_path: Path) -> None:
    zoo = zoo_of(tmp_path, finder())
    partial = _partial(zoo)
    partial.write_bytes(BODY)
    with pytest.raises(ZooError, match=r"is where finder is collected; pull without --from"):
        zoo.pull("finder", partial)
    assert partial.read_bytes() == BODY


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    zoo = zoo_of(tmp_path, finder())
    precious, source = tmp_path / "precious", tmp_path / "source"
    precious.write_text("precious")
    source.write_bytes(BODY)
    _partial(zoo).symlink_to(precious)
    path = zoo.pull("finder", source)
    assert path.read_bytes() == BODY
    assert not path.is_symlink()
    assert precious.read_text() == "precious"


def test_an_answer_that_cannot_be_noted(tmp_path: Path) -> None:
    zoo = zoo_of(tmp_path, finder(), accept=False)
    (zoo.data / "accepted.json.lock").mkdir(parents=True)
    with pytest.raises(ZooError, match=r"could not be noted in .*accepted\.json"):
        zoo.acceptances.record(zoo.entry("finder"), NOW)
    assert zoo.needs_acceptance("finder")
