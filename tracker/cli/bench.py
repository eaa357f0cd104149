"""``bench``: what the software costs beside a named limit or peer, measured in the same run."""

from __future__ import annotations

import platform
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tracker.cli.benchmarks.figure import Figure
from tracker.cli.installation import settings_of
from tracker.cli.output import AsJson, err, out, print_json

_ALL = (
    "tracking",
    "storing",
    "gate",
    "paging",
    "learning",
    "rebasing",
    "sealing",
    "erasing",
    "capturing",
    "exporting",
)


def bench(
    context: typer.Context,
    only: Annotated[str | None, typer.Option(help=f"One of {', '.join(_ALL)}.")] = None,
    rows: Annotated[int, typer.Option(help="Observations of the 30 days.", min=1000)] = 300_000,
    as_json: AsJson = False,
) -> None:
    """Measure tracking, storing and its gate, the timeline page, learners and sealing, each beside its limit."""
    if only is not None and only not in _ALL:
        raise typer.BadParameter(f"--only must be one of {', '.join(_ALL)}, not {only!r}")
    settings = settings_of(context)
    figures: list[Figure] = []
    for name in _ALL:
        if only in (None, name):
            err().print(f"measuring {name} …", style="dim")
            with tempfile.TemporaryDirectory() as folder:
                measure = import_module(f"tracker.cli.benchmarks.{name}").measure
                figures += measure(settings, Path(folder), rows)
    if as_json:
        print_json({"machine": machine(), "figures": [f.as_dict() for f in figures]})
        return
    table = Table("what", "ours", "beside", "ratio", "target", "", title=machine())
    for f in figures:
        table.add_row(*f.cells())
    out().print(table)


def machine() -> str:
    """Machine and date, which stand beside every figure."""
    processor = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = f"{names[0]}, {len(names)} cores" if names else processor
    except OSError:
        pass
    return f"{processor}, Python {platform.python_version()}, {datetime.now(UTC).date().isoformat()}"
