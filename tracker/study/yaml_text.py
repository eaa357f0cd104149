"""YAML with its lines: what is one thing in YAML 1.2 and to the eye, and nothing cleverer.

PyYAML's events are read, not its loader: that one gives no lines, lets the later of two equal keys win, takes 21:00
for a number and `no` for a truth value (YAML 1.1), and unfolds aliases without end.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tracker.domain.texts import unkeepable
from tracker.study.written import DEEPEST, Place, Written, WrittenError, line_at

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)")
_PLAIN = {
    r"'\t'": "a tab stands where blanks are needed",
    "got '?'": "a text with a question mark within [ ] or { } needs quotes",
    "mapping values are not allowed": "a colon and a blank stand where no key can; a text with them needs quotes",
}
"""What PyYAML means, for who has never read its source."""


def read_yaml(text: str) -> Written:
    """Read a YAML document of one mapping.

    Times of the day, dates and words such as `no` are texts; numbers are decimal. Anchors, aliases, merge keys and
    tags are refused, and so is a key that stands twice.

    Raises
    ------
    WrittenError
        When it is none, says something twice, or is nested too deeply.

    Examples
    --------
    >>> found = read_yaml("id: a\\nprompts:\\n  - at: [21:00]\\n    yields: false\\n")
    >>> found.said
    {'id': 'a', 'prompts': [{'at': ['21:00'], 'yields': False}]}
    >>> found.line(("prompts", 0, "yields"))
    4
    """
    if not text.strip():
        return Written({}, {})
    try:
        return _Reading(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = " ".join(str(part) for part in (error.context, error.problem) if part)
        for sign, plain in _PLAIN.items():
            told = plain if sign in told else told
        raise WrittenError(line_at(text, mark.index if mark else 0), f"this is no YAML: {told}") from None
    except yaml.reader.ReaderError as error:
        shown = f"U+{error.character:04X}" if isinstance(error.character, int) else repr(error.character)
        raise WrittenError(
            line_at(text, error.position), f"{shown} has no place in YAML; leave it out"
        ) from None


class _Reading:
    def __init__(self, text: str) -> None:
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.SafeLoader))
        self.lines: dict[Place, int] = {}

    def document(self) -> Written:
        event = next(self._events)
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Written({}, {})
        if not isinstance(event, yaml.MappingStartEvent):
            raise self._wrong(event, "a study file is one mapping of keys, such as  id: sleep-and-mood")
        said = self._mapping(event, ())
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                raise self._wrong(event, "a second document begins; a study file has one")
        return Written(said, self.lines)

    def _value(self, event: Any, place: Place) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise self._wrong(event, f"*{event.anchor} stands for something else; write out what is meant")
        if event.anchor is not None:
            raise self._wrong(event, f"&{event.anchor} is an anchor; write out what is meant in each place")
        if event.tag not in (None, "!"):
            raise self._wrong(event, f"{event.tag} is a tag; a study file has none, leave it out")
        if len(place) > DEEPEST:
            raise self._wrong(event, f"it is nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place)
        return self._scalar(event)

    def _mapping(self, start: Any, place: Place) -> dict[str, Any]:
        self._whole(start)
        said: dict[str, Any] = {}
        for key in self._events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            name = self._name(key)
            inner = (*place, name)
            if name in said:
                raise self._wrong(key, f"{name} stands twice, first on line {self.lines[inner]}; keep one")
            self.lines[inner] = self._line(key)
            said[name] = self._value(next(self._events), inner)
        return said

    def _sequence(self, place: Place) -> list[Any]:
        said: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            self.lines[*place, len(said)] = self._line(event)
            said.append(self._value(event, (*place, len(said))))
        return said

    def _name(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._whole(event)
            raise self._wrong(event, "a key is one word, not a list or a mapping")
        self._whole(event)
        name = str(event.value)
        if name == "<<" and event.style is None:
            raise self._wrong(event, "<< merges other mappings in; write out what is meant")
        if found := unkeepable(name):
            raise self._wrong(event, f"a key holds {found}, which no text has; leave it out")
        return name

    def _scalar(self, event: Any) -> Any:
        text = str(event.value)
        if event.style is not None or event.tag == "!":
            return text
        if text in _NULL:
            return None
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number in (float("inf"), float("-inf")):
                raise self._wrong(event, f"{text[:40]} is larger than any number here may be")
            return number
        if _NO_NUMBER.fullmatch(text):
            raise self._wrong(event, f"{text} is no number that can be used; say one")
        return text

    def _whole(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None or event.tag not in (None, "!"):
            self._value(event, ())

    def _line(self, event: Any) -> int:
        return bisect.bisect_left(self._breaks, event.start_mark.index) + 1

    def _wrong(self, event: Any, message: str) -> WrittenError:
        return WrittenError(self._line(event), message)
