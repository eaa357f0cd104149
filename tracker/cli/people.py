"""``enrol`` and ``code``: who takes part."""

from __future__ import annotations

from typing import Annotated

import typer

from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.reader import reader
from tracker.domain.people import Person
from tracker.workflows import enrolment

ISSUED_A_CODE = "issued a one-time code"

Participant = Annotated[str, typer.Argument(metavar="P", help="The participant's name.")]


def enrol(
    context: typer.Context,
    participant: Participant,
    zone: Annotated[
        str | None, typer.Option(help="IANA time zone, e.g. Europe/Berlin; unless said, the study's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a participant; prints the one-time code with which they confirm and first log in."""
    access = opened(settings_of(context))
    enrolled = enrolment.enrol(access, participant, zone, now())
    note_code(access, enrolled.person)
    _print_code(participant, enrolled.code, as_json)


def code(context: typer.Context, participant: Participant, as_json: AsJson = False) -> None:
    """Make a new one-time code for a participant; the one before stops working."""
    access, person = person_of(context, participant)
    note_code(access, person)
    _print_code(participant, enrolment.renew_code(access, person, now()), as_json)


def note_code(access: Access, person: Person, what: str = ISSUED_A_CODE) -> None:
    """Note, where the person sees it, that somebody holds a one-time code or a link of theirs; before it is shown."""
    access.record_look(person.id, now(), reader=reader().told, what=what)


def person_of(context: typer.Context, participant: str) -> tuple[Access, Person]:
    """Open the installation and find a participant in it."""
    access = opened(settings_of(context))
    return access, access.person(participant)


def _print_code(participant: str, code: str, as_json: bool) -> None:
    if as_json:
        print_json({"participant": participant, "code": code})
    else:
        typer.echo(code)
        err().print(
            f"Give this code to {participant}; it is shown only now, works once and for 14 days.",
            highlight=False,
        )
