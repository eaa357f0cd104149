"""Nothing in a study file is for show: what each key changes, looked at where it acts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOW, installation, person
from tests.processes import close
from tracker.domain.consent import Scope
from tracker.domain.raters import rater_notice
from tracker.domain.schedules import slots
from tracker.study import Study, StudyError, horizons, notice_text, parse, question_text
from tracker.study.keeping import coarse_from
from tracker.workflows import receipts, studies
from tracker.workflows.budgets import budget_of
from tracker.workflows.prompting.deciding import policy_of

ROOT = Path(__file__).parents[2]
BASE = """\
id: whole
title: Everything said
version: "1"
help_contact: Dr. Example
deployment_context: workplace
jurisdiction: DE
storage: [a server]
recipients: [the researchers]
scopes: [affect_series, context, face_crops, raw_video, notes, prompts, personal_learning, share_with_raters,
  export_public]
zone: Europe/Berlin
networks: [default]
closed: false
controller: {name: Example University, contact: privacy@example.org, address: Street 1}
purposes:
  - {text: To learn something., dpv: AcademicResearch}
attestation: {ground: medical, by: Dr. Example, why: Seizures are recognised by the face., on: 2026-03-01}
targets:
  - {name: "number:stress", question: How stressed, low: not, high: very}
contexts: {place: [home], activity: [working], company: [alone]}
consent: {expires_after_days: 60, guardians: false, grace_days: 7}
retention: {affect_series: 365, context: 300, face_crops: 30, raw_video: 20, notes: 200, prompts: 100,
  personal_learning: 29}
coarsening:
  affect_series: [{after_days: 31, to: minute}]
aggregates: {epsilon: 1.0, delta: 1.0e-6, min_people: 10}
export: {k: 5, public: false}
asking: {quiet_from: "22:00", quiet_until: "08:00", gap_minutes: 60, per_day: 9, warm_up_days: 7, audits: 0.03,
  through_silence: 0.04, unsure_per_day: 5, web_push: false}
prompts:
  - id: day
    at: ["08:30"]
    windows: [{opens: "10:00", closes: "20:00", prompts: 2}]
    days: all
    apart_minutes: 90
    expires_after_minutes: 61
    reminders: 1
    remind_after_minutes: 15
    yields: true
    asks: [emotion, valence]
  - id: back
    after: face_after_gap
    unseen_minutes: 45
rating: {second_share: 0.2, gold_share: 0.05, random_every: 10, goal: 20, reveal: false, lag_s: 2.0}
languages:
  en: {title: A title, questions: {"number:stress": Stressed now}}
