"""TOML with its lines: the standard library's parser, and a walk over the same text that notes where keys stand."""

from __future__ import annotations

import re
import tomllib

from tracker.study.written import DEEPEST, Place, Written, WrittenError, line_at, lines_of

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}|'
    + r"'''(?:[^']|'(?!''))*'{3,5}|"
    + r'"(?:[^"\\\n]|\\.)*"|'
    + r"'[^'\n]*'",
    re.DOTALL,
)
_OTHER = re.compile(r"[^,\]}\n#]*")
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


def read_toml(text: str) -> Written:
    """Read a TOML document.

    Raises
    ------
    WrittenError
        When it is none, says something twice, or is nested too deeply.

    Examples
    --------
    >>> found = read_toml('id = "a"\\n[retention]\\nnotes = 3\\n[[at]]\\nto = [\\n  { b = 1 },\\n]\\n')
    >>> found.line(("retention", "notes")), found.line(("at", 0, "to", 0, "b"))
    (3, 6)
    """
    try:
        said = tomllib.loads(text)
        walk = _Walk(text)
        walk.document()
    except tomllib.TOMLDecodeError as error:
        raise _placed(text, str(error)) from None
    except RecursionError:
        raise _too_deep(text) from None
    except WrittenError:
        raise
    except ValueError as error:  # a number of more digits than Python turns into one
        raise WrittenError(_longest_line(text), f"no such number can be read: {error}") from None
    return Written(said, walk.lines)


def _placed(text: str, message: str) -> WrittenError:
    found = _PLACE.search(message)
    line = int(found[1]) if found is not None and found[1] else lines_of(text)
    told = _PLACE.sub("", message).removesuffix(".")
    return WrittenError(min(line, lines_of(text)), f"this is no TOML: {told}")


def _too_deep(text: str) -> WrittenError:
    at = re.search(rf"(?:[\[{{][^\[\]{{}}]*){{{DEEPEST + 1}}}", text)
    return WrittenError(line_at(text, at.start() if at else 0), f"it is nested deeper than {DEEPEST} levels")


def _longest_line(text: str) -> int:
    lines = text.split("\n")
    return 1 + max(range(len(lines)), key=lambda n: len(lines[n]))


class _Walk:
    """Over a text that is known to be TOML: it notes places, and decodes nothing but keys."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._line, self._counted = 1, 0
        self._counts: dict[Place, int] = {}

    def document(self) -> None:
        table: Place = ()
        while self._skip(_BLANK) and self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Place:
        many = self._text.startswith("[[", self._at)
        self._note_line()
        line = self._line
        self._at += 2 if many else 1
        parts = self._key()
        self._at += 2 if many else 1
        place: Place = ()
        for part in parts[:-1]:
            place = self._within((*place, part), line)
        place = (*place, parts[-1])
        if len(place) > DEEPEST:
            raise WrittenError(line, f"it is nested deeper than {DEEPEST} levels")
        if many:
            self.lines.setdefault(place, line)
            self._counts[place] = self._counts.get(place, -1) + 1
            place = (*place, self._counts[place])
        self.lines.setdefault(place, line)
        return place

    def _within(self, place: Place, line: int) -> Place:
        self.lines.setdefault(place, line)
        return (*place, self._counts[place]) if place in self._counts else place

    def _pair(self, table: Place) -> None:
        self._note_line()
        line, place = self._line, table
        for part in self._key():
            place = (*place, part)
            self.lines.setdefault(place, line)
        self._at += 1  # =
        self._skip(_SPACE)
        self._value(place)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_SPACE)
            found = _BARE.match(self._text, self._at) or _TEXT.match(self._text, self._at)
            assert found is not None
            raw = found[0]
            parts.append(raw if raw[0] not in "\"'" else tomllib.loads(f"x={raw}")["x"])
            self._at = found.end()
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, place: Place) -> None:
        if len(place) > DEEPEST:
            self._note_line()
            raise WrittenError(self._line, f"it is nested deeper than {DEEPEST} levels")
        match self._text[self._at]:
            case '"' | "'":
                self._skip(_TEXT)
            case "[":
                self._array(place)
            case "{":
                self._inline(place)
            case _:
                self._skip(_OTHER)

    def _array(self, place: Place) -> None:
        self._at += 1
        n = 0
        while self._skip(_BLANK) and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._note_line()
            self.lines[*place, n] = self._line
            self._value((*place, n))
            n += 1
        self._at += 1

    def _inline(self, place: Place) -> None:
        self._at += 1
        while self._skip(_BLANK) and self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
            else:
                self._pair(place)
        self._at += 1

    def _skip(self, what: re.Pattern[str]) -> bool:
        found = what.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return True

    def _note_line(self) -> None:
        # Counted on from where it was counted last: once over the text in all.
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
