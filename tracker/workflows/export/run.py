"""Export a dataset: only what consent allows, whole or not at all, and the same bytes again on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from tracker.access import Access
from tracker.domain.consent import Use
from tracker.domain.instants import require_past
from tracker.domain.readers import UNNAMED, Reader
from tracker.store import exports, members
from tracker.workflows.export import describing, folder, going_on, making, planning
from tracker.workflows.export.errors import ExportError
from tracker.workflows.export.going_on import Left
from tracker.workflows.export.journal import Begun, Journal
from tracker.workflows.export.planning import ChangedError, Plan
from tracker.workflows.export.shapes import Asked, Shape
from tracker.workflows.export.writing import FORMATS

USUAL = frozenset({"parquet", "csv"})
"""The formats that are made where nothing is said."""

LONGEST_WINDOW_S = 86_400
"""Seconds of the longest window that a series is put together in: a day."""

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
    shape: Shape | str | None = None,
    every_s: int | None = None,
    learner_now: bool = True,
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
        Of ``parquet``, ``csv`` and ``openesm`` (one row a prompt, as experience-sampling research has it); default
        the first two.
    again
        Id of an earlier export to repeat byte for byte; it brings its own participants, instant, formats, door
        and k.
    public
        Whether everybody may have it: then it holds those alone who granted `export_public`, of whom there have
        to be k.
    k
        How many people at least share what the table `participants` tells of them: it is told more coarsely, and
        so is the zone of every row, until they do. None: as it is. In a public export at least the study's k.
    shape
        With a table `series` of all that was said of each moment: wide (side by side) or long (below each other).
    every_s
        That table in windows of so many seconds instead of at the raw rate.
    learner_now
        Whether the learner as it stands at the export's instant says something of every moment; that takes about a
        tenth of a millisecond for each.
    reader
        Who makes it: whoever is in it finds that noted, before any row is read.
    progress
        Hears how much is done, 0 to 1.

    Notes
    -----
    What a run that was killed or interrupted had written lies beside `out` until the same is asked again: then it goes
    on after the last participant that was finished, unless consent has changed meanwhile.

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
    chosen = (participants, at, formats, k, shape, every_s)
    if again is not None and (public or not learner_now or any(choice is not None for choice in chosen)):
        raise ExportError(
            "an export is repeated as it was: --again takes no participants, instant, format, shape, --public or --k"
        )
    wanted = frozenset(formats if formats is not None else USUAL)
    asked = _checked(wanted, k, shape, every_s, learner_now)
    instant = min(require_past(at, now), now) if at is not None else now
    place = folder.check(out)
    whom = sorted(set(participants)) if participants is not None else None
    told = [whom, at, sorted(wanted), k, public, asdict(asked), again, making.versions()]
    left = going_on.find(access, place, told)
    door = Use.EXPORT_PUBLIC if public else Use.EXPORT
    for _ in range(ATTEMPTS):
        begun = left.begun if left is not None else None
        try:
            repeated = again
            if begun is not None and going_on.registered(access, begun):
                repeated = begun.export
            if repeated is not None:
                plan = planning.plan_again(access, repeated, now)
            else:
                plan = planning.plan_new(access, instant, now, participants, wanted, door, k, asked, begun)
            for member in plan.members:
                access.record_look(member.person.id, now, reader=reader.told, what=f"export {plan.id[:12]}")
            return _make(access, plan, place, now, progress, told, left)
        except ChangedError:
            left = None
    raise ExportError(
        f"consent changed {ATTEMPTS} times, or rows were erased, while the export was made; nothing was exported, "
        "run it again"
    )


def _checked(
    wanted: AbstractSet[str], k: int | None, shape: Shape | str | None, every_s: int | None, learner_now: bool
) -> Asked:
    if k is not None and k < 1:
        raise ExportError(f"--k is a number of people from 1 on, not {k}")
    if not wanted or wanted - set(FORMATS):
        told = f"{', '.join(FORMATS[:-1])} and {FORMATS[-1]}"
        raise ExportError(f"formats are {told}, not {', '.join(sorted(wanted)) or 'nothing'}")
    if shape is None and every_s is not None:
        raise ExportError("--every is the step of the table series: ask for it with --shape wide or long")
    if every_s is not None and not 1 <= every_s <= LONGEST_WINDOW_S:
        raise ExportError(f"--every is from 1 s to 1 day, not {every_s} s")
    if shape is not None and wanted == {"openesm"}:
        raise ExportError("the table series is Parquet or CSV: ask for one of these formats too")
    return Asked(Shape(shape) if shape is not None else None, every_s, learner_now)


def _make(
    access: Access,
    plan: Plan,
    out: Path,
    now: datetime,
    progress: Callable[[float], None],
    told: object,
    left: Left | None,
) -> ExportResult:
    with folder.partial(out, plan.id[:12], resumable=True) as here:
        journal = Journal(here)
        done = going_on.usable(access, journal, plan, left)
        digest_of = going_on.asked(access, plan.id, told)
        if not done:
            folder.empty(here)
            begun = Begun(
                plan.id, plan.cut.at, plan.created_at, plan.seq, plan.cut.marks, plan.erasures, digest_of
            )
            journal.begin(begun)
        made = making.write(access, plan, here, now, progress, journal, done)
        known = plan.told if plan.repeated is not None else plan.told | making.found(made)
        manifest, digest = describing.describe(plan, here, made, known)
        if plan.repeated not in (None, digest):
            raise ExportError(
                f"export {plan.id} cannot be repeated byte for byte: rows in it were erased since, or other "
                f"versions made it ({known['made_with']}). Make a new one, without --again"
            )
        with planning.locked(access, [m.person for m in plan.members], now) as units:
            # After the participants, as everybody does who writes about both.
            for rater in sorted(plan.raters.timed):
                members.lock(units[0].connection, rater)
            planned = {m.person.id: m for m in plan.members}
            for unit in units:
                planning.require_unchanged(plan, planned[unit.person.id], unit)
            if plan.repeated is None:
                row = exports.ExportRow(
                    plan.id,
                    plan.cut.at,
                    plan.created_at,
                    planning.request(plan, known, digest_of, made.into.rated),
                    digest,
                    outdated_at=None,
                )
                exports.add(units[0].connection, row, planned)
        # Registered first: a dataset that nobody could flag as outdated must not exist.
        journal.remove()
        folder.publish(here, out)
    return ExportResult(
        plan.id,
        out,
        plan.cut.at,
        manifest["rows"],
        manifest["participants"],
        manifest["simulated_participants"],
        known["excluded_participants"],
        known["excluded_rows"],
        digest,
        known.get("anonymity", {}).get("k"),
    )