"""
AT = datetime(2026, 3, 20, 12, tzinfo=UTC)


def study_of(text: str) -> Study:
    return parse(text, "whole.yaml")


def notice(study: Study) -> Any:
    return notice_text(study, "en").document()


def drawn(study: Study) -> Any:
    days = (date(2026, 3, 20) + timedelta(days=n) for n in range(30))
    return [slot for day in days for slot in slots(study.plan, "ada", day, "Europe/Berlin")]


def schedules(study: Study) -> Any:
    return study.plan.schedules


def kept(study: Study) -> Any:
    return horizons(study, AT), coarse_from(study, AT)


def answers(study: Study) -> Any:
    said = [(question_text(study, q, "en"), q.name, q.low, q.high) for q in study.own_questions]
    return said, dict(study.contexts)


Looked = Callable[[Study], Any]
RECORD = "record"
"""Looked at in the consent record that a participant takes away."""

EFFECTS: dict[str, tuple[str, str, Looked | str]] = {
    "id": ("id: whole", "id: other", drawn),
    "title": ("title: Everything said", "title: Another", RECORD),
    "version": ('version: "1"', 'version: "2"', RECORD),
    "help_contact": ("contact: Dr. Example", "contact: Dr. Other", lambda s: rater_notice(s.help_contact)),
    "deployment_context": ("deployment_context: workplace", "deployment_context: hiring", "refused"),
    "controller.name": ("Example University", "Another University", notice),
    "controller.contact": ("privacy@example.org", "data@example.org", notice),
    "controller.address": ("Street 1", "Street 2", RECORD),
    "purposes.text": ("To learn something.", "To learn more.", notice),
    "purposes.dpv": ("AcademicResearch", "CommercialResearch", RECORD),
    "jurisdiction": ("jurisdiction: DE", "jurisdiction: FR", notice),
    "storage": ("[a server]", "[a cloud]", notice),
    "recipients": ("[the researchers]", "[an insurer]", notice),
    "scopes": ("export_public]", "export_public, share_with_researchers]", notice),
    "zone": (
        "Europe/Berlin",
        "Asia/Tokyo",
        "tests/workflows/test_study_migrations.py::test_whoever_is_enrolled",
    ),
    "networks": ("networks: [default]", "networks: [large]", lambda s: s.reads_with("default@0123456789ab")),
    "targets.name": ("number:stress", "number:tension", answers),
    "targets.question": ("How stressed", "How tense", "tests/webui/test_study_form.py::test_the_form_asks"),
    "targets.low": ("low: not", "low: never", answers),
    "targets.high": ("high: very", "high: always", answers),
    "contexts.place": ("[home]", "[ship]", answers),
    "contexts.activity": ("[working]", "[sailing]", answers),
    "contexts.company": ("[alone]", "[the crew]", answers),
    "attestation.ground": ("ground: medical", "ground: fun", "refused"),
    "attestation.by": ("by: Dr. Example", "by: ''", "refused"),
    "attestation.why": ("Seizures are recognised by the face.", "because", "refused"),
    "attestation.on": ("on: 2026-03-01", "on: soon", "refused"),
    "consent.expires_after_days": ("expires_after_days: 60", "expires_after_days: 61", notice),
    "consent.guardians": (
        "guardians: false",
        "guardians: true",
        "tests/workflows/test_studies.py::test_a_guardian_must_agree",
    ),
    "consent.grace_days": ("grace_days: 7", "grace_days: 8", notice),
    **{
        f"retention.{scope}": (f"{scope}: {days}", f"{scope}: {days - 1}", kept)
        for scope, days in (
            ("affect_series", 365),
            ("context", 300),
            ("face_crops", 30),
            ("raw_video", 20),
            ("notes", 200),
            ("prompts", 100),
            ("personal_learning", 29),
        )
    },
    "coarsening.affect_series.after_days": ("after_days: 31", "after_days: 32", kept),
    "coarsening.affect_series.to": ("to: minute", "to: hour", notice),
    "aggregates.epsilon": ("epsilon: 1.0", "epsilon: 2.0", budget_of),
    "aggregates.delta": ("delta: 1.0e-6", "delta: 1.0e-7", budget_of),
    "aggregates.min_people": ("min_people: 10", "min_people: 11", budget_of),
    "export.k": ("k: 5", "k: 6", "tests/workflows/test_export_anonymity.py::test_a_study_of_few_people"),
    "export.public": ("public: false", "public: true", "tests/cli/test_study.py::test_no_public_export"),
    "asking.quiet_from": ('quiet_from: "22:00"', 'quiet_from: "23:00"', policy_of),
    "asking.quiet_until": ('quiet_until: "08:00"', 'quiet_until: "07:00"', policy_of),
    "asking.gap_minutes": ("gap_minutes: 60", "gap_minutes: 30", policy_of),
    "asking.per_day": ("per_day: 9", "per_day: 8", policy_of),
    "asking.warm_up_days": ("warm_up_days: 7", "warm_up_days: 3", policy_of),
    "asking.audits": ("audits: 0.03", "audits: 0.5", policy_of),
    "asking.through_silence": ("through_silence: 0.04", "through_silence: 0.5", policy_of),
    "asking.web_push": ("web_push: false", "web_push: true", notice),
    "asking.unsure_per_day": (
        "unsure_per_day: 5",
        "unsure_per_day: 1",
        "tests/workflows/test_prompting.py::test_an_unsure_learner_asks_within_its_budget",
    ),
    "prompts.id": ("id: day", "id: other", drawn),
    "prompts.at": ('at: ["08:30"]', 'at: ["08:40"]', drawn),
    "prompts.windows.opens": ('opens: "10:00"', 'opens: "13:00"', drawn),
    "prompts.windows.closes": ('closes: "20:00"', 'closes: "17:00"', drawn),
    "prompts.windows.prompts": ("prompts: 2}", "prompts: 3}", drawn),
    "prompts.after": ("after: face_after_gap\n    unseen_minutes: 45", "after: learner_unsure", schedules),
    "prompts.unseen_minutes": ("unseen_minutes: 45", "unseen_minutes: 50", schedules),
    "prompts.days": ("days: all", "days: weekends", drawn),
    "prompts.apart_minutes": ("apart_minutes: 90", "apart_minutes: 240", drawn),
    "prompts.expires_after_minutes": ("minutes: 61", "minutes: 50", drawn),
    "prompts.reminders": ("reminders: 1", "reminders: 2", schedules),
    "prompts.remind_after_minutes": ("remind_after_minutes: 15", "remind_after_minutes: 20", schedules),
    "prompts.yields": ("yields: true", "yields: false", schedules),
    "prompts.asks": ("[emotion, valence]", "[arousal]", schedules),
    "rating.second_share": (
        "second_share: 0.2",
        "second_share: 1",
        "tests/workflows/test_rating_queue.py::test_as_many_see_an_item",
    ),
    "rating.gold_share": (
        "gold_share: 0.05",
        "gold_share: 0.5",
        "tests/workflows/test_rating_queue.py::test_known_answers_come_hidden",
    ),
    "rating.random_every": (
        "random_every: 10",
        "random_every: 5",
        "tests/workflows/test_rating_queue.py::test_the_most_unsure_come_first",
    ),
    "rating.goal": ("goal: 20", "goal: 30", "tests/workflows/test_rating_rules.py::test_the_goal"),
    "rating.reveal": (
        "reveal: false",
        "reveal: true",
        "tests/webui/test_rate.py::test_the_estimate_is_told_after_ones_own_word",
    ),
    "rating.lag_s": ("lag_s: 2.0", "lag_s: 3.0", "tests/workflows/test_rating_rules.py::test_the_lag"),
    "languages.*.title": ("title: A title", "title: Another title", notice),
    "languages.*.preamble": (
        "title: A title,",
        "title: A title, preamble: Read this; it ends after 60 days.,",
        notice,
    ),
    "languages.*.purposes": ("title: A title,", "title: A title, purposes: [For you],", notice),
    "languages.*.cards.*.title": ("A title,", "A title, cards: {notes: {title: Words}},", notice),
    "languages.*.cards.*.what": ("A title,", "A title, cards: {notes: {what: Words}},", notice),
    "languages.*.cards.*.why": ("A title,", "A title, cards: {notes: {why: Words}},", notice),
    "languages.*.cards.*.who": ("A title,", "A title, cards: {notes: {who: Words}},", notice),
    "languages.*.cards.*.how_long": ("A title,", "A title, cards: {notes: {how_long: 200 days}},", notice),
    "languages.*.questions": ("Stressed now", "Tense now", answers),
    "closed": (
        "closed: false",
        "closed: true",
        "tests/cli/test_study.py::test_a_closed_study_stores_nothing",
    ),
}


def leaves(schema: Any, at: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every key that a file can say, by its place; what may be called anything is a star."""
    at = resolved(schema, at)
    inner = at.get("items") and resolved(schema, at["items"])
    named = next(iter(at.get("patternProperties", {}).values()), None) or at.get("additionalProperties")
    if "properties" in at:
        for key, value in at["properties"].items():
            yield from leaves(schema, value, (*path, key))
    elif inner and "properties" in inner:
        yield from leaves(schema, inner, path)
    elif isinstance(named, dict) and "properties" in resolved(schema, named):
        yield from leaves(schema, named, (*path, "*"))
    else:
        yield ".".join(path)


