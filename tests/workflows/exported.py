"""People with a little of everything, exports of them, and what an export should hold by plain SQL."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
from sqlalchemy import text

from tests.builders import ALL, NOW, leaning, observed, person, store
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction, Prompt
from tracker.workflows import consenting, feedback, prompts

TABLES = (
    "participants",
    "observations",
    "estimates",
    "corrections",
    "contexts",
    "prompts",
    "drifts",
    "ratings",
    "traces",
)
EVERY = (*TABLES, "raters")
DESCRIBED = {
    "datapackage.json",
    "croissant.json",
    "ro-crate-metadata.json",
    "codebook.md",
    "codebook.html",
    "manifest.json",
}
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def fill(access: Access, who: Person, now: datetime = NOW, *, source: str = "a" * 64) -> None:
    """Observations with and without a face, two corrections of a moment, a context, an answered prompt."""
    seen = [observed(now - i * MINUTE, source=source) for i in range(1, 13)]
    unseen = [observed(now - i * MINUTE, None, source=source) for i in range(13, 16)]
    store(access, who, seen + unseen, now)
    for emotion in (Emotion.ANGER, Emotion.FEAR):
        feedback.correct(access, who, Correction(now - 5 * MINUTE, "emotion", leaning(emotion)), now)
    feedback.add_context(access, who, Context(now - 30 * MINUTE, "home", company="alone"), now)
    at = now - 40 * MINUTE
    number = prompts.record(access, who, Prompt(at.isoformat(), at, at, at + MINUTE, None, "open"), now)
    answer = Correction(now - 3 * MINUTE, "leave_me_alone", None, 1.0)
    feedback.correct(access, who, answer, now, prompt=number)


def someone(access: Access, name: str, scopes: tuple[Scope, ...] = ALL, **more: Any) -> Person:
    """A filled participant: everything is granted while they are filled, then only `scopes` are left."""
    who = person(access, name, ALL, now=NOW - DAY, **more)
    fill(access, who)
    if gone := [s for s in ALL if s not in scopes]:
        consenting.withdraw(access, who, gone, NOW, recorder=Recorder.PARTICIPANT)
    return who


def read(folder: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table's Parquet files, in order; what a folder's name says stands first in each."""
    if (one := folder / f"{table}.parquet").exists():
        found: list[dict[str, Any]] = pyarrow.parquet.read_table(one).to_pylist()
        return found
    rows = []
    for part in sorted((folder / table).glob("participant=*/month=*/rows.parquet")):
        who = part.parent.parent.name.partition("=")[2]
        of_file = pyarrow.parquet.ParquetFile(part).read().to_pylist()
        rows += [{"participant": who, **row} for row in of_file]
    return rows


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of an export."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an export."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return found


def stored_instants(access: Access, table: str, who: Person, column: str = "at") -> list[datetime]:
    """The instants of a person's rows, by SQL of our own."""
    spelt = f'cast(extract(epoch from "{column}") * 1000000 as bigint)'
    value = f'"{column}"' if access.database.is_sqlite else spelt
    with access.database.read() as connection:
        found = connection.execute(
            text(f"select {value} from {table} where subject = :s order by 1"), {"s": who.subject}
        )
        return [datetime.fromtimestamp(0, NOW.tzinfo) + timedelta(microseconds=v) for v in found.scalars()]
