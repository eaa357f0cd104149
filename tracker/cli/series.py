"""``context``, ``correct``, ``replay``, ``timeline``: a person's series and what is said about it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from tracker import personal
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.cli.people import Participant
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.instants import parse_instant
from tracker.domain.series import Context, Correction, Moment
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


def correct(
    context: typer.Context,
    participant: Participant,
    at: At,
    emotion: Annotated[Emotion, typer.Option(help="What it really was.")],
    second: Annotated[Emotion | None, typer.Option(help="A second emotion, for a mixed state.")] = None,
    as_json: AsJson = False,
) -> None:
    """Correct a moment as the participant, and learn from it; prints the estimate before and after."""
    access = opened(settings_of(context))
    person = access.person(participant)
    said = Distribution.said(emotion, second)
    done = feedback.correct(access, person, Correction(parse_instant(at), "emotion", said), now())
    if as_json:
        print_json(
            {
                "correction": done.correction,
                "at": done.at.isoformat(),
                "observed": done.observation is not None,
                "machine": _values(done.machine),
                "before": _values(done.before),
                "after": _values(done.after),
                "superseded": done.superseded,
                "missing": [s.value for s in done.missing],
                "not_covered_since": done.not_covered_since.isoformat() if done.not_covered_since else None,
            }
        )
        return
    if done.observation is None:
        typer.echo("no observation with a face within two minutes: stored as a word about the moment itself")
    if done.missing:
        missing = ", ".join(s.value for s in done.missing)
        typer.echo(f"stored; nothing was learned, because {participant} has not granted {missing}")
        return
    if done.not_covered_since is not None:
        since = done.not_covered_since.isoformat()
        typer.echo(f"stored; nothing was learned, because {participant} allows learning only from {since} on")
        return
    table = Table("", "network", "before", "after", title=f"{participant} at {done.at.isoformat()}")
    for e in Emotion:
        cells = [f"{d[e]:.2f}" if d is not None else "-" for d in (done.machine, done.before, done.after)]
        table.add_row(e.value, *cells, style="bold" if e in (emotion, second) else None)
    out().print(table)


def replay(context: typer.Context, participant: Participant, as_json: AsJson = False) -> None:
    """Compute the learner again from its prior and events, and compare it with the live one, bit for bit."""
    access = opened(settings_of(context))
    person = access.person(participant)
    with access.read(person.id, now()) as unit:
        done = personal.replay(unit)
    if as_json:
        print_json(
            {
                "learner": done is not None,
                "target": done.target if done else None,
                "events": done.events if done else 0,
                "rebased_at": done.rebased_at.isoformat() if done else None,
                "live_sha256": done.live_sha256 if done else None,
                "replayed_sha256": done.replayed_sha256 if done else None,
                "equal": done.equal if done else True,
            }
        )
    elif done is None:
        typer.echo(f"{participant} has no learner yet; it begins with the first tracking or correction")
    else:
        verdict = "equal, bit for bit" if done.equal else "NOT equal"
        typer.echo(f"{done.events} events since {done.rebased_at.isoformat()} replayed: {verdict}")
    if done is not None and not done.equal:
        raise typer.Exit(1)


def timeline(
    context: typer.Context,
    participant: Participant,
    start: Annotated[str | None, typer.Option("--from", metavar="ISO")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="ISO")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the participant's moments: what the network read, what the learner says, what they said."""
    access = opened(settings_of(context))
    person = access.person(participant)
    first = parse_instant(start) if start is not None else None
    last = parse_instant(end) if end is not None else None
    with timelines.moments(access, person, now(), first, last) as moments:
        if as_json:
            _stream(moments)
            return
        mark = " — SIMULATED" if person.simulated else ""
        table = Table("at", "network", "personal", "correction", title=f"{participant}{mark}")
        for m in moments:
            seen = _top(m.machine) if m.reason is None else f"({m.reason.value})"
            table.add_row(m.at.isoformat(), seen, _top(m.personal), _top(m.correction))
    out().print(table)


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


def _top(distribution: Distribution | None) -> str:
    return (
        f"{distribution.top.value} {distribution[distribution.top]:.2f}" if distribution is not None else ""
    )
