"""Make the tables of an export, one participant after the other, and note each who is done."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from tracker import shipped
from tracker.access import Access
from tracker.fer.manifest import read_manifest
from tracker.workflows.export import anonymising, beeps, going_on, planning
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.errors import NothingToExportError
from tracker.workflows.export.exclusions import Excluded
from tracker.workflows.export.frames import Frame
from tracker.workflows.export.hashed import Written
from tracker.workflows.export.journal import Done, Journal
from tracker.workflows.export.planning import Plan
from tracker.workflows.export.shapes import SERIES
from tracker.workflows.export.streaming import Stream, Tables
from tracker.workflows.export.tables import ABOUT_ALL, PARTICIPANTS, RATERS, TABLES
from tracker.workflows.export.writing import TableWriter

_PARTICIPANT = "participant"


@dataclass(frozen=True, slots=True)
class Made:
    """The tables as they lie on the disk.

    Attributes
    ----------
    tables
        Their declarations, in the order in which they are described.
    files
        By name.
    anonymity
        What the manifest says of it.
    """

    tables: tuple[Table, ...]
    into: Tables
    files: dict[str, Written]
    excluded: Excluded
    anonymity: dict[str, Any]


def versions() -> dict[str, str]:
    """What the bytes of an export depend on beside its rows."""
    return {"affect-tracker": importlib.metadata.version("affect-tracker"), "pyarrow": pa.__version__}


def declared(plan: Plan) -> tuple[Table, ...]:
    """The tables of an export."""
    return TABLES if plan.asked.shape is None else (*TABLES, SERIES[plan.asked.shape])


def write(
    access: Access,
    plan: Plan,
    here: Path,
    now: datetime,
    progress: Callable[[float], None],
    journal: Journal,
    done: list[Done],
) -> Made:
    """Write every table.

    Parameters
    ----------
    here
        The folder.
    journal, done
        Where it is noted who is done, and who was done by an earlier run.

    Raises
    ------
    ChangedError
        When somebody's consent is no longer as planned.
    NothingToExportError
        When there is no row that consent allows.
    """
    tables = declared(plan)
    going_on.clear(here, tables, done)
    state = done[-1].state if done else None
    writers: dict[str, TableWriter] = {}
    into = Tables(writers)
    excluded = Excluded()
    for one in done:
        excluded.update({(table, why): n for table, why, n in one.excluded})
        into.people.append(one.person)
    veil = None
    if plan.k is not None:
        people = [(member.person, member.starts) for member in plan.members]
        veil = anonymising.veil(people, plan.cut.at, plan.k, plan.words)
    try:
        for table in tables:
            left = state["writers"].get(table.name) if state is not None else None
            writers[table.name] = TableWriter(here, table, plan.formats, left)
        if "openesm" in plan.formats:
            left = state["beeps"] if state is not None else None
            into.beeps = beeps.BeepFile(here, plan.id, beeps.table(plan.targets), left)
        if state is not None:
            into.go_on(state)
        for i, member in list(enumerate(plan.members))[len(done) :]:

            def report(share: float, i: int = i) -> None:
                progress((i + share) / len(plan.members))

            before = {name: len(writer.parts) for name, writer in writers.items()}
            with planning.reading(access, plan, member, now) as unit:
                stream = Stream(
                    unit,
                    member.who,
                    member.starts,
                    plan.cut,
                    plan.names,
                    into,
                    veil,
                    plan.asked,
                    plan.raters,
                )
                out = stream.run(report)
            excluded += out
            parts = [part for name, writer in writers.items() for part in writer.parts[before[name] :]]
            starts = going_on.starts(access, plan, member)
            left_out = tuple((table, why, n) for (table, why), n in out.items())
            journal.add(
                Done(member.who.pseudonym, starts, into.state(), into.people[-1], left_out, tuple(parts))
            )
            report(1.0)
        frame, anonymity = anonymising.told(into.people, veil)
        into.write(PARTICIPANTS, frame)
        into.write(RATERS, _raters(into))
        if not any(w.rows for w in writers.values() if w.table not in ABOUT_ALL):
            raise NothingToExportError(
                f"nothing to export: up to {plan.cut.at.isoformat()} there is no row that consent allows "
                f"({excluded.total()} rows left out)"
            )
        files = {part.name: part for one in done for part in one.parts}
        files |= {file.name: file for writer in writers.values() for file in writer.close()}
        if into.beeps is not None:
            file = into.beeps.close()
            files[file.name] = file
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        if into.beeps is not None:
            into.beeps.abandon()
        raise
    return Made(tables, into, dict(sorted(files.items())), excluded, anonymity)


def found(made: Made) -> dict[str, Any]:
    """What the manifest says that only the rows tell."""
    known = {e.id: e for e in read_manifest(shipped.models() / "manifest.toml").values()}
    networks = [
        {
            "id": i,
            "sha256": known[i].sha256 if i in known else None,
            "card": (known[i].card or None) if i in known else None,
        }
        for i in sorted(made.into.networks)
    ]
    return {
        "anonymity": made.anonymity,
        "excluded_rows": {f"{table}: {why}": n for (table, why), n in sorted(made.excluded.items())},
        "networks": networks,
        **({"imported_rows": dict(sorted(brought.items()))} if (brought := +made.into.imported) else {}),
    }


def _raters(into: Tables) -> Frame:
    each = sorted(into.raters.keys() | into.rated.keys())
    said = [into.raters.get(rater, Counter()) for rater in each]
    rated = [into.rated.get(rater, Counter()) for rater in each]
    return {
        "rater": pa.array(each, pa.string()),
        "kind": pa.array([_kind(rater, into) for rater in each], pa.string()),
        "n_corrections": pa.array([n.total() for n in said], pa.int64()),
        "n_ratings": pa.array([n.total() for n in rated], pa.int64()),
        "n_participants": pa.array(
            [len(a.keys() | b.keys()) for a, b in zip(said, rated, strict=True)], pa.int64()
        ),
    }


def _kind(rater: str, into: Tables) -> str:
    if rater == _PARTICIPANT:
        return rater
    return "rater" if rater in into.rated else "other"
