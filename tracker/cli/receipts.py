"""``consent receipt``, ``consent verify``, ``consent key``: what was allowed, signed, for anyone to verify offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.people import Participant, person_of
from tracker.cli.reader import reader
from tracker.privacy import signed, verifying
from tracker.privacy.signed import ForgedError
from tracker.workflows import receipts


class ReceiptFileError(Exception):
    """A receipt cannot be written where it is to go, or cannot be read."""


def receipt(
    context: typer.Context,
    participant: Participant,
    out: Annotated[
        Path | None, typer.Option(help="The file to make; one that is there is not overwritten.")
    ] = None,
) -> None:
    """Make a signed receipt of everything a participant has allowed, refused and withdrawn; it is noted as a look."""
    access, person = person_of(context, participant)
    access.record_look(person.id, now(), reader=reader().told, what="your receipt")
    text = signed.written(receipts.receipt(access, person, now()))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ReceiptFileError(f"{out} is there already; choose another --out, or move it away") from None
    except OSError as error:
        out.unlink(missing_ok=True)
        raise ReceiptFileError(f"{out} cannot be written: {error.strerror}; choose another --out") from None
    err().print(
        f"Receipt of {participant}: {out}. Verify it: affect-tracker consent verify {out}", highlight=False
    )


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt.")],
    key: Annotated[
        str | None, typer.Option(help="Fingerprint of the study's key; see `consent key`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt offline: no database, no network, no installation; exit 10 when it is not whole."""
    try:
        with file.open("rb") as opened_file:
            raw = opened_file.read(verifying.LARGEST + 1)
        seen = verifying.verify(raw.decode(), key)
    except OSError as error:
        raise ReceiptFileError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ForgedError(f"{file} is no whole receipt: it is not text in UTF-8") from None
    except ForgedError as error:
        raise ForgedError(f"{file} is no whole receipt: {error}") from None
    if as_json:
        print_json(seen.as_dict())
        return
    allowed = ", ".join(seen.in_force) or "nothing"
    typer.echo(f"whole: {seen.events} choices of {seen.name} in {seen.study}, as of {seen.created}")
    typer.echo(f"allowed then: {allowed}")
    typer.echo(f"signed by key {seen.key}{', as expected' if seen.expected else ''}")
    if not seen.expected:
        err().print(
            "Nothing was altered since that key signed it. That the key is the study's shows only when you compare it "
            "with what the study publishes: --key FINGERPRINT",
            highlight=False,
        )


def key(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the fingerprint of the key that signs this installation's receipts; publish it where people trust it."""
    found = receipts.key(opened(settings_of(context)))
    if as_json:
        print_json({"fingerprint": found})
    else:
        typer.echo(found)
