"""What rooms below say when they refuse something, in the language of the page."""

from __future__ import annotations

from flask_babel import gettext, lazy_gettext

KNOWN = (
    lazy_gettext("Say at least one thing: an emotion, the grid, company, or what surrounds you."),
    lazy_gettext("A note stands beside an answer: say an emotion, the grid or company as well."),
    lazy_gettext("The grid takes both: how pleasant, and how much energy."),
    lazy_gettext("Say a first emotion before the second."),
    lazy_gettext("An answer carries a random UUID as its key; load the page again."),
    lazy_gettext("This answer lies in the future of your device's own clock; it was not stored."),
    lazy_gettext(
        "You deleted the time that this speaks of for good after you said it; it was not stored again."
    ),
    lazy_gettext("you have not answered this item, or took it back already"),
    lazy_gettext("you rated this item yourself; somebody else has to decide about it"),
    lazy_gettext("the notice has changed since it was shown; read it anew"),
    lazy_gettext("read what is stored about raters and agree to it first; then the first item comes"),
)
"""Sentences that people meet; those about what no page of ours ever sends are for programs, and stay English."""


def said(error: Exception) -> str:
    """What an error says, translated where it is one that people meet.

    Examples
    --------
    >>> said(ValueError("Say a first emotion before the second."))
    'Say a first emotion before the second.'
    """
    return str(gettext(str(error)))
