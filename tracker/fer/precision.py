"""Which numbers a network computes with on which device, and a copy of it that does."""

from __future__ import annotations

import copy
from typing import Literal

import torch
from torch import Tensor, nn

from tracker.fer.folding import fold_batch_norm

Precision = Literal["auto", "float32", "bfloat16", "float16"]

PRECISIONS: tuple[Precision, ...] = ("auto", "float32", "bfloat16", "float16")

_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

# Below so many input channels a convolution takes little time, and its rounding goes through the whole network.
_CHANNELS = 16


def candidates(precision: str, device: torch.device) -> tuple[torch.dtype, ...]:
    """Return the precisions to try on a device, best first; the last is always float32, which is never wrong.

    ``auto`` takes half precision where the device has circuits for it. Of the two halves float16 comes first: it keeps
    three more binary digits than bfloat16 at the same speed, and its range is wide enough for a network that was
    normalised; where it is not, the numbers are not finite, and bfloat16 is next.

    Examples
    --------
    >>> candidates("bfloat16", torch.device("cpu"))
    (torch.bfloat16, torch.float32)
    >>> candidates("float32", torch.device("cuda"))
    (torch.float32,)
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is unknown; use one of {', '.join(PRECISIONS)}")
    wanted = [_TYPES[precision]] if precision != "auto" else _best(device)
    return (*[dtype for dtype in wanted if dtype is not torch.float32], torch.float32)


def _best(device: torch.device) -> list[torch.dtype]:
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        halves = [(7, torch.float16), (8, torch.bfloat16)]
        return [dtype for least, dtype in halves if capability[0] >= least]
    if device.type == "cpu":
        # Processors without these instructions compute bfloat16 by way of float32, slower than float32 itself.
        able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return [torch.bfloat16] if able else []
    return []


def is_foreign(module: nn.Module) -> bool:
    """Whether a network runs elsewhere than in torch (ONNX): nothing of it can be folded, reduced or recorded."""
    return next(module.parameters(), None) is None


def reduced(module: nn.Module, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """Copy a network to a device in a precision, with its normalisations folded; it takes and gives float32.

    On a CPU only the wide convolutions compute in the reduced precision, in which nearly all of the time goes;
    what they are summed into stays float32. That is as fast, and three times nearer to float32 (decision 31).

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(16, 4, 3), nn.ReLU()).eval()
    >>> half = reduced(network, torch.bfloat16, torch.device("cpu"))
    >>> half(torch.zeros(1, 16, 8, 8)).dtype, next(network.parameters()).dtype
    (torch.float32, torch.float32)
    """
    if is_foreign(module):
        return copy.deepcopy(module).to(device)
    mine = _folded(copy.deepcopy(module).eval()).requires_grad_(False)
    if dtype is not torch.float32:
        if device.type != "cpu":
            return _Whole(mine, dtype).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
        for name, part in list(mine.named_modules()):
            if isinstance(part, nn.Conv2d) and _is_wide(part):
                mine.set_submodule(name, _Inside(part, dtype))
    return mine.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _folded(module: nn.Module) -> nn.Module:
    try:
        return fold_batch_norm(module)
    except (torch.fx.proxy.TraceError, RuntimeError, TypeError, ValueError):
        return module  # a network that decides by what it sees cannot be traced; it runs as it is


def _is_wide(part: nn.Conv2d) -> bool:
    return part.groups == 1 and part.in_channels >= _CHANNELS and max(part.kernel_size) > 1


class _Whole(nn.Module):
    """A network that computes in another precision from end to end."""

    def __init__(self, inside: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.inside = inside.to(dtype)
        self.dtype = dtype

    def forward(self, x: Tensor) -> object:
        """Whatever the network gives, in its precision."""
        return self.inside(x.to(self.dtype))


class _Inside(nn.Module):
    """A convolution that computes in another precision between two that do not."""

    def __init__(self, inside: nn.Conv2d, dtype: torch.dtype) -> None:
        super().__init__()
        self.inside = inside.to(dtype)
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        """The convolution's features as float32."""
        return self.inside(x.to(self.dtype)).float()  # type: ignore[no-any-return]
