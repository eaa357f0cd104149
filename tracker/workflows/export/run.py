"""Export a dataset: only what consent allows, whole or not at all, and the same bytes again on demand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker import shipped
from tracker.access import Access
from tracker.domain.consent import Use
from tracker.domain.instants import require_past
from tracker.domain.readers import UNNAMED, Reader
from tracker.fer.manifest import read_manifest
from tracker.store import exports
from tracker.workflows.export import anonymising, codebook, folder, planning
from tracker.workflows.export.describing import as_json, data_package, iso, networks
from tracker.workflows.export.errors import ExportError, NothingToExportError
from tracker.workflows.export.exclusions import Excluded
from tracker.workflows.export.planning import ChangedError, Plan
from tracker.workflows.export.streaming import Stream, Tables
from tracker.workflows.export.tables import PARTICIPANTS, SIMULATED, TABLES
from tracker.workflows.export.writing import FORMATS, TableWriter, Written

ATTEMPTS = 3
"""How often an export begins anew because somebody's consent changed while it was made."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A finished export.

    Attributes
    ----------
    id
        Repeats it: ``export --again ID``.
    folder
        Where it lies.
    at
        Its instant (UTC).
    rows
        Rows by table.
    participants, simulated
        How many people are in it, and how many of those are simulations.
    excluded_participants, excluded_rows
        How many were left out, by reason; rows by ``"table: reason"``.
    manifest_sha256
        SHA-256 of manifest.json, which holds that of every other file.
    k
        How many people share the rarest row of the table `participants`, pseudonyms aside; 0 where nobody in it
        is real; None for the repetition of an export in which that was not looked at.
    """

    id: str
    folder: Path
    at: datetime
    rows: Mapping[str, int]
    participants: int
    simulated: int
    excluded_participants: Mapping[str, int]
    excluded_rows: Mapping[str, int]
    manifest_sha256: str
    k: int | None


def export_dataset(
    access: Access,
    out: Path,
    now: datetime,
    *,
    participants: Sequence[str] | None = None,
    at: datetime | None = None,
    formats: AbstractSet[str] | None = None,
    again: str | None = None,
    public: bool = False,
    k: int | None = None,
    reader: Reader = UNNAMED,
    progress: Callable[[float], None] = lambda done: None,
) -> ExportResult:
    """Export the rows whose scopes were in force at an instant and still are.

    Parameters
    ----------
    access
        The gate.
    out
        A folder that does not exist yet, or is empty.
    now
        When the export runs (UTC).
    participants
        Names; None for everybody.
    at
        The export's instant: it holds what was recorded up to then, under the consent of then and now.
        Default `now`.
    formats
        Of ``parquet`` and ``csv``; default both.
    again
        Id of an earlier export to repeat byte for byte; it brings its own participants, instant, formats, door
        and k.
    public
        Whether everybody may have it: then it holds those alone who granted `export_public`, of whom there have
        to be k.
    k
        How many people at least share what the table `participants` tells of them: it is told more coarsely, and
        so is the zone of every row, until they do. None: as it is. In a public export at least the study's k.
    reader
        Who makes it: whoever is in it finds that noted, before any row is read.
    progress
        Hears how much is done, 0 to 1.

    Raises
    ------
    ExportError
        When `out` is in use or cannot be written, a format is unknown, or an export's rows are no longer
        those of the first time.
    InstantError
        When `at` is naive or in the future.
    UnknownParticipantError, UnknownExportError
        When a name or `again` is unknown.
    NothingToExportError
        When consent leaves no row.
    TooFewPeopleError
        When there are fewer than k.
    WithdrawnError
        When somebody in the export to be repeated withdrew since.
    StorageFullError
        When the disk fills up; nothing is left behind.
    """
    chosen = (participants, at, formats, k)
    if again is not None and (public or any(choice is not None for choice in chosen)):
        raise ExportError(
            "an export is repeated as it was: --again takes no participants, instant, format, --public or --k"
        )
    if k is not None and k < 1:
        raise ExportError(f"--k is a number of people from 1 on, not {k}")
    wanted = frozenset(formats if formats is not None else FORMATS)
    if not wanted or wanted - set(FORMATS):
        raise ExportError(
            f"formats are {' and '.join(FORMATS)}, not {', '.join(sorted(wanted)) or 'nothing'}"
        )
    instant = min(require_past(at, now), now) if at is not None else now
    place = folder.check(out)
    for _ in range(ATTEMPTS):
        try:
            if again is not None:
                plan = planning.plan_again(access, again, now)
            else:
                door = Use.EXPORT_PUBLIC if public else Use.EXPORT
                plan = planning.plan_new(access, instant, now, participants, wanted, door, k)
            for member in plan.members:
                access.record_look(member.person.id, now, reader=reader.told, what=f"export {plan.id[:12]}")
            return _make(access, plan, place, now, progress)
        except ChangedError:
            continue
    raise ExportError(
        f"consent changed {ATTEMPTS} times while the export was made; nothing was exported, run it again"
    )


def _make(
    access: Access, plan: Plan, out: Path, now: datetime, progress: Callable[[float], None]
) -> ExportResult:
    with folder.partial(out, plan.id[:12]) as here:
        tables, files, excluded, anonymity = _write_tables(access, plan, here, now, progress)
        told = plan.told if plan.repeated is not None else plan.told | _found(tables, excluded, anonymity)
        manifest, digest = _describe(plan, here, tables, files, told)
        if plan.repeated not in (None, digest):
            raise ExportError(
                f"export {plan.id} cannot be repeated byte for byte: rows in it were erased since, or other "
                f"versions made it ({told['made_with']}). Make a new one, without --again"
            )
        with planning.locked(access, [m.person for m in plan.members], now) as units:
            planned = {m.person.id: m for m in plan.members}
            for unit in units:
                planning.require_unchanged(plan, planned[unit.person.id], unit)
            if plan.repeated is None:
                row = exports.ExportRow(
                    plan.id, plan.cut.at, now, planning.request(plan, told), digest, outdated_at=None
                )
                exports.add(units[0].connection, row, planned)
        # Registered first: a dataset that nobody could flag as outdated must not exist.
        folder.publish(here, out)
    return ExportResult(
        plan.id,
        out,
        plan.cut.at,
        manifest["rows"],
        manifest["participants"],
        manifest["simulated_participants"],
        told["excluded_participants"],
        told["excluded_rows"],
        digest,
        told.get("anonymity", {}).get("k"),
    )


def _write_tables(
    access: Access, plan: Plan, here: Path, now: datetime, progress: Callable[[float], None]
) -> tuple[Tables, dict[str, Written], Excluded, dict[str, Any]]:
    writers: dict[str, TableWriter] = {}
    excluded = Excluded()
    try:
        for table in TABLES:
            writers[table.name] = TableWriter(here, table, plan.formats)
        tables = Tables(writers)
        veil = None
        if plan.k is not None:
            people = [(member.person, member.starts) for member in plan.members]
            veil = anonymising.veil(people, plan.cut.at, plan.k)
        for i, member in enumerate(plan.members):

            def report(done: float, i: int = i) -> None:
                progress((i + done) / len(plan.members))

            with planning.reading(access, plan, member, now) as unit:
                stream = Stream(unit, member.who, member.starts, plan.cut, plan.names, tables, veil)
                excluded += stream.run(report)
            report(1.0)
        frame, anonymity = anonymising.told(tables.people, veil)
        tables.write(PARTICIPANTS, frame)
        if not any(w.rows for name, w in writers.items() if name != PARTICIPANTS.name):
            raise NothingToExportError(
                f"nothing to export: up to {plan.cut.at.isoformat()} there is no row that consent allows "
                f"({excluded.total()} rows left out)"
            )
        files = {file.name: file for writer in writers.values() for file in writer.close()}
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    return tables, files, excluded, anonymity


def _found(tables: Tables, excluded: Excluded, anonymity: dict[str, Any]) -> dict[str, Any]:
    known = read_manifest(shipped.models() / "manifest.toml").values()
    return {
        "anonymity": anonymity,
        "excluded_rows": {f"{table}: {why}": n for (table, why), n in sorted(excluded.items())},
        "networks": networks(list(tables.networks), {e.id: (e.sha256, e.card) for e in known}),
    }


def _describe(
    plan: Plan, here: Path, tables: Tables, files: dict[str, Written], told: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """Write data package, codebook and manifest; return the manifest with its SHA-256."""
    simulated = sum(m.who.simulated for m in plan.members)
    mark = f" {simulated} of the {len(plan.members)} participants are {SIMULATED}." if simulated else ""
    heading = (
        f"Export `{plan.id}` of {iso(plan.cut.at)}.{mark} `manifest.json` has the SHA-256 of every file."
    )
    if "anonymity" in told:  # exports from before it was looked at say what they said
        heading += f"\n\n{anonymising.sentence(told['anonymity'])}"
    seen = {name: writer.distributions for name, writer in tables.writers.items()}
    described = {
        "datapackage.json": as_json(data_package(plan.id, plan.created_at, files, simulated=bool(simulated))),
        "codebook.md": codebook.render(seen, heading).encode(),
    }
    for name, data in described.items():
        folder.write(here / name, data)
        files[name] = Written(name, len(data), hashlib.sha256(data).hexdigest())
    manifest = {
        "export": plan.id,
        "at": iso(plan.cut.at),
        "created_at": iso(plan.created_at),
        "contains": sorted({m.who.origin for m in plan.members}),
        "participants": len(plan.members),
        "simulated_participants": simulated,
        "rows": {name: writer.rows for name, writer in tables.writers.items()},
        **{name: told[name] for name in sorted(told)},
        "files": {f.name: {"bytes": f.size, "sha256": f.sha256} for _, f in sorted(files.items())},
    }
    data = as_json(manifest)
    folder.write(here / "manifest.json", data)
    return manifest, hashlib.sha256(data).hexdigest()
