"""``archive`` and ``import``: take along everything about one participant, and take it in elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.table import Table

from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json, progress
from tracker.cli.people import Participant, note_code
from tracker.cli.reader import reader
from tracker.domain.consent import Recorder
from tracker.domain.people import Person, UnknownParticipantError
from tracker.workflows import consenting, enrolment

if TYPE_CHECKING:
    from tracker.workflows.importing import Sound


class ArchiveFileError(ValueError):
    """The file that an archive is to be written to is there already, or cannot be made."""


def archive(
    context: typer.Context,
    participant: Participant,
    file: Annotated[Path, typer.Option("--out", metavar="FILE", help="A zip file that does not exist yet.")],
    as_json: AsJson = False,
) -> None:
    """Write everything that is stored about a participant into one zip, to hand to them; it is noted as a look."""
    access = opened(settings_of(context))
    person = access.person(participant)

    from tracker.workflows.portability import write_bundle  # noqa: PLC0415 - pyarrow takes a while

    at = now()
    with _whole(file) as opened_file:
        access.record_look(
            person.id, at, reader=reader().told, what="an archive of everything, on your behalf"
        )
        with progress(f"Writing {file}") as report:
            write_bundle(access, person, at, opened_file, report)
    if as_json:
        print_json({"participant": person.name, "file": str(file), "bytes": file.stat().st_size})
        return
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")
    err().print(f"It is not encrypted: give it to {participant}, and delete it.", highlight=False)


def import_(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A zip that `archive` or the web made; or, with --mapping, a CSV."
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Whose data it becomes; for an archive.")
    ] = None,
    evidence: Annotated[
        str,
        typer.Option(
            help="Where your proof lies that they want it; enrols NAME and records the grants that are needed."
        ),
    ] = "",
    only_granted: Annotated[
        bool, typer.Option("--only-granted", help="Leave out what NAME's grants do not cover.")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="MAP",
            help="The file is a CSV of another program; this TOML or YAML says what its columns are.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --mapping: tell what would come of it, and store nothing.")
    ] = False,
    attested_by: Annotated[
        str | None, typer.Option(metavar="WHO", help="With --mapping: who says that people allowed it.")
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(metavar="DOC", help="With --mapping: the document in which they did; its hash is kept."),
    ] = None,
    covers_from: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="With --mapping: from when on they did; nothing earlier comes in."),
    ] = None,
    participant: Annotated[
        str | None,
        typer.Option(
            "--participant", "-p", metavar="P", help="Whose rows they are, if the mapping does not say."
        ),
    ] = None,
    starts_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the recording began, if the mapping does not say.")
    ] = None,
    existing: Annotated[
        list[str] | None,
        typer.Option(metavar="P", help="Somebody of the file who is enrolled here already; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in an archive as the data of one participant, or what another program wrote about some."""
    if mapping is not None:
        if name is not None or evidence or only_granted:
            raise typer.BadParameter(
                "--as, --evidence and --only-granted are for archives, without --mapping"
            )
        from tracker.cli import foreign  # noqa: PLC0415 - NumPy takes a while

        asked = foreign.Asked(
            file,
            mapping,
            dry_run,
            attested_by,
            document,
            covers_from,
            participant,
            starts_at,
            tuple(existing or ()),
        )
        foreign.bring(opened(settings_of(context)), asked, now(), as_json)
        return
    if dry_run or attested_by or document or covers_from or participant or starts_at or existing:
        raise typer.BadParameter(
            "an archive needs none of these options; for a CSV say what it is, with --mapping"
        )
    if name is None:
        raise typer.BadParameter(
            "say whose data the archive becomes, with --as NAME; or what the CSV is, with --mapping"
        )
    access = opened(settings_of(context))

    from tracker.workflows import importing  # noqa: PLC0415 - pyarrow takes a while

    at = now()
    with (
        progress(f"Reading {file}") as report,
        importing.sound(file, at, lambda done: report(done / 2)) as found,
    ):
        person, code = _taker(access, found, name, evidence, at)
        missing = importing.require_room(access, person, found, at)
        if missing and evidence.strip():
            operator = Recorder.OPERATOR
            start = min(missing.values())
            scopes = list(missing)
            consenting.grant(
                access, person, scopes, at, recorder=operator, covers_from=start, evidence=evidence
            )
        done = importing.take_in(
            access, found, person, at, only_granted=only_granted, report=lambda share: report(0.5 + share / 2)
        )
    if code is not None:
        note_code(access, person)
    left = {table: n for table, n in done.left.items() if n}
    if as_json:
        stored = {table: n for table, n in done.stored.items() if n}
        print_json(
            {
                "participant": name,
                "stored": stored,
                "left_out": left,
                "learned": done.learned,
                "code": code,
            }
        )
        return
    mark = " — SIMULATED" if person.simulated else ""
    table = Table("table", "rows", "left out", title=f"Imported as {name}{mark}")
    for name_, n in done.stored.items():
        table.add_row(name_, str(n), str(done.left.get(name_, 0) or ""))
    out().print(table)
    typer.echo(f"learned anew: {done.learned} corrections of the last 30 days")
    if code is not None:
        typer.echo(code)
        err().print(
            f"{name} was enrolled; give them this code, with which they confirm what you recorded. It is shown only "
            "now, works once and for 14 days.",
            highlight=False,
        )


def _taker(access: Access, found: Sound, name: str, evidence: str, at: datetime) -> tuple[Person, str | None]:
    """Who takes an archive in: whoever is called so, or somebody who is enrolled for it; then with their code."""
    try:
        return access.person(name), None
    except UnknownParticipantError:
        if not evidence.strip():
            why = "check the spelling (capital letters count), or let the import enrol them: --evidence TEXT"
            raise UnknownParticipantError(name, why) from None
    enrolled = enrolment.enrol(access, name, found.zone, at, simulated=found.simulated)
    return enrolled.person, enrolled.code


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is there when it is whole, for its owner's eyes only; else nothing is left of it."""
    partial = path.with_name(f"{path.name}.partial")
    if path.exists():
        raise ArchiveFileError(f"{path} is there already; give another --out, or delete it")
    try:
        descriptor = os.open(partial, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ArchiveFileError(f"{partial} cannot be made: {error.strerror}; give another --out") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            yield file
            file.flush()
            os.fsync(descriptor)
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
