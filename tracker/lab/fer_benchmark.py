"""How fast the engine reads, beside the bare network and beside what the device can do, all in one run.

``python -m tracker.lab.fer_benchmark --all --device cuda --json FILE`` needs neither a database nor a web app's parts.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from tracker import shipped
from tracker.domain.affect import EMOTIONS
from tracker.domain.framing import CropSpec
from tracker.fer.device import resolve_device
from tracker.fer.engine import Engine, EngineWarning
from tracker.fer.failures import no_memory
from tracker.fer.manifest import Entry, Head, NetworkSpec
from tracker.fer.networks import build
from tracker.fer.precision import is_foreign
from tracker.fer.preprocess import channels
from tracker.fer.running import Crops
from tracker.fer.streams import Streamed
from tracker.fer.zoo import Network, Zoo
from tracker.lab.device_limits import Clock, copy_rate, gemm_rate, in_turn, sustained, timed

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FULL = (64, 128, 256, 512, 1024)
"""Sizes among which the bare network's best batch is looked for on a GPU; no batch has more than `_BATCH_BYTES`."""

_BATCH_BYTES = 40_000_000
_PIECES = 24

UNTRAINED = {
    "poster_v2": "imagenet",
    "dan": "imagenet",
    "dmue_resnet18": "half",
    "dmue_resnet50ibn": "half",
}
"""Networks that can be measured with random weights, with the way their crops are scaled."""

REACH = 0.9


@dataclass(frozen=True, slots=True)
class Work:
    """What is measured how long.

    Attributes
    ----------
    sizes
        Batch sizes whose latency is measured.
    seconds
        For each figure.
    compiled
        Whether the bare network, and on CUDA the engine's full batches, are compiled.
    precision
        The engine's.
    faces
        Crops to read; None makes noise, which takes as long.
    threads
        Of the CPU; None for as many as torch takes by itself.
    """

    sizes: Sequence[int] = SIZES
    seconds: float = 0.5
    compiled: bool = True
    precision: str = "auto"
    faces: Crops | None = None
    threads: int | None = None


def network_of(name: str, zoo: Zoo) -> tuple[Network, bool]:
    """Return a network of the zoo, or one of the literature's with random weights, and whether it is trained.

    Examples
    --------
    >>> zoo = Zoo(shipped.models(), Path("nowhere"))
    >>> network, trained = network_of("dmue_resnet18", zoo)
    >>> network.spec.crop.size, trained
    (224, False)
    """
    if name not in UNTRAINED:
        return zoo.load(name), True
    classes = tuple(e.value for e in EMOTIONS)
    spec = NetworkSpec(
        name,
        {"classes": len(classes)},
        (Head("emotion", classes),),
        CropSpec(size=224),
        UNTRAINED[name],
    )
    torch.manual_seed(0)
    module = build(name, classes=len(classes)).eval()
    entry = Entry(name, "network", f"{name}/none", "0" * 64, 1, "none", "Random weights.", network=spec)
    return Network(entry, module), False


def flops_of(network: Network) -> int | None:
    """Floating-point operations for one face, a multiply-add being two; None for a network outside torch."""
    if is_foreign(network.module):
        return None
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network.module(_prepared_noise(network.spec, 1))
    return int(counter.get_total_flops())


