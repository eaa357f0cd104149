"""What stood around moments, for chart and table: contexts as bands with a letter each, and questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import ascii_uppercase

from tracker.domain.prompting import OPEN, State
from tracker.domain.series import CONTEXT_HOLDS, Context
from tracker.store.surroundings import Asked
from webui.participant.surrounding_words import in_page_language


class Fate(StrEnum):
    """What became of a question, as far as its person cares."""

    ANSWERED = "answered"
    MISSED = "missed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch for which a context speaks.

    Attributes
    ----------
    words
        The context in the person's words.
    letter
        What stands for it in the chart, whose frame holds no text of anybody.
    """

    start: datetime
    end: datetime
    words: str
    letter: str


def bands(contexts: Sequence[Context], start: datetime, end: datetime) -> list[Band]:
    """The contexts of [start, end) as bands: each speaks until the next, for two hours at most.

    Parameters
    ----------
    contexts
        In order of time.
    start, end
        What the bands are cut to.
    """
    letters: dict[str, str] = {}
    found = []
    for i, context in enumerate(contexts):
        until = context.at + CONTEXT_HOLDS
        if i + 1 < len(contexts):
            until = min(until, contexts[i + 1].at)
        first, last, words = max(context.at, start), min(until, end), in_words(context)
        if first < last and words:
            letter = letters.setdefault(words, _letter(len(letters)))
            found.append(Band(first, last, words, letter))
    return found


def in_words(context: Context) -> str:
    """What was said, in one line, in the language of the page.

    Examples
    --------
    >>> from datetime import UTC
    >>> in_words(Context(datetime(2026, 3, 1, tzinfo=UTC), place="home", company="alone"))
    'home, alone'
    """
    words = (context.place, context.activity, context.company)
    return ", ".join(in_page_language(word) for word in words if word)


def fate_of(asked: Asked) -> Fate | None:
    """What became of a question; None where none was put, or it was taken back.

    Examples
    --------
    >>> from datetime import UTC
    >>> fate_of(Asked(datetime(2026, 3, 1, tzinfo=UTC), "expired", None))
    <Fate.MISSED: 'missed'>
    """
    if asked.state in (State.COMPLETED, "answered"):
        return Fate.ANSWERED
    if asked.state == State.EXPIRED:
        return Fate.MISSED
    return Fate.OPEN if asked.state in OPEN or asked.state == "open" else None


def _letter(i: int) -> str:
    """A, B … Z, A2, B2 …

    Examples
    --------
    >>> _letter(0), _letter(27)
    ('A', 'B2')
    """
    turn, place = divmod(i, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn + 1) if turn else "")
