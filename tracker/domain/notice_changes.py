"""What is different between two notices, so that whoever agreed to the old one need not search for it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tracker.domain.notice import About, Card, NoticeText

_LABELS = {
    "title": "title",
    "what": "what",
    "why": "why",
    "who": "who sees it",
    "how_long": "how long",
    "study": "the study's name",
    "controller": "who answers for it",
    "purposes": "what for",
    "consent_days": "after how many days it ends by itself",
    "id": "which study it is",
    "contact": "how to reach who answers for it",
    "help_contact": "whom to ask",
    "jurisdiction": "whose law holds",
    "storage": "where the data lie",
    "recipients": "who receives the data",
    "grace_days": "how many days a withdrawal without an answer waits",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, and what was said before and is said now."""

    where: str
    before: str
    now: str


def changes(old: NoticeText, new: NoticeText) -> tuple[Change, ...]:
    """List what is different, card by card.

    Parameters
    ----------
    old, new
        What was agreed to, and what stands.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from tracker.domain.notice import BUILT_IN
    >>> card = replace(BUILT_IN.cards[0], how_long="30 days.")
    >>> changed = changes(BUILT_IN, replace(BUILT_IN, cards=(card, *BUILT_IN.cards[1:])))
    >>> [(c.where, c.now) for c in changed]
    [('Keep my series of estimates: how long', '30 days.')]
    """
    found = []
    if old.preamble != new.preamble:
        found.append(Change("the introduction", old.preamble, new.preamble))
    found += _about(old, new)
    before = {card.scope: card for card in old.cards}
    for card in new.cards:
        found += _card(before.pop(card.scope, None), card)
    # What is not asked for any more.
    found += [Change(card.title, card.what, "") for card in before.values()]
    return tuple(found)


def _about(old: NoticeText, new: NoticeText) -> list[Change]:
    names = [field.name for field in fields(About)]
    pairs = [(n, _told(getattr(old.about, n, None)), _told(getattr(new.about, n, None))) for n in names]
    return [Change(_LABELS[name], before, now) for name, before, now in pairs if before != now]


def _card(old: Card | None, new: Card) -> list[Change]:
    if old is None:
        return [Change(new.title, "", new.what)]
    pairs = [(f.name, getattr(old, f.name), getattr(new, f.name)) for f in fields(Card) if f.name != "scope"]
    return [
        Change(f"{new.title}: {_LABELS[name]}", before, now) for name, before, now in pairs if before != now
    ]


def _told(value: object) -> str:
    if value is None:
        return ""
    return " ".join(value) if isinstance(value, tuple) else str(value)
