"""``erase``: everything about a participant, or what one scope covers, with a certificate of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json, stages
from tracker.domain.consent import Scope
from tracker.domain.people import UnknownParticipantError


def erase(
    context: typer.Context,
    participant: Annotated[str, typer.Argument(metavar="P", help="The participant's name.")],
    scope: Annotated[Scope | None, typer.Option(help="Erase only what this scope covers.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Write a signed certificate, which names nobody, to this new file.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a participant, or what one scope covers: keys, rows, free pages; then look that they are gone."""
    from tracker.workflows import erasure  # noqa: PLC0415 - pulls in the whole store

    access = opened(settings_of(context))
    finished = erasure.resume(access, now())
    for done in finished:
        err().print(f"finished an erasure that had been interrupted: {done.rows} rows")
    try:
        person = access.person(participant)
    except UnknownParticipantError:
        if not finished:
            why = "check the spelling (capital letters count); of whoever was erased already nothing is left to erase"
            raise UnknownParticipantError(participant, why) from None
        # Theirs was one of them: their keys were gone already, so nobody can tell which.
        person = None
    what = f"what {scope.value} covers" if scope is not None else "everything"
    if certificate is not None:
        _reserve(certificate)  # before anything is erased: afterwards nobody could make it again
    try:
        if person is not None and not yes and err().is_terminal:
            typer.confirm(f"Erase {what} about {participant} for good?", abort=True, err=True)
        with stages("1. Erasing data") as report:
            if person is None:
                done = finished[-1]
            elif scope is not None:
                done = erasure.erase_scope(access, person, scope, now())
            else:
                done = erasure.erase_person(access, person, now())
            report("2. Cleaning learners", 0.5)
            done = erasure.clean_learners(access, done, now())
    except BaseException:
        if certificate is not None:
            certificate.unlink()
        raise
    if certificate is not None:
        _certify(access, done, certificate)
    if as_json:
        print_json(done.as_dict())
        return
    table = Table("table", "rows erased", title=f"Erased {what}")
    for name, count in done.counts.items():
        if count:
            table.add_row(name, str(count))
    if table.row_count:
        out().print(table)
    else:
        typer.echo(f"Erased {what}: no row of it was stored.")
    for line in done.sentences():
        typer.echo(line)


def _reserve(path: Path) -> None:
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise typer.BadParameter(
            f"--certificate {path} is there already; nothing was erased, give a new name"
        ) from None
    except OSError as error:
        raise typer.BadParameter(
            f"--certificate {path} cannot be written ({error.strerror}); nothing was erased"
        ) from None


def _certify(access: Access, done: object, path: Path) -> None:
    from tracker.workflows import erasure  # noqa: PLC0415

    assert isinstance(done, erasure.Erased)
    path.write_text(erasure.certificate.written(erasure.certify(access, done, now())), "utf-8")
