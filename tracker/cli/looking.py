"""``consent looks``: who of the staff has looked at a participant's data."""

from __future__ import annotations

import typer
from rich.table import Table

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json
from tracker.cli.people import Participant
from tracker.cli.reader import reader


def looks(context: typer.Context, participant: Participant, as_json: AsJson = False) -> None:
    """Print who of the staff looked at a participant's data, newest first; this is a look, too."""
    access = opened(settings_of(context))
    person = access.person(participant)
    with access.look(person.id, now(), reader=reader().told, what="who looked") as unit:
        found = access.looks(unit)[::-1]
    if as_json:
        told = [{"at": look.at.isoformat(), "reader": look.reader, "what": look.what} for look in found]
        print_json({"participant": person.name, "looks": told})
        return
    table = Table("at", "who", "at what", title=f"Who looked at the data of {person.name}")
    for look in found:
        table.add_row(look.at.isoformat(timespec="seconds"), look.reader, look.what)
    out().print(table)
