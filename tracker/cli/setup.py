"""``init``: make or migrate the database, the key store and the master key."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker.cli.installation import initialise, settings_of
from tracker.cli.output import AsJson, print_json
from tracker.settings import Settings
from tracker.store import roles


def init(
    context: typer.Context,
    app_role: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="PostgreSQL: give this role just what the program needs, to run it as that role.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make or migrate the database, the key store and the master key; what is there stays."""
    settings = settings_of(context)
    access = initialise(settings)
    if app_role is not None:
        roles.grant_to(access.database, app_role)
    made = {
        "database": access.database.describe(),
        "key_store": str(settings.key_store_path),
        "master_key": _source(settings),
    }
    if app_role is not None:
        made["app_role"] = app_role
    if as_json:
        print_json(made)
        return
    for what, where in made.items():
        typer.echo(f"{what.replace('_', ' '):<11} {where}")
    typer.echo("Keep the master key and the key store apart from the database's backups.")


def _source(settings: Settings) -> str:
    if settings.master_key:
        return "environment"
    return "command" if settings.master_key_command else str(settings.master_key_path)
