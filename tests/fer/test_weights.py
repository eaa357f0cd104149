from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.fer.making import EIGHT, entry_for, tiny_network, tiny_spec
from tracker.fer.manifest import Head, ZooError
from tracker.fer.weights import load_weights, pack_weights


@pytest.fixture
def packed() -> bytes:
    network = tiny_network()
    return pack_weights(network.module.state_dict(), network.spec)


def test_weights_come_back_equal(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "w").write_bytes(packed)
    module = load_weights(tmp_path / "w", entry_for(packed, tiny_spec()))
    expected = tiny_network().module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in module.state_dict().items())
    assert not module.training


def test_the_same_weights_are_the_same_bytes(packed: bytes) -> None:
    network = tiny_network()
    assert pack_weights(network.module.state_dict(), network.spec) == packed


def test_a_truncated_file(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "w").write_bytes(packed[:-100])
    with pytest.raises(ZooError, match=rf"truncated: {len(packed) - 100} of {len(packed)} bytes"):
        load_weights(tmp_path / "w", entry_for(packed, tiny_spec()))


def test_a_changed_file(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "w").write_bytes(packed[:-1] + bytes([packed[-1] ^ 1]))
    with pytest.raises(ZooError, match="not the file in the manifest: sha256"):
        load_weights(tmp_path / "w", entry_for(packed, tiny_spec()))


def test_a_missing_file(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(ZooError, match="cannot be read: No such file"):
        load_weights(tmp_path / "w", entry_for(packed, tiny_spec()))


@pytest.mark.parametrize(
    "data", [b"", b"\x80\x04pickled", b"\xff" * 64, (8).to_bytes(8, "little") + b"no json!"]
)
def test_what_is_no_safetensors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w").write_bytes(data)
    with pytest.raises(ZooError, match="is not a safetensors file"):
        load_weights(tmp_path / "w", entry_for(data, tiny_spec()))


def test_weights_of_another_architecture(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "w").write_bytes(packed)
    arguments = {"heads": {"ferplus": 8}, "widths": [8, 8, 24], "depths": [1, 1]}
    with pytest.raises(ZooError, match=r"holds no se_resnet with these arguments.*size mismatch"):
        load_weights(tmp_path / "w", entry_for(packed, tiny_spec(arguments=arguments)))


@pytest.mark.parametrize(
    "changes", [{"architecture": "vgg99"}, {"arguments": {"heads": {"ferplus": 8}, "colour": 1}}]
)
def test_an_architecture_that_cannot_be_built(
    tmp_path: Path, packed: bytes, changes: dict[str, object]
) -> None:
    (tmp_path / "w").write_bytes(packed)
    with pytest.raises(ZooError, match=r"tiny: .*(vgg99|colour)"):
        load_weights(tmp_path / "w", entry_for(packed, tiny_spec(**changes)))


def test_another_class_order_than_the_weights_were_written_with(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "w").write_bytes(packed)
    swapped = ("happiness", "neutral", *EIGHT[2:])
    with pytest.raises(ZooError, match=r"class order.*but the manifest says"):
        load_weights(tmp_path / "w", entry_for(packed, tiny_spec(swapped)))


def test_heads_are_counted_on_the_network_itself(tmp_path: Path) -> None:
    state = tiny_network().module.state_dict()
    data = safetensors.torch.save({name: value.contiguous() for name, value in state.items()})
    (tmp_path / "w").write_bytes(data)
    spec = tiny_spec()
    seven = replace(entry_for(data, spec), network=spec)
    object.__setattr__(seven.spec, "heads", (Head("ferplus", EIGHT[:7]),))
    with pytest.raises(ZooError, match=r"has the heads \{'ferplus': 8\}, but the manifest says"):
        load_weights(tmp_path / "w", seven)


def test_weights_that_are_not_numbers(tmp_path: Path) -> None:
    network = tiny_network()
    state = network.module.state_dict()
    state["heads.ferplus.bias"][0] = float("nan")
    data = pack_weights(state, network.spec)
    (tmp_path / "w").write_bytes(data)
    with pytest.raises(ZooError, match="not finite"):
        load_weights(tmp_path / "w", entry_for(data, network.spec))
