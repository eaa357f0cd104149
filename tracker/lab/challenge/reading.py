"""From a tidy CSV to diaries: whose and when, what is a feature of which kind, and what was answered.

What a moment says depends on its own row alone (nothing is scaled or filled in from other rows), and the order of the
rows means nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

from tracker.domain.instants import require_zone
from tracker.lab.challenge.clocks import PLACING, Placed, check_columns, ordered, place, without_copies
from tracker.lab.challenge.diaries import Beep, Cohort, Diary, ReadingError, TargetError
from tracker.lab.challenge.sheets import Row, Sheet, number_of, read_sheet
from tracker.lab.challenge.targets import Rule, TargetSpec
from tracker.learning.situations import Situation

_SHOWN = 12  # columns or values that an error lists


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a sheet are read as what."""

    sheet: Sheet
    spec: TargetSpec
    target_is_number: bool
    numbers: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def used(self) -> tuple[str, ...]:
        """Columns whose difference makes two rows differ."""
        return (self.spec.column, *self.numbers, *self.words)

    def value(self, row: Row) -> float | str | None:
        """Read the target of one row; None where it is missing."""
        column = self.spec.column
        if column not in row.cells:
            return None
        return self.sheet.number(row, column) if self.target_is_number else row.cells[column]


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
    columns = _columns(sheet, target, features, exclude, notes)
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


def _columns(
    sheet: Sheet, target: TargetSpec, features: Sequence[str] | None, exclude: Sequence[str], notes: list[str]
) -> Columns:
    for name, role in [(target.column, "--target"), *((x, "--features") for x in features or ())]:
        _require(sheet, name, role)
    for name in exclude:
        _require(sheet, name, "--exclude")
    if target.column in PLACING:
        raise TargetError(f"--target {target.column} says whose or when a row is; choose an item")
    barred = {target.column, *PLACING, *exclude}
    named = sheet.columns if features is None else features
    for name in features or ():
        if name in barred:
            raise TargetError(f"--features {name} is the target, excluded, or says whose or when a row is")
    chosen = tuple(name for name in sheet.columns if name in named and name not in barred)
    numeric = {name: sheet.is_numeric(name) for name in (target.column, *chosen)}
    for name in chosen:
        _note_mixture(sheet, name, numeric[name], notes)
    return Columns(
        sheet,
        _fitted(sheet, target, numeric[target.column]),
        numeric[target.column],
        tuple(name for name in chosen if numeric[name]),
        tuple(name for name in chosen if not numeric[name]),
    )


def _require(sheet: Sheet, name: str, role: str) -> None:
    if name in sheet.columns:
        return
    near = get_close_matches(name, sheet.columns, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has: {_some(sheet.columns)}"
    raise TargetError(f"{role}: {sheet.path} has no column {name!r}; {hint}")


def _note_mixture(sheet: Sheet, name: str, numeric: bool, notes: list[str]) -> None:
    if numeric:
        return
    cells = [row.cells[name] for row in sheet.rows if name in row.cells]
    numbers = sum(number_of(cell) is not None for cell in cells)
    if numbers:
        notes.append(
            f"column {name!r} is read as categories: {numbers} of its {len(cells)} values are numbers"
        )


def _fitted(sheet: Sheet, target: TargetSpec, is_number: bool) -> TargetSpec:
    """Check that the rule can be applied to the column, and give it a number where it compares numbers."""
    column = target.column
    if target.rule is Rule.EQUALS:
        wanted = number_of(str(target.value)) if is_number else str(target.value)
        if wanted is None:
            raise TargetError(f"--equals {target.value!r}: column {column!r} holds numbers")
        target = replace(target, value=wanted)
    elif not is_number:
        row = next(row for row in sheet.rows if column in row.cells and number_of(row.cells[column]) is None)
        raise TargetError(
            f"--{target.rule.value} compares numbers, and column {column!r} of {sheet.path} is text, such as "
            f"{row.cells[column]!r} in row {row.number}; use --equals"
        )
    if target.either is not None and not is_number:
        raise TargetError(f"--either marks a range of numbers, and column {column!r} is text")
    return target


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
            f"{sheet.path}: column {column!r} is {_some(values)} in every row: nothing to predict"
        )
    truths = {beep.truth for diary in people for beep in diary.moments if beep.truth is not None}
    if not truths:
        raise TargetError(f"nobody answered {column!r} in the first {columns.spec.days} days: no own median")
    if len(truths) == 1:
        numbers = [value for value in values if not isinstance(value, str)]
        range_ = (
            f"from {min(numbers):g} to {max(numbers):g}"
            if numbers
            else "are " + _some(sorted(map(str, values)))
        )
        how_often = "always" if truths.pop() else "never"
        raise TargetError(
            f"--{columns.spec.rule.value} {_some([columns.spec.value])} is {how_often} true: "
            f"the values of column {column!r} {'lie ' if numbers else ''}{range_}"
        )


def _some(values: Iterable[float | str]) -> str:
    words = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")
