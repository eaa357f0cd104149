"""``prompts`` and ``zone``: what was asked of a participant and what came of it, what a study would ask, and where."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from tracker.cli.installation import now
from tracker.cli.output import AsJson, print_json
from tracker.cli.people import Participant, person_of
from tracker.cli.reader import reader
from tracker.domain.instants import require_zone
from tracker.domain.prompting import State
from tracker.domain.schedules import Slot
from tracker.study import load
from tracker.workflows import prompting

app = typer.Typer(help="What is asked by schedule, and what came of it.", no_args_is_help=True)

LONGEST = 366
"""Days that are told at once."""

Days = Annotated[int, typer.Option("--days", min=1, max=LONGEST, metavar="N", help="How many days.")]


@app.command()
def show(context: typer.Context, participant: Participant, days: Days = 7, as_json: AsJson = False) -> None:
    """Show what was asked of a participant and what came of it, and what falls due until tomorrow."""
    access, person = person_of(context, participant)
    at = now()
    with access.read(person.id, at) as unit:
        prompting.demand_for_staff(unit, reader().role)
    with access.look(person.id, at, reader=reader().told, what="what you were asked") as unit:
        past = prompting.history_for_staff(
            unit, reader().role, at - timedelta(days=days), at + timedelta(seconds=1)
        )
        ahead = prompting.upcoming(unit, at + timedelta(days=1))
        zone = ZoneInfo(unit.person.zone)
    if as_json:
        print_json({"zone": zone.key, "past": [_past(p) for p in past], "ahead": [_ahead(a) for a in ahead]})
        return
    for one in past:
        local = one.scheduled_at.astimezone(ZoneInfo(one.zone))
        took = f" after {_minutes(one.completed_at, one.notified_at)} min" if one.completed_at else ""
        words = f" ({one.words.rstrip('.')})" if one.words and one.state is not State.COMPLETED else ""
        typer.echo(f"{local:%a %d %b %H:%M} {one.schedule or 'by hand'}: {one.state.value}{took}{words}")
    typer.echo(_told(prompting.compliance(past), days))
    for next_one in ahead:
        local = next_one.slot.at.astimezone(zone)
        drawn = ", drawn at random" if next_one.random else ""
        typer.echo(f"next: {local:%a %d %b %H:%M} {next_one.slot.schedule}{drawn}")


@app.command()
def simulate(
    file: Annotated[Path, typer.Argument(metavar="STUDY", help="A study file; needs no database.")],
    zone: Annotated[str, typer.Option("--zone", help="IANA time zone, e.g. Europe/Berlin.")],
    days: Days = 30,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="The first day; today unless said."),
    ] = None,
    participant: Annotated[
        str, typer.Option("--participant", metavar="TEXT", help="Any word: another one draws other times.")
    ] = "simulated",
    as_json: AsJson = False,
) -> None:
    """Print when a study would ask somebody who lives in a zone, day by day; events cannot be foretold."""
    study = load(file)
    first = (start or now()).date()
    found = prompting.month(study, zone, first, days, participant)
    if as_json:
        print_json([_slot(slot, zone) for slot in found])
        return
    for day, slots in groupby(found, key=lambda slot: slot.day):
        typer.echo(f"{day:%a %d %b %Y}  " + "  ".join(_brief(slot, zone) for slot in slots))
    lost = Counter(slot.lost for slot in found)
    typer.echo(f"{lost[None]} prompts on {days} days, {len(found) - lost[None]} that cannot be put")
    if events := [s.id for s in study.plan.schedules if s.after is not None]:
        typer.echo(f"after events, so not foretold: {', '.join(events)}")


def zone(
    context: typer.Context,
    participant: Participant,
    name: Annotated[str, typer.Argument(metavar="ZONE", help="IANA time zone, e.g. Europe/Berlin.")],
    as_json: AsJson = False,
) -> None:
    """Set in which time zone a participant is from now on; prompts follow the clock on their wall."""
    access, person = person_of(context, participant)
    require_zone(name)
    access.record_look(person.id, now(), reader=reader().told, what="your time zone, which they set")
    moved = prompting.move(access, person, name, now())
    if as_json:
        print_json({"before": moved.before, "after": moved.after, "noted": moved.noted})
    elif moved.before == moved.after:
        typer.echo(f"{participant} is in {moved.after} already; nothing was changed")
    else:
        kept = "" if moved.noted else "; no history is kept without the scope prompts"
        typer.echo(f"{participant} was in {moved.before} and is in {moved.after} from now on{kept}")


def _told(counts: Counter[State], days: int) -> str:
    put = sum(n for state, n in counts.items() if state not in (State.WITHHELD, State.SCHEDULED))
    said = ", ".join(f"{n} {state.value}" for state in State if (n := counts[state]))
    return f"{put} prompts put in {days} days" + (f": {said}" if said else "")


def _minutes(later: datetime, earlier: datetime | None) -> int:
    return round((later - earlier) / timedelta(minutes=1)) if earlier is not None else 0


def _brief(slot: Slot, zone: str) -> str:
    local = slot.at.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M} {slot.schedule}" + (f" ({slot.lost.value})" if slot.lost is not None else "")


def _slot(slot: Slot, zone: str) -> dict[str, Any]:
    return {
        "slot": slot.name,
        "at": slot.at.isoformat(),
        "local": slot.at.astimezone(ZoneInfo(zone)).isoformat(),
        "expires_at": slot.expires_at.isoformat(),
        "lost": slot.lost.value if slot.lost is not None else None,
    }


def _ahead(ahead: prompting.Ahead) -> dict[str, Any]:
    return {"slot": ahead.slot.name, "at": ahead.slot.at.isoformat(), "random": ahead.random}


def _past(past: prompting.Past) -> dict[str, Any]:
    times = (
        "scheduled_at",
        "notified_at",
        "pushed_at",
        "reminded_at",
        "started_at",
        "completed_at",
        "expires_at",
    )
    told = {name: at.isoformat() if (at := getattr(past, name)) is not None else None for name in times}
    return {
        "prompt": past.prompt,
        "slot": past.slot,
        "zone": past.zone,
        "state": past.state.value,
        "because": past.because,
        **told,
    }
