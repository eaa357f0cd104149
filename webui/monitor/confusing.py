"""What each rater says beside what the network, and what others, say of the same face; and how often they say what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response
from flask_babel import gettext

from tracker.domain.affect import EMOTIONS, Emotion
from tracker.learning.agreement_confusion import Confusion
from tracker.learning.shares import Share
from tracker.workflows import rating
from tracker.workflows.rating import RaterFigures
from webui import auth
from webui.monitor import room
from webui.monitor.room import pages
from webui.services import services
from webui.words import named, percent

COLUMNS = ("rater", "beside", "they_said", "rater_said", "n", "of", "share", "low", "high")


@pages.get("/study/raters/confusion.csv")
def confusion_csv() -> Response:
    """What each rater who agreed to be compared said, by what was said beside it."""
    found = rating.agreement(services().access, auth.now())
    return room.table("confusion", COLUMNS, _cells(found.raters))


def _cells(raters: tuple[RaterFigures, ...]) -> Iterator[list[object]]:
    for rater in raters:
        for beside, found in (("network", rater.by_network), ("others", rater.by_others)):
            if found is None:
                continue
            for they in found.rows:
                for own in found.columns:
                    share = found.cell(they, own)
                    assert share is not None  # they did say it
                    told = (share.hits, share.n, share.value, share.low, share.high)
                    yield [rater.member[:8], beside, they, own, *told]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the plot: what they said, how often the rater said each word then, and how often the same."""

    they: str
    cells: tuple[Share, ...]
    same: Share


def word_of(word: str) -> str:
    """A word that raters say, in the reader's language."""
    if word in {emotion.value for emotion in EMOTIONS}:
        return named(Emotion(word))
    return str(gettext("cannot tell") if word == "cannot_tell" else gettext("not a face"))


def lines(found: Confusion) -> list[Line]:
    """The plot, row by row."""
    rows = []
    for they in found.rows:
        cells = tuple(cell for own in found.columns if (cell := found.cell(they, own)) is not None)
        same = found.cell(they, they)
        assert same is not None  # they did say it
        rows.append(Line(they, cells, same))
    return rows


def shade(share: Share) -> str:
    """How dark a cell is: of five steps, by how often the word was said there; none where it never was."""
    return f"h{round(4 * share.value)}" if share.hits else "h-none"


def sentence(found: Confusion, same: Share | None) -> str:
    """The plot in a sentence: how often the same, and where they differ most."""
    told: str = gettext("Of %(n)s answers beside theirs", n=found.n)
    if same is not None:
        told += ", " + gettext(
            "%(share)s (%(low)s to %(high)s) were the same word",
            share=percent(same.value),
            low=percent(same.low),
            high=percent(same.high),
        )
    apart = [(n, they, own) for (they, own), n in found.counts.items() if they != own]
    if not apart:
        return told + "."
    n, they, own = max(apart, key=lambda one: (one[0], one[1], one[2]))
    most: str = gettext(
        "they differ most where “%(they)s” was said beside this rater’s “%(own)s” (%(n)s of %(of)s).",
        they=word_of(they),
        own=word_of(own),
        n=n,
        of=found.of(they),
    )
    return f"{told}; {most}"
