"""A file's words beside those that were said here, faces that look the same, and what a dry run foretells."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import ALL, observed, person
from tests.builders import store as capture
from tests.workflows import foreign_files
from tests.workflows.foreign_files import (
    DIARY,
    MAPPINGS,
    NOW,
    START,
    asked,
    brought,
    diary,
    openface,
    py_feat,
    surveyed,
    written,
)
from tracker.access import Access
from tracker.cli import foreign as command
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.store import tables
from tracker.store.feedback import standing_corrections
from tracker.study import DEFAULT, StudyError
from tracker.workflows import consenting, enrolment, feedback, foreign
from tracker.workflows.export import export_dataset
from tracker.workflows.foreign.instants import NO_TIME
from tracker.workflows.foreign.rows import NO_NUMBER
from tracker.workflows.foreign.sifting import NOT_COVERED, OTHERWISE

AT = datetime(2026, 3, 19, 8, 0, tzinfo=UTC)
MOOD = f'{DIARY}\n[emotion]\ncolumn = "mood"\n[emotion.words]\nsad = "sadness"\nglad = "happiness"\n'
Caps = pytest.CaptureFixture[str]
closing = foreign_files.closing


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path, MOOD, "diary.toml")


def said(access: Access, who: Person) -> list[tuple[datetime, str, Any]]:
    """What stands said of somebody."""
    with access.database.read() as connection:
        rows = standing_corrections(connection, who.subject, AT - timedelta(days=1), AT + timedelta(days=1))
    return [(r.at, r.target, r.value if r.distribution is None else r.distribution.top) for r in rows]


def test_a_file_replaces_no_word_about_the_same_observation(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(access, now=NOW)
    capture(access, ada, [observed(AT)], AT)
    with access.database.read() as connection:
        moment = connection.execute(select(tables.observations.c.id)).scalar_one()
    own = Correction(AT, "emotion", Distribution.said(Emotion.ANGER), None)
    feedback.correct(access, ada, own, NOW, observation=moment)
    path = written(tmp_path, diary("ada,2026-03-19 09:01,10,3,home,glad"))
    brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    assert said(access, ada) == [
        (AT, "emotion", Emotion.ANGER),
        (AT + timedelta(minutes=1), "emotion", Emotion.HAPPINESS),
        (AT + timedelta(minutes=1), "leave_me_alone", 0.1),
        (AT + timedelta(minutes=1), "number:stress", pytest.approx(-1 / 3)),
    ]


def test_two_words_of_a_file_around_one_observation_both_stand_and_come_once(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(access, now=NOW)
    capture(access, ada, [observed(AT)], AT)
    path = written(tmp_path, diary("ada,2026-03-19 08:59,10,,,", "ada,2026-03-19 09:01,90,,,"))
    first = brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    assert [value for _, _, value in said(access, ada)] == [0.1, 0.9]
    again = brought(access, tmp_path, path, mapping, capsys)
    assert (sum(again["new"].values()), again["there"]) == (0, first["new"])


def test_what_somebody_said_since_is_left_and_does_not_stop_the_file(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(access, now=NOW)
    capture(access, ada, [observed(AT)], AT)
    with access.database.read() as connection:
        moment = connection.execute(select(tables.observations.c.id)).scalar_one()
    path = written(tmp_path, diary("ada,2026-03-19 09:01,,,,glad"))
    brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    own = Correction(AT, "emotion", Distribution.said(Emotion.ANGER), None)
    feedback.correct(access, ada, own, NOW, observation=moment)
    assert said(access, ada) == [(AT, "emotion", Emotion.ANGER)]
    again = brought(access, tmp_path, path, mapping, capsys)
    assert (again["new"]["corrections"], again["there"]["corrections"]) == (0, 1)
    other = written(tmp_path, diary("ada,2026-03-19 09:01,,,,sad"), "other.csv")
    refused = brought(access, tmp_path, other, mapping, capsys, existing=("ada",))["refused"]
    assert refused[OTHERWISE]["rows"] == 1
    assert said(access, ada) == [(AT, "emotion", Emotion.ANGER)]


def test_one_column_may_answer_a_number_and_a_yes_or_no(access: Access, tmp_path: Path, capsys: Caps) -> None:
    both = DIARY.replace('column = "stress"', 'column = "alone"').replace(
        "low = 1\nhigh = 7", "low = 0\nhigh = 100"
    )
    path = written(tmp_path, diary("ada,2026-03-19 09:00,0,,,", "ada,2026-03-19 10:00,25,,,"))
    brought(access, tmp_path, path, written(tmp_path, both, "both.toml"), capsys)
    assert [(target, value) for _, target, value in said(access, access.person("ada"))] == [
        ("leave_me_alone", 0.0),
        ("number:stress", -1.0),
        ("leave_me_alone", 0.25),
        ("number:stress", -0.5),
    ]


def test_two_faces_that_look_the_same_are_two(access: Access, tmp_path: Path, capsys: Caps) -> None:
    twice = (3, 0, 0.2, 0.98, 1)
    rows = [(1, 0, 0.0, 0.98, 1), (1, 1, 0.0, 0.98, 1), (2, 0, 0.1, 0.98, 1), twice, twice]
    path = written(tmp_path, openface(rows))
    told = brought(
        access, tmp_path, path, MAPPINGS / "openface.toml", capsys, participant="ada", starts_at=START
    )
    o = tables.observations.c
    with access.database.read() as connection:
        found = connection.execute(select(o.reason, o.faces).order_by(o.pts_us)).all()
    assert [tuple(row) for row in found] == [("ambiguous", 2), (None, 1), (None, 1)]
    assert told["repeated"] == 1


@pytest.mark.parametrize("refusal", ["withdrawn", "paused"])
def test_a_dry_run_tells_who_would_be_left(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps, refusal: str
) -> None:
    ada = person(access, now=NOW)
    if refusal == "withdrawn":
        consenting.withdraw(access, ada, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    else:
        enrolment.pause(access, ada, NOW)
    path = written(tmp_path, diary("ada,2026-03-19 09:00,10,3,home,", "bob,2026-03-19 09:00,10,3,home,"))
    for dry in (True, False):
        capsys.readouterr()
        with pytest.raises(ConsentError, match=r"imported of 1 of 2 people"):
            command.bring(
                access, asked(tmp_path, path, mapping, dry=dry, existing=("ada",)), NOW, as_json=True
            )
        told = json.loads(capsys.readouterr().out)
        assert list(told["left"]) == ["ada"]
        assert told["new"] == {"observations": 0, "estimates": 0, "corrections": 2, "contexts": 1}


def test_nothing_is_granted_for_whoever_is_left(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(access, scopes=[Scope.AFFECT_SERIES, Scope.CONTEXT], now=NOW)
    consenting.withdraw(access, ada, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    path = written(tmp_path, diary("ada,2026-03-19 09:00,10,3,home,"))
    with pytest.raises(ConsentError):
        brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    with access.read(ada.id, NOW) as unit:
        assert {event.recorder for event in unit.events} == {Recorder.PARTICIPANT}
        assert Scope.PERSONAL_LEARNING not in unit.grants()


def test_a_dry_run_counts_on_what_the_document_would_allow(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    person(access, scopes=[Scope.AFFECT_SERIES], now=NOW)
    path = written(tmp_path, diary("ada,2026-03-19 09:00,10,3,home,"))
    dry = brought(access, tmp_path, path, mapping, capsys, dry=True, existing=("ada",))
    real = brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    assert dry["left"] == real["left"] == {}
    assert dry["new"] == real["new"] == {"observations": 0, "estimates": 0, "corrections": 2, "contexts": 1}


def test_a_row_is_refused_once_for_one_reason(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    path = written(tmp_path, diary("ada,2026-03-19 09:00,0,3,home,sad", "ada,2026-03-18 09:00,0,3,home,sad"))
    told = brought(access, tmp_path, path, mapping, capsys, covers_from="2026-03-19T00:00:00Z")
    assert (told["refused"][NOT_COVERED]["rows"], told["refused"][NOT_COVERED]["lines"]) == (1, [3])


@pytest.mark.parametrize(
    ("how", "value", "reason"),
    [
        ('epoch = "when"', "1e400", NO_NUMBER),
        ('epoch = "when"', "1e300", NO_TIME),
        ('local = "when"', "2026-03-01", NO_TIME),
        ('day = "when"\nbeep = "mood"\nfirst_day = 2999-12-31\nbeeps = [09:00:00]', "2", NO_TIME),
        ('day = "when"\nbeep = "mood"\nfirst_day = 9999-12-31\nbeeps = [09:00:00]', "2", NO_TIME),
        ('day = "when"\nbeep = "mood"\nfirst_day = 2026-01-01\nbeeps = [09:00:00]', "1e400", NO_NUMBER),
    ],
)
def test_times_beyond_every_calendar_are_refused_by_their_line(
    tmp_path: Path, how: str, value: str, reason: str
) -> None:
    mapping = written(tmp_path, DIARY.replace('local = "when"', how), "diary.toml")
    path = written(tmp_path, diary(f"ada,{value},0,3,home,1"))
    with pytest.raises(foreign.ForeignFileError, match=f"line 2, column 'when': {reason}"):
        surveyed(path, mapping)


def test_a_day_alone_is_its_midnight_where_the_mapping_says_so(tmp_path: Path) -> None:
    said_ = DIARY.replace('local = "when"', 'local = "when"\nform = "%Y-%m-%d"')
    found = surveyed(
        written(tmp_path, diary("ada,2026-03-01,0,3,home,")), written(tmp_path, said_, "diary.toml")
    )
    [[row]] = found.rows("ada")
    assert row.at == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said_", "told"),
    [
        ('local = "when"\nform = "%d.%m. %H:%M"', "says no year"),
        (
            'day = "when"\nbeep = "mood"\nfirst_day = 2026-01-01\nbeeps = ["09:00+02:00"]',
            "leave the offset out",
        ),
    ],
)
def test_a_mapping_whose_times_mean_nothing_is_told(tmp_path: Path, said_: str, told: str) -> None:
    mapping = written(tmp_path, DIARY.replace('local = "when"', said_), "diary.toml")
    with pytest.raises(StudyError, match=told):
        foreign.load(mapping)


def test_a_file_that_is_written_anew_meanwhile_is_noticed(tmp_path: Path, mapping: Path) -> None:
    path = written(tmp_path, diary("ada,2026-03-19 09:00,10,3,home,"))
    found = surveyed(path, mapping)
    written(tmp_path, diary("ada,2026-03-19 09:00,90,3,home,"))
    with pytest.raises(foreign.ForeignFileError, match="line 2: the file has changed"):
        list(found.rows("ada"))


@pytest.mark.parametrize("brings", ["nothing", "surroundings", "faces"])
def test_what_a_learner_learned_beside_what_was_imported_is_nobodys_in_public(
    access: Access, tmp_path: Path, capsys: Caps, brings: str
) -> None:
    for n in range(DEFAULT.export.k):
        who = person(access, f"p{n}", ALL, now=NOW)
        capture(access, who, [observed(AT, source=f"{n:x}" * 64)], NOW)
        own = Correction(AT, "emotion", Distribution.said(Emotion.ANGER), None)
        feedback.correct(access, who, own, NOW)
    around = DIARY[: DIARY.index("[[answers]]")] + '[contexts]\nplace = "where"\n'
    path = written(tmp_path, diary("p0,2026-03-19 08:30,,,home,"))
    if brings == "surroundings":
        said_ = written(tmp_path, around, "around.toml")
        brought(access, tmp_path, path, said_, capsys, existing=("p0",))
    elif brings == "faces":
        feat = written(tmp_path, py_feat([(0, 0.7)]), "feat.csv")
        brought(access, tmp_path, feat, MAPPINGS / "py-feat.toml", capsys, participant="p0", starts_at=START)
    made = export_dataset(access, tmp_path / "out", NOW + timedelta(minutes=1), public=True)
    with (made.folder / "estimates.csv").open(encoding="utf-8", newline="") as file:
        by_learner = {row["participant"] for row in csv.DictReader(file) if row["source"] != "network"}
    assert len(by_learner) == DEFAULT.export.k - (brings != "nothing")


@pytest.mark.parametrize("every_s", [None, 60])
def test_a_series_says_which_of_its_rows_hold_anything_imported(
    access: Access, tmp_path: Path, capsys: Caps, every_s: int | None
) -> None:
    ada = person(access, now=NOW)
    begun = datetime.fromisoformat(START).astimezone(UTC)
    days = [begun + timedelta(days=n) for n in range(1, 5)]
    capture(access, ada, [observed(at) for at in days], NOW)
    feat = written(tmp_path, py_feat([(0, 0.7), (30, 0.7)]), "feat.csv")
    brought(access, tmp_path, feat, MAPPINGS / "py-feat.toml", capsys, participant="ada", starts_at=START)
    path = written(tmp_path, diary("ada,2026-03-03 09:00,10,,,", "ada,2026-03-04 08:00,,,home,"))
    brought(access, tmp_path, path, written(tmp_path, DIARY, "diary.toml"), capsys, existing=("ada",))
    feedback.correct(access, ada, Correction(days[2], "leave_me_alone", None, 1.0), NOW)
    at = {begun, begun + timedelta(seconds=1), *days}
    brought_ = {moment for moment in at if moment < days[2]}
    for shape in ("wide", "long"):
        made = export_dataset(
            access,
            tmp_path / shape,
            NOW + timedelta(minutes=1),
            shape=shape,
            every_s=every_s,
            formats={"csv"},
        )
        with (made.folder / "series.csv").open(encoding="utf-8", newline="") as file:
            told = {(datetime.fromisoformat(row["at"]), row["origin"]) for row in csv.DictReader(file)}
        expected = {(moment, "IMPORTED" if moment in brought_ else "RECORDED") for moment in at}
        if every_s is not None:  # both moments of the file lie in one window
            expected.discard((begun + timedelta(seconds=1), "IMPORTED"))
        assert told == expected, shape
        manifest = json.loads((made.folder / "manifest.json").read_bytes())
        assert manifest["contains"] == ["IMPORTED", "RECORDED"]
        counts = manifest["imported_rows"]
        with (made.folder / "series.csv").open(encoding="utf-8", newline="") as file:
            assert counts.pop("series") == sum(row["origin"] == "IMPORTED" for row in csv.DictReader(file))
        assert counts == {"contexts": 1, "corrections": 1, "estimates": 2, "observations": 2}, shape


def test_a_header_cannot_write_on_the_terminal(tmp_path: Path, mapping: Path) -> None:
    rest = "who,when,alone,stress,where,mood"
    path = written(tmp_path, f"{rest},x\x1b[2J\nada,2026-03-19 09:00,10,3,home,,\n")
    assert surveyed(path, mapping).found.not_taken == [r"'x\x1b[2J'"]
    with pytest.raises(foreign.ForeignFileError) as refused:
        surveyed(written(tmp_path, "x\x1b[2J,who\n1,2\n"), mapping)
    assert str(refused.value).isprintable()
