"""What the form of an answer offers, and how what came of it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from tracker.domain.answers import GRID, STEPS, STRENGTHS
from tracker.domain.consent import Scope
from tracker.domain.notice import NoticeText
from tracker.domain.prompting import State
from tracker.study import Study, question_text
from tracker.workflows.feedback import Answered, Offers
from tracker.workflows.prompting import Live, Past
from webui.languages import current
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
class Own:
    """A question of the study's own: target, words, each answer as the form sends it and as it is called."""

    name: str
    question: str
    answers: tuple[tuple[str, str], ...]
    low: str = ""
    high: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What can be chosen: strengths, the grid's rows from the top, words for the surroundings, and the study's own."""

    strengths: tuple[Any, ...]
    grid: tuple[tuple[Cell, ...], ...]
    chips: tuple[tuple[str, Any, tuple[tuple[str, Any], ...]], ...]
    own: tuple[Own, ...]


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

_CELLS = tuple(_cells())


def form(study: Study) -> Form:
    """What a study offers to choose from."""
    return Form(tuple(_STRENGTHS[strength] for strength in STRENGTHS), _CELLS, chips(study), _own(study))


def chips(study: Study) -> tuple[tuple[str, Any, tuple[tuple[str, Any], ...]], ...]:
    """Words for the surroundings: the study's; those that come with the software in the language of the page."""
    return tuple(
        (name, question, tuple((word, ASKED.get(word, word)) for word in words))
        for name, question, words in (
            ("place", _("Where are you?"), study.contexts.place),
            ("activity", _("What are you doing?"), study.contexts.activity),
            ("company", _("Who is with you?"), study.contexts.company),
        )
    )


def _own(study: Study) -> tuple[Own, ...]:
    found = []
    for question in study.own_questions:
        asked = question_text(study, question, current())
        if question.number:
            steps = tuple((str(step), str(step)) for step in range(1, STEPS + 1))
            found.append(Own(question.name, asked, steps, question.low or "", question.high or ""))
        else:
            yes, no = question.high or _("Yes"), question.low or _("No")
            found.append(Own(question.name, asked, (("yes", yes), ("either", _("Hard to say")), ("no", no))))
    return tuple(found)


def parts(live: Live | None, study: Study) -> frozenset[str]:
    """Which parts of the form are asked: all of one's own accord, else those that the question is about."""
    if live is None or not live.asks:
        return frozenset({"emotion", "grid", "alone", *(own.name for own in study.own_questions)})
    of = {"emotion": "emotion", "valence": "grid", "arousal": "grid", "leave_me_alone": "alone"}
    # Of targets that the study in force does not know any more nothing is left to ask but what every study has.
    named = {of[target] for target in live.asks if target in of}
    named |= {question.name for question in study.own_questions if question.name in live.asks}
    return frozenset(named) or parts(None, study)


def missing(offers: Offers, text: NoticeText) -> list[tuple[str, str]]:
    """Why something is not offered, one line each, with the card that would change it."""
    titles, asked = text.titles(), {card.scope for card in text.cards}
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
    return [(lines[scope], scope.value) for scope in offers.missing if scope in lines and scope in asked]


def told(done: Answered, text: NoticeText, study: Study) -> dict[str, Any]:
    """What came of an answer: lines about what was left out, what a learner said, and why it learned nothing."""
    titles = text.titles()
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
        "own": [
            (question_text(study, question, current()), question.number, done.words[question.name])
            for question in study.own_questions
            if question.name in done.words
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
