"""What the form of an answer offers, and how what came of it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from tracker.domain.answers import GRID, STRENGTHS
from tracker.domain.consent import Scope
from tracker.domain.notice import NoticeText
from tracker.domain.prompting import State
from tracker.domain.surroundings import ACTIVITIES, COMPANIES, PLACES
from tracker.workflows.feedback import Answered, Offers
from tracker.workflows.prompting import Live, Past
from webui.participant.surrounding_words import ASKED

_HALF = GRID // 2


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the affect grid: how pleasant and how lively, from -4 to 4 each."""

    pleasant: int
    lively: int

    @property
    def value(self) -> str:
        """As the form sends it."""
        return f"{self.pleasant},{self.lively}"

    @property
    def middle(self) -> bool:
        """Whether it is neither one nor the other."""
        return self.pleasant == self.lively == 0

    @property
    def name(self) -> str:
        """Its name, for who cannot see where it lies."""
        middle: str = _("neither one nor the other")
        sides = ((self.pleasant, _("pleasant"), _("unpleasant")), (self.lively, _("lively"), _("calm")))
        degrees = ("", _("slightly"), _("rather"), _("very"), _("extremely"))
        told = (f"{degrees[abs(n)]} {up if n > 0 else down}" for n, up, down in sides if n)
        return ", ".join(told) or middle


@dataclass(frozen=True, slots=True)
class Form:
    """What can be chosen: the strengths, the rows of the grid from the top, and words for the surroundings."""

    strengths: tuple[Any, ...]
    grid: tuple[tuple[Cell, ...], ...]
    chips: tuple[tuple[str, Any, tuple[tuple[str, Any], ...]], ...]


def _cells() -> Iterator[tuple[Cell, ...]]:
    for lively in range(_HALF, -_HALF - 1, -1):
        yield tuple(Cell(pleasant, lively) for pleasant in range(-_HALF, _HALF + 1))


_STRENGTHS = {
    "barely": lazy_gettext("barely"),
    "a little": lazy_gettext("a little"),
    "moderately": lazy_gettext("moderately"),
    "strongly": lazy_gettext("strongly"),
    "very strongly": lazy_gettext("very strongly"),
}

FORM = Form(
    tuple(_STRENGTHS[strength] for strength in STRENGTHS),
    tuple(_cells()),
    tuple(
        (name, question, tuple((word, ASKED[word]) for word in words))
        for name, question, words in (
            ("place", lazy_gettext("Where are you?"), PLACES),
            ("activity", lazy_gettext("What are you doing?"), ACTIVITIES),
            ("company", lazy_gettext("Who is with you?"), COMPANIES),
        )
    ),
)


def parts(live: Live | None) -> frozenset[str]:
    """Which parts of the form are asked: all of one's own accord, else those that the question is about."""
    if live is None or not live.asks:
        return frozenset({"emotion", "grid", "alone"})
    of = {"emotion": "emotion", "valence": "grid", "arousal": "grid", "leave_me_alone": "alone"}
    # A study's own targets have no form yet; a question about those alone asks what every study has.
    return frozenset(of[target] for target in live.asks if target in of) or parts(None)


def missing(offers: Offers, text: NoticeText) -> list[tuple[str, str]]:
    """Why something is not offered, one line each, with the card that would change it."""
    titles = {card.scope: card.title for card in text.cards}
    lines = {
        Scope.CONTEXT: _(
            "Where you are and with whom is not asked, because you do not allow “%(title)s”.",
            title=titles[Scope.CONTEXT],
        ),
        Scope.NOTES: _(
            "There is no room for a note, because you do not allow “%(title)s”.", title=titles[Scope.NOTES]
        ),
        Scope.PERSONAL_LEARNING: _(
            "Nothing is learned from your answers, because you do not allow “%(title)s”.",
            title=titles[Scope.PERSONAL_LEARNING],
        ),
    }
    return [(lines[scope], scope.value) for scope in offers.missing if scope in lines]


def told(done: Answered, text: NoticeText) -> dict[str, Any]:
    """What came of an answer: lines about what was left out, what a learner said, and why it learned nothing."""
    titles = {card.scope: card.title for card in text.cards}
    left_out = {
        Scope.CONTEXT: _(
            "What surrounded you was not kept: you do not allow “%(title)s”, or not for that time.",
            title=titles[Scope.CONTEXT],
        ),
        Scope.NOTES: _(
            "Your note was not kept: you do not allow “%(title)s”, or not for that time.",
            title=titles[Scope.NOTES],
        ),
    }
    words = done.words.values()
    return {
        "left_out": [left_out[scope] for scope in done.left_out],
        "unlearned": titles[Scope.PERSONAL_LEARNING] if any(word.missing for word in words) else "",
        "uncovered": min((w.not_covered_since for w in words if w.not_covered_since), default=None),
        "emotion_word": done.words.get("emotion"),
        "alone_word": done.words.get("leave_me_alone"),
        "numbers": [
            (name, done.words[target])
            for target, name in (("valence", _("How pleasant")), ("arousal", _("How lively")))
            if target in done.words
        ],
    }


def became(past: Past) -> str:
    """What became of a question, in words."""
    said: str = _("waits for your answer")
    match past.state:
        case State.COMPLETED:
            said = _("answered")
        case State.EXPIRED if past.started_at is not None:
            said = _("opened, and not answered in time")
        case State.EXPIRED:
            said = _("missed")
        case State.WITHHELD:
            said = _("not put: %(why)s", why=past.words) if past.words else _("not put")
        case State.CANCELLED:
            said = past.words or _("taken back")
    return said
