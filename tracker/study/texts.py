"""The notices of a study: what participants read before they choose, in each of its languages."""

from __future__ import annotations

from dataclasses import replace

from tracker.domain.consent import Scope
from tracker.domain.notice import BUILT_IN, CARDS, LANGUAGE, PREAMBLE, About, Card, NoticeText
from tracker.study.parts import CardWords, Words
from tracker.study.questions import OwnQuestion
from tracker.study.whole import DEFAULT, Study, days_of


def languages(study: Study) -> tuple[str, ...]:
    """The languages of a study's notice; English where the file says none."""
    return tuple(study.languages) or (LANGUAGE,)


def notice_text(study: Study, language: str | None = None) -> NoticeText:
    """The notice of a study in one language.

    Parameters
    ----------
    study
        The study in force.
    language
        What somebody prefers. Where the study does not speak it, or without any: its first language.

    Examples
    --------
    >>> notice_text(DEFAULT).notice() == BUILT_IN.notice()
    True
    """
    if study.id == DEFAULT.id:
        return BUILT_IN
    known = languages(study)
    chosen = language if language in known else known[0]
    words = study.languages.get(chosen, Words())
    about = About(
        words.title or study.title,
        study.controller.name,
        words.purposes or tuple(purpose.text for purpose in study.purposes),
        study.consent.expires_after_days,
        study.id,
        study.controller.contact,
        study.help_contact,
        study.jurisdiction,
        study.storage,
        study.recipients,
        study.consent.grace_days,
    )
    cards = tuple(
        _card(study, card, words.cards.get(card.scope, CardWords()))
        for card in CARDS
        if card.scope in study.scopes
    )
    return NoticeText(study.version, chosen, words.preamble or PREAMBLE, cards, about)


def question_text(study: Study, target: OwnQuestion, language: str | None = None) -> str:
    """How a study asks for a target of its own, in a language where it says so there."""
    words = study.languages.get(language or "")
    return (words.questions.get(target.name) if words is not None else None) or target.question


def notice_texts(study: Study) -> tuple[NoticeText, ...]:
    """The notice of a study in each of its languages."""
    return tuple(notice_text(study, language) for language in languages(study))


def notice_hashes(study: Study) -> frozenset[str]:
    """The SHA-256 of what the study shows, in each of its languages: no other text can stand while it governs.

    Examples
    --------
    >>> notice_hashes(DEFAULT) == {BUILT_IN.notice().sha256}
    True
    """
    global _hashed
    known, hashes = _hashed
    if known is not study:
        hashes = frozenset(text.notice().sha256 for text in notice_texts(study))
        _hashed = study, hashes
    return hashes


_hashed: tuple[Study | None, frozenset[str]] = (None, frozenset())


_PUSHED = (
    "If you let a device of yours be told that a question waits, the maker of its browser learns that a message went "
    "to it, and when; never what it is about. Every device is off until you switch it on."
)


def _card(study: Study, card: Card, words: CardWords) -> Card:
    pushed = card.scope is Scope.PROMPTS and study.asking.web_push
    who = f"{card.who} {_PUSHED}" if pushed else card.who
    said = replace(card, who=who, how_long=_how_long(study, card))
    return replace(said, **{name: value for name, value in words if value is not None})


def _how_long(study: Study, card: Card) -> str:
    days = days_of(study, card.scope)
    said = card.how_long
    if days is not None and not (card.scope is Scope.PERSONAL_LEARNING and days >= 30):
        said = f"{days} days after its moment; then it is erased by itself. Earlier, when you choose to erase it."
    if card.scope is Scope.AFFECT_SERIES:
        said += "".join(
            f" After {step.after_days} days only one value {_article(step.to.value)} is kept."
            for step in study.coarsening.affect_series
        )
    return said


def _article(unit: str) -> str:
    return f"an {unit}" if unit == "hour" else f"a {unit}"
