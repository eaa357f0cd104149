"""What every page of this room needs: the blueprint, how many days, figures with ranges, tables to take away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext

from tracker.domain.people import UnknownParticipantError
from tracker.domain.readers import NotForStaffError
from tracker.learning.shares import Share
from tracker.personal.figures import Figure
from webui import auth
from webui.errors import answer
from webui.words import decimal, percent

pages = Blueprint("monitor", __name__)
"""One blueprint for the whole room."""

SPANS = (7, 14, 30)
"""How many days a page can show."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def days() -> int:
    """How many days are asked for: one of `SPANS`, 14 unless said."""
    asked = request.args.get("days", "")
    return int(asked) if asked in {str(span) for span in SPANS} else 14


def told(figure: Figure | None) -> str:
    """A figure with its range and what it rests on, in one line; a dash where there is none."""
    if figure is None or not figure.n:
        return "–"
    value, write = (figure.value, percent) if isinstance(figure, Share) else (figure.mean, decimal)
    if not figure.ranged:
        return str(gettext("%(value)s of %(n)s", value=write(value), n=figure.n))
    return str(
        gettext(
            "%(value)s (%(low)s to %(high)s) of %(n)s",
            value=write(value),
            low=write(figure.low),
            high=write(figure.high),
            n=figure.n,
        )
    )


def table(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A table as a CSV file to take away.

    A cell that a spreadsheet would run as a formula is set in quotes for it (OWASP, CSV injection).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    file = f"{name}-{auth.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULAS):
        return "'" + value
    return round(value, 4) if isinstance(value, float) else value


@pages.errorhandler(UnknownParticipantError)
@pages.errorhandler(NotForStaffError)
def _not_shared(error: Exception) -> Any:
    return answer(404, gettext("Nobody of this study shares this with researchers, or not any more."))
