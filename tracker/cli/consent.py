"""``consent``: what somebody allows, recorded for them, shown, checked, and given to them as a receipt."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer

from tracker.cli import looking, receipts, standing
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.people import Participant, person_of
from tracker.cli.reader import reader
from tracker.domain.consent import Recorder, Scope
from tracker.domain.instants import parse_instant
from tracker.workflows import consenting, enrolment

Scopes = Annotated[list[Scope], typer.Argument(metavar="SCOPE…", help="What is allowed; see `consent show`.")]
Evidence = Annotated[str, typer.Option(help="Where the proof lies, e.g. 'signed form 12, binder A'.")]
Guardian = Annotated[
    bool, typer.Option("--guardian", help="It is a guardian's word, beside the participant's own.")
]

GAVE_A_CODE = "gave a one-time code, to confirm in your name what was recorded for you"

app = typer.Typer(help="Grant, refuse, withdraw, confirm, show and prove consent.", no_args_is_help=True)
app.command("looks")(looking.looks)
app.command("receipt")(receipts.receipt)
app.command("verify")(receipts.verify)
app.command("key")(receipts.key)


@app.command()
def grant(
    context: typer.Context,
    participant: Participant,
    scopes: Scopes,
    covers_from: Annotated[
        str | None, typer.Option(help="ISO time from which data are covered, for recordings made before.")
    ] = None,
    evidence: Evidence = "",
    guardian: Guardian = False,
    as_json: AsJson = False,
) -> None:
    """Record, as an operator with evidence, that scopes were granted."""
    access, person = person_of(context, participant)
    start = parse_instant(covers_from) if covers_from is not None else None
    consenting.grant(
        access, person, scopes, now(), recorder=_whose(guardian), covers_from=start, evidence=evidence
    )
    standing.tell(access, person, as_json, only=scopes)
    with access.read(person.id, now()) as unit:
        due = consenting.erasures_due(unit)
    for scope in dict.fromkeys(scopes):
        if scope in due:
            err().print(_erased_anyway(person.name, scope, due[scope]), highlight=False, soft_wrap=True)


@app.command()
def refuse(
    context: typer.Context,
    participant: Participant,
    scopes: Scopes,
    evidence: Evidence = "",
    guardian: Guardian = False,
    as_json: AsJson = False,
) -> None:
    """Record that scopes were refused."""
    access, person = person_of(context, participant)
    consenting.refuse(access, person, scopes, now(), recorder=_whose(guardian), evidence=evidence)
    standing.tell(access, person, as_json, only=scopes)


@app.command()
def withdraw(
    context: typer.Context,
    participant: Participant,
    scopes: Scopes,
    evidence: Evidence = "",
    then: Annotated[
        consenting.Answer,
        typer.Option(
            help="What becomes of what is stored; unanswered means erased after the study's time of grace."
        ),
    ] = consenting.Answer.UNANSWERED,
    guardian: Guardian = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw scopes: from now on no new row is stored."""
    access, person = person_of(context, participant)
    consenting.withdraw(
        access, person, scopes, now(), recorder=_whose(guardian), answer=then, evidence=evidence
    )
    standing.tell(access, person, as_json, only=scopes)


@app.command()
def confirm(
    context: typer.Context,
    participant: Participant,
    code: Annotated[str, typer.Option(help="The participant's one-time code.")],
    as_json: AsJson = False,
) -> None:
    """The participant's own confirmation of what an operator recorded."""
    access, person = person_of(context, participant)
    # A code proves that somebody has it, and whoever sits here can make one: so the person sees that it was given.
    access.record_look(person.id, now(), reader=reader().told, what=GAVE_A_CODE)
    events = consenting.confirm(access, person, now(), proof=lambda unit: enrolment.use_code(unit, code))
    standing.tell(access, person, as_json, only=[event.scope for event in events])


@app.command()
def show(
    context: typer.Context,
    participant: Participant,
    scopes: Annotated[list[Scope] | None, typer.Argument(metavar="[SCOPE…]")] = None,
    at: Annotated[str | None, typer.Option(help="ISO time: show where everything stood then.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where every scope stands, or stood at an instant; it is noted as a look."""
    access, person = person_of(context, participant)
    access.record_look(person.id, now(), reader=reader().told, what="your choices")
    standing.tell(access, person, as_json, scopes or None, parse_instant(at) if at is not None else None)


@app.command()
def audit(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the logs of consent and of looks; exit 6 and name the row when anything was altered or removed."""
    from tracker.access import matching, older  # noqa: PLC0415

    access = opened(settings_of(context), unmatched=True)
    with suppress(older.DatabaseAgeError):  # that, the audit names
        matching.require_same_age(access)
    problem = access.audit()
    if as_json:
        print_json({"sound": problem is None, "problem": problem})
    else:
        typer.echo(
            problem
            or "the logs of consent and of looks are whole: chains, commitments, grants and signed heads agree"
        )
    if problem is not None:
        raise typer.Exit(6)


def _erased_anyway(name: str, scope: Scope, at: datetime) -> str:
    return (
        f"{scope.value}: an earlier withdrawal, not an operator's to undo, still waits: what is stored of it, "
        f"also under this grant, is erased on {at.isoformat(' ', 'minutes')} unless {name} says otherwise"
    )


def _whose(guardian: bool) -> Recorder:
    return Recorder.GUARDIAN if guardian else Recorder.OPERATOR
