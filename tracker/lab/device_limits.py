"""What a device can do at best, measured: multiplications a second, and bytes a second from the host."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch


def timed(
    work: Callable[[], object], device: torch.device, seconds: float = 0.5, least: int = 5
) -> list[float]:
    """Seconds of each of many runs of `work`, one waited for after the other; a few runs before are not counted.

    Examples
    --------
    >>> len(timed(lambda: None, torch.device("cpu"), seconds=0.0, least=3))
    3
    """
    for _ in range(min(least, 3)):
        work()
    settle(device)
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < least or (time.perf_counter() < end and len(found) < 10_000):
        began = time.perf_counter()
        work()
        settle(device)
        found.append(time.perf_counter() - began)
    return found


Clock = Callable[[], float]


def sustained(
    work: Callable[[], object], device: torch.device, seconds: float = 0.5, clock: Clock = time.perf_counter
) -> float:
    """Runs a second of `work` where nobody waits for one before the next is begun, the best of three rounds."""
    once = min(timed(work, device, 0.05, 2))
    runs = max(2, min(2_000, round(seconds / 3 / max(once, 1e-6))))
    best = 0.0
    for _ in range(3):
        began = clock()
        for _ in range(runs):
            work()
        settle(device)
        best = max(best, runs / (clock() - began))
    return best


def in_turn(
    works: Sequence[Callable[[], object]], rounds: int = 9, clock: Clock = time.perf_counter
) -> list[float]:
    """The least seconds of each of several works, run in turn: what else a machine does falls on all of them.

    Examples
    --------
    >>> ticks = iter([0.0, 3.0, 5.0, 6.0, 10.0, 12.0, 12.0, 14.0])
    >>> in_turn([lambda: None, lambda: None], rounds=2, clock=lambda: next(ticks))
    [2.0, 1.0]
    """
    for work in works:
        work()
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            began = clock()
            work()
            least[i] = min(least[i], clock() - began)
    return least


def settle(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def gemm_rate(
    device: torch.device, dtype: torch.dtype, seconds: float = 0.5, clock: Clock = time.perf_counter
) -> float:
    """Floating-point operations a second of a large matrix product, by which a network's share is measured."""
    side = 8192 if device.type == "cuda" else 1024
    one = torch.randn(side, side, device=device).to(dtype)
    other = torch.randn(side, side, device=device).to(dtype)
    return 2.0 * side**3 * sustained(lambda: one @ other, device, seconds, clock)


def copy_rate(device: torch.device, seconds: float = 0.5, clock: Clock = time.perf_counter) -> float:
    """Bytes a second from page-locked memory to the device; on a CPU from memory to memory."""
    size = 256 * 2**20 if device.type == "cuda" else 64 * 2**20
    host = torch.zeros(size, dtype=torch.uint8)
    host = host.pin_memory() if device.type == "cuda" else host
    there = torch.empty(size, dtype=torch.uint8, device=device)
    return size * sustained(lambda: there.copy_(host, non_blocking=True), device, seconds, clock)
