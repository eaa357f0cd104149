"""What a page says, and in which language it claims to say it: its text and the texts of its attributes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

SPOKEN = {"alt", "title", "aria-label", "aria-description", "placeholder"}
"""Attributes that people read or hear."""

SCRIPTED = (
    "data-say-",
    "data-word-",
    "data-failed",
    "data-out",
    "data-offline",
    "data-second",
    "data-closing",
)
SILENT = {"script", "style", "code", "kbd", "svg"}
"""Those that scripts show, by how they begin."""
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "rect", "path", "source", "wbr"}


@dataclass
class Reader(HTMLParser):
    """Gathers what stands in elements of one language, with the language of the nearest element that names one."""

    said: list[tuple[str, str]] = field(default_factory=list)
    _open: list[tuple[str, str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        _, above, silent = self._open[-1] if self._open else ("", "", False)
        language = given.get("lang", above)
        for name, value in given.items():
            if name in SPOKEN or name.startswith(SCRIPTED):
                self.said.append((language, value))
            if name == "data-words":
                self.said += ((language, text) for text in _texts(json.loads(value)))
        if tag not in VOID:
            self._open.append((tag, language, silent or tag in SILENT))

    def handle_endtag(self, tag: str) -> None:
        while tag in (name for name, _, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        _, language, silent = self._open[-1] if self._open else ("", "", False)
        if data.strip() and not silent:
            self.said.append((language, " ".join(data.split())))


def texts(page: str, language: str) -> list[str]:
    """What a page says in a language, in order.

    Examples
    --------
    >>> texts('<html lang="de"><p title="Ja">Nein <b lang="en">no</b> <code>x</code></p>', "de")
    ['Ja', 'Nein']
    """
    reader = Reader()
    reader.feed(page)
    return [text for of, text in reader.said if of == language]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, str):
        yield value
