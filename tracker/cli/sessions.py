"""``log-out``: end somebody's sessions in the browser and their programs' tokens, or everybody's."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker.access import credentials
from tracker.access.credentials import Whom
from tracker.cli.installation import now, opened, settings_of
from tracker.domain.people import UnknownParticipantError
from tracker.workflows import accounts, members


def log_out(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="How they log in.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody, participants and members.")] = False,
) -> None:
    """End every session of somebody, at the next request; they log in again as before."""
    if (name is None) is not everybody:
        raise typer.BadParameter("say whom: a NAME, or --all")
    access = opened(settings_of(context))
    everyone: list[Whom]
    if name is None:
        everyone = [*access.everyone(), *members.everyone(access)]
    else:
        found = credentials.find(access, name)
        if found is None:
            raise UnknownParticipantError(name)
        everyone = [found]
    for whom in everyone:
        accounts.end_sessions(access, whom, now())
    typer.echo(f"logged out: {len(everyone)}")
