"""From a file, or from what was stored, to a study: whole and checked, or an error that names the place."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracker.study.errors import ForbiddenStudyError, StudyError
from tracker.study.lines import line_of
from tracker.study.whole import DEFAULT, Study

LARGEST = 1_000_000
"""No study file is longer than this many bytes."""

_EXAMPLES = {
    "id": 'id = "sleep-and-mood"',
    "title": 'title = "Sleep and mood"',
    "version": 'version = "1"',
    "help_contact": 'help_contact = "Dr. Example, +49 30 1234567"',
    "deployment_context": 'deployment_context = "research_home"',
    "controller": '[controller] name = "Example University", contact = "privacy@example.org"',
    "purposes": '[[purposes]] text = "To study mood over a month."',
}

_LIKE = {
    "id": "small letters, digits and hyphens, such as sleep-and-mood",
    "version": "1 to 32 characters without blanks, such as 1.2",
    "languages": "a language as de, or with its region as pt-BR",
    "at": "times of the day as 08:30",
    "opens": "a time of the day as 08:30",
    "closes": "a time of the day as 21:00, or 24:00 for its end",
    "quiet_from": "a time of the day as 22:00",
    "quiet_until": "a time of the day as 08:00",
    "asks": "emotion, valence, arousal, leave_me_alone, or a target of your own as yes_no:tired or number:stress",
}
"""What a text has to look like, where any text would not do."""


def load(path: Path) -> Study:
    """Read a study file.

    Raises
    ------
    StudyError
        When it cannot be read, is no TOML, or says something that cannot be; names line and field.
    ForbiddenStudyError
        When it is of a kind that must not run.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StudyError([f"{path} cannot be read: {error.strerror}"]) from None
    if len(raw) > LARGEST:
        raise StudyError([f"{path} has {len(raw)} bytes; a study file has at most {LARGEST}"])
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise StudyError([f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8"]) from None
    return parse(text, path.name)


def parse(text: str, name: str = "study.toml") -> Study:
    """Read a study from the text of its file.

    Parameters
    ----------
    text
        TOML.
    name
        What the file is called in errors.

    Raises
    ------
    StudyError, ForbiddenStudyError
        As `load`.

    Examples
    --------
    >>> parse('id = "a"')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    tracker.study.errors.StudyError: study.toml: title is missing; add it, ... (and 5 more; ...)
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError([f"{name} is no TOML: {error}"]) from None
    study = _checked(said, name, text)
    if study.id == DEFAULT.id:
        line = line_of(text, ("id",))
        raise StudyError(
            [
                f"{name}, line {line}: id is {study.id!r}, the name of what stands without a study; take another"
            ]
        )
    return study


def from_document(document: Mapping[str, Any]) -> Study:
    """The study that was stored as `Study.document`."""
    return _checked(document, "the stored study", "")


def _checked(said: Mapping[str, Any], name: str, text: str) -> Study:
    try:
        # By way of JSON, where texts may stand for dates and members of enumerations, and nothing else is bent.
        return Study.model_validate_json(json.dumps(said, default=_plain))
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems = [_line(problem, name, text) for problem in found]
        kind = ForbiddenStudyError if any(p["type"] == "forbidden" for p in found) else StudyError
        raise kind(problems) from None


def _plain(value: Any) -> str:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a study file")


def _line(problem: Any, name: str, text: str) -> str:
    place: tuple[str | int, ...] = tuple(problem.get("ctx", {}).get("place", problem["loc"]))
    place = tuple(part for part in place if part != "[key]")
    line = line_of(text, place)
    where = name if line is None else f"{name}, line {line}"
    return f"{where}: {_told(problem, place)}"


def _told(problem: Any, place: Sequence[str | int]) -> str:
    field = ".".join(str(part) for part in place) or "the file"
    match problem["type"]:
        case "missing":
            example = _EXAMPLES.get(str(place[0])) if len(place) == 1 else None
            return f"{field} is missing; add it" + (f", for example {example}" if example else "")
        case "extra_forbidden":
            known = _known(place[:-1])
            near = difflib.get_close_matches(str(place[-1]), known, n=1)
            return f"{field} is unknown; " + (
                f"did you mean {near[0]}?" if near else f"what can stand there: {', '.join(known)}"
            )
        case "forbidden" | "rule":
            return f"{field}: {problem['msg']}"
        case "string_pattern_mismatch":
            named = [part for part in place if isinstance(part, str)]
            own = named[-1] if named[0] in ("prompts", "asking") else named[0]
            like = _LIKE.get(own, "one line of text")
            return f"{field} is {_short(problem['input'])}; write {like}"
        case _:
            return f"{field} is {_short(problem['input'])}; {_lowered(problem['msg'])}"


def _known(place: Sequence[str | int]) -> list[str]:
    schema = Study.model_json_schema()
    at: Any = schema
    for part in place:
        at = _resolved(schema, at)
        at = at.get("properties", {}).get(part) or at.get("items") or at.get("additionalProperties") or {}
    return sorted(_resolved(schema, at).get("properties", {}))


def _resolved(schema: Any, at: Any) -> Any:
    for option in at.get("anyOf", ()):
        if "$ref" in option or "properties" in option:
            return _resolved(schema, option)
    if "$ref" in at:
        return schema["$defs"][at["$ref"].rpartition("/")[2]]
    return at


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


def _lowered(text: str) -> str:
    text = text.replace("Input should", "it should").replace("Value error, ", "")
    return text[:1].lower() + text[1:]
