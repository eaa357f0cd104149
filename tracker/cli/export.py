"""``export``: a research dataset of what participants allow."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tracker.cli import aggregating
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, out, print_json, progress
from tracker.cli.reader import reader
from tracker.domain.instants import parse_instant

if TYPE_CHECKING:
    from tracker.access import Access
    from tracker.workflows.export import ExportResult


class Format(StrEnum):
    """File formats of the tables."""

    PARQUET = "parquet"
    CSV = "csv"
    OPENESM = "openesm"


class Shape(StrEnum):
    """Shapes of the table series."""

    WIDE = "wide"
    LONG = "long"


_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="A folder that does not exist yet.")],
    participant: Annotated[
        list[str] | None,
        typer.Option("--participant", "-p", metavar="P", help="May be repeated; default: everybody."),
    ] = None,
    formats: Annotated[
        list[Format] | None, typer.Option("--format", help="May be repeated; default: parquet, csv.")
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="S", help="The study in force here; refused where it is another.")
    ] = None,
    shape: Annotated[
        Shape | None, typer.Option(help="A table series too: all that was said of each moment.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="STEP", help="That table in windows: 30s, 5min, 1h, 1d.")
    ] = None,
    learner_now: Annotated[
        bool, typer.Option("--learner-now/--no-learner-now", help="What the learner says by now, too.")
    ] = True,
    at: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="As of this instant: its rows, under the consent of then and now."),
    ] = None,
    again: Annotated[
        str | None, typer.Option(metavar="ID", help="Repeat an earlier export byte for byte.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="For everybody: only who granted export_public, k-anonymous.")
    ] = False,
    k: Annotated[
        int | None, typer.Option(metavar="K", help="Tell of participants so coarsely that K share each row.")
    ] = None,
    aggregate: Annotated[
        bool, typer.Option("--aggregate", help="Differentially private figures about everybody instead.")
    ] = False,
    epsilon: Annotated[
        float | None, typer.Option(metavar="E", help="With --aggregate: what it costs each person's budget.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="With --aggregate: default four weeks.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="With --aggregate: default yesterday (UTC).")
    ] = None,
    figure: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --aggregate; may be repeated.")
    ] = None,
    most_per_day: Annotated[
        int | None,
        typer.Option(metavar="N", help="With --aggregate: observations a day to count at most, 200."),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="With --aggregate: about SIMULATED people instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export what consent allows: tables, data package, codebook and manifest, whole or not at all."""
    own = {"--from": first, "--to": last, "--epsilon": epsilon, "--figure": figure}
    own |= {"--most-per-day": most_per_day, "--simulated": simulated or None}
    if aggregate:
        others = {"--participant": participant, "--format": formats, "--at": at, "--again": again, "--k": k}
        others |= {"--shape": shape, "--every": every, "--no-learner-now": None if learner_now else True}
        _refuse({**others, "--study": study, "--public": public or None}, "goes without --aggregate alone")
        if epsilon is None:
            raise typer.BadParameter("--aggregate needs --epsilon, what it may cost each person's budget")
        aggregating.aggregate(
            opened(settings_of(context)),
            folder,
            epsilon,
            first=first,
            last=last,
            figures=figure,
            most_per_day=most_per_day,
            simulated=simulated,
            as_json=as_json,
        )
        return
    _refuse(own, "goes with --aggregate alone")
    instant = parse_instant(at) if at is not None else None
    every_s = _seconds(every) if every is not None else None
    access = opened(settings_of(context))
    _require_study(access, study)

    from tracker.workflows.export import export_dataset  # noqa: PLC0415 - pyarrow takes a while

    with progress(f"Exporting to {folder}") as report:
        result = export_dataset(
            access,
            folder,
            now(),
            participants=participant or None,
            at=instant,
            formats={f.value for f in formats} if formats else None,
            again=again,
            public=public,
            k=k,
            shape=shape.value if shape is not None else None,
            every_s=every_s,
            learner_now=learner_now,
            reader=reader(),
            progress=report,
        )
    if as_json:
        print_json(_values(result))
    else:
        _print(result)


def exports(context: typer.Context, as_json: AsJson = False) -> None:
    """List what was exported from here, newest first, and what of it is outdated: somebody in it has withdrawn."""
    access = opened(settings_of(context))

    from tracker.workflows.export import registered  # noqa: PLC0415 - pyarrow takes a while

    found = registered(access)
    if as_json:
        told = [
            {
                "id": one.id,
                "at": one.at.isoformat(),
                "created_at": one.created_at.isoformat(),
                "public": one.public,
                "formats": list(one.formats),
                "participants": one.participants,
                "outdated_at": one.outdated_at.isoformat() if one.outdated_at is not None else None,
            }
            for one in found
        ]
        print_json({"exports": told})
        return
    for one in found:
        made, of = (t.isoformat(timespec="seconds") for t in (one.created_at, one.at))
        people = f"{one.participants} participant{'' if one.participants == 1 else 's'}"
        gone = f"outdated since {one.outdated_at:%Y-%m-%d}" if one.outdated_at is not None else ""
        told_of = filter(None, (people, *one.formats, "public" if one.public else "", gone))
        # A line each: an id that is cut in two cannot be copied into --again.
        out().print(
            f"{one.id}  made {made}, as of {of}: {', '.join(told_of)}", soft_wrap=True, highlight=False
        )
    if not found:
        out().print("nothing was exported from here")


def _seconds(step: str) -> int:
    number = step.rstrip("smihnd")
    unit = _UNITS.get(step[len(number) :])
    if unit is None or not number.isascii() or not number.isdigit():
        raise typer.BadParameter(f"--every is a step such as 30s, 5min, 1h or 1d, not {step!r}")
    return int(number) * unit


def _require_study(access: Access, study: str | None) -> None:
    if study is None:
        return
    from tracker.workflows import studies  # noqa: PLC0415 - most exports name none

    if (there := studies.in_force(access).id) != study:
        raise typer.BadParameter(f"the study in force here is {there!r}, not {study!r}")


def _refuse(options: Mapping[str, object], why: str) -> None:
    if given := [name for name, value in options.items() if value is not None]:
        raise typer.BadParameter(f"{given[0]} {why}")


def _values(result: ExportResult) -> dict[str, object]:
    return {
        "id": result.id,
        "folder": str(result.folder),
        "at": result.at.isoformat(),
        "rows": dict(result.rows),
        "participants": result.participants,
        "simulated_participants": result.simulated,
        "excluded_participants": dict(result.excluded_participants),
        "excluded_rows": dict(result.excluded_rows),
        "manifest_sha256": result.manifest_sha256,
        "k": result.k,
    }


def _print(result: ExportResult) -> None:
    mark = f", {result.simulated} of them SIMULATED" if result.simulated else ""
    title = f"{result.participants} participants{mark} as of {result.at.isoformat(timespec='seconds')}"
    table = Table("table", "rows", title=title)
    for name, n in result.rows.items():
        table.add_row(name, str(n))
    console = out()
    console.print(table)
    for reason, n in result.excluded_participants.items():
        console.print(f"left out: {n} participants, {reason}", highlight=False)
    for reason, n in result.excluded_rows.items():
        console.print(f"left out: {n} rows of {reason}", highlight=False)
    if result.k:
        console.print(f"k-anonymity of the table participants: k = {result.k}", highlight=False)
    console.print(
        f"{result.folder}\nthe same again: affect-tracker export --again {result.id} --out DIR",
        highlight=False,
        soft_wrap=True,
    )
