"""The codebook as one web page that needs nothing else: no script, no font, no other host."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from tracker.workflows.export.codebook import LIMITS, WHAT, cells, facts, title
from tracker.workflows.export.declaring import Column, Table
from tracker.workflows.export.distributions import Distributions

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:75rem;margin:0 auto;padding:1rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem}
th,td{border:1px solid #8888;padding:.3rem .5rem;text-align:left;vertical-align:top}
code{font-family:ui-monospace,monospace}
svg{display:block;width:100px;height:30px}
rect{fill:#3b6ea5}
"""
_CODE = re.compile(r"`([^`]*)`")
_EMPHASIS = re.compile(r"\*([^*]+)\*")
_WIDTH, _HEIGHT = 10, 30


def page(distributions: Mapping[str, Distributions], heading: str, tables: Sequence[Table]) -> str:
    """The codebook of an export in HTML.

    Parameters
    ----------
    distributions
        By table.
    heading
        What this export is, in Markdown as `tracker.workflows.export.codebook.render` takes it.
    tables
        Those that it has.
    """
    parts = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">']
    parts.append('<meta name="viewport" content="width=device-width, initial-scale=1">')
    parts.append(f"<title>Codebook</title><style>{_STYLE}</style></head><body><main><h1>Codebook</h1>")
    parts += [f"<p>{_inline(p)}</p>" for p in (*heading.split("\n\n"), *WHAT)]
    parts += [
        "<h2>What the data are not</h2><ul>",
        *(f"<li>{_inline(limit)}</li>" for limit in LIMITS),
        "</ul>",
    ]
    for table in tables:
        parts += _table(table, distributions[table.name])
    parts.append("</main></body></html>")
    return "\n".join(parts) + "\n"


def _table(table: Table, seen: Distributions) -> list[str]:
    head, rows = cells(table, seen)
    parts = [f'<h2 id="{escape(table.name)}">{escape(title(table))}</h2><p>{_inline(table.meaning)}</p><ul>']
    parts += [f"<li>{_inline(fact)}</li>" for fact in facts(table, seen)]
    name = f"Columns of {escape(table.name)}"
    parts.append(f'</ul><div class="wide" role="region" tabindex="0" aria-label="{name}"><table><thead><tr>')
    parts += [f'<th scope="col">{escape(cell)}</th>' for cell in head]
    parts.append("</tr></thead><tbody>")
    for row, column in zip(rows, table.columns, strict=True):
        drawn = [_inline(cell) for cell in row]
        drawn[-1] += _bars(column, seen)
        parts.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in drawn)}</tr>")
    return [*parts, "</tbody></table></div>"]


def _bars(column: Column, seen: Distributions) -> str:
    bars = seen.bars(column)
    if not bars or column.bounds is None:
        return ""
    top = max(bars)
    low, high = column.bounds
    drawn = "".join(
        f'<rect x="{i * _WIDTH}" y="{_HEIGHT - h}" width="{_WIDTH - 1}" height="{h}"></rect>'
        for i, n in enumerate(bars)
        if (h := max(1, n * _HEIGHT // top) if n else 0)
    )
    told = f"{column.name}: values from {low:g} to {high:g} in ten equal parts: {', '.join(map(str, bars))}"
    size = f"0 0 {_WIDTH * len(bars)} {_HEIGHT}"
    return f'<svg viewBox="{size}" role="img" aria-label="{escape(told)}">{drawn}</svg>'


def _inline(text: str) -> str:
    """Escaped, with the code and the emphasis of Markdown."""
    return _EMPHASIS.sub(r"<em>\1</em>", _CODE.sub(r"<code>\1</code>", escape(text)))
