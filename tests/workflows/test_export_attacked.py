"""What an export must not tell by the way: moves since, words of one person alone, and what rests on other grants."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import tracker.reading
from tests.builders import ALL, NOW, installation, leaning, observed, person, store
from tests.workflows.exported import DAY, MINUTE, bytes_of, manifest, read, someone
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Context, Correction, Estimate
from tracker.domain.stretches import Stretch
from tracker.study import Study
from tracker.study.errors import NoPublicExportError
from tracker.workflows import consenting, erasure, feedback, hiding
from tracker.workflows.export import export_dataset, journal
from tracker.workflows.prompting.moving import move


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


def test_a_move_tells_of_itself_in_no_export_of_before(access: Access, tmp_path: Path) -> None:
    ada = someone(access, "ada")
    first = export_dataset(access, tmp_path / "first", NOW)
    move(access, ada, "Asia/Tokyo", NOW + DAY)
    again = export_dataset(access, tmp_path / "again", NOW + 2 * DAY, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    past = export_dataset(access, tmp_path / "past", NOW + 2 * DAY, at=NOW)
    assert [r["zone"] for r in read(past.folder, "participants")] == ["Europe/Berlin"]


def test_an_answer_that_is_not_exported_names_no_column(lite: Access, tmp_path: Path) -> None:
    ada = someone(lite, "ada")
    feedback.correct(lite, ada, Correction(NOW - 2 * MINUTE, "arousal", None, 0.5), NOW)
    out = export_dataset(lite, tmp_path / "out", NOW, formats={"openesm"}).folder
    [table] = out.glob("*_ts.tsv")
    head = table.read_text("utf-8").splitlines()[0]
    assert '"leave_me_alone"' in head
    assert "arousal" not in head


def test_the_learner_of_now_reads_no_context_that_may_not_be_exported(lite: Access, tmp_path: Path) -> None:
    ada = person(lite, "ada", [s for s in ALL if s is not Scope.CONTEXT], now=NOW - DAY)
    consenting.grant(
        lite,
        ada,
        [Scope.CONTEXT],
        NOW - DAY,
        recorder=Recorder.OPERATOR,
        covers_from=NOW - 2 * DAY,
        evidence="form 1",
    )
    store(lite, ada, [observed(NOW - i * MINUTE) for i in range(1, 13)], NOW)
    feedback.add_context(lite, ada, Context(NOW - 30 * MINUTE, "home", company="alone"), NOW)
    for i in range(1, 10):
        feedback.correct(lite, ada, Correction(NOW - i * MINUTE, "emotion", leaning(Emotion.FEAR)), NOW)
    rows = read(export_dataset(lite, tmp_path / "out", NOW).folder, "estimates")
    now = {r["at"]: r for r in rows if r["source"] == "learner_now"}
    assert len(now) == 12
    with lite.read(ada.id, NOW) as unit:
        learner = personal.load(unit)
    assert learner is not None
    for at, row in now.items():
        seen = learner.features(leaning(Emotion.SADNESS), at, ZoneInfo("Europe/Berlin"), None)
        expected = learner.learner.predict(seen).probabilities
        assert [row[f"p_{e.value}"] for e in EMOTIONS] == pytest.approx(expected, abs=1e-9)


def test_a_word_of_one_person_alone_is_withheld_where_people_hide_each_other(
    access: Access, tmp_path: Path
) -> None:
    ada, *_ = [someone(access, name) for name in ("ada", "grace", "mary")]
    someone(access, "robot", simulated=True)
    feedback.add_context(access, ada, Context(NOW - 2 * MINUTE, "Dr. Abel's practice", company="alone"), NOW)
    out = export_dataset(access, tmp_path / "hid", NOW, k=2, shape="long").folder
    assert not [name for name, data in bytes_of(out).items() if b"Abel" in data]
    words = {(r["place"], r["company"]) for r in read(out, "contexts")}
    assert words == {("home", "alone"), (None, "alone")}
    again = export_dataset(access, tmp_path / "again", NOW, again=manifest(out)["export"])
    assert bytes_of(again.folder) == bytes_of(out)
    plain = export_dataset(access, tmp_path / "plain", NOW).folder
    assert b"Abel" in bytes_of(plain)["contexts.csv"]


def test_no_public_export_is_repeated_once_the_study_has_none(
    lite: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(5):
        someone(lite, f"p{i}")
    first = export_dataset(lite, tmp_path / "first", NOW, public=True)

    def refuse(study: Study) -> None:
        raise NoPublicExportError

    monkeypatch.setattr(Study, "demand_public_exports", refuse)
    with pytest.raises(NoPublicExportError):
        export_dataset(lite, tmp_path / "again", NOW, again=first.id)


class _StopError(BaseException):
    """As when somebody ends it."""


def test_what_is_erased_while_it_runs_or_between_two_runs_is_in_no_export(
    lite: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [someone(lite, name) for name in ("ada", "grace")]
    gone = Stretch(NOW - 6 * MINUTE, NOW - 4 * MINUTE)
    kept = journal.Journal.add
    ends = [_StopError, None]

    def noted(self: journal.Journal, done: journal.Done) -> None:
        kept(self, done)
        if (
            ends
        ):  # the first person is written by now: in the first run it ends, in the second rows are erased
            end = ends.pop(0)
            monkeypatch.setattr(journal.Journal, "add", kept) if not ends else None
            for who in people:
                erasure.erase_stretch(lite, who, gone, NOW)
            if end is not None:
                raise end

    monkeypatch.setattr(journal.Journal, "add", noted)
    with pytest.raises(_StopError):
        export_dataset(lite, tmp_path / "out", NOW)
    assert list(tmp_path.glob("out.partial-*"))
    out = export_dataset(lite, tmp_path / "out", NOW).folder
    found = [r["at"] for r in read(out, "observations")]
    assert len(found) == 2 * 13
    assert not [at for at in found if gone.start <= at < gone.end]


def test_of_two_networks_at_one_instant_the_same_one_counts_in_every_table(
    access: Access, tmp_path: Path
) -> None:
    ada = person(access, "ada", ALL, now=NOW - DAY)
    both = (
        Estimate("zeta@11111111", leaning(Emotion.ANGER)),
        Estimate("alpha@22222222", leaning(Emotion.FEAR)),
    )
    store(access, ada, [dataclasses.replace(observed(NOW - MINUTE), estimates=both)])
    feedback.correct(access, ada, Correction(NOW - MINUTE, "emotion", leaning(Emotion.FEAR)), NOW)
    out = export_dataset(access, tmp_path / "out", NOW, shape="wide").folder
    [row] = read(out, "series")
    now = [r["p_anger"] for r in read(out, "estimates") if r["source"] == "learner_now"]
    assert [row["learner_now_p_anger"]] == pytest.approx(now)


@pytest.mark.parametrize("frame", ["polars", "pandas"])
def test_a_table_without_rows_is_read_as_such_from_every_format(
    lite: Access, tmp_path: Path, frame: Any
) -> None:
    someone(lite, "ada")
    for formats in ({"parquet"}, {"csv"}):
        out = export_dataset(lite, tmp_path / "-".join(formats), NOW, formats=formats).folder
        found = tracker.read_export(out, "drifts", frame)
        assert len(found) == 0
        assert list(found.columns)[:3] == ["drift", "participant", "at"]
        with pytest.raises(tracker.reading.NoExportError, match="has no table 'series'"):
            tracker.read_export(out, "series")


def test_instants_are_instants_to_readers_of_croissant(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    told = json.loads((export_dataset(lite, tmp_path / "out", NOW).folder / "croissant.json").read_bytes())
    kinds = {f["@id"]: f["dataType"] for records in told["recordSet"] for f in records["field"]}
    assert kinds["observations/at"] == kinds["prompts/completed_at"] == "sc:DateTime"


def test_when_a_prompt_was_answered_is_not_told_where_that_is_hidden(lite: Access, tmp_path: Path) -> None:
    ada = someone(lite, "ada")
    hiding.hide(lite, ada, Stretch(NOW - MINUTE, NOW + MINUTE), NOW + DAY)  # it was answered at NOW
    out = export_dataset(lite, tmp_path / "out", NOW + DAY, formats={"parquet", "openesm"}).folder
    [row] = read(out, "prompts")
    assert (row["scheduled_at"], row["started_at"]) == (NOW - 40 * MINUTE, NOW - 39 * MINUTE)
    assert row["completed_at"] is row["completed_at_offset_min"] is None
    [beep] = tracker.read_export(out, "beeps").to_dicts()
    assert beep["completed_at"] is None
