"""What must hold of each network whole, without anything recorded elsewhere."""

import hashlib
from typing import Any

import pytest
import torch
import torch.fx
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.fer.networks.forms import PUBLISHED, SMALL, SMALL_SIDE, described, faces, filled, small
from tracker.fer.device import available_devices
from tracker.fer.folding import fold_batch_norm
from tracker.fer.networks import ARCHITECTURES, build, by_head

NAMES = tuple(PUBLISHED)

# Parameters registered with 7 and with 8 classes, and those that an output depends on with 7 (of POSTER++
# also what its paper states: 43.7 M).
COUNTS = {
    "poster_v2": (58_316_594, 58_317_363, 43_753_941),
    "dan": (19_723_733, 19_724_248, 19_723_733),
    "dmue_resnet18": (11_181_120, 11_181_632, 11_181_120),
    "dmue_resnet50ibn": (23_522_368, 23_524_416, 23_522_368),
}

# SHA-256 over the sorted lines "key shape type" of the published state dict with 8 classes.
ENTRIES = {
    "poster_v2": "92cad0e5d5c93e901c0523df287ffd09164f149f5990b76979e215ac61f4dde9",
    "dan": "1f151234138c93f3da49268eee12792cc781682c7047056d9f5e19070aea5756",
    "dmue_resnet18": "9e6a7eb51de0ae6999ad4c0d15208979f5c458ea668bb4e60c608fcfe0e145d1",
    "dmue_resnet50ibn": "72ca99c94026d0881023d88719b4d4b680f4207d275e3b35f57fea2ad9938aea",
}


def _logits(network: nn.Module, x: Tensor) -> Tensor:
    return by_head(network(x), ["emotion"])["emotion"]


def _near(found: Tensor, expected: Tensor) -> bool:
    """Equal up to rounding, which is relative to the largest logit: small ones are differences of large numbers."""
    return bool((found - expected).abs().max() < 1e-4 * expected.abs().max())


def _count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.fixture(scope="module", params=NAMES)
def network(request: pytest.FixtureRequest) -> nn.Module:
    return small(request.param)


def test_every_network_of_the_literature_can_be_built() -> None:
    assert set(ARCHITECTURES) == {"se_resnet", *NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_as_many_as_published(name: str) -> None:
    seven, eight, reached = COUNTS[name]
    network = described(name, 7).eval()
    assert _count(network) == seven
    assert _count(described(name, 8)) == eight
    # A traced copy holds only what its graph calls.
    assert _count(torch.fx.symbolic_trace(network)) == reached


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_those_of_the_published_checkpoints(name: str) -> None:
    state = described(name, 8).state_dict()
    lines = sorted(f"{key} {tuple(value.shape)} {value.dtype}" for key, value in state.items())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == ENTRIES[name]


def test_only_what_the_checkpoints_carry_for_nothing_gets_no_gradient(network: nn.Module) -> None:
    network.zero_grad()
    _logits(network, faces(1)).square().sum().backward()  # type: ignore[no-untyped-call]
    idle = [name for name, p in network.named_parameters() if p.grad is None]
    carried = ("output_layer", "patch_embed", "eca_block", "CON1", "IRLinear", "VIT.blocks")
    assert all(any(part in name for part in carried) for name in idle)
    assert len(idle) in (0, 24)
    assert bool(idle) == hasattr(network, "VIT")


@given(n=st.integers(2, 4), row=st.integers(0, 3), seed=st.integers(0, 99))
@settings(max_examples=8, deadline=None)
@pytest.mark.parametrize("name", NAMES)
def test_every_face_reads_the_same_whatever_its_batch_mates_show(
    name: str, n: int, row: int, seed: int
) -> None:
    row %= n
    x = faces(n, seed=seed)
    other = faces(n, seed=seed + 1000) * 5
    other[row] = x[row]
    network = _kept(name)
    with torch.inference_mode():
        together, among_others, alone = (_logits(network, batch) for batch in (x, other, x[row : row + 1]))
    assert _near(among_others[row], together[row])
    assert _near(alone[0], together[row])


_small: dict[str, nn.Module] = {}


def _kept(name: str) -> nn.Module:
    if name not in _small:
        _small[name] = small(name)
    return _small[name]


def test_folded_and_in_other_memory_it_is_the_same_function(network: nn.Module) -> None:
    x = faces(3)
    folded = fold_batch_norm(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        expected = _logits(network, x)
        found = _logits(folded, x.contiguous(memory_format=torch.channels_last))
    assert expected.abs().max() > 0.1
    assert _near(found, expected)


@pytest.mark.parametrize("device", available_devices())
def test_half_precision_stays_near(network: nn.Module, device: str) -> None:
    x = faces(4)
    on_device = fold_batch_norm(network).to(device)
    with torch.inference_mode():
        expected = _logits(network, x)
        with torch.autocast(device, torch.bfloat16):
            found = _logits(on_device, x.to(device)).float().cpu()
    assert (found - expected).abs().max() < 0.1 * expected.abs().max()  # 8 bits, thirty layers deep


def test_another_seed_of_faces_gives_other_logits(network: nn.Module) -> None:
    with torch.inference_mode():
        assert not torch.allclose(_logits(network, faces(1)), _logits(network, faces(1, seed=1)), atol=1e-3)


def test_no_faces_are_no_logits(network: nn.Module) -> None:
    with torch.inference_mode():
        assert _logits(network, faces(0)).shape == (0, 7)


def test_a_nan_in_one_face_stays_with_it(network: nn.Module) -> None:
    x = faces(3)
    x[1, 0, 8, 8] = float("nan")
    with torch.inference_mode():
        z = _logits(network, x)
    assert z[[0, 2]].isfinite().all()


@pytest.mark.parametrize("arguments", [{}, {"classes": 7, "colour": "grey"}])
@pytest.mark.parametrize("name", NAMES)
def test_arguments_that_it_does_not_take(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"classes|colour"):
        build(name, **arguments)


def test_a_side_that_the_windows_cannot_share() -> None:
    with pytest.raises(ValueError, match="side must be a multiple of 16, not 100"):
        build("poster_v2", classes=7, side=100)


@pytest.mark.parametrize("name", NAMES)
def test_training_reaches_what_evaluation_reads(name: str) -> None:
    """One step on one batch changes the logits, and never to anything that is not a number."""
    network = filled(name, **SMALL[name]).train()
    optimiser = torch.optim.SGD(network.parameters(), 0.01)
    x = faces(4, SMALL_SIDE)
    before = _logits(network, x)
    nn.functional.cross_entropy(before, torch.arange(4)).backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    after = _logits(network.eval(), x)
    assert after.isfinite().all()
    assert not torch.allclose(before, after, atol=1e-4)
