"""A study file is whole and sound, or refused with the place, the value and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.domain.consent import Scope
from tracker.domain.notice_changes import changes
from tracker.study import (
    DEFAULT,
    Deployment,
    ForbiddenStudyError,
    Study,
    StudyError,
    from_document,
    load,
    notice_text,
    notice_texts,
    parse,
)
from tracker.study.deployment import ATTESTED, REFUSED

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LEAST = """\
id = "least"
title = "The least"
version = "1"
help_contact = "Dr. Example"
deployment_context = "{where}"

[controller]
name = "Example University"
contact = "privacy@example.org"

[[purposes]]
text = "To learn something."
"""
ATTESTATION = """
[attestation]
ground = "medical"
by = "Dr. Example, chief physician"
why = "Seizures are recognised by the face; ethics vote 17/2026."
on = 2026-03-01
"""


def least(more: str = "", where: str = "private") -> Study:
    return parse(LEAST.format(where=where) + more)


def problem(more: str, where: str = "private") -> str:
    with pytest.raises(StudyError) as refused:
        least(more, where)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda f: f.stem)
def test_every_example_is_a_sound_study(file: Path) -> None:
    assert from_document(json.loads(json.dumps(load(file).document()))) == load(file)


def test_an_example_is_there() -> None:
    assert (EXAMPLES / "diary.toml").is_file()


def test_what_is_not_said_is_the_defaults() -> None:
    study = least()
    assert study.consent.grace_days == 7
    assert study.consent.expires_after_days is None
    assert study.aggregates.min_people == 10
    assert study.export.k == 5
    assert not study.closed


@pytest.mark.parametrize("where", sorted(REFUSED))
def test_what_the_design_refuses_is_refused_whatever_anybody_attests(where: Deployment) -> None:
    for more in ("", ATTESTATION):
        with pytest.raises(
            ForbiddenStudyError, match=f"line 5: deployment_context: {where.value} is refused"
        ):
            least(more, where)


@pytest.mark.parametrize("where", sorted(ATTESTED))
def test_work_and_education_need_somebody_to_answer_for_them(where: Deployment) -> None:
    with pytest.raises(ForbiddenStudyError, match=r"say who answers for it: \[attestation\]"):
        least("", where)
    said = least(ATTESTATION, where).attestation
    assert said is not None
    assert said.by == "Dr. Example, chief physician"
    with pytest.raises(StudyError, match="why is 'because'"):
        least(
            ATTESTATION.replace("Seizures are recognised by the face; ethics vote 17/2026.", "because"), where
        )
    with pytest.raises(StudyError, match="ground is 'research'"):
        least(ATTESTATION.replace('"medical"', '"research"'), where)


def test_every_place_is_allowed_attested_or_refused() -> None:
    for where in Deployment:
        if where not in REFUSED | ATTESTED:
            assert least(where=where).deployment_context is where
            assert "nothing to attest" in problem(ATTESTATION, where)


def test_the_place_of_a_context_is_no_deployment() -> None:
    assert "deployment_context is 'work'" in problem("", "work")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            "[retention]\naffect_sries = 3",
            "line 14: retention.affect_sries is unknown; did you mean affect_series?",
        ),
        ("[retention]\nnotes = 0", "line 14: retention.notes is 0; it should be greater than or equal to 1"),
        ('[retention]\nnotes = "3"', "line 14: retention.notes is '3'"),
        ("[retention]\nnotes = 3.0", "line 14: retention.notes is 3.0"),
        ("[retention]\nshare_with_raters = 3", "retention.share_with_raters is unknown"),
        ("[consent]\nguardians = 1", "line 14: consent.guardians is 1"),
        ("[consent]\ngrace_days = -1", "line 14: consent.grace_days is -1"),
        ("[aggregates]\nmin_people = 9", "line 14: aggregates.min_people is 9"),
        ("[aggregates]\nepsilon = inf", "line 14: aggregates.epsilon is"),
        ("[export]\nk = 1", "line 14: export.k is 1"),
        ('[[purposes]]\ntext = ""', "line 14: purposes.1.text is ''"),
        (
            "[coarsening]\nnotes = []",
            "line 14: coarsening.notes is unknown; what can stand there: affect_series",
        ),
        (
            '[coarsening]\naffect_series = [{ after_days = 29, to = "minute" }]',
            "line 14: coarsening.affect_series.0.after_days is 29",
        ),
        (
            '[coarsening]\naffect_series = [{ after_days = 30, to = "minute" }]',
            "say face_crops = 30 in [retention], or less",
        ),
        (
            '[retention]\nface_crops = 30\n[coarsening]\naffect_series = [{ after_days = 30, to = "hour" }, '
            '{ after_days = 60, to = "minute" }]',
            "line 16: coarsening.affect_series: minute after 60 days follows hour after 30",
        ),
        (
            "[retention]\nface_crops = 30\naffect_series = 40\n[coarsening]\n"
            'affect_series = [{ after_days = 40, to = "hour" }]',
            "erased after 40 days, before it becomes one row per hour",
        ),
        ("[languages.de]\ntitle = 'Ein Monat'", "line 13: languages.de: preamble is missing"),
        ("[languages.german]", "languages.german is 'german'; write a language as de"),
        (
            "[retention]\nnotes = 90\n[languages.en.cards.notes]\nhow_long = 'Until the end of time.'",
            "line 16: languages.en.cards.notes.how_long: what is shown must name the 90 days",
        ),
        ("x = ", "study.toml, line 13: this is no TOML: Invalid value"),
    ],
)
def test_an_error_names_place_value_and_remedy(more: str, told: str) -> None:
    assert told in problem(more)


def test_nobody_takes_the_name_of_the_built_in_study() -> None:
    with pytest.raises(StudyError, match="line 1: id is 'built-in'"):
        parse(LEAST.format(where="private").replace('"least"', '"built-in"'))


def test_every_problem_is_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as refused:
        parse('id = "A"\n')
    assert len(refused.value.problems) == 7
    assert "and 6 more" in str(refused.value)


def test_a_file_that_is_none_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    with pytest.raises(StudyError, match="no UTF-8"):
        load(tmp_path / "latin.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(StudyError, match="at most 300000"):
        load(tmp_path / "long.toml")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict):
        return [path]
    return [path, *(p for key, inner in value.items() for p in _paths(inner, (*path, key)))]


WHOLE = load(EXAMPLES / "diary.toml").document()


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from([p for p in _paths(WHOLE) if p]), value=_json)
def test_whatever_is_stored_is_that_very_study_or_refused(place: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(WHOLE))
    at = document
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    try:
        study = from_document(document)
    except StudyError:
        return
    assert from_document(study.document()) == study


def test_the_built_in_study_shows_the_text_that_it_always_showed() -> None:
    assert notice_text(DEFAULT).notice().sha256.startswith("32f4e61c889a")


def test_a_notice_says_what_the_study_says() -> None:
    study = load(EXAMPLES / "diary.toml")
    text = notice_text(study)
    assert text.about is not None
    assert (text.about.study, text.about.consent_days) == ("My month", 60)
    assert text.card(Scope.FACE_CROPS).how_long.startswith("30 days")
    assert "After 31 days only one value a minute is kept." in text.card(Scope.AFFECT_SERIES).how_long
    assert type(text).from_document(text.version, text.language, text.document()) == text


@settings(max_examples=30, deadline=None)
@given(days=st.integers(1, 30), other=st.integers(1, 30))
def test_texts_are_the_same_exactly_where_what_is_shown_is(days: int, other: int) -> None:
    one, two = (notice_text(least(f"[retention]\nface_crops = {n}")).notice() for n in (days, other))
    assert (one == two) == (days == other)


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ('id = "least"', 'id = "another"'),
        ("Dr. Example", "Dr. Other"),
        ("privacy@example.org", "data@acme.example"),
        ("[controller]", 'recipients = ["ACME Insurance Ltd"]\n[controller]'),
        ("[controller]", 'storage = ["a cloud elsewhere"]\n[controller]'),
        ("[controller]", 'jurisdiction = "US"\n[controller]'),
        ("[[purposes]]", "[consent]\ngrace_days = 0\n[[purposes]]"),
    ],
)
def test_who_receives_it_and_under_whose_law_is_part_of_what_is_agreed_to(said: str, other: str) -> None:
    changed = parse(LEAST.format(where="private").replace(said, other))
    text = notice_text(changed)
    assert text.notice().sha256 != notice_text(least()).notice().sha256
    assert len(changes(notice_text(least()), text)) == 1


def test_what_an_export_hides_among_may_change_without_asking_everybody_again() -> None:
    moved = least("[export]\nk = 9")
    assert notice_texts(moved) == notice_texts(least())
    assert moved.sha256 != least().sha256


def test_a_text_from_before_notices_named_recipients_is_still_read() -> None:
    text = notice_text(least())
    old = {"study": "A", "controller": "B", "purposes": ["C"], "consent_days": None}
    read = type(text).from_document("1", "en", {**text.document(), "about": old})
    assert read.about is not None
    assert (read.about.purposes, read.about.recipients, read.about.grace_days) == (("C",), (), None)
