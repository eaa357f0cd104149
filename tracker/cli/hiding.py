"""``hide`` and ``forget``: a stretch of a participant's time, shown to nobody else, or erased for good."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, out, print_json, stages
from tracker.cli.people import Participant
from tracker.cli.reader import reader
from tracker.domain.instants import parse_instant
from tracker.domain.stretches import Stretch

From = Annotated[str, typer.Option("--from", metavar="ISO", help="The first instant, with its UTC offset.")]
To = Annotated[str, typer.Option("--to", metavar="ISO", help="The first instant that is no part of it.")]


def hide(
    context: typer.Context,
    participant: Participant,
    start: Annotated[str | None, typer.Option("--from", metavar="ISO", help="The first instant.")] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="ISO", help="The first instant that is no part of it.")
    ] = None,
    show: Annotated[
        int | None, typer.Option(metavar="N", help="Show the hidden stretch with this number again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hide a stretch from raters, researchers, exports and learners, or show one again; without options list them.

    The participant does this on their timeline; here an operator does it on their behalf.
    """
    from tracker.workflows import hiding  # noqa: PLC0415 - pulls in the learners

    if show is not None and (start or end):
        raise typer.BadParameter("--show takes no --from and --to; show one stretch, or hide another")
    if (start is None) != (end is None):
        raise typer.BadParameter("a stretch has two ends; give both --from and --to")
    access = opened(settings_of(context))
    person = access.person(participant)
    if show is not None:
        done = hiding.show_again(access, person, show, now())
        said = f"shown again: {_told(done.stretch)}"
    elif start is not None and end is not None:
        done = hiding.hide(access, person, Stretch(parse_instant(start), parse_instant(end)), now())
        said = f"hidden as number {done.number}: {_told(done.stretch)}"
    else:
        with access.look(person.id, now(), reader=reader().told, what="which stretches you hide") as unit:
            found = hiding.hidden(unit)
        if as_json:
            print_json({"hidden": [{"number": row.id, **_edges(row.stretch)} for row in found]})
            return
        table = Table("number", "from", "to", title=f"What {participant} hides")
        for row in found:
            table.add_row(str(row.id), *_edges(row.stretch).values())
        out().print(table)
        return
    if as_json:
        print_json(
            {
                "number": done.number,
                **_edges(done.stretch),
                "learners": done.learners,
                "exports_outdated": done.exports,
            }
        )
    else:
        typer.echo(said)
        typer.echo(
            f"{done.learners} of their learners learned anew; {done.exports} earlier exports are outdated"
        )


def forget(
    context: typer.Context,
    participant: Participant,
    start: From,
    end: To,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what is stored of a stretch of time for good: rows, pictures, notes, what was learned; then look."""
    from tracker.workflows import erasure, hiding  # noqa: PLC0415

    access = opened(settings_of(context))
    person = access.person(participant)
    stretch = Stretch(parse_instant(start), parse_instant(end))
    if not yes and err().is_terminal:
        with access.read(person.id, now()) as unit:
            held = ", ".join(f"{n} {table}" for table, n in hiding.held(unit, stretch).items()) or "nothing"
        typer.confirm(f"Erase {held} of {participant}, {_told(stretch)}, for good?", abort=True, err=True)
    with stages("1. Erasing data") as report:
        done = erasure.erase_stretch(access, person, stretch, now())
        report("2. Cleaning learners", 0.5)
        done = erasure.clean_learners(access, done, now())
    if as_json:
        print_json(done.as_dict())
        return
    for table, count in done.counts.items():
        typer.echo(f"{table}: {count}")
    for line in done.sentences():
        typer.echo(line)


def _edges(stretch: Stretch) -> dict[str, str]:
    return {"from": stretch.start.isoformat(), "to": stretch.end.isoformat()}


def _told(stretch: Stretch) -> str:
    return " to ".join(at.isoformat(timespec="seconds") for at in (stretch.start, stretch.end))
