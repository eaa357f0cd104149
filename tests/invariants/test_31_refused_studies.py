"""A study that must not run cannot be applied, and no face is read before the notice was agreed to."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.builders import NOW, person
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.invariants.ruling import ruled
from tracker.access import Access
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.series import Context
from tracker.study import DEFAULT, parse
from tracker.study.deployment import Deployment
from tracker.study.errors import StudyError
from tracker.study.parts import Retention
from tracker.vision.media import open_source
from tracker.workflows import consenting, feedback, ingest

REFUSED = {"surveillance", "marketing", "insurance", "hiring", "policing", "border_control"}
ATTESTED = {"workplace", "education"}
"""DESIGN's list, written down a second time."""

STUDY = """
id = "proof"
title = "A study"
version = "1"
help_contact = "help@example.org"
deployment_context = "{context}"
[controller]
name = "Example University"
contact = "privacy@example.org"
[[purposes]]
{purpose}
{more}
"""
ATTESTATION = """
[attestation]
ground = "{ground}"
by = "A. Physician"
why = "so that a nurse notices a seizure early"
on = 2026-01-01
"""


def study(context: str, more: str = "") -> str:
    purpose = "\n".join(
        f'{k} = "{v}"' for k, v in DEFAULT.purposes[0].model_dump(mode="json").items() if isinstance(v, str)
    )
    return STUDY.format(context=context, purpose=purpose, more=more)


def test_every_deployment(figure: Tell) -> None:
    allowed = 0
    for deployment in Deployment:
        name = deployment.value
        if name in REFUSED | ATTESTED:
            with pytest.raises(StudyError, match=r"deployment_context|attestation"):
                parse(study(name))
        else:
            assert parse(study(name)).deployment_context is deployment
            allowed += 1
        for ground in ("medical", "safety"):
            text = study(name, ATTESTATION.format(ground=ground))
            if name in REFUSED:
                with pytest.raises(StudyError):
                    parse(text)
            elif name in ATTESTED:
                found = parse(text).attestation
                assert found is not None
                assert found.by == "A. Physician"
        with pytest.raises(StudyError):
            parse(study(name, ATTESTATION.format(ground="convenience")))
    assert {d.value for d in Deployment} >= REFUSED | ATTESTED
    figure(
        f"{len(Deployment)} deployments: {allowed} run, {len(REFUSED)} never, {len(ATTESTED)} attested alone"
    )


def test_there_must_be_a_help_contact() -> None:
    for missing in ("help_contact", "deployment_context"):
        lines = [line for line in study("private").splitlines() if not line.startswith(missing)]
        with pytest.raises(StudyError, match=missing):
            parse("\n".join(lines))


def test_where_a_participant_is_says_nothing_about_the_study(access: Access) -> None:
    who = person(access)
    for place in ("work", "school", "office"):
        feedback.add_context(access, who, Context(NOW, place=place), NOW)
    assert held.count(access, "contexts") == 3


class Never:
    """An engine and a detector that fail the test when anybody asks them anything."""

    name = "never"
    crop: Any = type("Spec", (), {"size": 64})()
    network: Any = type("Network", (), {"id": "never@000000000000"})()

    def find(self, pixels: Any) -> Any:
        raise AssertionError("a face was looked for before the notice was agreed to")

    def read(self, crops: Any) -> Any:
        raise AssertionError("a face was read before the notice was agreed to")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    folder.mkdir()
    cv2.imwrite(str(folder / "000.png"), np.zeros((64, 64, 3), np.uint8))
    return folder


@pytest.mark.parametrize(
    "state", ["never asked", "refused", "withdrawn", "another text", "all but the series"]
)
def test_no_inference_before_the_notice_was_agreed_to(access: Access, picture: Path, state: str) -> None:
    who = person(access, "ada", set(Scope) if state in ("withdrawn", "another text") else [])
    if state == "refused":
        consenting.refuse(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    elif state == "withdrawn":
        consenting.withdraw(access, who, [Scope.AFFECT_SERIES], NOW, recorder=Recorder.PARTICIPANT)
    elif state == "another text":
        ruled(access, NOW, retention=Retention(affect_series=500))
    elif state == "all but the series":
        consenting.grant(
            access, who, sorted(set(Scope) - {Scope.AFFECT_SERIES}), NOW, recorder=Recorder.PARTICIPANT
        )
    ticks, never = count(), Never()
    with pytest.raises(ConsentError):
        ingest.track(
            access, who, open_source(str(picture)), ingest.Plan(0.2, NOW), never, never,  # type: ignore[arg-type]
            clock=lambda: NOW, monotonic=lambda: next(ticks) * 0.01,
        )  # fmt: skip
    assert held.count(access, "observations") == 0
