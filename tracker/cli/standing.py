"""Print where a person's consent stands, or stood."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from rich.table import Column, Table

from tracker.access import Access
from tracker.cli.installation import now
from tracker.cli.output import err, out, print_json
from tracker.domain.consent import ConsentEvent, Recorder, Scope
from tracker.domain.people import Person
from tracker.privacy.standing import Standing, Why
from tracker.workflows import receipts


def tell(
    access: Access,
    person: Person,
    as_json: bool,
    only: Collection[Scope] | None,
    at: datetime | None = None,
) -> None:
    """Print where each scope, or only these, stands now, or stood at an instant.

    A command that writes tells of what it wrote alone: the rest is a look, and is noted as one.
    """
    if at is None:
        with access.read(person.id, now()) as unit:
            stands = unit.standing()
    else:
        stands = receipts.consent_at(access, person, at, now())
    rows = [_row(s) for s in stands.values() if only is None or s.scope in only]
    if as_json:
        print_json(
            {"participant": person.name, "at": at.isoformat() if at is not None else None, "scopes": rows}
        )
        return
    when = f" at {at.isoformat(timespec='seconds')}" if at is not None else ""
    table = Table(
        Column("scope", no_wrap=True),
        "state",
        "in force",
        Column("covers from", no_wrap=True),
        Column("recorded by", overflow="fold"),
        title=f"Consent of {person.name}{when}",
    )
    for row in rows:
        table.add_row(
            row["scope"],
            row["state"] or "-",
            "yes" if row["in_force"] else "no",
            _seconds(row["covers_from"]),
            _by(row),
        )
    out().print(table)
    for stand in stands.values():
        for line in _remarks(stand) if only is None or stand.scope in only else ():
            err().print(line, highlight=False)


def _row(stand: Standing) -> dict[str, Any]:
    event = stand.held or stand.own
    return {
        "scope": stand.scope.value,
        "state": stand.own.state.value if stand.own is not None else None,
        "in_force": stand.why is Why.IN_FORCE,
        "why": stand.why.value,
        "confirmed": stand.confirmed,
        "covers_from": event.covers_from.isoformat() if event is not None else None,
        "expires_at": event.expires_at.isoformat()
        if event is not None and event.expires_at is not None
        else None,
        "recorded_at": stand.own.recorded_at.isoformat() if stand.own is not None else None,
        "recorder": stand.own.recorder.value if stand.own is not None else None,
        "guardian": stand.guardian.state.value if stand.guardian is not None else None,
        "notice": stand.own.notice.version if stand.own is not None else None,
    }


def _seconds(instant: str | None) -> str:
    # "Z" for "+00:00": on 80 columns there is room for who recorded it then.
    return (
        f"{datetime.fromisoformat(instant).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if instant is not None else ""
    )


def _by(row: dict[str, Any]) -> str:
    by = row["recorder"] or ""
    if row["in_force"] and by == Recorder.OPERATOR:
        by += " (unconfirmed)"
    return f"{by}, guardian: {row['guardian']}" if row["guardian"] else by


def _remarks(stand: Standing) -> list[str]:
    """What the table has no room for: why a grant does not count, and which of two words of one instant does."""
    said = []
    if stand.why in (Why.EXPIRED, Why.NOTICE_CHANGED, Why.GUARDIAN):
        said.append(f"{stand.scope.value} is not in force: {stand.why.value}")
    if stand.own is not None and stand.beaten is not None:
        said.append(
            f"{stand.scope.value}: {_word(stand.beaten)} and {_word(stand.own)} were recorded in one instant; "
            f"the log's order counts, so {_word(stand.own)} stands"
        )
    return said


def _word(event: ConsentEvent) -> str:
    return f"{event.state.value!r} (row {event.seq})"
