"""What came of each invariant on each database, as the table that ``make privacy`` prints."""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.invariants.catalogue import NOT_BUILT, NUMBERS, Invariant, number_of

BACKENDS = ("sqlite", "postgresql")
_BACKEND = re.compile(r"\[[^\]]*\b(sqlite|postgresql)\b[^\]]*\]")
_WIDTH = 120


@dataclass
class Row:
    """What came of one invariant."""

    passed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    skipped: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    figures: list[str] = field(default_factory=list)

    def cell(self, backend: str) -> str:
        """One word for one database."""
        if self.failed[backend]:
            return "FAILED"
        if self.skipped[backend]:
            return "NOT RUN"
        return f"ok {self.passed[backend]}" if self.passed[backend] else "-"

    @property
    def shown(self) -> bool:
        """Whether everything ran and passed, on at least one database each way it was written for."""
        bad = any(self.failed[b] or self.skipped[b] for b in BACKENDS)
        return not bad and all(self.passed[b] for b in BACKENDS)


class Table:
    """A pytest plugin that keeps what came of each invariant.

    Parameters
    ----------
    invariants
        Those that are run.
    whole
        Whether these should be all of them: one that has no module is then a failure.
    """

    def __init__(self, invariants: Sequence[Invariant], *, whole: bool) -> None:
        self._names = {i.number: i.name for i in invariants}
        self._rows: dict[int, Row] = {i.number: Row() for i in invariants}
        self._whole = whole

    @property
    def missing(self) -> list[int]:
        """Invariants that have no module."""
        return [n for n in NUMBERS if n not in self._names] if self._whole else []

    @property
    def shown(self) -> bool:
        """Whether every invariant was shown on both databases."""
        return bool(self._rows) and not self.missing and all(row.shown for row in self._rows.values())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        number = number_of(report.nodeid)
        row = self._rows.get(number) if number is not None else None
        if row is None:
            return
        named = _BACKEND.search(report.nodeid)
        test = report.nodeid.rpartition("::")[2]
        # What no database can change is tested once, and counts for both.
        for backend in (named[1],) if named else BACKENDS:
            if report.failed:
                row.failed[backend].append(test)
            elif report.skipped:
                row.skipped[backend].append(test)
            elif report.when == "call":
                row.passed[backend] += 1
        if report.when == "call":
            row.figures += [
                str(v) for k, v in report.user_properties if k == "figure" and str(v) not in row.figures
            ]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        number = number_of(report.nodeid)
        if report.failed and number in self._rows:
            for backend in BACKENDS:
                self._rows[number].failed[backend].append("the module cannot be loaded")

    def text(self) -> str:
        """The table."""
        names = {**dict.fromkeys(self.missing, "no module"), **self._names}
        wide = max(map(len, names.values()), default=4)
        lines = [f"NN  {'name':<{wide}}  {'sqlite':<8}  {'postgresql':<10}  figure"]
        indent = " " * (wide + 28)
        for number in sorted(names):
            row = self._rows.get(number, Row())
            told = "; ".join(row.figures)
            head = (
                f"{number:02}  {names[number]:<{wide}}  {row.cell('sqlite'):<8}  {row.cell('postgresql'):<10}"
            )
            lines += textwrap.wrap(f"{head}  {told}", max(_WIDTH, wide + 70), subsequent_indent=indent,
                                   drop_whitespace=True, break_long_words=False) or [head]  # fmt: skip
            if number in NOT_BUILT:
                lines += textwrap.wrap(
                    f"    not built yet: {NOT_BUILT[number]}", _WIDTH, subsequent_indent="    "
                )
        broken = [n for n in sorted(names) if n in self.missing or not self._rows[n].shown]
        if broken:
            lines.append(f"NOT SHOWN: {', '.join(f'{n:02}' for n in broken)}")
        else:
            lines.append(f"{len(names)} invariants shown on SQLite and PostgreSQL.")
        return "\n".join(lines)
