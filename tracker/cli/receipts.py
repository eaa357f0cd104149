"""``consent receipt``, ``consent verify``, ``consent key``: what was allowed or erased, signed, to verify offline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.people import Participant, person_of
from tracker.cli.reader import reader
from tracker.privacy import signed, verifying
from tracker.privacy.signed import ForgedError
from tracker.privacy.verifying import Verified, VerifiedErasure
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
    # Made before it is noted that somebody looked, because nobody sees it yet and where it fails nobody will.
    text = signed.written(receipts.receipt(access, person, now()))

    def look() -> None:
        access.record_look(person.id, now(), reader=reader().told, what="your receipt")

    if out is None:
        look()
        typer.echo(text, nl=False)
        return
    _write(out, text, look)
    err().print(
        f"Receipt of {participant}: {out}. Verify it: affect-tracker consent verify {out}", highlight=False
    )


def _write(path: Path, text: str, look: Callable[[], None]) -> None:
    """Make a new file; the look is noted when it can be made, and nothing is left of it when that fails."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        raise ReceiptFileError(f"{path} is there already; choose another --out, or move it away") from None
    except OSError as error:
        raise ReceiptFileError(f"{path} cannot be written: {error.strerror}; choose another --out") from None
    try:
        with file:
            look()
            file.write(text)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ReceiptFileError(
                f"{path} cannot be written: {error.strerror}; choose another --out"
            ) from None
        raise


def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A receipt, or the certificate of an erasure.")
    ],
    key: Annotated[
        str | None, typer.Option(help="Fingerprint of the study's key; see `consent key`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt or a certificate offline: no database, no network; exit 10 when it is not whole."""
    try:
        with file.open("rb") as opened_file:
            raw = opened_file.read(verifying.LARGEST + 1)
        seen = verifying.verify(raw.decode(), key)
    except OSError as error:
        raise ReceiptFileError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ForgedError(f"{file} is no whole receipt or certificate: it is not text in UTF-8") from None
    except ForgedError as error:
        raise ForgedError(f"{file} is no whole receipt or certificate: {error}") from None
    if as_json:
        print_json(seen.as_dict())
        return
    for line in _receipt(seen) if isinstance(seen, Verified) else _erasure(seen):
        typer.echo(line)
    typer.echo(f"signed by key {seen.key}{', as expected' if seen.expected else ''}")
    if not seen.expected:
        err().print(
            "Nothing was altered since that key signed it. That the key is the study's shows only when you compare it "
            "with what the study publishes: --key FINGERPRINT",
            highlight=False,
        )


def _receipt(seen: Verified) -> list[str]:
    return [
        f"whole: a receipt of {seen.events} choices of {seen.name} in {seen.study}, as of {seen.created}",
        f"allowed then: {', '.join(seen.in_force) or 'nothing'}",
    ]


def _erasure(seen: VerifiedErasure) -> list[str]:
    what = f"what {seen.scope} covered of one person" if seen.scope is not None else "one person"
    clean = f"clean since {seen.learners_clean}" if seen.learners_clean is not None else "not yet clean then"
    told = [
        f"whole: a certificate that {what} was erased, made {seen.issued}; it names nobody",
        f"data gone since {seen.gone}: {seen.rows} rows and {seen.keys} keys",
        f"learners {clean}: {seen.learners}",
        f"looked at: {'; '.join(seen.looked_at)}",
    ]
    if seen.not_looked_at:
        told.append(f"not looked at: {'; '.join(seen.not_looked_at)}")
    return [*told, f"out of reach from there: {'; '.join(seen.out_of_reach)}"]


def key(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the fingerprint of the key that signs this installation's receipts; publish it where people trust it."""
    found = receipts.key(opened(settings_of(context)))
    if as_json:
        print_json({"fingerprint": found})
    else:
        typer.echo(found)
