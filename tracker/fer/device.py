"""Which device runs the network: what there is, and what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


class DeviceError(ValueError):
    """A device was asked for that is not there."""


def available_devices() -> tuple[str, ...]:
    """Return the devices of this machine, fastest first; the CPU is always the last."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def resolve_device(name: str = "auto", able: Sequence[str] | None = None) -> torch.device:
    """Turn what was asked for into a device.

    Parameters
    ----------
    name
        ``auto`` (the fastest there is), ``cpu``, ``cuda`` (or ``cuda:1``), ``mps``.
    able
        The devices that a network can use, where it runs elsewhere than in torch; None for all.

    Raises
    ------
    DeviceError
        When it is unknown or not there; the message names those that are.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    there = available_devices()
    if name == "auto":
        return torch.device(next((kind for kind in there if able is None or kind in able), "cpu"))
    kind, _, number = name.partition(":")
    if kind not in DEVICES or (number and (kind != "cuda" or not number.isdigit())):
        raise DeviceError(f"device {name!r} is unknown; use one of {', '.join(DEVICES)}")
    if kind not in there:
        raise DeviceError(
            f"device {name!r} was asked for but is not there; this machine has: {', '.join(there)}"
        )
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise DeviceError(
            f"device {name!r} was asked for, but there are {torch.cuda.device_count()} of its kind"
        )
    return torch.device(name)


def one_thread_each() -> None:
    """Let torch work in the thread that called it alone, for the whole process.

    A server reads small batches of many people's faces beside the pages that they look at; spread over all
    processors, each batch would make every page wait, and none be faster by much.
    """
    torch.set_num_threads(1)


def leave_one(processors: int) -> None:
    """Let torch use all processors but one, for the whole process: the one decodes and finds faces meanwhile.

    With as many threads as processors, those of the network would wait for each other whenever the detector works.
    """
    torch.set_num_threads(max(1, processors - 1))
