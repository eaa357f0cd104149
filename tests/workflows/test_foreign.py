"""What files of other programs bring: stored once, attested, learned from, and never given to everybody."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.builders import ALL, installation, observed, person
from tests.builders import store as capture
from tests.workflows.archived import packed, taken_in
from tests.workflows.foreign_files import (
    DIARY,
    MAPPINGS,
    NOW,
    START,
    brought,
    diary,
    openface,
    py_feat,
    written,
)
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.series import Context, Correction
from tracker.domain.stretches import Stretch
from tracker.store import coarsening, former, studies, tables
from tracker.study import DEFAULT
from tracker.study.parts import Retention
from tracker.study.questions import OwnQuestion
from tracker.workflows import consenting, erasure, feedback, foreign
from tracker.workflows.aggregates import contributing
from tracker.workflows.export import export_dataset
from tracker.workflows.foreign import storing
from tracker.workflows.foreign.sifting import ERASED, NOT_COVERED, NOT_KEPT, OTHERWISE

DAYS = [f"2026-03-{day:02d}" for day in range(1, 19)]
ADA = [f"ada,{day} {hour}:00,{(n * 37) % 101},{1 + n % 7},{'home' if n % 2 else 'work'}," for n, (day, hour) in
       enumerate((day, hour) for day in DAYS for hour in ("09", "14", "20"))]  # fmt: skip
OPENFACE, PY_FEAT = MAPPINGS / "openface.toml", MAPPINGS / "py-feat.toml"
Caps = pytest.CaptureFixture[str]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path, DIARY, "diary.toml")


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.close()


def rows_of(access: Access, name: str, *columns: str) -> dict[str, list[tuple[Any, ...]]]:
    """What is stored of somebody, without numbers and what they depend on."""
    subject = access.person(name).subject
    found = {}
    with access.database.read() as connection:
        for table, kept in (
            (tables.corrections, ("at", "target", "value", "rater", "zone", "imported_from")),
            (tables.contexts, ("at", "place", "activity", "company", "zone", "imported_from")),
            (tables.observations, ("pts_us", "at", "reason", "faces", "score", "imported_from")),
        ):
            query = select(*(table.c[c] for c in columns or kept)).where(table.c.subject == subject)
            found[table.name] = sorted(map(tuple, connection.execute(query)), key=repr)
    return found


def events(access: Access, who: Person, now: datetime = NOW) -> dict[Scope, Any]:
    with access.read(who.id, now) as unit:
        return {event.scope: event for event in unit.events}


def test_people_are_enrolled_attested_and_their_rows_stored_once(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    bob = "bob,2026-03-02 09:00,,7,,"
    path = written(tmp_path, diary(*ADA, bob))
    start = "2026-02-01T00:00:00Z"
    told = brought(
        access, tmp_path, path, mapping, capsys, dry=True, attested_by=None, document=None, covers_from=None
    )
    assert told["enrolled"] == ["ada", "bob"]
    assert access.everyone() == []
    done = brought(access, tmp_path, path, mapping, capsys, covers_from=start)
    assert {k: v for k, v in done.items() if k not in ("dry_run", "learned")} == {
        k: v for k, v in told.items() if k not in ("dry_run", "learned")
    }
    assert done["new"] == {"observations": 0, "estimates": 0, "corrections": 109, "contexts": 54}
    ada = access.person("ada")
    stored = rows_of(access, "ada")
    assert min(stored["corrections"], key=lambda row: row[:2]) == (
        datetime(2026, 3, 1, 8, 0, tzinfo=UTC), "leave_me_alone", 0.0, "participant", "Europe/Berlin", done["sha256"],
    )  # fmt: skip
    given_ = events(access, ada)
    assert set(given_) == {Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.PERSONAL_LEARNING}
    for event in given_.values():
        assert (event.recorder, event.covers_from.isoformat()) == (
            Recorder.OPERATOR,
            "2026-02-01T00:00:00+00:00",
        )
        assert event.evidence.startswith("Dr. Kim attests form.txt (SHA-256 ")
        assert done["sha256"] in event.evidence
    [record] = attested(access, ada)
    assert (record["by"], record["file"], record["sha256"]) == ("Dr. Kim", "diary.csv", done["sha256"])
    again = brought(access, tmp_path, path, mapping, capsys, covers_from=start)
    assert again["there"] == done["new"]
    assert not any(again["new"].values())
    assert again["enrolled"] == []
    assert rows_of(access, "ada") == stored
    assert len(attested(access, ada)) == 1
    assert access.audit() is None


def attested(access: Access, who: Person) -> list[dict[str, Any]]:
    with access.read(who.id, NOW) as unit:
        rows = former.of(unit.connection, who.id)
    opened = [
        json.loads(access.vault.open(who.id, "identity", sealed, former.place(n))) for n, sealed in rows
    ]
    return [record["row"] for record in opened if record["table"] == "attestation"]


def test_a_name_that_is_enrolled_is_no_ones_until_somebody_says_so(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(access, "ada", ALL, now=NOW)
    before = events(access, ada)
    path = written(tmp_path, diary(*ADA[:3], "bob,2026-03-02 09:00,,7,,"))
    with pytest.raises(foreign.EnrolledError, match="'ada': enrolled here already"):
        brought(access, tmp_path, path, mapping, capsys)
    assert [who.name for who in access.everyone()] == ["ada"]
    assert rows_of(access, "ada")["corrections"] == []
    done = brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    assert done["new"]["corrections"] == 7
    # What she granted herself stays her own word, and is not weakened by somebody else's.
    assert events(access, ada) == before
    assert attested(access, ada)
    with pytest.raises(foreign.AskedError, match="'eve' is nobody of the file; it names ada, bob"):
        brought(access, tmp_path, path, mapping, capsys, existing=("ada", "eve"))
    new = written(tmp_path, diary("joy,2026-03-02 09:00,,7,,"), "joy.csv")
    with pytest.raises(UnknownParticipantError):
        brought(access, tmp_path, new, mapping, capsys, existing=("joy",))


def test_whoever_withdrew_is_not_granted_for_again(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    path = written(tmp_path, diary(*ADA[:3]))
    brought(access, tmp_path, path, mapping, capsys)
    ada = access.person("ada")
    later = NOW + timedelta(hours=1)
    consenting.withdraw(access, ada, [Scope.AFFECT_SERIES], later, recorder=Recorder.PARTICIPANT)
    more = written(tmp_path, diary(*ADA[:9]), "more.csv")
    with pytest.raises(ConsentError, match="nothing was imported of 1 of 1 people"):
        brought(access, tmp_path, more, mapping, capsys, later + timedelta(hours=1), existing=("ada",))
    assert not events(access, ada, later)[Scope.AFFECT_SERIES].state.permits
    assert len(rows_of(access, "ada")["corrections"]) == 6


def test_what_is_stored_otherwise_stays_and_nothing_comes_from_before_what_is_covered(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(access, "ada", ALL, now=NOW, covers_from=datetime(2026, 3, 2, tzinfo=UTC))
    own = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    feedback.correct(access, ada, Correction(own, "leave_me_alone", None, 0.25), NOW)
    feedback.correct(access, ada, Correction(own, "number:stress", None, 0.0), NOW)
    feedback.add_context(access, ada, Context(own, place="park"), NOW)
    lines = (
        "ada,2026-03-01 09:00,1,1,home,",
        "ada,2026-03-02 09:00,75,4,home,",
        "ada,2026-03-03 09:00,1,1,,",
    )
    done = brought(access, tmp_path, written(tmp_path, diary(*lines)), mapping, capsys, existing=("ada",))
    assert {why: (found["rows"], found["lines"]) for why, found in done["refused"].items()} == {
        NOT_COVERED: (1, [2]),
        OTHERWISE: (1, [3]),
    }
    assert done["there"] == {"observations": 0, "estimates": 0, "corrections": 1, "contexts": 0}
    said = [row[1:3] for row in rows_of(access, "ada")["corrections"] if row[0] == own]
    assert sorted(said) == [("leave_me_alone", 0.25), ("number:stress", 0.0)]


def test_a_stretch_that_was_deleted_for_good_stays_so(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    path = written(tmp_path, diary(*ADA[:9]))
    brought(access, tmp_path, path, mapping, capsys)
    gone = Stretch(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
    later = NOW + timedelta(hours=1)
    erasure.erase_stretch(access, access.person("ada"), gone, later)
    left = rows_of(access, "ada")
    again = brought(access, tmp_path, path, mapping, capsys, later + timedelta(hours=1))
    assert again["refused"][ERASED]["lines"] == [5, 6, 7]
    assert rows_of(access, "ada") == left


def test_the_study_says_how_far_back_and_which_targets(
    lite: Access, tmp_path: Path, mapping: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = DEFAULT.model_copy(update={"retention": Retention(affect_series=10, context=10)})
    monkeypatch.setattr(studies, "in_force", lambda _: month)
    path = written(tmp_path, diary(*ADA))
    told = brought(lite, tmp_path, path, mapping, capsys, dry=True)
    assert told["refused"][NOT_KEPT]["lines"][0] == 2
    assert 0 < told["new"]["corrections"] < 60
    own = OwnQuestion(name="number:sleep", question="How did you sleep?")
    monkeypatch.setattr(studies, "in_force", lambda _: DEFAULT.model_copy(update={"targets": (own,)}))
    with pytest.raises(foreign.AskedError, match="'number:stress' is none of the study's targets"):
        brought(lite, tmp_path, path, mapping, capsys, dry=True)


def test_learners_learn_it_as_if_it_had_been_said_then(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    """Somebody who said the same day by day, and came the same day, has the same learner, bit for bit."""
    came = datetime(2026, 2, 27, tzinfo=UTC)
    live, _ = person(access, "live", ALL, now=came), person(access, "ada", ALL, now=came)
    path = written(tmp_path, diary(*ADA[:24]))
    done = brought(access, tmp_path, path, mapping, capsys, existing=("ada",))
    assert done["learned"] == 48
    for row in rows_of(access, "ada")["contexts"]:
        feedback.add_context(access, live, Context(row[0], place=row[1]), row[0])
    # In the order in which answers of one moment are stored.
    said = sorted(rows_of(access, "ada")["corrections"], key=lambda row: (row[0], row[1]))
    for at, target, value, *_ in said:
        feedback.correct(access, live, Correction(at, target, None, value), at)
    digests = []
    for who in (access.person("ada"), live):
        with access.write(who.id, NOW) as unit:
            found = {target: personal.rebase(unit, target) for target in ("leave_me_alone", "number:stress")}
            digests.append({target: learner.snapshot.sha256 for target, learner in found.items()})
    assert digests[0] == digests[1]
    with access.read(access.person("ada").id, NOW) as unit:
        for target in personal.live(unit):
            replayed = personal.replay(unit, target)
            assert replayed is not None
            assert replayed.equal


def test_face_series_come_in_without_an_emotion_that_nobody_read(
    access: Access, tmp_path: Path, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "BATCH", 7)
    frames = [(n, 0, n / 25, 0.98, 1) if n % 5 else (n, 0, n / 25, 0, 0) for n in range(40)]
    path = written(tmp_path, openface(frames), "clip.csv")
    more: dict[str, Any] = {"participant": "ada", "starts_at": START}
    done = brought(access, tmp_path, path, OPENFACE, capsys, **more)
    assert done["new"] == {"observations": 40, "estimates": 0, "corrections": 0, "contexts": 0}
    reasons = Counter(row[2] for row in rows_of(access, "ada")["observations"])
    assert reasons == {None: 32, "no_face": 8}
    feat = written(tmp_path, py_feat([(n, 0.7 if n % 3 else None) for n in range(30)]), "feat.csv")
    read = brought(access, tmp_path, feat, PY_FEAT, capsys, **more)
    assert read["new"] == {"observations": 30, "estimates": 20, "corrections": 0, "contexts": 0}
    for one, with_it in ((path, OPENFACE), (feat, PY_FEAT)):
        again = brought(access, tmp_path, one, with_it, capsys, **more)
        assert not any(again["new"].values())
    # The same file, said to have begun at another time, contradicts what is stored.
    moved = brought(
        access, tmp_path, path, OPENFACE, capsys, participant="ada", starts_at="2026-03-03T09:00:00+01:00"
    )
    assert moved["refused"][OTHERWISE]["rows"] == 40


def test_what_was_imported_is_in_no_dataset_for_everybody(
    access: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    who = [person(access, f"p{n}", ALL, now=NOW) for n in range(DEFAULT.export.k)]
    for one in who:
        at = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
        capture(access, one, [observed(at)], NOW)
        feedback.correct(access, one, Correction(at, "leave_me_alone", None, 1.0), NOW)
        feedback.add_context(access, one, Context(at, place="own-place"), NOW)
    lines = [line.replace("ada", "p0").replace(",home,", ",brought-place,") for line in ADA]
    path = written(tmp_path, diary(*lines))
    brought(access, tmp_path, path, mapping, capsys, existing=("p0",))
    feat = written(tmp_path, py_feat([(0, 0.7), (30, 0.7)]), "feat.csv")
    brought(access, tmp_path, feat, PY_FEAT, capsys, participant="p0", starts_at=START)
    private = export_dataset(access, tmp_path / "private", NOW + timedelta(minutes=1))
    origins = origins_of(private.folder)
    assert origins["corrections"] == {"RECORDED": DEFAULT.export.k, "IMPORTED": 108}
    assert origins["contexts"] == {"RECORDED": DEFAULT.export.k, "IMPORTED": 54}
    assert origins["observations"] == {"RECORDED": DEFAULT.export.k, "IMPORTED": 2}
    public = export_dataset(access, tmp_path / "public", NOW + timedelta(minutes=2), public=True)
    for table in ("corrections", "contexts", "observations", "estimates"):
        assert origins_of(public.folder)[table].keys() <= {"RECORDED"}, table
        assert "brought-place" not in (public.folder / f"{table}.csv").read_text("utf-8")
    manifest = json.loads((public.folder / "manifest.json").read_text("utf-8"))
    excluded = manifest["excluded_rows"]
    reason = "imported from a file, or learned from that: in no export for everybody"
    assert excluded[f"corrections: {reason}"] == 108
    assert excluded[f"contexts: {reason}"] == 54
    assert excluded[f"observations: {reason}"] == 2


def origins_of(folder: Path) -> dict[str, Counter[str]]:
    import csv  # noqa: PLC0415 - here alone

    found = {}
    for name in ("corrections", "contexts", "observations", "estimates"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found[name] = Counter(row["origin"] for row in csv.DictReader(file))
    return found


def test_what_was_imported_is_in_no_figure_about_everybody(
    lite: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    from tracker.workflows.aggregates.queries import Query  # noqa: PLC0415

    ada = person(lite, "ada", ALL, now=NOW)
    brought(lite, tmp_path, written(tmp_path, diary(*ADA)), mapping, capsys, existing=("ada",))
    feat = written(tmp_path, py_feat([(0, 0.7), (30, 0.7)]), "feat.csv")
    brought(lite, tmp_path, feat, PY_FEAT, capsys, participant="ada", starts_at=START)
    query = Query(date(2026, 3, 1), date(2026, 3, 18), 1.0)
    with lite.read(ada.id, NOW) as unit:
        assert contributing.contribution(unit, query) is None
    at = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
    capture(lite, ada, [observed(at)], NOW)
    with lite.read(ada.id, NOW) as unit:
        mine = contributing.contribution(unit, query)
    assert mine is not None
    assert mine.tables["emotions"].sum() == pytest.approx(1.0)


def test_what_was_imported_stays_so_in_archives_and_as_it_ages(
    lite: Access, tmp_path: Path, mapping: Path, capsys: Caps
) -> None:
    ada = person(lite, "ada", ALL, now=NOW)
    brought(lite, tmp_path, written(tmp_path, diary(*ADA[:3])), mapping, capsys, existing=("ada",))
    feat = written(tmp_path, py_feat([(0, 0.7), (30, 0.7)]), "feat.csv")
    done = brought(lite, tmp_path, feat, PY_FEAT, capsys, participant="ada", starts_at=START)
    at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    # What was captured here in the same minute, read by a network of the same name.
    capture(lite, ada, [observed(at, pts_us=n, network="py-feat/resmasknet") for n in range(2)], NOW)
    archive = tmp_path / "ada.zip"
    archive.write_bytes(packed(lite, ada, NOW + timedelta(minutes=1)))
    taken_in(lite, archive, "copy", NOW + timedelta(minutes=2), evidence="a form")
    for table in ("corrections", "contexts", "observations"):
        marks = [Counter(plain(lite, who, table, ("imported_from",))) for who in ("ada", "copy")]
        assert marks[0] == marks[1]
    with lite.write(ada.id, NOW) as unit:
        assert coarsening.coarsen(unit.connection, ada.subject, NOW, "minute") == 2
    kept = plain(lite, "ada", "observations", ("imported_from", "samples"))
    assert set(kept) == {(None, 2), (done["sha256"], 2)}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(1, 11))
def test_importing_twice_in_any_order_is_importing_once(
    lite: Access,
    tmp_path: Path,
    mapping: Path,
    capsys: Caps,
    chance: random.Random,
    part: int,
) -> None:
    """Whole, or first a part of it in a file of its own; in the file's order or in any other."""
    name = f"p{chance.getrandbits(60)}"
    lines = [line.replace("ada", name) for line in ADA[:12]]
    twin = [line.replace(name, f"{name}t") for line in lines]
    brought(lite, tmp_path, written(tmp_path, diary(*twin)), mapping, capsys)
    some = chance.sample(lines, part)
    brought(lite, tmp_path, written(tmp_path, diary(*some), "part.csv"), mapping, capsys)
    chance.shuffle(lines)
    whole = written(tmp_path, diary(*lines), "whole.csv")
    for _ in range(2):
        done = brought(lite, tmp_path, whole, mapping, capsys, existing=(name,))
    assert not any(done["new"].values())
    columns = {"corrections": ("at", "target", "value"), "contexts": ("at", "place")}
    for table, names in columns.items():
        assert plain(lite, name, table, names) == plain(lite, f"{name}t", table, names)


def plain(access: Access, name: str, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    found = tables.metadata.tables[table]
    with access.database.read() as connection:
        query = select(*(found.c[c] for c in columns)).where(found.c.subject == access.person(name).subject)
        return sorted(map(tuple, connection.execute(query)), key=repr)
