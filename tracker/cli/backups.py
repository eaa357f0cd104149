"""``backup`` and ``restore``: a copy of the series, and its way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tracker import shipped
from tracker.cli.installation import keys_of, now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json, progress
from tracker.store.database import Database


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A new file, or a folder for one.")],
    as_json: AsJson = False,
) -> None:
    """Copy the database into one file while it is in use; the keys are not in it."""
    from tracker.workflows.backup import backup as write  # noqa: PLC0415 - pulls in the whole store

    access = opened(settings_of(context))
    with progress("Backing up") as report:
        path, made = write(access, target, shipped.migrations(), now(), report)
    if as_json:
        print_json({"file": str(path), **made.as_dict()})
        return
    typer.echo(str(path))
    err().print(
        f"{sum(made.rows.values())} rows; keep {path.name}.json with it. The key store is not in it: back that up "
        "apart, and for a short time only, or what was erased could be opened again.",
        highlight=False,
    )


def restore(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `backup` wrote, its manifest beside it.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database; who was erased or withdrew since stays so."""
    from tracker.workflows import erasure  # noqa: PLC0415
    from tracker.workflows.backup import restore as bring_back  # noqa: PLC0415

    settings = settings_of(context)
    vault, keys = keys_of(settings)
    database = Database(settings.database_url, create=True)
    try:
        if not yes and err().is_terminal:
            told = f"Put {file} in the place of the series in {database.describe()}?"
            typer.confirm(told, abort=True, err=True)
        with progress("Restoring") as report:
            done = bring_back(
                file, database, vault, keys, shipped.migrations(), now(), replay=erasure.replay, report=report
            )
    finally:
        database.close()
        keys.close()
    if as_json:
        print_json(done.as_dict())
    else:
        table = Table("table", "rows", title=f"Restored, as of {done.made_at:%Y-%m-%d %H:%M} UTC")
        for name, count in done.rows.items():
            if count:
                table.add_row(name, str(count))
        out().print(table)
        for line in done.sentences():
            typer.echo(line)
    if done.problem is not None:
        raise typer.Exit(6)
