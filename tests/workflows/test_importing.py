"""Take in: an archive reproduces what can be stored under the grants here, and nothing that they do not cover."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from tests.builders import ALL, NOW, installation, leaning, observed, person, store
from tests.workflows.archived import bundle, face, packed, pictured, rows, taken_in, whole
from tests.workflows.exported import MINUTE, someone
from tests.workflows.rated import given as given_items
from tests.workflows.rated import rater, said, shown
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import PausedError, Recorder, Scope
from tracker.domain.people import EnrolmentError, Person, UnknownParticipantError
from tracker.domain.series import Context, Correction, Prompt
from tracker.store import belongings, studies, summaries, tables
from tracker.study import DEFAULT, Study
from tracker.study.errors import StudyClosedError
from tracker.study.parts import Retention
from tracker.workflows import consenting, enrolment, feedback, prompts, rating
from tracker.workflows.importing import NotCoveredByGrantsError, NotEmptyError
from tracker.workflows.importing.shape import FATES, Fate, tables_of

LATER = NOW + timedelta(days=2)
LONG_AGO = NOW - timedelta(days=90)
HERE = {"subject", "recorded_at", "grant_id"}
"""Fields that belong to the installation that a row lies in."""


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def there(database_url: str, tmp_path: Path) -> Iterator[Access]:
    (tmp_path / "there").mkdir()
    url = database_url.replace("affect.sqlite3", "there/affect.sqlite3")
    opened = installation(url, tmp_path / "there")
    yield opened
    opened.close()


@pytest.fixture
def lite_there(tmp_path: Path) -> Iterator[Access]:
    (tmp_path / "there").mkdir()
    opened = installation(f"sqlite:///{tmp_path / 'there' / 'affect.sqlite3'}", tmp_path / "there")
    yield opened
    opened.close()


def saved(access: Access, who: Person, folder: Path) -> Path:
    path = folder / "mine.zip"
    path.write_bytes(packed(access, who))
    return path


def meaning(files: dict[str, bytes]) -> dict[str, list[dict[str, Any]]]:
    """What an archive says, free of the numbers that its installation gave: each becomes a place in its table."""
    found = {table: rows(files, table) for table in (*tables_of(Fate.STORED), "summaries")}
    place = {t: {row["id"]: i for i, row in enumerate(found[t])} for t in found if t != "summaries"}
    states = sorted({row["snapshot"] for row in found["estimates"]} - {0})
    points = {"observation": "observations", "correction": "corrections", "prompt": "prompts"}
    for table, its in found.items():
        for row in its:
            for name in HERE | {"id"}:
                row.pop(name, None)
            for name, to in (points | {"supersedes": "corrections"}).items():
                if row.get(name) is not None:
                    row[name] = place[to][row[name]]
            if table == "estimates" and row["snapshot"]:
                row["snapshot"] = 1 + states.index(row["snapshot"])
            if "file" in row:
                row["file"] = files[row["file"]].hex()
    for table in ("notes", "crops", "frames"):  # their keys are random, so they have no order
        found[table].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return found


def test_every_table_of_an_archive_has_its_fate() -> None:
    assert set(FATES) == {table.name for table in belongings.personal_tables()}


def test_what_was_taken_along_is_the_same_where_it_is_taken_in(
    here: Access, there: Access, tmp_path: Path
) -> None:
    ada = whole(here, "ada")
    before = bundle(here, ada)
    shares: list[float] = []
    taker, done = taken_in(
        there, saved(here, ada, tmp_path), "lovelace", LATER, evidence="a letter", report=shares.append
    )
    after = bundle(there, taker, LATER)
    assert meaning(after) == meaning(before)
    assert all(meaning(before).values())
    assert done.left == dict.fromkeys(done.left, 0)
    assert {t: n for t, n in done.stored.items() if t in tables_of(Fate.STORED)} == {
        t: len(rows(before, t)) for t in tables_of(Fate.STORED)
    }
    assert {row["recorded_at"] for t in tables_of(Fate.STORED) for row in rows(after, t)} == {
        LATER.isoformat().replace("+00:00", "Z")
    }
    assert (taker.name, taker.zone) == ("lovelace", "Europe/Berlin")
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert there.audit() is None


def test_what_was_consented_to_elsewhere_is_history_and_allows_nothing(
    here: Access, lite_there: Access, tmp_path: Path
) -> None:
    there = lite_there
    ada = whole(here, "ada")
    before = bundle(here, ada)
    taker, _ = taken_in(there, saved(here, ada, tmp_path), "ada", LATER, evidence="a letter")
    after = bundle(there, taker, LATER)
    kept = {(r["table"], r["position"]): r["row"] for r in rows(after, "former_records")}
    expected = {
        (table, i): row
        for table in ("consent_events", "access_events", "exports", "zones")
        for i, row in enumerate(rows(before, table))
    } | {(r["table"], r["position"]): r["row"] for r in rows(before, "former_records")}
    # A position counts within the installation that it is of: those of the one before come on top.
    assert len(rows(after, "former_records")) == 1 + sum(
        len(rows(before, t)) for t in ("consent_events", "access_events", "exports", "zones")
    )
    assert kept.keys() == expected.keys()
    granted = {e["scope"] for e in rows(after, "consent_events")}
    assert granted == {
        "affect_series",
        "personal_learning",
        "context",
        "prompts",
        "face_crops",
        "raw_video",
        "notes",
    }
    assert {e["recorder"] for e in rows(after, "consent_events")} == {"operator"}
    with there.read(taker.id, LATER) as unit:
        assert Scope.EXPORT_PSEUDONYMOUS not in unit.grants()


def test_learners_learn_again_what_was_said(here: Access, lite_there: Access, tmp_path: Path) -> None:
    there = lite_there
    ada = whole(here, "ada")
    taker, done = taken_in(there, saved(here, ada, tmp_path), "ada", LATER, evidence="a letter")
    assert done.learned == 2  # of three corrections one is superseded
    with there.read(taker.id, LATER) as unit:
        for target in (personal.EMOTION, "leave_me_alone"):
            replayed = personal.replay(unit, target)
            assert replayed is not None
            assert replayed.equal
            assert replayed.events == 1


def test_what_raters_said_there_is_neither_stored_nor_learned_here(
    here: Access, there: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.workflows.rated.PICTURE", face(90))
    ada, kim = shown(here, faces=2), rater(here)
    for item in given_items(here, kim, 2):
        rating.vote(here, kim, item, said(Emotion.FEAR), NOW)
    assert rating.teach(here, NOW + MINUTE) == rating.Taught(2, 2)
    [first, _] = rows(bundle(here, ada, NOW + MINUTE), "corrections")
    own = Correction(datetime.fromisoformat(first["at"]), "emotion", leaning(Emotion.HAPPINESS, 0.9))
    feedback.correct(here, ada, own, NOW + 2 * MINUTE, observation=first["observation"])
    archive = saved(here, ada, tmp_path)
    who, done = taken_in(there, archive, "ada", NOW + 3 * MINUTE, evidence="a letter")
    assert (done.stored["corrections"], done.left["corrections"]) == (1, 2)
    [word] = rows(bundle(there, who, NOW + 3 * MINUTE), "corrections")
    assert (word["rater"], word["supersedes"]) == ("participant", None)
    with there.read(who.id, NOW + 3 * MINUTE) as unit:
        again = personal.replay(unit)
    assert again is not None
    assert (again.events, again.equal) == (1, True)


def test_what_was_said_more_than_30_days_ago_is_stored_and_not_learned(
    here: Access, lite_there: Access, tmp_path: Path
) -> None:
    ada = whole(here, "ada")
    month_later = NOW + timedelta(days=31)
    _, done = taken_in(lite_there, saved(here, ada, tmp_path), "ada", month_later, evidence="a letter")
    assert done.learned == 0
    assert done.stored["corrections"] == 3


def test_an_import_needs_the_grants_of_the_person_here(
    here: Access, lite_there: Access, tmp_path: Path
) -> None:
    there = lite_there
    path = saved(here, whole(here, "ada"), tmp_path)
    with pytest.raises(UnknownParticipantError):
        taken_in(there, path, "ada", LATER)
    ada = person(there, "ada", [Scope.AFFECT_SERIES], now=LATER, covers_from=LONG_AGO)
    with pytest.raises(NotCoveredByGrantsError) as refused:
        taken_in(there, path, "ada", LATER)
    assert set(refused.value.needed) == {
        Scope.CONTEXT,
        Scope.FACE_CROPS,
        Scope.RAW_VIDEO,
        Scope.NOTES,
        Scope.PROMPTS,
        Scope.PERSONAL_LEARNING,
    }
    assert "--covers-from 2026-03-20T" in str(refused.value)
    assert rows(bundle(there, ada, LATER), "observations") == []
    assert rows(bundle(there, ada, LATER), "former_records") == []


def test_only_what_is_granted_is_stored_where_that_is_asked_for(
    here: Access, lite_there: Access, tmp_path: Path
) -> None:
    there = lite_there
    path = saved(here, whole(here, "ada"), tmp_path)
    start = NOW - 6 * MINUTE
    person(there, "ada", [Scope.AFFECT_SERIES, Scope.NOTES], now=LATER, covers_from=start)
    taker, done = taken_in(there, path, "ada", LATER, only_granted=True)
    after = bundle(there, taker, LATER)
    assert {r["at"] >= start.isoformat() for r in rows(after, "observations")} == {True}
    assert {t: len(rows(after, t)) for t in tables_of(Fate.STORED)} == {
        "observations": 6,
        "estimates": 6,
        "contexts": 0,
        "prompts": 0,
        "corrections": 2,  # the answer to a prompt rests on prompts
        "notes": 1,
        "crops": 0,
        "frames": 0,
        "hidden": 1,
    }
    assert done.left["observations"] == 9
    assert {r["snapshot"] for r in rows(after, "estimates")} == {0}
    assert done.learned == 0


def test_an_import_never_writes_into_a_series(here: Access, lite_there: Access, tmp_path: Path) -> None:
    there = lite_there
    path = saved(here, whole(here, "ada"), tmp_path)
    taken_in(there, path, "ada", LATER, evidence="a letter")
    someone(there, "grace")
    for name in ("ada", "grace"):
        before = packed(there, there.person(name), LATER)
        with pytest.raises(NotEmptyError, match="series of their own"):
            taken_in(there, path, name, LATER, evidence="a letter")
        assert packed(there, there.person(name), LATER) == before


def test_simulated_stays_simulated(here: Access, lite_there: Access, tmp_path: Path) -> None:
    there = lite_there
    path = saved(here, someone(here, "sim", simulated=True), tmp_path)
    person(there, "ada", now=LATER, covers_from=LONG_AGO)
    with pytest.raises(EnrolmentError, match="SIMULATED"):
        taken_in(there, path, "ada", LATER)
    assert taken_in(there, path, "sim", LATER, evidence="it is nobody")[0].simulated


def test_who_has_paused_takes_nothing_in(here: Access, lite_there: Access, tmp_path: Path) -> None:
    there = lite_there
    path = saved(here, whole(here, "ada"), tmp_path)
    ada = person(there, "ada", now=LATER, covers_from=LONG_AGO)
    enrolment.pause(there, ada, LATER)
    with pytest.raises(PausedError):
        taken_in(there, path, "ada", LATER)


def test_a_withdrawal_in_the_middle_is_heeded(
    here: Access, lite_there: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = lite_there
    path = saved(here, whole(here, "ada"), tmp_path)
    ada = person(there, "ada", now=LATER, covers_from=LONG_AGO)
    write = there.write

    def withdrawn_first(*given: Any) -> Any:
        monkeypatch.undo()
        consenting.withdraw(there, ada, [Scope.CONTEXT], LATER, recorder=Recorder.PARTICIPANT)
        return write(*given)

    monkeypatch.setattr(there, "write", withdrawn_first)
    with pytest.raises(NotCoveredByGrantsError, match="context"):
        taken_in(there, path, "ada", LATER)
    assert rows(bundle(there, ada, LATER), "observations") == []


def govern(access: Access, study: Study) -> None:
    """Let a study govern an installation."""
    with access.database.write() as connection:
        studies.apply(connection, studies.StudyRow(study.sha256, study.document(), LATER, "a test"))


def test_a_closed_study_takes_nothing_in(here: Access, lite_there: Access, tmp_path: Path) -> None:
    there = lite_there
    path = saved(here, whole(here, "ada"), tmp_path)
    ada = person(there, "ada", now=LATER, covers_from=LONG_AGO)
    govern(there, DEFAULT.closing())
    with pytest.raises(StudyClosedError, match="nothing is imported"):
        taken_in(there, path, "ada", LATER)
    assert rows(bundle(there, ada, LATER), "observations") == []


def test_what_the_study_here_keeps_no_longer_is_not_taken_in(
    here: Access, lite_there: Access, tmp_path: Path
) -> None:
    there = lite_there
    ada = whole(here, "ada")
    path = saved(here, ada, tmp_path)
    person(there, "ada", now=LATER, covers_from=LONG_AGO)
    week = NOW + timedelta(days=7, minutes=-6)
    govern(there, DEFAULT.model_copy(update={"retention": Retention(affect_series=7, context=1)}))
    taker, done = taken_in(there, path, "ada", week)
    after = bundle(there, taker, week)
    assert len(rows(after, "observations")) == done.stored["observations"] == 6
    assert done.left["contexts"] == 1
    assert done.left["observations"] == 9


def test_an_older_coarse_series_comes_through_with_what_it_stands_for(
    here: Access, lite_there: Access, tmp_path: Path
) -> None:
    ada = someone(here, "ada")
    with here.database.write() as connection:
        for table in (tables.observations, tables.estimates):
            connection.execute(update(table).values(samples=60))
        summaries.summarise_again(connection, ada.subject)
    before = bundle(here, ada)
    taker, _ = taken_in(lite_there, saved(here, ada, tmp_path), "ada", LATER, evidence="a letter")
    assert meaning(bundle(lite_there, taker, LATER)) == meaning(before)
    assert {row["samples"] for row in rows(before, "observations")} == {60}


def test_an_interrupted_import_leaves_nothing(here: Access, there: Access, tmp_path: Path) -> None:
    path = saved(here, whole(here, "ada"), tmp_path)
    ada = person(there, "ada", now=LATER, covers_from=LONG_AGO)

    def interrupt(done: float) -> None:
        if 0.75 < done < 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken_in(there, path, "ada", LATER, report=interrupt)
    assert all(rows(bundle(there, ada, LATER), t) == [] for t in (*tables_of(Fate.STORED), "former_records"))
    taken_in(there, path, "ada", LATER)


def test_an_archive_of_nothing(here: Access, lite_there: Access, tmp_path: Path) -> None:
    path = saved(here, person(here, "ada", ()), tmp_path)
    person(lite_there, "ada", ())
    assert not taken_in(lite_there, path, "ada", LATER)[1].learned


# --- every life -------------------------------------------------------------------------------------------------

MINUTES = st.integers(1, 3 * 24 * 60)
EMOTIONS_ = st.sampled_from(list(Emotion))
ACTS = st.one_of(
    st.tuples(st.just("see"), MINUTES, st.none() | EMOTIONS_, st.sampled_from(["a" * 64, "b" * 64])),
    st.tuples(st.just("read again"), MINUTES, EMOTIONS_, st.just("other@000000000000")),
    st.tuples(st.just("correct"), MINUTES, EMOTIONS_, st.sampled_from(["participant", "expert-2"])),
    st.tuples(st.just("alone"), MINUTES, st.sampled_from([0.0, 0.5, 1.0]), st.booleans()),
    st.tuples(st.just("surround"), MINUTES, st.text('añ ✓"\\\n,', min_size=1, max_size=9), st.none()),
    st.tuples(st.just("write"), MINUTES, st.text("añ ✓\"\\\n,'", max_size=40), st.none()),
    st.tuples(st.just("picture"), MINUTES, st.integers(0, 255), st.none()),
)


def lived(access: Access, who: Person, acts: list[tuple[str, int, Any, Any]]) -> None:
    """Let somebody do and be seen as some acts say."""
    for what, minutes, how, more in acts:
        at = NOW - minutes * MINUTE
        match what:
            case "see":
                store(access, who, [observed(at, how, source=more)], NOW)
            case "read again":
                store(access, who, [observed(at, how)], NOW)
                store(access, who, [observed(at, how, network=more)], NOW)
            case "correct":
                said = Correction(at, "emotion", leaning(how), rater=more)
                feedback.correct(access, who, said, NOW)
            case "alone":
                put = Prompt(f"slot-{minutes}", at, at, None, at, "answered", random=more)
                number = prompts.record(access, who, put, NOW)
                feedback.correct(access, who, Correction(at, "leave_me_alone", None, how), NOW, prompt=number)
            case "surround" if how.strip():
                feedback.add_context(access, who, Context(at, how, company="alone"), NOW)
            case "write" if how.strip():
                feedback.correct(access, who, Correction(at, "valence", None, 0.25), NOW, note=how)
            case "picture":
                store(access, who, [observed(at)], NOW)
                pictured(access, who, how)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=12, unique_by=lambda act: (act[0], act[1])))
def test_every_life_comes_through_whole(
    here: Access, lite_there: Access, tmp_path: Path, acts: list[tuple[str, int, Any, Any]]
) -> None:
    pictures = [act for act in acts if act[0] == "picture"]
    name = f"ada-{len(here.everyone())}"
    who = person(here, name, ALL, now=NOW, covers_from=LONG_AGO)
    lived(here, who, [act for act in acts if act not in pictures[1:]])
    before = bundle(here, who)
    taker, _ = taken_in(lite_there, saved(here, who, tmp_path), name, LATER, evidence="a letter")
    assert meaning(bundle(lite_there, taker, LATER)) == meaning(before)
