"""At its deadline a row cannot be read although no job ran, and the next run erases it with what derives from it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.builders import NOW, leaning, observed, person, store
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.invariants.ruling import ruled
from tests.workflows.archived import bundle
from tests.workflows.exported import read
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.study.parts import Retention
from tracker.workflows import feedback, retention, timeline
from tracker.workflows.export import export_dataset

DAY = timedelta(days=1)
DAYS = 30
OLD, NEW = "canary-place-old", "canary-place-new"


def aged(access: Access, now: datetime) -> Person:
    """Somebody with 60 days of rows, of which the study keeps 30; contexts it keeps for 10."""
    ruled(access, now - 70 * DAY, retention=Retention(affect_series=DAYS, context=10, prompts=DAYS))
    who = person(access, now=now - 60 * DAY, covers_from=now - 60 * DAY)
    for days in range(59, 0, -2):
        at = now - days * DAY
        store(access, who, [observed(at, source=f"{days:064x}")], at)
        place = OLD if days > 10 else NEW
        feedback.add_context(access, who, Context(at, place=place), at)
        if days % 3 == 0:
            feedback.correct(access, who, Correction(at, "emotion", leaning(Emotion.FEAR, 0.9)), at)
    return who


def test_past_the_deadline_nothing_is_readable_and_no_job_ran(
    access: Access, tmp_path: Path, figure: Tell
) -> None:
    who = aged(access, NOW)
    stored = held.counts(access)
    deadline = NOW - DAYS * DAY
    with timeline.moments(access, who, NOW) as moments:
        instants = [moment.at for moment in moments]
    assert instants
    assert min(instants) >= deadline
    out = export_dataset(access, tmp_path / "out", NOW).folder
    for table in ("observations", "corrections"):
        rows = read(out, table)
        assert rows
        assert min(row["at"] for row in rows) >= deadline, table
    assert {row["place"] for row in read(out, "contexts")} == {NEW}
    files = bundle(access, who, NOW)
    for table in ("observations", "corrections"):
        told: list[dict[str, Any]] = json.loads(files[f"data/{table}.json"])
        assert told
        assert min(datetime.fromisoformat(row["at"]) for row in told) >= deadline, table
    assert [name for name, some in files.items() for _ in search(name, some, {"old": OLD.encode()})] == []
    assert held.counts(access)["observations"] == stored["observations"], (
        "this was to be shown without any job"
    )
    hidden = stored["observations"] - len([i for i in instants if i])
    figure(f"{hidden} of {stored['observations']} rows past {DAYS} days unreadable at once")


def test_the_next_run_erases_it_and_its_copies(access: Access, figure: Tell) -> None:
    who = aged(access, NOW)
    before = held.counts(access)
    retention.run(access, NOW)
    after = held.counts(access)
    assert 0 < after["observations"] < before["observations"]
    assert 0 < after["contexts"] < before["contexts"]
    with timeline.moments(access, who, NOW) as moments:
        assert len([m for m in moments if m.observation is not None]) == after["observations"]
    files = held.database_bytes(access)
    if (
        access.database.is_sqlite
    ):  # PostgreSQL gives pages back when VACUUM gets to them; an erasure does it at once
        assert [h for name, some in files.items() for h in search(name, some, {"old": OLD.encode()})] == []
    assert not held.naming(held.rows(access), OLD)
    assert retention.run(access, NOW) == {}
    gone = before["observations"] - after["observations"]
    figure(
        f"{gone} observations and {before['contexts'] - after['contexts']} contexts erased by the next run"
    )
