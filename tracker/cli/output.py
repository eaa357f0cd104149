"""How commands speak: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]

Report = Callable[[float], None]
"""Called with the share done, 0 to 1."""

Stages = Callable[[str, float], None]
"""Called with the step that runs and the share of it, 0 to 1, that is done."""


def out() -> Console:
    """The console for results."""
    return Console(markup=False)


def err() -> Console:
    """The console for progress and messages."""
    # Names of people and files are no markup: "[red]" is shown as it is.
    return Console(stderr=True, markup=False)


def print_json(value: Any) -> None:
    """Print one JSON value on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show a progress bar on stderr, where that is a terminal, while the block runs."""
    with stages(what) as report:
        yield lambda share: report(what, share)
        report(what, 1.0)


@contextmanager
def stages(first: str = "starting") -> Iterator[Stages]:
    """Show on stderr, where that is a terminal, which step runs and how far it is."""
    console = err()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(first, total=1.0)
        yield lambda step, share: bar.update(task, description=step, completed=min(1.0, share))
