"""The words for what surrounds a moment, in the language of the page.

What is stored is the domain's own word in every language; here it is only said in the reader's.
"""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

ASKED: dict[str, LazyString] = {
    "home": lazy_gettext("home"),
    "work": lazy_gettext("work"),
    "on the way": lazy_gettext("on the way"),
    "outdoors": lazy_gettext("outdoors"),
    "with others at theirs": lazy_gettext("with others at theirs"),
    "elsewhere": lazy_gettext("elsewhere"),
    "working": lazy_gettext("working"),
    "relaxing": lazy_gettext("relaxing"),
    "household": lazy_gettext("household"),
    "eating": lazy_gettext("eating"),
    "with a screen": lazy_gettext("with a screen"),
    "moving": lazy_gettext("moving"),
    "talking": lazy_gettext("talking"),
    "other": lazy_gettext("something else"),
    "alone": lazy_gettext("nobody"),
    "partner": lazy_gettext("partner"),
    "family": lazy_gettext("family"),
    "friends": lazy_gettext("friends"),
    "colleagues": lazy_gettext("colleagues"),
    "strangers": lazy_gettext("strangers"),
}
"""As answers to the questions where one is, what one does, and who is there."""

_TOLD = ASKED | {"other": lazy_gettext("other"), "alone": lazy_gettext("alone")}


def in_page_language(word: str) -> str:
    """A word that was said of a moment; words of people's own stay as they were written.

    Examples
    --------
    >>> in_page_language("alone"), in_page_language("at the allotment")
    ('alone', 'at the allotment')
    """
    return str(_TOLD.get(word, word))
