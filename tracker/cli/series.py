"""``context`` and ``timeline``: what surrounded a person, and their series."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.cli.people import Participant
from tracker.cli.reader import reader
from tracker.domain.affect import Distribution
from tracker.domain.instants import parse_instant
from tracker.domain.readers import Role
from tracker.domain.series import Context, Moment
from tracker.workflows import feedback
from tracker.workflows import timeline as timelines

At = Annotated[str, typer.Option(metavar="ISO", help="Time with its UTC offset.")]

context = typer.Typer(help="Say what surrounded a participant.", no_args_is_help=True)


@context.command("add")
def context_add(
    context: typer.Context,
    participant: Participant,
    at: At,
    place: Annotated[str | None, typer.Option(help="e.g. home, work, outdoors")] = None,
    activity: Annotated[str | None, typer.Option(help="e.g. working, eating, resting")] = None,
    company: Annotated[str | None, typer.Option(help="e.g. alone, friends, colleagues")] = None,
    as_json: AsJson = False,
) -> None:
    """Store what surrounded the participant from an instant on, for at most two hours."""
    access = opened(settings_of(context))
    person = access.person(participant)
    said = Context(parse_instant(at), place, activity, company)
    number = feedback.add_context(access, person, said, now())
    if as_json:
        print_json({"context": number, "at": said.at.isoformat()})
    else:
        typer.echo(f"stored the context of {participant} from {said.at.isoformat()} on")


def timeline(
    context: typer.Context,
    participant: Participant,
    start: Annotated[str | None, typer.Option("--from", metavar="ISO")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="ISO")] = None,
    role: Annotated[
        Role, typer.Option("--as", help="As what you look; the participant reads it.")
    ] = Role.OPERATOR,
    as_json: AsJson = False,
) -> None:
    """Print the participant's moments: what the network read, what the learner says, what they said.

    That somebody looked, and who, is noted first, where the participant sees it.
    """
    first = parse_instant(start) if start is not None else None
    last = parse_instant(end) if end is not None else None
    access = opened(settings_of(context))
    person = access.person(participant)
    with timelines.looked_at(access, person, now(), reader(role), first, last) as (unit, moments):
        if as_json:
            _stream(moments)
            return
        mark = " — SIMULATED" if person.simulated else ""
        table = Table("at", "network", "personal", "correction", title=f"{participant}{mark}")
        for m in moments:
            seen = _top(m.machine) if m.reason is None else f"({m.reason.value})"
            table.add_row(_short(m.at), seen, _top(m.personal), _top(m.correction))
        news = [line for state in timelines.learners(unit) for line in state.news]
    out().print(table)
    for line in news:
        typer.echo(line)


def _stream(moments: Any) -> None:
    # One row at a time: a series of months does not fit into memory as one list.
    typer.echo("[", nl=False)
    for i, m in enumerate(moments):
        typer.echo((",\n " if i else "") + json.dumps(_row(m)), nl=False)
    typer.echo("]")


def _row(m: Moment) -> dict[str, Any]:
    return {
        "at": m.at.isoformat(),
        "reason": m.reason.value if m.reason is not None else None,
        "machine": _values(m.machine),
        "personal": _values(m.personal),
        "correction": _values(m.correction),
    }


def _values(distribution: Distribution | None) -> dict[str, float] | None:
    return distribution.as_dict() if distribution is not None else None


def _short(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _top(distribution: Distribution | None) -> str:
    return (
        f"{distribution.top.value} {distribution[distribution.top]:.2f}" if distribution is not None else ""
    )
