"""The matrix as one SVG picture: darker is better, and every number stands in its field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tracker.domain.affect import EMOTIONS
from tracker.lab.matrix.tables import Matrix

_FIELD, _ROW, _LEFT, _TOP = 118, 44, 210, 62
_NARROW = 82
_PALE, _DARK = (247, 251, 255), (8, 69, 148)
_LIGHT_TEXT = 0.68  # from this share of dark on, white text is easier to read


def draw(matrix: Matrix) -> str:
    """Return the picture: macro-F1 with accuracy below, then F1 by emotion.

    Colours run from F1 0 to 1; a field without a number was not judged. A bold frame marks where a network is at home.
    """
    first, height = _panel(
        "Macro-F1; accuracy below",
        0,
        matrix.networks,
        matrix.data,
        [[_square(matrix, name, data) for data in matrix.data] for name in matrix.networks],
        _FIELD,
    )
    names = tuple(e.value for e in EMOTIONS)
    second, bottom = _panel(
        "F1 by emotion; change from home below",
        height,
        tuple(f"{cell.network} on {cell.data}" for cell in matrix.cells),
        names,
        [[_emotion(matrix, i, name) for name in names] for i in range(len(matrix.cells))],
        _NARROW,
    )
    width = _LEFT + max(_FIELD * len(matrix.data), _NARROW * len(names)) + 20
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom}" width="{width}" '
            f'height="{bottom}" role="img" aria-label="Networks on data that they do not come from">',
            "<style>text{font:12px system-ui,sans-serif;fill:#111}.title{font-size:15px;font-weight:600}"
            ".light{fill:#fff}</style>",
            f'<rect width="{width}" height="{bottom}" fill="#fff"/>',
            *first,
            *second,
            "</svg>\n",
        ]
    )


@dataclass(frozen=True)
class Field:
    """What colours a field, its two lines, whether it is framed, and what is said when it is pointed at."""

    value: float | None
    upper: str
    lower: str = ""
    framed: bool = False
    hint: str = ""


def _square(matrix: Matrix, network: str, data: str) -> Field:
    cell = matrix.at(network, data)
    spans = [
        f"{name} {value:.3f}" + (f" ({span[0]:.3f} to {span[1]:.3f})" if span else "")
        for name, value, span in (
            ("macro-F1", cell.macro_f1, cell.intervals.get("macro_f1")),
            ("accuracy", cell.accuracy, cell.intervals.get("accuracy")),
        )
    ]
    hint = f"{network} on {data}: {'; '.join(spans)}; majority {cell.majority:.3f}; {cell.n} faces"
    at_home = matrix.home[network] == data
    return Field(cell.macro_f1, f"{cell.macro_f1:.3f}", f"{cell.accuracy:.1%}", at_home, hint)


def _emotion(matrix: Matrix, row: int, name: str) -> Field:
    cell = matrix.cells[row]
    if name not in cell.f1:
        return Field(None, "-")
    drop = matrix.drop(cell).get(name)
    at_home = matrix.home[cell.network] == cell.data
    change = "" if at_home or drop is None else f"{-drop:+.2f}"
    return Field(cell.f1[name], f"{cell.f1[name]:.2f}", change, at_home)


def _panel(
    title: str,
    top: int,
    rows: Sequence[str],
    columns: Sequence[str],
    fields: Sequence[Sequence[Field]],
    width: int,
) -> tuple[list[str], int]:
    marks = [f'<text x="16" y="{top + 26}" class="title">{escape(title)}</text>']
    for j, name in enumerate(columns):
        x = _LEFT + width * (j + 0.5)
        marks.append(
            f'<text x="{x:g}" y="{top + _TOP - 8}" text-anchor="middle">{escape(_short(name, 18))}</text>'
        )
    for i, name in enumerate(rows):
        y = top + _TOP + _ROW * i
        marks.append(
            f'<text x="{_LEFT - 10}" y="{y + 27}" text-anchor="end">{escape(_short(name, 30))}</text>'
        )
        for j, field in enumerate(fields[i]):
            marks += _field(field, _LEFT + width * j, y, width)
    return marks, top + _TOP + _ROW * len(rows) + 24


def _field(field: Field, x: int, y: int, width: int) -> list[str]:
    shade = 0.0 if field.value is None else min(max(field.value, 0.0), 1.0)
    colour = ",".join(str(round(a + (b - a) * shade)) for a, b in zip(_PALE, _DARK, strict=True))
    edge = 'stroke="#111" stroke-width="2"' if field.framed else 'stroke="#fff"'
    light = ' class="light"' if shade > _LIGHT_TEXT else ""
    middle = x + width / 2
    return [
        f'<rect x="{x + 1}" y="{y + 1}" width="{width - 2}" height="{_ROW - 2}" fill="rgb({colour})" {edge}>'
        f"<title>{escape(field.hint)}</title></rect>",
        f'<text x="{middle:g}" y="{y + 19}" text-anchor="middle"{light}>{escape(field.upper)}</text>',
        f'<text x="{middle:g}" y="{y + 35}" text-anchor="middle"{light}>{escape(field.lower)}</text>',
    ]


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else "…" + name[1 - letters :]