def benchmark(
    name: str, zoo: Zoo, device: str, work: Work, said: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Find a network by name, measure it, and say what it was; see `measure`.

    Raises
    ------
    ZooError, DeviceError
        When the network or the device is not there.
    """
    network, trained = network_of(name, zoo)
    fitting = work.faces is not None and work.faces.shape[1] == network.spec.crop.size
    figures = measure(network, resolve_device(device), work if fitting else replace(work, faces=None), said)
    return figures | {
        "name": name,
        "weights": "trained" if trained else "random",
        "pixels": "faces" if fitting else "noise",
        "torch": torch.__version__,
    }


def measure(
    network: Network, device: torch.device, work: Work, said: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Measure one network on one device: limits, bare, engine; plain values for JSON."""
    flops, size = flops_of(network), network.spec.crop.size
    # On a GPU the bare network gets the half precision that such devices are made for; on a CPU what it was trained in.
    dtype = torch.bfloat16 if device.type == "cuda" and work.precision != "float32" else torch.float32
    with _told() as notes, _threads(work.threads), _fastest_convolutions():
        # One thread never waits for another: what counts then is the processor's time, whatever else it does.
        alone = device.type == "cpu" and torch.get_num_threads() == 1
        clock = time.thread_time if alone else time.perf_counter
        said(f"{network.id}: bare")
        bare = _Bare(network, device, dtype, work)
        said(f"{network.id}: engine, full batches of {bare.batch}")
        compiled = work.compiled and device.type == "cuda"
        engine = Engine(network, str(device), bare.batch, precision=work.precision, compiled=compiled)
        rate, read = _engine(engine, bare, work, clock)
        said(f"{network.id}: limits")
        gemm = gemm_rate(device, getattr(torch, engine.precision), work.seconds, clock)
        copies = copy_rate(device, work.seconds, clock)
    return {
        "network": network.id,
        "device": named(device),
        "threads": work.threads or torch.get_num_threads(),
        "crop": size,
        "gflop_per_face": None if flops is None else flops / 1e9,
        "limits": {"gemm_tflop_per_s": gemm / 1e12, "copy_gb_per_s": copies / 1e9},
        "bare": bare.figures(),
        "engine": read,
        "engine_over_bare": rate / bare.rate,
        "reach": REACH,
        "share_of_gemm_limit": None if flops is None else rate * flops / gemm,
        "share_of_copy_limit": rate * 3 * size**2 / copies,
        "notes": notes,
    }


class _Bare:
    """The network's own forward pass on pixels that are prepared and on the device already, at its best batch."""

    def __init__(self, network: Network, device: torch.device, dtype: torch.dtype, work: Work) -> None:
        self._spec, self._device, self._work = network.spec, device, work
        foreign = is_foreign(network.module)
        self._dtype = torch.float32 if foreign else dtype
        self._module = copy.deepcopy(network.module).eval().to(device)
        if not foreign:
            self._module = self._module.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.rates = self._rates()
        self.batch = max(self.rates, key=lambda n: self.rates[n])
        self.rate, self.variant, self.compile_s = self.rates[self.batch], "eager", 0.0
        self.best = self.passes(self.batch)
        if work.compiled and not foreign:
            self._compile()
        sizes = [n for n in work.sizes if n <= self.batch]
        self.latency = [_latency(timed(self.passes(n), device, work.seconds), n) for n in sizes]

    def passes(self, n: int, module: Callable[..., object] | None = None) -> Callable[[], object]:
        """A forward pass of a batch of `n`."""
        inside = self._module if module is None else module
        x = _prepared_noise(self._spec, n).to(self._device, self._dtype, memory_format=torch.channels_last)

        def once() -> object:
            with torch.inference_mode():
                return inside(x)

        return once

    def figures(self) -> dict[str, Any]:
        """What was measured, as plain values."""
        return {
            "precision": str(self._dtype).removeprefix("torch."),
            "best_batch": self.batch,
            "faces_per_s": self.rate,
            "variant": self.variant,
            "compile_s": round(self.compile_s, 1),
            "faces_per_s_eager": {str(n): rate for n, rate in self.rates.items()},
            "latency_eager": self.latency,
        }

    def _rates(self) -> dict[int, float]:
        rates: dict[int, float] = {}
        for n in FULL if self._device.type == "cuda" else (64,):
            if rates and n * 3 * self._spec.crop.size**2 > _BATCH_BYTES:
                break
            try:
                rates[n] = n * sustained(self.passes(n), self._device, self._work.seconds)
            except RuntimeError as error:
                if not no_memory(error) or not rates:
                    raise
                break
            if len(rates) > 1 and rates[n] < 1.03 * max(rate for size, rate in rates.items() if size != n):
                break
        return rates

    def _compile(self) -> None:
        began = time.perf_counter()
        try:
            compiled = self.passes(self.batch, torch.compile(self._module, dynamic=False))
            compiled()
            self.compile_s = time.perf_counter() - began
            rate = self.batch * sustained(compiled, self._device, self._work.seconds)
        except Exception as error:
            if no_memory(error):
                raise
            said = f"the bare network was not compiled: {type(error).__name__}: {error}"[:300]
            warnings.warn(said, EngineWarning, stacklevel=2)
            return
        if rate > self.rate:
            self.rate, self.variant, self.best = rate, "compiled", compiled


def _engine(engine: Engine, bare: _Bare, work: Work, clock: Clock) -> tuple[float, dict[str, Any]]:
    """What callers of the engine see: crops on the host in, calibrated probabilities out."""
    device, n = engine.device, bare.batch
    many = _crops(work.faces, engine.crop.size, n * (_PIECES if device.type == "cuda" else 1))
    engine.read(_crops(work.faces, engine.crop.size, max(n, 64)))  # proves the precision, and warms up
    if device.type == "cpu":
        # On a machine that does other things, too, only what was measured in turn can be compared.
        took, bare_took = in_turn([lambda: engine.read(many), bare.best], clock=clock)
        rate, bare.rate = len(many) / took, n / bare_took
    else:
        rate = len(many) * sustained(lambda: engine.read(many), device, 2 * work.seconds)
    latency = [
        _latency(timed(lambda n=n: engine.read(many[:n]), device, work.seconds), n)  # type: ignore[misc]
        for n in work.sizes
        if n <= len(many)
    ]
    resident = None
    if isinstance(runner := engine._runner, Streamed):
        resident = n * sustained(lambda: runner.resident(n), device, work.seconds)
    return rate, {
        "precision": engine.precision,
        "batch": engine.batch_size,
        "faces_per_s": rate,
        "faces_per_s_resident": resident,
        "latency": latency,
    }


def _latency(seconds: Sequence[float], n: int) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "batch": n,
        "p50_ms": 1000 * median(ordered),
        "p99_ms": 1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        "faces_per_s": n / median(ordered),
        "runs": len(ordered),
    }


