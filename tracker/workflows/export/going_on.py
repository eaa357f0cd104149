"""Go on with an export that was cut short: what it left, and how much of that still holds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tracker.access import Access
from tracker.store import exports
from tracker.workflows.export import folder
from tracker.workflows.export.arrow import PERSON
from tracker.workflows.export.declaring import Table
from tracker.workflows.export.journal import NAME, Begun, Done, Journal, digest
from tracker.workflows.export.planning import Member, Plan


@dataclass(frozen=True, slots=True)
class Left:
    """What a run that was cut short has left."""

    begun: Begun
    done: list[Done]


def key(access: Access, export: str) -> bytes:
    """The key of an export, from which its pseudonyms come too."""
    return access.vault.secret(f"export|{export}")


def asked(access: Access, export: str, told: object) -> str:
    """What was asked for, so that only the same goes on with it."""
    return digest(key(access, export), ["asked", told])


def starts(access: Access, plan: Plan, member: Member) -> str:
    """What of a member is exported, so that a change shows."""
    told = ["starts", member.who.pseudonym, asdict(member.starts), sorted(plan.raters.timed.items())]
    return digest(key(access, plan.id), told)


def registered(access: Access, begun: Begun) -> bool:
    """Whether it was finished but for its name."""
    with access.database.read() as connection:
        return exports.get(connection, begun.export) is not None


def find(access: Access, out: Path, told: object) -> Left | None:
    """What was left beside `out` by a run that was asked for the same; None where there is none."""
    for here in folder.left(out):
        journal = Journal(here)
        read = journal.read() or _named(access, here)
        if read is None:
            continue
        begun, done = read
        if folder.place(out, begun.export[:12]) == here and begun.asked == asked(access, begun.export, told):
            return Left(begun, journal.whole(done))
    return None


def _named(access: Access, here: Path) -> tuple[Begun, list[Done]] | None:
    """What lies in a folder that was finished and registered, but for its name."""
    with suppress(OSError, ValueError, KeyError):
        export = json.loads((here / "manifest.json").read_bytes())["export"]
        with access.database.read() as connection:
            row = exports.get(connection, export)
        if row is not None:
            request = row.request
            return Begun(
                row.id, row.at, row.created_at, request["seq"], request["marks"], "", request["digest"]
            ), []
    return None


def usable(access: Access, journal: Journal, plan: Plan, left: Left | None) -> list[Done]:
    """Those who need not be read again: the plan's first members, if what of them may be exported is the same."""
    if left is None or left.begun.export != plan.id:
        return []
    if len(left.done) > len(plan.members) or left.begun.erasures != plan.erasures:
        return []
    for one, member in zip(left.done, plan.members, strict=False):
        if (one.pseudonym, one.starts) != (member.who.pseudonym, starts(access, plan, member)):
            return []
    if left.done:
        journal.keep(left.done)
    return left.done


def clear(here: Path, tables: Iterable[Table], done: list[Done]) -> None:
    """Remove what members who were not finished have left, and what was made after all of them.

    What stays are the files that are gone on with: each is cut where the last finished member ends.
    """
    if not done:
        return
    finished, state = {one.pseudonym for one in done}, done[-1].state
    goes_on = {NAME, *(f"{name}.csv" for name, left in state["writers"].items() if left["csv"])}
    for path in here.iterdir():
        if path.is_file() and path.name not in goes_on and not path.name.endswith("_ts.tsv"):
            path.unlink()
    for table in tables:
        for part in (here / table.name).glob(f"{PERSON}=*"):
            if part.name.partition("=")[2] not in finished:
                shutil.rmtree(part)
