"""A file that is wrong is refused in a line that names the place: both formats, every mutation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracker.study import Study, StudyError, load, parse
from tracker.study.ready import Ready, text_of
from tracker.study.toml_text import read_toml
from tracker.study.written import lines_of
from tracker.study.yaml_text import read_yaml

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.*ml"))
LEAST = """\
id: least
title: The least
version: "1"
help_contact: Dr. Example
deployment_context: private
controller: {name: Example University, contact: privacy@example.org}
purposes:
  - text: To learn something.
"""
PROMPTS = """\
prompts:
  - id: day
    windows:
      - {opens: "09:00", closes: "12:00"}
      - {opens: "11:00", closes: "14:00"}
"""


def problems(text: str, name: str = "study.yaml") -> tuple[str, ...]:
    with pytest.raises(StudyError) as refused:
        parse(text, name)
    return refused.value.problems


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("tile: x", "line 9: tile is unknown; did you mean title?"),
        ("retention: {notes: 3, ntes: 4}", "line 9: retention.ntes is unknown; did you mean notes?"),
        (PROMPTS, "line 11: prompts.0.windows: the window from 11:00 to 14:00 begins before"),
        (
            "prompts:\n  - id: a\n    at: ['23:00']",
            "line 11: prompts.0.at: 23:00 lies in the quiet hours from 22:00 to 08:00",
        ),
        (
            "prompts:\n  - id: a\n    windows:\n      - {opens: '09:00', closes: '09:30', prompts: 3}",
            "line 11: prompts.0.windows: 3 prompts 60 minutes apart need 121 minutes",
        ),
        ("prompts:\n  - id: a\n    at: [9:00]", "line 11: prompts.0.at.0 is '9:00'; write times of the day"),
        ("scopes: [notes]", "line 9: scopes.0: notes opens nothing without affect_series; ask for that too"),
        (
            "scopes:\n  - affect_series\n  - share_with_raters",
            "line 11: scopes.1: share_with_raters opens nothing without face_crops or raw_video",
        ),
        (
            "scopes: [affect_series]\nretention:\n  notes: 3",
            "line 11: retention.notes: this says how long notes is kept, but notes is never asked for",
        ),
        (
            "scopes: [affect_series]\nprompts:\n  - {id: a, at: ['09:00']}",
            "line 11: prompts.0: questions are put, but prompts is never asked for; add it to scopes",
        ),
        (
            "scopes: [affect_series, prompts]\nprompts:\n  - {id: a, after: learner_unsure}",
            "line 11: prompts.0.after: a question follows learner_unsure, but personal_learning is never asked",
        ),
        ("scopes: [affect_series, moods]", "line 9: scopes.1 is 'moods'; it should be 'affect_series'"),
        ("scopes: []", "line 9: scopes is []"),
        ("scopes: [affect_series, affect_series]", "line 9: scopes.1: affect_series is there twice"),
        (
            "storage: {a: How?}",
            "line 9: this is no YAML: a text with a question mark within [ ] or { } needs quotes",
        ),
        ("storage: a: b", "line 9: this is no YAML: a colon and a blank stand where no key can"),
        ("languages: {en: {titel: x}}", "line 9: languages.en.titel is unknown; did you mean title?"),
        ("languages: {en: {cards: {notes: {wat: x}}}}", "cards.notes.wat is unknown; did you mean what?"),
        ("zone: Europe/Berlim", "line 9: zone: 'Europe/Berlim' is no IANA time zone"),
        ("networks: ['Not A Network']", "line 9: networks.0 is 'Not A Network'; write a network as"),
        ("targets:\n  - {name: mood, question: How}", "line 10: targets.0.name is 'mood'; write a target"),
        (
            "targets:\n  - {name: 'yes_no:a', question: A}\n  - {name: 'yes_no:a', question: B}",
            "line 11: targets.1.name: 'yes_no:a' is there twice",
        ),
        (
            "targets: [{name: 'yes_no:a', question: A}]\nprompts:\n  - {id: a, at: ['09:00'], asks: ['yes_no:b']}",
            "line 11: prompts.0.asks.0: 'yes_no:b' is none of [[targets]]; there are: yes_no:a",
        ),
        (
            "languages:\n  en:\n    questions: {'yes_no:b': Really}",
            "line 11: languages.en.questions.yes_no:b: 'yes_no:b' is none of [[targets]]",
        ),
        ("contexts: {place: [home, home]}", "line 9: contexts.place: 'home' is there twice"),
        ("contexts: {place: [' home']}", "line 9: contexts.place.0 is ' home'; write a category"),
        ("contexts: {place: []}", "line 9: contexts.place is []"),
        ("export: {k: '5'}", "line 9: export.k is '5'; write a whole number, without quotes"),
        ("aggregates: {epsilon: .nan}", "line 9: .nan is no number that can be used; say one"),
        ("aggregates: {epsilon: 1e999}", "line 9: 1e999 is larger than any number here may be"),
        (
            "consent: {guardians: no}",
            "line 9: consent.guardians is 'no'; write true or false, without quotes",
        ),
        ("consent: {grace_days: 7.5}", "line 9: consent.grace_days is 7.5; write a whole number"),
        ("jurisdiction: 49", "line 9: jurisdiction is 49, which is no text; write it in quotes"),
        ("storage: ", "line 9: storage is empty"),
        ("consent:\n\tgrace_days: 3", "line 10: this is no YAML: a tab stands where blanks are needed"),
        ("id: other", "line 9: id stands twice, first on line 1; keep one"),
        ("consent: &c {grace_days: 3}", "line 9: &c is an anchor; write out what is meant"),
        ("a: &a [x]\nb: [*a, *a]", "line 9: &a is an anchor"),
        ("<<: {id: b}", "line 9: << merges other mappings in"),
        ("storage: !!python/name:os.system", "line 9: tag:yaml.org,2002:python/name:os.system is a tag"),
        ("---\nid: second", "line 9: a second document begins"),
        ("consent: {grace_days: 3", "line 9: this is no YAML"),
        ('storage: ["a\\0b"]', "line 9: storage.0 holds U+0000"),
        ("storage: ['\x07']", "line 9: U+0007 has no place in YAML"),
        ("storage: " + "[" * 40 + "]" * 40, "line 9: it is nested deeper than 16 levels"),
    ],
)
def test_a_yaml_file_is_told_line_field_and_remedy(more: str, told: str) -> None:
    found = problems(LEAST + more + "\n")
    assert all("\n" not in problem for problem in found)
    assert any(told in problem for problem in found), found


@pytest.mark.parametrize("name", ["study.yaml", "study.toml"])
def test_what_is_missing_is_told_as_the_file_is_written(name: str) -> None:
    """Each example can be put into the file as it stands: in YAML as YAML, in TOML as TOML."""
    found = problems("zone: UTC\n" if name.endswith("yaml") else 'zone = "UTC"\n', name)
    examples = [problem.partition("for example ")[2] for problem in found]
    assert len(examples) == 7
    assert all(examples)
    if name.endswith("yaml"):
        assert parse("\n".join(examples), name).title == "Sleep and mood"
    else:
        # A table is on lines of its own.
        text = "\n".join(re.sub(r"(?<=\]) |, (?=contact)", "\n", example) for example in examples)
        assert parse(text, name).title == "Sleep and mood"


def test_what_is_wrong_in_several_places_is_told_of_each() -> None:
    found = problems(LEAST + "zone: Nowhere\ncontexts: {place: [a, a]}\n" + PROMPTS)
    assert [re.findall(r"line (\d+)", problem) for problem in found] == [["9"], ["10"], ["13"]]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (LEAST.encode("utf-16"), "line 1: this is UTF-16; save it as UTF-8"),
        (
            LEAST.encode() + "jurisdiction: \u00d6sterreich\n".encode("latin-1"),
            "line 9: byte 0xd6 is no UTF-8",
        ),
        (b"", "line 1: id is missing; add it"),
        (b"- a\n", "line 1: a study file is one mapping of keys"),
    ],
)
def test_bytes_that_are_no_study_are_told_their_line(tmp_path: Path, raw: bytes, told: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(raw)
    with pytest.raises(StudyError, match=re.escape(told)):
        load(path)


@pytest.mark.parametrize("name", ["study.yaml", "study.toml"])
def test_a_byte_order_mark_and_windows_lines_change_nothing(tmp_path: Path, name: str) -> None:
    text = LEAST if name.endswith("yaml") else EXAMPLES_TOML.read_text("utf-8")
    path = tmp_path / name
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load(path) == parse(text, name)
    bad = text.replace("\n", "\r\n") + "\r\n\r\n"
    bad = bad.replace("version: ", "versoin: ").replace("version = ", "versoin = ")
    (found, *_) = [p for p in problems(bad, name) if "unknown" in p]
    line = int(re.findall(r"line (\d+)", found)[0])
    assert "versoin" in bad.split("\n")[line - 1]


EXAMPLES_TOML = next(path for path in EXAMPLES if path.name == "sampling.toml")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("x = [", "this is no TOML"),
        ("x = " + "[" * 200 + "]" * 200, "nested deeper than 16 levels"),
        ("x = " + "9" * 5000, "no such number can be read"),
        ("quiet = 08:30:00", "unknown"),
        ('id = "b"', "Cannot overwrite a value"),
    ],
)
def test_a_toml_file_is_told_its_line(more: str, told: str) -> None:
    text = "id = 'a'\n" + more + "\n"
    assert any(f"line 2: {told}" in p or (told in p and ", line 2: " in p) for p in problems(text, "s.toml"))


def test_an_inline_table_is_told_by_its_own_line() -> None:
    text = EXAMPLES_TOML.read_text("utf-8").replace('opens = "12:00"', 'opens = "12.00"')
    (found,) = problems(text, "s.toml")
    line = 1 + text.split("\n").index(next(row for row in text.split("\n") if "12.00" in row))
    assert f"line {line}: prompts.0.windows.1.opens is '12.00'" in found


def _lines_exist(text: str, name: str) -> Study | None:
    try:
        return parse(text, name)
    except StudyError as error:
        for problem in error.problems:
            found = re.match(rf"{re.escape(name)}, line (\d+): .", problem)
            assert found, f"names no line: {problem}"
            assert 1 <= int(found[1]) <= lines_of(text), problem
            assert "\n" not in problem
        return None


_BITS = st.sampled_from(
    ["", " ", "\t", "\n", ":", "-", "[", "]", "{", "}", '"', "'", "#", "&a ", "*a", "!!int ", "<<", "null", "~",
     ".nan", "1e400", "-1", "0", "99999999999999999999", "true", "no", "\ufeff", "\x00", "\x85", "\u2028", "\ud800",
     "é", "=", "[[", "]]", "08:30", "2026-13-01", '"""', "'''", "\\", "|", ">", "---\n", "...\n", "%", "@", "`", ","]
)  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_every_mutation_checks_clean_or_names_a_line_that_exists(path: Path, data: st.DataObject) -> None:
    text = path.read_text("utf-8")
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(_BITS | st.text(max_size=4)) + text[end:]
    _lines_exist(text, path.name)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_moved_line_checks_clean_or_names_a_line_that_exists(path: Path, data: st.DataObject) -> None:
    lines = path.read_text("utf-8").split("\n")
    of = st.integers(0, len(lines) - 1)
    match data.draw(st.sampled_from(["drop", "twice", "swap", "indent"])):
        case "drop":
            del lines[data.draw(of)]
        case "twice":
            n = data.draw(of)
            lines.insert(n, lines[n])
        case "swap":
            a, b = data.draw(of), data.draw(of)
            lines[a], lines[b] = lines[b], lines[a]
        case _:
            n = data.draw(of)
            lines[n] = data.draw(st.sampled_from(["  ", " ", "\t", "    "])) + lines[n]
    _lines_exist("\n".join(lines), path.name)


@settings(max_examples=300, deadline=None)
@given(text=st.text())
@example("a: '\ud800'")
@example("")
@example("\ufeff")
@example("a = '''")
@example('"\\ud800" = 1')
def test_whatever_text_it_is_a_line_is_named(text: str) -> None:
    for name in ("study.yaml", "study.toml"):
        _lines_exist(text, name)


_values = st.recursive(
    st.integers(-(10**6), 10**6) | st.booleans() | st.text("abc \"'#[]{}\\\n", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.c'\" ", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_toml(one)}, # a comment ] }}\n" for one in value) + "]"
    return json.dumps(value)


@settings(max_examples=150, deadline=None)
@given(said=st.dictionaries(st.text("abc", min_size=1, max_size=3), _values, min_size=1, max_size=4))
def test_every_key_and_element_of_a_toml_text_has_the_line_on_which_it_begins(
    said: dict[str, object],
) -> None:
    text, lines = "", {}
    for key, value in said.items():
        lines[key] = lines_of(text) + (1 if text else 0)
        text += f"{key} = {_toml(value)}\n"
    found = read_toml(text)
    assert found.said == said
    assert {key: found.line((key,)) for key in said} == lines
    for key, value in said.items():
        if isinstance(value, list):
            for n, one in enumerate(value):
                row = text.split("\n")[found.lines[key, n] - 1]
                assert row.startswith("  ") or isinstance(one, (list, dict))


@pytest.mark.parametrize("ready", Ready)
def test_what_begins_a_study_is_sound_and_is_the_example_in_the_documents(ready: Ready) -> None:
    text = text_of(ready)
    assert parse(text, f"{ready}.yaml").id == ready.value
    example_file = next(path for path in EXAMPLES if path.name == f"{ready}.yaml")
    assert example_file.read_text("utf-8") == text


def test_the_same_study_may_be_written_in_either_format() -> None:
    toml = parse((EXAMPLES_TOML.parent / "sampling.toml").read_text("utf-8"))
    assert parse(json.dumps(toml.document()), "study.yaml") == toml, "JSON is YAML"
    assert read_yaml("a: 08:30").said == {"a": "08:30"}
