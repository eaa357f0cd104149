"""The table of an openESM dataset: one row a prompt with what was answered, as experience-sampling research has it.

The shape is that of openesmdata.org: ``<id>_<name>_ts.tsv`` whose first columns are id, day and beep, beside a JSON
file that says what every column is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.csv

from tracker.domain.affect import EMOTIONS
from tracker.store.types import from_microseconds
from tracker.workflows.export.arrow import schema
from tracker.workflows.export.columns import ORIGIN_COLUMN, PARTICIPANT_COLUMN, ZONE_COLUMN, instant_columns
from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.distributions import Distributions
from tracker.workflows.export.frames import Frame, Who, instant, said
from tracker.workflows.export.hashed import HashedFile, Written
from tracker.workflows.export.standing import of_participant, probabilities
from tracker.workflows.export.writing import as_text, text_schema

EMOTION = "emotion"
NAME = "affectseries"
"""What stands for an author in the files' names."""

_TIMES = {
    "scheduled_at": ("When it was due.", ""),
    "notified_at": ("When it was put: the web app showed from then on that it waits.", "not put, or hidden"),
    "started_at": ("When it was opened.", "not opened, or hidden"),
    "completed_at": ("When it was answered.", "not answered, or hidden"),
}
_P = tuple(f"p_{e.value}" for e in EMOTIONS)


def dataset_id(export: str) -> str:
    """The number of an export among datasets that are named by numbers.

    Examples
    --------
    >>> dataset_id("00ff00ff" + 24 * "0")
    '0016711935'
    """
    return f"{int(export[:8], 16):010}"


def file_name(export: str, what: str) -> str:
    """The name of one of its files: ``…_ts.tsv`` or ``…_metadata.json``."""
    return f"{dataset_id(export)}_{NAME}_{what}"


def table(targets: Iterable[str]) -> Table:
    """The columns: those of every prompt, then what was answered about each target.

    Parameters
    ----------
    targets
        What anybody in the export was asked.
    """
    asked = set(targets)
    answered = [Column(name, Kind.NUMBER, f"Probability of {name[2:]}, as answered.", missing="not answered",
                       bounds=(0, 1)) for name in _P]  # fmt: skip
    answered += [
        Column(name, Kind.NUMBER, f"The answer about {name}.", missing="not answered")
        for name in sorted(asked - {EMOTION})
    ]
    return Table(
        "beeps",
        "A question that was put to a participant, with the answer that stands.",
        (
            Column("id", Kind.STRING, PARTICIPANT_COLUMN.meaning),
            Column("day", Kind.INTEGER, "Day by the participant's own clock, 1 being that of their first prompt."),
            Column("beep", Kind.INTEGER, "The how manieth prompt of that day."),
            Column("counter", Kind.INTEGER, "The how manieth prompt of the participant."),
            ZONE_COLUMN,
            *(c for name, (meaning, missing) in _TIMES.items() for c in instant_columns(name, meaning, missing)),
            Column("state", Kind.STRING, "What became of it, as in `prompts`."),
            Column("random", Kind.BOOLEAN, "Whether chance chose the moment."),
            *answered,
            ORIGIN_COLUMN,
        ),
        ("id", "counter"),
        (),
        "prompts",
    )  # fmt: skip


def frame(
    of: Table, who: Who, prompts: Sequence[Mapping[str, Any]], corrections: Iterable[Mapping[str, Any]]
) -> Frame:
    """One participant's rows.

    Parameters
    ----------
    prompts
        As known at the export's instant, in order; instants in microseconds.
    corrections
        Everything that they answered.
    """
    answers: dict[int, dict[str, float]] = {}
    for row in of_participant(corrections):
        if row["prompt"] is not None:
            each = probabilities(row)
            told = {row["target"]: row["value"]} if each is None else dict(zip(_P, each, strict=True))
            answers.setdefault(row["prompt"], {}).update(told)
    n, zones = len(prompts), [prompt["zone"] for prompt in prompts]
    days, beeps = _days(prompts)
    found: Frame = {
        "id": pa.repeat(pa.scalar(who.pseudonym), n),
        "day": pa.array(days, pa.int64()),
        "beep": pa.array(beeps, pa.int64()),
        "counter": pa.array(range(1, n + 1), pa.int64()),
        "zone": pa.array(zones, pa.string()),
        "state": pa.array([prompt["state"] for prompt in prompts], pa.string()),
        "random": said([prompt["random"] for prompt in prompts]),
        "origin": pa.repeat(pa.scalar(who.origin), n),
    }
    for name in _TIMES:
        found |= instant(name, zones, [prompt[name] for prompt in prompts])
    for column in of.columns:
        if column.name not in found:
            values = [answers.get(prompt["id"], {}).get(column.name) for prompt in prompts]
            found[column.name] = pa.array(values, pa.float64())
    return found


def _days(prompts: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[int]]:
    days: list[int] = []
    beeps: list[int] = []
    first: date | None = None
    for prompt in prompts:
        local = from_microseconds(prompt["scheduled_at"]).astimezone(ZoneInfo(prompt["zone"])).date()
        first = local if first is None else first
        # Whoever flies west can live a day twice: it goes on, rather than running backwards.
        day = max((local - first) // timedelta(days=1) + 1, days[-1] if days else 1)
        beeps.append(beeps[-1] + 1 if days and days[-1] == day else 1)
        days.append(day)
    return days, beeps


class BeepFile:
    """Writes that table as tab-separated text.

    Parameters
    ----------
    folder, export
        Where, and the id of the export, which names it.
    of
        The table.
    left
        Where an earlier run left it, as `state` told; None to begin.
    """

    def __init__(self, folder: Path, export: str, of: Table, left: Mapping[str, Any] | None = None) -> None:
        self.table = of
        self.rows = left["rows"] if left else 0
        self.days = left["days"] if left else 0
        self.distributions = Distributions(of, left["distributions"] if left else None)
        self._schema = schema(of)
        kept = left["size"] if left else 0
        self._file = HashedFile(folder, file_name(export, "ts.tsv"), kept)
        options = pa.csv.WriteOptions(include_header=not kept, delimiter="\t")
        self._writer = pa.csv.CSVWriter(self._file, text_schema(self._schema), write_options=options)

    def write(self, rows: Frame) -> None:
        """Write a participant's rows."""
        block = pa.Table.from_arrays([rows[c.name] for c in self.table.columns], schema=self._schema)
        if len(block):
            self.rows += len(block)
            self.days = max(self.days, rows["day"][-1].as_py())
            self.distributions.add(block)
            self._writer.write_table(as_text(block))

    def state(self) -> dict[str, Any]:
        """Where it stands between two participants, as JSON."""
        self._file.sync()
        told = {"rows": self.rows, "days": self.days, "size": self._file.size}
        return told | {"distributions": self.distributions.state()}

    def close(self) -> Written:
        """Close the file, and return what was written."""
        self._writer.close()
        return self._file.written()

    def abandon(self) -> None:
        """Close the file without finishing it."""
        self._file.abandon()
