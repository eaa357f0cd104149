"""Networks answer in three forms: logits, logits with their features, logits by head. Here they become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor


def by_head(output: Any, heads: Iterable[str]) -> dict[str, Tensor]:
    """Turn whatever a network returns into logits (N, classes) by head name.

    Parameters
    ----------
    output
        A mapping by head name, a tensor of logits, or a tuple or list that starts with them.
    heads
        The names of the network's heads, as its manifest has them; a network without named heads has one.

    Raises
    ------
    ValueError
        When the output is nothing of the kind, or its heads are not those that are named.

    Examples
    --------
    >>> import torch
    >>> logits, features = torch.zeros(2, 7), torch.zeros(2, 512, 7, 7)
    >>> {name: tuple(z.shape) for name, z in by_head((logits, features), ["emotion"]).items()}
    {'emotion': (2, 7)}
    """
    names = list(heads)
    if isinstance(output, Mapping):
        if set(output) != set(names):
            raise ValueError(f"the network has the heads {sorted(output)}, expected {sorted(names)}")
        return {name: output[name] for name in names}
    logits = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        shape = f" of the shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else ""
        raise ValueError(f"the network gave {type(logits).__name__}{shape} where logits (N, classes) belong")
    if len(names) != 1:
        raise ValueError(f"the network has one head, expected {len(names)}: {', '.join(names)}")
    return {names[0]: logits}
