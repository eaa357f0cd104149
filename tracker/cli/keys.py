"""``keys``: replace master and data keys while everything runs, back the key store up, and mend one that is too old."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli import replacing
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, print_json, progress
from tracker.domain.consent import Scope

app = typer.Typer(
    help="Keys: replace them, back them up.", no_args_is_help=True, pretty_exceptions_enable=False
)

_WARNING = (
    "A backup of the key store can bring destroyed keys back: after an erasure the backups in this folder are made "
    "anew; copies elsewhere are yours to destroy."
)


@app.command("rotate-master")
def rotate_master(
    context: typer.Context,
    new_key_file: Annotated[
        Path | None,
        typer.Option(
            "--new-key-file",
            metavar="FILE",
            help="Where the new master key stands; made with mode 0600 when it is missing. Needed where the key comes "
            "from the environment or a command.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replace the master key: wrap every key anew. Interrupted, the same command goes on."""
    settings = settings_of(context)
    access = opened(settings)
    done = replacing.rotate_master(access, settings, new_key_file, now())
    if as_json:
        where = str(done.where) if done.where is not None else None
        print_json({"wrapped": done.wrapped, "finished": done.finished, "new_key": where})
        return
    typer.echo(done.sentence())


@app.command("rotate")
def rotate(
    context: typer.Context,
    participant: Annotated[str | None, typer.Argument(help="Whose keys.")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Everybody's keys.")] = False,
    scope: Annotated[
        Scope | None, typer.Option("--scope", help="The key of one scope; else that of the identity and all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replace data keys: seal everything anew, then destroy the old ones. Interrupted, the same command goes on."""
    from tracker.access import rotation  # noqa: PLC0415 - not needed for the others

    if everyone == (participant is not None):
        raise typer.BadParameter("name one participant, or give --all")
    access = opened(settings_of(context))
    people = access.everyone() if participant is None else [access.person(participant)]
    purposes = rotation.PURPOSES if scope is None else (scope.value,)
    total, done = max(1, rotation.extent(access, people, purposes)), 0
    with progress("sealing anew") as report:

        def told(count: int) -> None:
            nonlocal done
            done += count
            report(done / total)

        rotated = rotation.rotate(access, [who.id for who in people], purposes, told=told)
    pruned = replacing.renew_backups(access, now())
    if as_json:
        print_json({"people": rotated.people, "keys": rotated.keys, "values": rotated.values})
    else:
        keys, values = _many(rotated.keys, "key", "keys"), _many(rotated.values, "value", "values")
        typer.echo(f"{keys} of {_many(rotated.people, 'person', 'people')} replaced, {values} sealed anew.")
    replacing.tell(pruned)


@app.command("backup")
def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to; apart from the backups of the database.")],
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many backups to keep there.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Back the key store up; older backups there are overwritten and removed."""
    from tracker.store import keybackups  # noqa: PLC0415

    access = opened(settings_of(context))
    made = keybackups.back_up(access.keys, folder, keep, now())
    if as_json:
        print_json({"backup": str(made), "keep": keep})
        return
    typer.echo(f"{made}")
    typer.echo(_WARNING)


@app.command("accept")
def accept(context: typer.Context, as_json: AsJson = False) -> None:
    """Take a key store that is older than the database as the newest there is."""
    from tracker.access import matching  # noqa: PLC0415

    access = opened(settings_of(context), unmatched=True)
    destroyed = matching.accept(access)
    if as_json:
        print_json({"destroyed": destroyed})
        return
    typer.echo(
        f"{_many(destroyed, 'key', 'keys')} of people who were erased destroyed again; "
        "the ends of the logs signed as they are."
    )


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
