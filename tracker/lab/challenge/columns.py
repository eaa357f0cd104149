"""Which columns of a sheet are features, of which kind, and whether the target's rule fits its column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from tracker.lab.challenge.clocks import PLACING
from tracker.lab.challenge.diaries import TargetError
from tracker.lab.challenge.sheets import Row, Sheet, number_of
from tracker.lab.challenge.targets import Rule, TargetSpec

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


def choose(
    sheet: Sheet, target: TargetSpec, features: Sequence[str] | None, exclude: Sequence[str], notes: list[str]
) -> Columns:
    """Choose the target and the features of a sheet, and say of each which kind it is.

    Raises
    ------
    ReadingError
        For text in a column that is otherwise numeric.
    TargetError
        For a column that is not there, or a rule that cannot be applied to the target's kind.
    """
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
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has: {some(sheet.columns)}"
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


def some(values: Iterable[float | str]) -> str:
    """List the first values for a message.

    Examples
    --------
    >>> some([1.0, "home"])
    '1, home'
    """
    words = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")
