"""From a tidy CSV to diaries: whose and when, what is a feature of which kind, and what was answered.

What a moment says depends on its own row alone (nothing is scaled or filled in from other rows), and the order of the
rows means nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from tracker.domain.instants import require_zone
from tracker.lab.challenge.clocks import PLACING, Placed, check_columns, ordered, place, without_copies
from tracker.lab.challenge.columns import Columns, choose, some
from tracker.lab.challenge.diaries import Beep, Cohort, Diary, ReadingError, TargetError
from tracker.lab.challenge.sheets import read_sheet
from tracker.lab.challenge.targets import Rule, TargetSpec
from tracker.learning.situations import Situation


def read(
    path: Path,
    target: TargetSpec,
    features: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    zone: str = "UTC",
    *,
    strict: bool = True,
) -> Cohort:
    """Read a tidy CSV as a cohort.

    Parameters
    ----------
    path
        A CSV in UTF-8 with columns ``participant`` and ``timestamp`` or ``day`` and ``beep`` (or all), and items.
    target
        What is to be predicted.
    features
        Columns that a learner may see; None for all that are left, empty for none (history and time alone).
    exclude
        Columns that it must not see, such as what is known only afterwards.
    zone
        IANA zone of timestamps without an offset, and of hours and weekdays.
    strict
        Whether `features` and `exclude` must all be there; another study that serves as prior may lack some.

    Raises
    ------
    ReadingError
        For what is wrong in the file.
    TargetError
        For a column or rule that does not fit the file.
    tracker.domain.instants.InstantError
        For an unknown zone.
    """
    where = require_zone(zone)
    sheet = read_sheet(path)
    check_columns(sheet)
    notes: list[str] = []
    if not strict:
        features = None if features is None else [name for name in features if name in sheet.columns]
        exclude = [name for name in exclude if name in sheet.columns]
    columns = choose(sheet, target, features, exclude, notes)
    people = [
        _diary(columns, person, ordered(sheet, rows, notes), notes)
        for person, rows in sorted(_by_person(columns, where, notes).items())
    ]
    _check_variety(columns, people)
    values = [columns.value(row) for row in sheet.rows]
    graded = [value for value in values if not isinstance(value, str) and value is not None]
    return Cohort(
        people=tuple(people),
        numbers=columns.numbers,
        words=columns.words,
        name=path.stem,
        scale=(min(graded), max(graded)) if target.graded and graded else None,
        clocked="timestamp" in sheet.columns,
        notes=tuple(notes),
    )


def _by_person(columns: Columns, zone: ZoneInfo, notes: list[str]) -> Mapping[str, list[Placed]]:
    sheet, target = columns.sheet, columns.spec.column
    placed: list[Placed] = []
    nowhere = 0
    for row in sheet.rows:
        here = place(sheet, row, zone)
        if here is not None:
            placed.append(here)
        elif target in row.cells:
            missing = [name for name in PLACING if name in sheet.columns and name not in row.cells]
            raise sheet.error(row, missing[0], f"empty, and {target!r} is not; say when it was answered")
        else:
            nowhere += 1
    if nowhere:
        notes.append(f"{nowhere} rows without answer and without time were passed over")
    for doubt, done in (("skipped", "read an hour later"), ("twice", "read as the first of the two")):
        rows = [str(here.row.number) for here in placed if here.moved == doubt]
        if rows:
            notes.append(f"local times that {zone.key} has {doubt} were {done}: row {', '.join(rows)}")
    by_person: dict[str, list[Placed]] = defaultdict(list)
    for here in without_copies(sheet, placed, columns.used, notes):
        by_person[here.person].append(here)
    if not by_person:
        raise ReadingError(f"{sheet.path} has no row that says when it was answered")
    return by_person


def _diary(columns: Columns, person: str, rows: Sequence[Placed], notes: list[str]) -> Diary:
    spec = columns.spec
    answered = [(here, columns.value(here.row)) for here in rows]
    first = [v for here, v in answered if isinstance(v, float) and (here.day or 0) <= (spec.days or 0)]
    cut = spec.cut(first)
    unknowable = spec.rule is Rule.ABOVE_OWN_MEDIAN and cut is None
    if unknowable:
        notes.append(f"{person!r} answered nothing in the first {spec.days} days: no own median, no truth")
    moments = []
    for here, value in answered:
        situation = _situation(columns, here)
        if value is None or unknowable:
            moments.append(Beep(situation, None, None, row=here.row.number))
        else:
            moments.append(
                Beep(
                    situation,
                    spec.answer(value, cut),
                    spec.truth(value, cut),
                    spec.is_either(value),
                    here.row.number,
                )
            )
    return Diary(person, tuple(moments), cut)


def _situation(columns: Columns, here: Placed) -> Situation:
    cells = here.row.cells
    local = here.local
    return Situation(
        at=here.at,
        day=here.day or 0,
        hour=None if local is None else local.hour + local.minute / 60 + local.second / 3600,
        weekday=None if local is None else local.weekday(),
        slot=here.slot,
        numbers={name: columns.sheet.number(here.row, name) for name in columns.numbers if name in cells},
        words={name: cells[name] for name in columns.words if name in cells},
    )


def _check_variety(columns: Columns, people: Sequence[Diary]) -> None:
    """Refuse a target that is the same for everybody: no figure about it would mean anything."""
    sheet, column = columns.sheet, columns.spec.column
    values = {value for row in sheet.rows if (value := columns.value(row)) is not None}
    if not values:
        raise ReadingError(f"{sheet.path}: column {column!r} is empty, so there is nothing to predict")
    if len(values) == 1:
        raise ReadingError(
            f"{sheet.path}: column {column!r} is {some(values)} in every row: nothing to predict"
        )
    truths = {beep.truth for diary in people for beep in diary.moments if beep.truth is not None}
    if not truths:
        raise TargetError(f"nobody answered {column!r} in the first {columns.spec.days} days: no own median")
    if len(truths) == 1:
        numbers = [value for value in values if not isinstance(value, str)]
        range_ = (
            f"from {min(numbers):g} to {max(numbers):g}"
            if numbers
            else "are " + some(sorted(map(str, values)))
        )
        how_often = "always" if truths.pop() else "never"
        raise TargetError(
            f"--{columns.spec.rule.value} {some([columns.spec.value])} is {how_often} true: "
            f"the values of column {column!r} {'lie ' if numbers else ''}{range_}"
        )
