"""The matrix as CSV and Markdown, with what each emotion loses away from home."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracker.domain.affect import EMOTIONS
from tracker.lab.matrix.cells import Cell

_NAMES = tuple(e.value for e in EMOTIONS)


@dataclass(frozen=True)
class Matrix:
    """All cells, with where each network is at home.

    Attributes
    ----------
    cells
        In any order.
    home
        By network: the data that drops are measured from. They are those it was trained on where somebody said
        so, else those it reads best.
    """

    cells: tuple[Cell, ...]
    home: Mapping[str, str]

    @classmethod
    def of(cls, cells: Sequence[Cell], home: Mapping[str, str] | None = None) -> Matrix:
        """Put cells together; networks that `home` does not name are at home where their macro-F1 is highest."""
        best: dict[str, Cell] = {}
        for cell in cells:
            if cell.network not in best or cell.macro_f1 > best[cell.network].macro_f1:
                best[cell.network] = cell
        return cls(tuple(cells), {name: cell.data for name, cell in best.items()} | dict(home or {}))

    @property
    def networks(self) -> tuple[str, ...]:
        """Rows."""
        return tuple(dict.fromkeys(cell.network for cell in self.cells))

    @property
    def data(self) -> tuple[str, ...]:
        """Columns."""
        return tuple(dict.fromkeys(cell.data for cell in self.cells))

    def at(self, network: str, data: str) -> Cell:
        """Return one cell."""
        return next(c for c in self.cells if (c.network, c.data) == (network, data))

    def drop(self, cell: Cell) -> dict[str, float]:
        """Return by how much each emotion's F1 is lower than at home; only emotions that both data have."""
        home = self.at(cell.network, self.home[cell.network])
        return {name: home.f1[name] - f1 for name, f1 in cell.f1.items() if name in home.f1}


def as_csv(matrix: Matrix) -> str:
    """Write one line per cell."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    figures = ("accuracy", "macro_f1", "ece", "nll")
    writer.writerow(
        ["network", "data", "at_home", "network_id", "source", "split", "head", "n", "skipped", "majority"]
        + [f"{name}{end}" for name in figures for end in ("", "_low", "_high")]
        + [f"{kind}_{name}" for kind in ("f1", "drop") for name in _NAMES]
    )
    for cell in matrix.cells:
        drop = matrix.drop(cell)
        row: list[object] = [cell.network, cell.data, int(matrix.home[cell.network] == cell.data)]
        row += [
            cell.network_id,
            cell.source,
            cell.split,
            cell.head,
            cell.n,
            cell.skipped,
            _number(cell.majority),
        ]
        for name in figures:
            low, high = cell.intervals.get(name, (None, None))
            row += [_number(getattr(cell, name)), _number(low), _number(high)]
        row += [_number(values.get(name)) for values in (cell.f1, drop) for name in _NAMES]
        writer.writerow(row)
    return file.getvalue()


def as_markdown(matrix: Matrix) -> str:
    """Write the matrix, F1 by emotion with its drop, and what was left out where."""
    head = ["network", *matrix.data]
    square = [
        [name, *(_figures(matrix, matrix.at(name, data)) for data in matrix.data)] for name in matrix.networks
    ]
    rows = [
        [cell.network, cell.data, *(_class(cell, matrix.drop(cell), name) for name in _NAMES)]
        for cell in matrix.cells
    ]
    notes = [
        f"- **{cell.network} on {cell.data}** ({cell.source}, {cell.split}, head {cell.head}, n {cell.n}, "
        f"majority {100 * cell.majority:.1f} %): {' '.join(cell.notes)}"
        for cell in matrix.cells
    ]
    homes = "; ".join(f"{name}: {data}" for name, data in matrix.home.items())
    return "\n".join(
        [
            "# Networks on data that they do not come from",
            "",
            "Rows are networks, columns are data. Accuracy; macro-F1; in parentheses 95 % by bootstrap. A star marks "
            f"the data at which a network is at home ({homes}).",
            "",
            *_table(head, square),
            "",
            "## F1 by emotion",
            "",
            "In parentheses the change from home. A dash: no face of that emotion, or one side does not know it.",
            "",
            *_table(["network", "data", *_NAMES], rows),
            "",
            "## What was judged",
            "",
            *notes,
            "",
        ]
    )


def _figures(matrix: Matrix, cell: Cell) -> str:
    star = "*" if matrix.home[cell.network] == cell.data else ""
    parts = []
    for name, value in (("accuracy", cell.accuracy), ("macro_f1", cell.macro_f1)):
        span = cell.intervals.get(name)
        parts.append(f"{value:.3f}" + (f" ({span[0]:.3f} to {span[1]:.3f})" if span else ""))
    return "; ".join(parts) + star


def _class(cell: Cell, drop: Mapping[str, float], name: str) -> str:
    if name not in cell.f1:
        return "-"
    change = f" ({-drop[name]:+.2f})" if drop.get(name) else ""
    return f"{cell.f1[name]:.2f}{change}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
