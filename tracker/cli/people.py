"""``enrol``, ``code``, ``consent``, ``erase``: who takes part, and on what terms."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Column, Table

from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json, progress
from tracker.domain.consent import Recorder, Scope, State
from tracker.domain.instants import parse_instant
from tracker.domain.people import Person
from tracker.workflows import consenting, enrolment

Participant = Annotated[str, typer.Argument(metavar="P", help="The participant's name.")]
Scopes = Annotated[list[Scope], typer.Argument(metavar="SCOPE…", help="What is allowed; see `consent show`.")]
Evidence = Annotated[
    str, typer.Option(help="Where the operator's proof lies, e.g. 'signed form 12, binder A'.")
]

consent = typer.Typer(help="Grant, refuse, withdraw, confirm and show consent.", no_args_is_help=True)


def enrol(
    context: typer.Context,
    participant: Participant,
    zone: Annotated[str, typer.Option(help="IANA time zone, e.g. Europe/Berlin.")],
    as_json: AsJson = False,
) -> None:
    """Enrol a participant; prints the one-time code with which they confirm and first log in."""
    access = opened(settings_of(context))
    enrolled = enrolment.enrol(access, participant, zone, now())
    _print_code(participant, enrolled.code, as_json)


def code(context: typer.Context, participant: Participant, as_json: AsJson = False) -> None:
    """Make a new one-time code for a participant; the one before stops working."""
    access, person = _person(context, participant)
    _print_code(participant, enrolment.renew_code(access, person, now()), as_json)


@consent.command()
def grant(
    context: typer.Context,
    participant: Participant,
    scopes: Scopes,
    covers_from: Annotated[
        str | None, typer.Option(help="ISO time from which data are covered, for recordings made before.")
    ] = None,
    evidence: Evidence = "",
    as_json: AsJson = False,
) -> None:
    """Record, as an operator with evidence, that scopes were granted."""
    access, person = _person(context, participant)
    start = parse_instant(covers_from) if covers_from is not None else None
    consenting.grant(
        access,
        person,
        scopes,
        now(),
        recorder=Recorder.OPERATOR,
        covers_from=start,
        evidence=evidence,
    )
    _print_state(access, person, as_json)


@consent.command()
def refuse(
    context: typer.Context,
    participant: Participant,
    scopes: Scopes,
    evidence: Evidence = "",
    as_json: AsJson = False,
) -> None:
    """Record that scopes were refused."""
    access, person = _person(context, participant)
    consenting.refuse(access, person, scopes, now(), recorder=Recorder.OPERATOR, evidence=evidence)
    _print_state(access, person, as_json)


@consent.command()
def withdraw(
    context: typer.Context,
    participant: Participant,
    scopes: Scopes,
    evidence: Evidence = "",
    then: Annotated[
        consenting.Answer,
        typer.Option(help="What becomes of what is stored; unanswered means erased after 7 days."),
    ] = consenting.Answer.UNANSWERED,
    as_json: AsJson = False,
) -> None:
    """Withdraw scopes: from now on no new row is stored."""
    access, person = _person(context, participant)
    consenting.withdraw(
        access, person, scopes, now(), recorder=Recorder.OPERATOR, answer=then, evidence=evidence
    )
    _print_state(access, person, as_json)


@consent.command()
def confirm(
    context: typer.Context,
    participant: Participant,
    code: Annotated[str, typer.Option(help="The participant's one-time code.")],
    as_json: AsJson = False,
) -> None:
    """The participant's own confirmation of what an operator recorded."""
    access, person = _person(context, participant)
    consenting.confirm(access, person, now(), proof=lambda unit: enrolment.use_code(unit, code))
    _print_state(access, person, as_json)


@consent.command()
def show(
    context: typer.Context,
    participant: Participant,
    scopes: Annotated[list[Scope] | None, typer.Argument(metavar="[SCOPE…]")] = None,
    as_json: AsJson = False,
) -> None:
    """Show where every scope stands."""
    access, person = _person(context, participant)
    _print_state(access, person, as_json, scopes)


@consent.command()
def audit(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the whole consent log; exit 6 and name the row when anything was altered or removed."""
    problem = opened(settings_of(context)).audit()
    if as_json:
        print_json({"sound": problem is None, "problem": problem})
    else:
        typer.echo(problem or "the consent log is whole: chain, commitments and signed head agree")
    if problem is not None:
        raise typer.Exit(6)


def erase(
    context: typer.Context,
    participant: Participant,
    scope: Annotated[Scope | None, typer.Option(help="Erase only what this scope covers.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a participant, or what one scope covers: keys, rows, free pages; then look that they are gone."""
    from tracker.workflows import erasure  # noqa: PLC0415 - pulls in the whole store

    access = opened(settings_of(context))
    for finished in erasure.resume(access, now()):
        err().print(f"finished an erasure that had been interrupted: {sum(finished.counts.values())} rows")
    person = access.person(participant)
    what = f"what {scope.value} covers" if scope is not None else "everything"
    if not yes and err().is_terminal:
        typer.confirm(f"Erase {what} about {participant} for good?", abort=True, err=True)
    with progress("Erasing"):
        if scope is not None:
            done = erasure.erase_scope(access, person, scope, now())
        else:
            done = erasure.erase_person(access, person, now())
        done = erasure.clean_learners(access, done, now())
    if as_json:
        print_json(done.as_dict())
        return
    table = Table("table", "rows erased", title=f"Erased {what}")
    for name, count in done.counts.items():
        table.add_row(name, str(count))
    out().print(table)
    for line in done.sentences():
        typer.echo(line)


def _person(context: typer.Context, participant: str) -> tuple[Access, Person]:
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


def _print_state(access: Access, person: Person, as_json: bool, only: list[Scope] | None = None) -> None:
    with access.read(person.id, now()) as unit:
        states = [s for s in consenting.show(unit) if not only or s.scope in only]
    rows: list[dict[str, Any]] = [
        {
            "scope": s.scope.value,
            "state": s.event.state.value if s.event is not None else None,
            "in_force": s.in_force,
            "confirmed": s.confirmed,
            "covers_from": s.event.covers_from.isoformat() if s.event is not None else None,
            "recorded_at": s.event.recorded_at.isoformat() if s.event is not None else None,
            "recorder": s.event.recorder.value if s.event is not None else None,
        }
        for s in states
    ]
    if as_json:
        print_json({"participant": person.name, "scopes": rows})
        return
    table = Table(
        Column("scope", no_wrap=True),
        "state",
        "in force",
        "covers from",
        "recorded by",
        title=f"Consent of {person.name}",
    )
    for row in rows:
        by = row["recorder"] or ""
        if row["state"] == State.GIVEN and by == Recorder.OPERATOR:
            by += " (unconfirmed)"
        table.add_row(
            row["scope"],
            row["state"] or "-",
            "yes" if row["in_force"] else "no",
            (row["covers_from"] or "").replace("T", " "),
            by,
        )
    out().print(table)
