"""The parts by themselves, against their definitions written out in numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from tests.fer.networks.forms import faces, filled
from tracker.fer.networks import dan, resnet
from tracker.fer.networks.cross_attention import CrossAttention, FeedForward, relative_positions
from tracker.fer.networks.dmue import ResNet18Trunk, ResNet50IbnTrunk
from tracker.fer.networks.ir50 import ImprovedBlock
from tracker.fer.networks.mobile_face import Expansion, MobileFace
from tracker.fer.networks.transformer import DropPath, Gate, SelfAttention, TokenTransformer

Floats = NDArray[np.float64]


def _numbers(module: nn.Module, seed: int) -> nn.Module:
    """Give every parameter and statistic a value of its own, so that nothing is hidden by a 0 or a 1."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.normal_(0, 0.5)
                if name.endswith("running_var"):
                    value.abs_().add_(0.1)
    return module.eval()


def _softmax(z: Floats) -> Floats:
    e = np.exp(z - z.max(-1, keepdims=True))
    result: Floats = e / e.sum(-1, keepdims=True)
    return result


@given(side=st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_every_pair_of_places_has_the_row_of_its_distance(side: int) -> None:
    index = relative_positions(side).numpy()
    table = 2 * side - 1
    for asking in range(side * side):
        for answering in range(side * side):
            down = asking // side - answering // side
            right = asking % side - answering % side
            assert index[asking, answering] == (down + side - 1) * table + right + side - 1
    assert sorted(set(index.ravel().tolist())) == list(range(table * table))


@given(side=st.integers(2, 4), heads=st.sampled_from([1, 2, 4]), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_every_answer_of_the_cross_attention_is_its_definition(side: int, heads: int, seed: int) -> None:
    channels, depth, n, places = 8, 8 // heads, 2, side * side
    module = _numbers(CrossAttention(channels, side, heads), seed)
    picture, landmarks = torch.randn(2, n, side, side, channels)
    with torch.inference_mode():
        found = module(picture, landmarks).numpy()
    p = {name: value.double().numpy() for name, value in module.state_dict().items()}
    index = p["relative_position_index"].astype(int)
    for row in range(n):
        tokens = picture[row].double().numpy().reshape(places, channels)
        asking = landmarks[row].double().numpy().reshape(places, channels)
        kv = tokens @ p["qkv.weight"].T + p["qkv.bias"]
        answers = []
        for head in range(heads):
            own = slice(head * depth, (head + 1) * depth)
            k, v = kv[:, :channels][:, own], kv[:, channels:][:, own]
            bias = p["relative_position_bias_table"][:, head][index]
            answers.append(_softmax(asking[:, own] @ k.T / np.sqrt(depth) + bias) @ v)
        expected = np.concatenate(answers, 1) @ p["proj.weight"].T + p["proj.bias"]
        assert np.allclose(found[row], expected, atol=1e-4)


@given(heads=st.sampled_from([1, 2, 4]), tokens=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_every_token_of_the_self_attention_is_its_definition(heads: int, tokens: int, seed: int) -> None:
    module = _numbers(SelfAttention(8, heads), seed)
    x = torch.randn(1, tokens, 8)
    with torch.inference_mode():
        found = module(x)[0].numpy()
    p = {name: value.double().numpy() for name, value in module.state_dict().items()}
    q, k, v = np.split(x[0].double().numpy() @ p["qkv.weight"].T + p["qkv.bias"], 3, axis=1)
    parts = [
        _softmax(a @ b.T / np.sqrt(8 // heads)) @ c
        for a, b, c in zip(*(np.split(t, heads, axis=1) for t in (q, k, v)), strict=True)
    ]
    expected = np.concatenate(parts, 1) @ p["proj.weight"].T + p["proj.bias"]
    assert np.allclose(found, expected, atol=1e-4)


def test_a_fresh_feed_forward_hardly_changes_the_picture() -> None:
    picture, answers = torch.randn(2, 3, 3, 8), torch.randn(2, 9, 8)
    out = FeedForward(8, 0.0).eval()(answers, picture)
    assert out.shape == (2, 8, 3, 3)
    assert torch.allclose(out, picture.permute(0, 3, 1, 2), atol=1e-3)


def test_answers_come_back_to_their_places() -> None:
    module = FeedForward(4, 0.0).eval()
    nn.init.ones_(module.gamma1)
    nn.init.zeros_(module.gamma2)
    answers = torch.arange(6.0 * 4).reshape(1, 6, 4)
    out = module(answers, torch.zeros(1, 2, 3, 4))
    assert out[0, 1].tolist() == [[1.0, 5.0, 9.0], [13.0, 17.0, 21.0]]


@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_every_half_is_normalised_by_its_own_statistics(seed: int) -> None:
    module = _numbers(resnet.InstanceBatchNorm(6), seed)
    x = torch.randn(3, 6, 5, 5) * 3 + 1
    with torch.inference_mode():
        found = module(x).numpy()
    p = {name: value.numpy()[:, None, None] for name, value in module.state_dict().items() if value.ndim}
    own, shared = x.numpy()[:, :3], x.numpy()[:, 3:]
    own = (own - own.mean((2, 3), keepdims=True)) / np.sqrt(own.var((2, 3), keepdims=True) + 1e-5)
    shared = (shared - p["BN.running_mean"]) / np.sqrt(p["BN.running_var"] + 1e-5)
    assert np.allclose(found[:, :3], own * p["IN.weight"] + p["IN.bias"], atol=1e-4)
    assert np.allclose(found[:, 3:], shared * p["BN.weight"] + p["BN.bias"], atol=1e-4)


def test_instance_norm_is_torchs() -> None:
    ours, theirs = resnet.InstanceNorm(4, affine=True), nn.InstanceNorm2d(4, affine=True)
    _numbers(ours, 1)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 5, 5) + 7
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)


def test_nothing_follows_the_sum_of_a_recognisers_or_landmarkers_block() -> None:
    recogniser = _numbers(ImprovedBlock(4, 4, 1), 3)
    landmarker = _numbers(Expansion(4, 4, 8, 1, residual=True), 3)
    x = torch.randn(2, 4, 6, 6)
    with torch.inference_mode():
        assert torch.allclose(recogniser(x), recogniser.res_layer(x) + x, atol=1e-6)  # type: ignore[operator]
        assert recogniser(x).min() < 0
        alone = landmarker.project(landmarker.conv_dw(landmarker.conv(x)))  # type: ignore[operator]
        assert torch.allclose(landmarker(x), alone + x, atol=1e-6)
        assert alone.min() < 0


def test_a_widened_recognisers_block_takes_every_second_pixel() -> None:
    block = ImprovedBlock(4, 4, 2)
    x = torch.randn(1, 4, 6, 6)
    assert torch.equal(block.shortcut_layer(x), x[:, :, ::2, ::2])


def test_the_stride_of_a_landmarkers_block_sits_on_its_depthwise_convolution() -> None:
    block = Expansion(4, 8, 16, 2)
    assert block.conv.conv.stride == (1, 1)
    assert block.conv_dw.conv.stride == (2, 2)
    assert block.conv_dw.conv.groups == 16


def test_landmark_maps_do_not_depend_on_the_landmarks() -> None:
    network = MobileFace().eval()
    x = faces(1, 64)
    with torch.inference_mode():
        before = network(x)
        for p in network.output_layer.parameters():
            p.fill_(float("nan"))
        assert all(torch.equal(a, b) for a, b in zip(before, network(x), strict=True))


def test_the_stem_of_dmue_on_resnet18_lets_negative_numbers_pass() -> None:
    trunk = ResNet18Trunk().eval()
    x = faces(1, 64)
    with torch.inference_mode():
        assert (trunk.pool(trunk.bn1(trunk.conv1(x)))).min() < 0
        seen: list[torch.Tensor] = []
        trunk.layer1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        trunk(x)
        assert seen[0].min() < 0
        assert seen[0].shape[2:] == (16, 16)


def test_the_stem_of_dmue_on_resnet50_does_not() -> None:
    trunk = ResNet50IbnTrunk().eval()
    seen: list[torch.Tensor] = []
    trunk.layer1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode():
        trunk(faces(1, 64))
    assert seen[0].min() >= 0
    assert isinstance(trunk.layer4[0].bn1, nn.BatchNorm2d)
    assert trunk.layer2[0].conv2.stride == (2, 2)


def test_where_dan_looks_is_one_relu_over_three_views() -> None:
    module = _numbers(dan.SpatialAttention(), 5)
    x = torch.randn(1, 512, 4, 4)
    with torch.inference_mode():
        narrow = module.conv1x1(x)  # type: ignore[operator]
        views = [getattr(module, name)(narrow) for name in ("conv_3x3", "conv_1x3", "conv_3x1")]
        where = sum(views, torch.zeros(())).relu().sum(1, keepdim=True)
        assert torch.allclose(module(x), x * where, rtol=1e-4, atol=1e-3)


def test_what_dan_looks_for_is_gated_by_itself() -> None:
    module = _numbers(dan.ChannelAttention(), 5)
    x = torch.randn(3, 512, 4, 4)
    with torch.inference_mode():
        means = x.mean((2, 3))
        assert torch.allclose(module(x), means * module.attention(means))  # type: ignore[operator]


def test_dans_heads_compete_for_each_channel() -> None:
    with torch.inference_mode():
        _, features, heads = filled("dan")(faces(2))
    assert features.shape == (2, 512, 2, 2)
    assert torch.allclose(heads.exp().sum(1), torch.ones(2, 512), atol=1e-5)
    alone = filled("dan", heads=1)
    with torch.inference_mode():
        _, features, heads = alone(faces(2))
        assert torch.equal(heads[:, 0], alone.cat_head0(features))  # type: ignore[operator]


def test_the_gate_acts_on_the_class_token_behind_the_last_normalisation() -> None:
    module = _numbers(TokenTransformer(tokens=3, classes=5, channels=16, heads=2), 2)
    tokens = torch.randn(2, 3, 16)
    with torch.inference_mode():
        x = torch.cat((module.cls_token.expand(2, -1, -1), tokens), 1) + module.pos_embed  # type: ignore[operator]
        own = module.norm(module.blocks(x))[:, 0]  # type: ignore[operator]
        gated = module.se_block(own)  # type: ignore[operator]
        assert torch.allclose(module(tokens), module.head["linear"](gated), atol=1e-5)  # type: ignore[index, operator]


def test_an_open_gate_halves() -> None:
    gate = Gate(4)
    for p in gate.parameters():
        nn.init.zeros_(p)
    assert gate(torch.full((1, 4), 3.0)).tolist() == [[1.5] * 4]


@given(share=st.floats(0.1, 0.9), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_every_row_is_dropped_or_kept_whole_and_the_mean_stays(share: float, seed: int) -> None:
    torch.manual_seed(seed)
    drop = DropPath(share).train()
    out = drop(torch.ones(4000, 2, 3))
    assert all(len(set(row.ravel().tolist())) == 1 for row in out[:50].numpy())
    kept = out[out > 0]
    assert torch.allclose(kept, torch.tensor(1 / (1 - share)))
    assert out.mean().item() == pytest.approx(1, abs=6 * np.sqrt(share / (1 - share) / 4000))
    assert torch.equal(drop.eval()(out), out)
