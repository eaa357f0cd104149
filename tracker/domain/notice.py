"""The notice that participants consent to: one card per scope, in plain language, hashed as shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tracker.domain.consent import Notice, Scope

VERSION = "2026-11"
LANGUAGE = "en"
HELP_CONTACT = "the people who gave you your code"

PREAMBLE = (
    "This software looks at faces in recordings of you and estimates which emotion they look like. "
    "It is an emotion recognition system in the sense of Art. 3(39) of the EU AI Act. It is often wrong, "
    "and it never knows what you feel. Nobody watches in real time. On the consent page you choose each thing on "
    "its own; nothing is allowed by default, and you can change every choice there at any time, as easily as you "
    "made it."
)


@dataclass(frozen=True, slots=True)
class Card:
    """What one scope means: for a participant to read before choosing."""

    scope: Scope
    title: str
    what: str
    why: str
    who: str
    how_long: str


_UNTIL = "Until you withdraw and choose to erase it, or the study ends."

CARDS: tuple[Card, ...] = (
    Card(
        Scope.AFFECT_SERIES,
        "Keep my series of estimates",
        "For moments in your recordings: when, whether a face was seen, and which emotion it looked like. "
        "No picture is kept.",
        "It is what your timeline shows.",
        "You alone, unless you allow more below.",
        _UNTIL,
    ),
    Card(
        Scope.CONTEXT,
        "Keep what surrounded me",
        "The place, activity and company that you name, with their times.",
        "The same face means different things at work, at home and alone.",
        "You alone, unless you allow more below.",
        _UNTIL,
    ),
    Card(
        Scope.FACE_CROPS,
        "Keep small pictures of my face",
        "The cut-out face, encrypted under a key of your own.",
        "So that you, or raters if you allow them, can correct estimates later.",
        "You alone, unless you allow raters below.",
        _UNTIL,
    ),
    Card(
        Scope.RAW_VIDEO,
        "Keep video of me",
        "At most two pictures a second of your recordings, scaled down to 480 pixels, without sound, at most 64 MiB of "
        "a day, encrypted under a key of your own. Before anything is kept, all of a picture is covered but a "
        "rectangle around your head, about two and a half times as wide and as high as your face, and in it the faces "
        "of others that the program finds. What else lies in it stays to be seen: your hair and shoulders, the room "
        "behind you, a mirror or a screen, and somebody close beside your face whom the program does not notice. If "
        "you sit close to the camera, that is most of the picture. Moments at which your face was not read leave no "
        "picture.",
        "So that you, or raters if you allow them, can see how an expression comes and goes, and correct estimates.",
        "You alone, unless you allow raters below.",
        _UNTIL,
    ),
    Card(
        Scope.NOTES,
        "Keep my notes",
        "What you write beside an answer, encrypted under a key of your own.",
        "Your own words say what no scale can.",
        "You alone.",
        _UNTIL,
    ),
    Card(
        Scope.PROMPTS,
        "Ask me questions",
        "Short questions a few times a day, and your answers.",
        "Your answers are the measure against which everything else is judged.",
        "You alone, unless you allow more below.",
        _UNTIL,
    ),
    Card(
        Scope.PERSONAL_LEARNING,
        "Learn from my corrections",
        "A learner of your own that adapts the estimates to you, from the corrections of the last 30 days.",
        "The network was trained on strangers' faces; your corrections teach it yours.",
        "Nobody; it works for you alone.",
        "30 days after each correction it is forgotten.",
    ),
    Card(
        Scope.POOLED_LEARNING,
        "Let my corrections help others start better",
        "Your corrections join those of others in a common starting point.",
        "New participants get better first estimates.",
        "Nobody sees them; only the common figures are kept.",
        "Until you withdraw; it is then computed again without you.",
    ),
    Card(
        Scope.SHARE_WITH_RATERS,
        "Show my pictures to raters",
        "Face pictures or clips that you keep, one at a time, without your name.",
        "A second opinion on what a face looks like. Your own learner learns from it, where you allow one.",
        "Raters of this study, and a researcher who decides where they disagree; each look is recorded.",
        "Until you withdraw; open tasks close at once.",
    ),
    Card(
        Scope.SHARE_WITH_RESEARCHERS,
        "Show my series to the researchers",
        "Your timeline and answers, under your study code.",
        "To see whether the study works while it runs.",
        "Researchers of this study; each look is recorded.",
        "Until you withdraw.",
    ),
    Card(
        Scope.EXPORT_PSEUDONYMOUS,
        "Include me in research datasets",
        "The rows of the scopes you granted, under a random pseudonym made for each dataset.",
        "So that science can be done with them.",
        "Researchers who receive the dataset.",
        "Datasets already handed out cannot be called back; later ones leave you out.",
    ),
    Card(
        Scope.EXPORT_PUBLIC,
        "Include me in public datasets",
        "The same rows, in datasets that anyone can download.",
        "Open science.",
        "Everybody.",
        "What is public cannot be called back.",
    ),
)


@dataclass(frozen=True, slots=True)
class About:
    """What a study says of itself above its cards: part of what is consented to, so part of the hash.

    Parameters
    ----------
    study, controller
        Its title, and who answers for it.
    purposes
        What the data are used for, one sentence each.
    consent_days
        After how many days a consent ends by itself; None where it does not.
    id
        The study's own: another study is another consent, whatever it says.
    contact, help_contact
        How to reach the controller, and whom to ask.
    jurisdiction, storage, recipients
        Whose law holds, where the data lie, and who receives them.
    grace_days
        How long a withdrawal without an answer waits before what it covers is erased. Empty or None, like all
        from `id` on, in a text that was kept before notices said it.
    """

    study: str
    controller: str
    purposes: tuple[str, ...]
    consent_days: int | None = None
    id: str = ""
    contact: str = ""
    help_contact: str = ""
    jurisdiction: str = ""
    storage: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    grace_days: int | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> About:
        """As `document` wrote it."""
        said: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in document.items()}
        return cls(**said)


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a text as it is shown and kept.

    Examples
    --------
    >>> digest(BUILT_IN.document()) == BUILT_IN.notice().sha256
    True
    """
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice in one language: everything that is shown before somebody chooses.

    Parameters
    ----------
    version, language
        Of the text; the language as a BCP 47 tag.
    preamble
        What this software is, before any choice.
    cards
        One for each scope, in the order of the page.
    about
        What the study says of itself; None for the text that comes with the software.
    """

    version: str
    language: str
    preamble: str
    cards: tuple[Card, ...]
    about: About | None = None

    def document(self) -> dict[str, Any]:
        """Exactly what is shown, as JSON: what is hashed, and what is kept as proof of it."""
        shown: dict[str, Any] = {"preamble": self.preamble, "cards": [asdict(card) for card in self.cards]}
        if self.about is not None:
            shown["about"] = self.about.document()
        return shown

    def notice(self) -> Notice:
        """Version, language, and the SHA-256 of exactly what is shown.

        Examples
        --------
        >>> BUILT_IN.notice().language, len(BUILT_IN.notice().sha256)
        ('en', 64)
        """
        return Notice(self.version, self.language, digest(self.document()))

    def card(self, scope: Scope) -> Card:
        """The card of one scope; the software's own where the text asks for no such thing."""
        return next(card for card in (*self.cards, *CARDS) if card.scope is scope)

    def titles(self) -> dict[Scope, str]:
        """What each scope is called, those too that the text does not ask for: somebody may have allowed one before.

        Examples
        --------
        >>> BUILT_IN.titles()[Scope.NOTES]
        'Keep my notes'
        """
        return {scope: self.card(scope).title for scope in Scope}

    @classmethod
    def from_document(cls, version: str, language: str, document: Mapping[str, Any]) -> NoticeText:
        """A text as it was kept (`document`), so that an old grant can show what it was given on."""
        about = document.get("about")
        return cls(
            version,
            language,
            document["preamble"],
            tuple(Card(**{**card, "scope": Scope(card["scope"])}) for card in document["cards"]),
            None if about is None else About.from_document(about),
        )


BUILT_IN = NoticeText(VERSION, LANGUAGE, PREAMBLE, CARDS)
"""The text that comes with the software: in force until a study says another one."""


def notice() -> Notice:
    """The notice that comes with the software: version, language, and the SHA-256 of what is shown.

    Examples
    --------
    >>> notice().language, len(notice().sha256)
    ('en', 64)
    """
    return BUILT_IN.notice()