def resolved(schema: Any, at: Any) -> Any:
    for option in at.get("anyOf", ()):
        if "$ref" in option or "properties" in option:
            return resolved(schema, option)
    return resolved(schema, schema["$defs"][at["$ref"].rpartition("/")[2]]) if "$ref" in at else at


def test_every_key_has_its_effect_here() -> None:
    schema = Study.model_json_schema()
    assert set(leaves(schema, schema)) == EFFECTS.keys()


@pytest.mark.parametrize("key", EFFECTS)
def test_a_key_changes_what_is_done(key: str, tmp_path: Path) -> None:
    old, new, looked = EFFECTS[key]
    assert BASE.count(old) >= 1, f"{old!r} is not in the file"
    changed = BASE.replace(old, new)
    if looked == "refused":
        with pytest.raises(StudyError, match=key.partition(".")[0]):
            study_of(changed)
        return
    before, after = study_of(BASE), study_of(changed)
    assert before.sha256 != after.sha256, "each key is part of what rows are governed by"
    if looked == RECORD:
        assert record(before, tmp_path / "a") != record(after, tmp_path / "b")
    elif isinstance(looked, str):
        file, _, test = looked.partition("::")
        assert re.search(rf"^def {test or 'test_'}", (ROOT / file).read_text("utf-8"), re.MULTILINE), looked
    else:
        assert looked(before) != looked(after)


def record(study: Study, folder: Path) -> Any:
    """The consent record of somebody who grants something in a study, without what is drawn anew each time."""
    folder.mkdir()
    access = installation(f"sqlite:///{folder / 'affect.sqlite3'}", folder)
    try:
        studies.apply(access, study, "ops", NOW)
        who = person(access, scopes=(Scope.AFFECT_SERIES,))
        made = json.dumps(receipts.receipt(access, who, NOW), default=str)
    finally:
        close(access)
    assert study.sha256 in made
    made = made.replace(study.sha256, "").replace(notice_text(study).notice().sha256, "")
    return re.sub(r"[0-9a-f]{12,}|[A-Za-z0-9+/_=-]{40,}", "", made)