def _crops(faces: Crops | None, size: int, n: int) -> Crops:
    if faces is None:
        faces = np.random.default_rng(0).integers(0, 256, (256, size, size, 3), dtype=np.uint8)
    return np.ascontiguousarray(np.resize(faces, (n, *faces.shape[1:])))


def _prepared_noise(spec: NetworkSpec, n: int) -> torch.Tensor:
    return torch.randn(n, channels(spec.normalisation), spec.crop.size, spec.crop.size)


def named(device: torch.device) -> str:
    """What a device is called.

    Examples
    --------
    >>> bool(named(torch.device("cpu")))
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        try:
            lines = Path("/proc/cpuinfo").read_text().splitlines()
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        except (OSError, StopIteration):
            return platform.processor() or platform.machine()
    return device.type


@contextmanager
def _threads(n: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(n or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _fastest_convolutions() -> Iterator[None]:
    """What the engine allows itself, the bare network may have, too: cuDNN tries which algorithm is the fastest."""
    before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


@contextmanager
def _told() -> Iterator[list[str]]:
    """What the engine warned of, which belongs beside the figures."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EngineWarning)
        yield notes
    notes += [str(w.message) for w in caught if issubclass(w.category, EngineWarning)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure networks one after the other; the file is written anew after each."""
    parser = argparse.ArgumentParser(prog="python -m tracker.lab.fer_benchmark", description=__doc__)
    parser.add_argument("--network", action="append", help="a name of the zoo, or " + ", ".join(UNTRAINED))
    parser.add_argument(
        "--all", action="store_true", help="what ships here, and the four with random weights"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--faces", type=Path, help="an .npy with (N, S, S, 3) uint8, used where S fits")
    parser.add_argument("--json", type=Path, help="where the figures go; without, they are printed")
    parser.add_argument("--date", default="", help="stands beside the figures, as in --date $(date -I)")
    stated = parser.parse_args(arguments)
    zoo = Zoo(shipped.models(), Path("nowhere"))
    here = [i.entry.name for i in zoo.list() if i.entry.kind == "network" and i.path is not None]
    names = stated.network or ([*here, *UNTRAINED] if stated.all else ["default"])
    work = Work(
        tuple(int(n) for n in stated.sizes.split(",")),
        stated.seconds,
        not stated.no_compile,
        stated.precision,
        np.load(stated.faces) if stated.faces else None,
        stated.threads,
    )
    found: dict[str, Any] = {
        "machine": named(resolve_device(stated.device)),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": stated.date,
        "networks": [],
    }
    failed = 0
    for name in names:
        began = time.perf_counter()
        try:
            figures = benchmark(
                name, zoo, stated.device, work, lambda step: print(step, file=sys.stderr, flush=True)
            )
        except Exception as error:  # one network's trouble is no reason to lose the others' figures
            figures, failed = {"name": name, "error": f"{type(error).__name__}: {error}"[:500]}, failed + 1
        figures["took_s"] = round(time.perf_counter() - began, 1)
        found["networks"].append(figures)
        text = json.dumps(found, indent=1)
        if stated.json:
            stated.json.write_text(text + "\n", encoding="utf-8")
        print(line(figures), file=sys.stderr, flush=True)
    if not stated.json:
        print(json.dumps(found, indent=1))
    return 1 if failed else 0


def line(figures: dict[str, Any]) -> str:
    """One network's figures in one line.

    Examples
    --------
    >>> line({"name": "dan", "error": "RuntimeError: no", "took_s": 1.0})
    'dan: RuntimeError: no (1.0 s)'
    """
    if "error" in figures:
        return f"{figures['name']}: {figures['error']} ({figures['took_s']} s)"
    bare, engine = figures["bare"], figures["engine"]
    share = figures["share_of_gemm_limit"]
    return (
        f"{figures['name']}: engine {engine['faces_per_s']:,.0f} faces/s ({engine['precision']}, batch "
        f"{engine['batch']}), bare {bare['faces_per_s']:,.0f} ({bare['precision']}, {bare['variant']}), ratio "
        f"{figures['engine_over_bare']:.2f}; {'?' if share is None else format(share, '.0%')} of the GEMM limit "
        f"of {figures['limits']['gemm_tflop_per_s']:.2f} TFLOP/s ({figures['took_s']} s)"
    )


if __name__ == "__main__":
    sys.exit(main())
