"""Bring the catalogues up to date with the source: ``python -m tests.webui.translating``.

New texts are added empty, for somebody to translate; texts that the source has no more are dropped. A test fails while
any is empty, fuzzy, missing or too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from webui.languages import FOLDER, LANGUAGES

WEBUI = FOLDER.parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}}
_NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # a catalogue that says the same is the same file
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
}


def translated() -> Iterator[str]:
    """The languages that have a catalogue."""
    return (code for code in LANGUAGES if code != "en")


def source() -> Catalog:
    """Every text of the source."""
    found = Catalog()
    for file, line, message, comments, _ in extract_from_dir(
        WEBUI, METHODS, OPTIONS, keywords=KEYWORDS, strip_comment_tags=True
    ):
        found.add(message, None, [(file, line)], auto_comments=comments)
    return found


def path(code: str) -> Path:
    """Where a language's catalogue lies."""
    return FOLDER / code / "messages.po"


def written(code: str) -> Catalog:
    """A language's catalogue as it is written down."""
    with path(code).open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def lacking(message: Message) -> bool:
    """Whether a text has no translation, or only a guess."""
    texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return message.fuzzy or not all(texts)


def pairs(code: str) -> Iterator[tuple[str, str]]:
    """Each text with its translation; of plurals each form with its own."""
    for message in written(code):
        sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string or "",)
        if message.id:
            yield from zip(sources, strings, strict=True)


def update(code: str) -> int:
    """Bring a catalogue up to date; return how many texts wait for a translation."""
    here = written(code) if path(code).exists() else Catalog(locale=code)
    here.update(source(), no_fuzzy_matching=True)
    here.obsolete.clear()
    here.header_comment, here.creation_date = "# The interface in another language.", _NO_TIME
    here.revision_date, here.fuzzy = _NO_TIME, False
    path(code).parent.mkdir(parents=True, exist_ok=True)
    with path(code).open("wb") as file:
        write_po(file, here, width=110, sort_output=True, omit_header=False, no_location=True)
    return sum(lacking(message) for message in here if message.id)


if __name__ == "__main__":
    for language in translated():
        print(f"{language}: {update(language)} texts wait for a translation")
