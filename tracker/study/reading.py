"""From a file, or from what was stored, to a study: whole and checked, or an error that names the place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tracker.domain.texts import unkeepable
from tracker.study.errors import ForbiddenStudyError, StudyError
from tracker.study.parts import Part
from tracker.study.scheduling import overnight
from tracker.study.toml_text import read_toml
from tracker.study.whole import DEFAULT, Study
from tracker.study.written import Place, Written, WrittenError
from tracker.study.yaml_text import read_yaml

LARGEST = 300_000
"""No study file is longer than this many bytes."""

_P = TypeVar("_P", bound=Part)

_EXAMPLES = {
    "id": 'id = "sleep-and-mood"',
    "title": 'title = "Sleep and mood"',
    "version": 'version = "1"',
    "help_contact": 'help_contact = "Dr. Example, +49 30 1234567"',
    "deployment_context": 'deployment_context = "research_home"',
    "controller": '[controller] name = "Example University", contact = "privacy@example.org"',
    "purposes": '[[purposes]] text = "To study mood over a month."',
}

_IN_YAML = {key: said.replace(" = ", ": ") for key, said in _EXAMPLES.items()} | {
    "controller": 'controller: { name: "Example University", contact: "privacy@example.org" }',
    "purposes": 'purposes: [{ text: "To study mood over a month." }]',
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
    "networks": "a network as `affect-tracker networks list` shows it, such as default or default@0123456789ab",
    "name": "a target of your own as yes_no:tired or number:stress, 32 characters at most",
    "contexts": "a category of at most 64 characters, without blanks around it",
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
    return parse(_text(path), path.name)


def load_as(kind: type[_P], path: Path) -> _P:
    """Read any file of such tables, not only a study's: the same two languages, the same rules, the same errors.

    Parameters
    ----------
    kind
        What the file says as a whole.
    path
        YAML where its name ends in ``.yaml`` or ``.yml``, else TOML.

    Raises
    ------
    StudyError
        As `load`.
    """
    written = _written(_text(path), path.name)
    return _checked(written.said, path.name, written, kind)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StudyError([f"{path} cannot be read: {error.strerror}"]) from None
    if len(raw) > LARGEST:
        raise StudyError([f"{path} has {len(raw)} bytes; a study file has at most {LARGEST}"])
    return _decoded(raw, path.name)


def parse(text: str, name: str = "study.toml") -> Study:
    """Read a study from the text of its file.

    Parameters
    ----------
    text
        YAML where the name ends in ``.yaml`` or ``.yml``, else TOML.
    name
        What the file is called, also in errors.

    Raises
    ------
    StudyError, ForbiddenStudyError
        As `load`.

    Examples
    --------
    >>> parse('id = "a"')  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    tracker.study.errors.StudyError: study.toml, line 1: title is missing; add it, ... (and 5 more; ...)
    """
    written = _written(text, name)
    study = _checked(written.said, name, written, Study)
    if never := list(overnight(study.asking, study.prompts)):
        raise StudyError([_at(name, written, place, f"{_field(place)}: {told}") for _, place, told in never])
    if study.id == DEFAULT.id:
        raise StudyError(
            [
                f"{name}, line {written.line(('id',))}: id is {study.id!r}, the name of what stands without a "
                "study; take another"
            ]
        )
    return study


def _written(text: str, name: str) -> Written:
    try:
        return (read_yaml if name.lower().endswith((".yaml", ".yml")) else read_toml)(
            text.removeprefix("\ufeff")
        )
    except WrittenError as error:
        raise StudyError([f"{name}, line {error.line}: {error}"]) from None


def _decoded(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise StudyError([f"{name}, line 1: this is UTF-16; save it as UTF-8"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise StudyError(
            [f"{name}, line {line}: byte 0x{raw[error.start]:02x} is no UTF-8; save the whole file as UTF-8"]
        ) from None


def from_document(document: Mapping[str, Any]) -> Study:
    """The study that was stored as `Study.document`."""
    return _checked(document, "the stored study", None, Study)


def _checked(said: Mapping[str, Any], name: str, written: Written | None, kind: type[_P]) -> _P:
    if problems := [_at(name, written, place, told) for place, told in _unkeepable(said, ())]:
        raise StudyError(problems)
    try:
        # By way of JSON, where texts may stand for dates and members of enumerations, and nothing else is bent.
        return kind.model_validate_json(json.dumps(said, default=_plain))
    except ValidationError as error:
        found = [one for problem in error.errors(include_url=False) for one in _each(problem)]
        problems = [_line(problem, name, written, kind) for problem in found]
        refused = ForbiddenStudyError if any(p["type"] == "forbidden" for p in found) else StudyError
        raise refused(problems) from None


def _each(problem: Any) -> list[Any]:
    """What is wrong with a study as a whole comes as one error, which holds each with its place."""
    if problem["type"] != "rules":
        return [problem]
    return [
        {"type": kind, "loc": place, "msg": told, "input": None}
        for kind, place, told in problem["ctx"]["problems"]
    ]


def _plain(value: Any) -> str:
    if isinstance(value, date | time):  # a datetime is a date too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a study file")


def _unkeepable(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Texts and keys that no database holds: the study is stored whole when it is applied."""
    if isinstance(value, str) and (found := unkeepable(value)):
        yield place, f"{_field(place)} holds {found}, which no text has; leave it out"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if found := unkeepable(str(key)):
                yield place, f"a key in {_field(place)} holds {found}, which no text has; leave it out"
            else:
                yield from _unkeepable(inner, (*place, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _unkeepable(inner, (*place, n))


def _line(problem: Any, name: str, written: Written | None, kind: type[Part]) -> str:
    place: Place = tuple(part for part in problem["loc"] if part != "[key]")
    return _at(name, written, place, _told(problem, place, kind, name))


def _at(name: str, written: Written | None, place: Place, told: str) -> str:
    return f"{name}: {told}" if written is None else f"{name}, line {written.line(place)}: {told}"


def _field(place: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in place).translate(_SHOWN) or "the file"


_SHOWN = {n: f"\\x{n:02x}" for n in (*range(32), 127)}
"""Control characters as they are written, so that a problem stays one line and moves no cursor."""


def _told(problem: Any, place: Sequence[str | int], kind: type[Part], name: str) -> str:
    field = _field(place)
    match problem["type"]:
        case "missing":
            examples = _IN_YAML if name.lower().endswith((".yaml", ".yml")) else _EXAMPLES
            example = examples.get(str(place[0])) if len(place) == 1 else None
            return f"{field} is missing; add it" + (f", for example {example}" if example else "")
        case "extra_forbidden":
            known = _known(place[:-1], kind)
            near = difflib.get_close_matches(str(place[-1]), known, n=1)
            return f"{field} is unknown; " + (
                f"did you mean {near[0]}?" if near else f"what can stand there: {', '.join(known)}"
            )
        case "string_type":
            return f"{field} is {_short(problem['input'])}, which is no text; write it in quotes"
        case "bool_type":
            return f"{field} is {_short(problem['input'])}; write true or false, without quotes"
        case "int_type" | "float_type" | "int_from_float" if isinstance(problem["input"], str | float):
            return f"{field} is {_short(problem['input'])}; write a {_number(problem)}, without quotes"
        case "finite_number":
            return f"{field} is {_short(problem['input'])}, which is no number that can be used; say one"
        case "forbidden" | "rule":
            return f"{field}: {problem['msg']}"
        case "string_pattern_mismatch":
            named = [part for part in place if isinstance(part, str)]
            own = named[-1] if named[0] in ("prompts", "asking", "targets") else named[0]
            like = _LIKE.get(own, "one line of text")
            return f"{field} is {_short(problem['input'])}; write {like}"
        case _:
            return f"{field} is {_short(problem['input'])}; {_lowered(problem['msg'])}"


def _number(problem: Any) -> str:
    return "number" if problem["type"] == "float_type" else "whole number"


def _known(place: Sequence[str | int], kind: type[Part]) -> list[str]:
    schema = kind.model_json_schema()
    at: Any = schema
    for part in place:
        at = _resolved(schema, at)
        at = at.get("properties", {}).get(part) or at.get("items") or _of_any_key(at) or {}
    return sorted(_resolved(schema, at).get("properties", {}))


def _of_any_key(at: Any) -> Any:
    patterns = list(at.get("patternProperties", {}).values())
    return patterns[0] if patterns else at.get("additionalProperties")


def _resolved(schema: Any, at: Any) -> Any:
    for option in at.get("anyOf", ()):
        if "$ref" in option or "properties" in option:
            return _resolved(schema, option)
    if "$ref" in at:
        return schema["$defs"][at["$ref"].rpartition("/")[2]]
    return at


def _short(value: Any) -> str:
    said = "empty" if value is None else repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


def _lowered(text: str) -> str:
    text = text.replace("Input should", "it should").replace("Value error, ", "")
    return text[:1].lower() + text[1:]
