"""A receipt says of each choice what was shown when it was made, not what a later study says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOW, installation, person
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.privacy import signed
from tracker.privacy.verifying import verify
from tracker.study import DEFAULT
from tracker.study.parts import Controller
from tracker.workflows import consenting, receipts, studies

HOUR = timedelta(hours=1)
FIRST = DEFAULT.model_copy(update={"id": "month", "version": "1"})
SECOND = FIRST.model_copy(
    update={
        "id": "month-b",
        "recipients": ("ACME Insurance Ltd",),
        "storage": ("a cloud in the US",),
        "jurisdiction": "US",
        "controller": Controller(name="ACME", contact="data@acme.example"),
    }
)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


def test_each_choice_is_shown_under_the_study_that_asked_for_it(access: Access) -> None:
    studies.apply(access, FIRST, "ops", NOW - HOUR)
    ada = person(access, scopes=[Scope.AFFECT_SERIES])
    studies.apply(access, SECOND, "ops", NOW + HOUR)
    consenting.grant(access, ada, [Scope.CONTEXT], NOW + 2 * HOUR, recorder=Recorder.PARTICIPANT)
    made = receipts.receipt(access, ada, NOW + 3 * HOUR)
    verify(signed.written(made))
    said: dict[str, dict[str, Any]] = {r["affect:scope"]: r for r in made["dpv:hasRecordOfActivity"]}
    names = {e["@id"]: e["dpv:hasName"] for e in made["dpv:hasEntity"]}
    for scope, study in (("affect_series", FIRST), ("context", SECOND)):
        record = said[scope]
        process = record["dpv:hasProcess"]
        assert record["affect:study"]["sha256"] == study.sha256
        assert record["dpv:hasJurisdiction"] == study.jurisdiction
        assert names[record["dpv:hasDataController"]["@id"]] == study.controller.name
        assert process["dpv:hasRecipient"]["affect:ofTheStudy"] == list(study.recipients)
        assert process["dpv:hasStorageCondition"][0]["dpv:hasLocation"] == list(study.storage)
    assert made["affect:study"]["id"] == "month-b"
