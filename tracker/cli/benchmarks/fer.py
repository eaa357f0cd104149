"""``fer benchmark``: how fast the engine reads, beside the bare network and beside what the device can do."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from tracker.cli.networks import open_zoo
from tracker.cli.output import AsJson, err, out, print_json

# torch takes seconds to import, and --help should not.
# ruff: noqa: PLC0415


def benchmark(
    network: Annotated[
        str,
        typer.Option(
            metavar="N",
            help="A name that `networks list` shows; or poster_v2, dan, dmue_resnet18, dmue_resnet50ibn, "
            "with random weights.",
        ),
    ] = "default",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads of the CPU; default: all.", min=1)] = None,
    seconds: Annotated[float, typer.Option(help="For each figure.", min=0.01)] = 0.5,
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Also measure what torch.compile makes of it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Measure faces a second and latency by batch size, beside the bare network and the device's limits."""
    from tracker.lab.fer_benchmark import Work
    from tracker.lab.fer_benchmark import benchmark as run

    work = Work(seconds=seconds, compiled=compiled, precision=precision, threads=threads)
    with err().status(f"measuring {network}") as status:
        figures = run(network, open_zoo(), device, work, status.update)
    if as_json:
        print_json(figures)
    else:
        _show(figures)


def _show(figures: dict[str, Any]) -> None:
    bare, engine = figures["bare"], figures["engine"]
    share, gemm = figures["share_of_gemm_limit"], figures["limits"]["gemm_tflop_per_s"]
    weights = "" if figures["weights"] == "trained" else ", random weights"
    console = out()
    console.print(
        f"{figures['network']}{weights}, on {figures['device']}, crops of {figures['crop']} pixels:\n"
        f"engine {engine['faces_per_s']:,.0f} faces/s ({engine['precision']}, batches of {engine['batch']}), "
        f"{figures['engine_over_bare']:.2f} of the bare network's {bare['faces_per_s']:,.0f} "
        f"({bare['precision']}, {bare['variant']}); reach {figures['reach']}",
        highlight=False,
    )
    if share is not None:
        copies = figures["share_of_copy_limit"]
        console.print(
            f"{share:.0%} of what a matrix product does on this device ({gemm:,.2f} TFLOP/s), "
            f"{copies:.1%} of what it copies ({figures['limits']['copy_gb_per_s']:,.1f} GB/s)",
            highlight=False,
        )
    table = Table("batch", "engine p50", "p99", "faces/s", "bare p50", "p99")
    passes = {row["batch"]: row for row in bare["latency_eager"]}
    for row in engine["latency"]:
        other = passes.get(row["batch"])
        cells = [f"{row['batch']}", f"{row['p50_ms']:.2f} ms", f"{row['p99_ms']:.2f} ms"]
        cells.append(f"{row['faces_per_s']:,.0f}")
        cells += [f"{other[key]:.2f} ms" if other else "" for key in ("p50_ms", "p99_ms")]
        table.add_row(*cells)
    console.print(table)
    for note in figures["notes"]:
        console.print(note, highlight=False)
