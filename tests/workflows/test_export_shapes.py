"""The table `series`: wide or long, at the raw rate or in windows, against sums of our own over the other tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, installation, leaning, observed, person, store
from tests.workflows.exported import DAY, MINUTE, manifest, read, someone
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Context, Correction
from tracker.store import exporting
from tracker.workflows import consenting, feedback
from tracker.workflows.export import ExportError, export_dataset
from tracker.workflows.export.frames import Who
from tracker.workflows.export.series import Answer, Around, frames
from tracker.workflows.export.shapes import Shape

P = tuple(f"p_{e.value}" for e in EMOTIONS)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.close()


def said(row: dict[str, Any], source: str) -> tuple[Any, ...]:
    return tuple(row[f"{source}_{name}"] for name in P)


def test_wide_has_one_row_an_observation_with_what_each_said_of_it(access: Access, tmp_path: Path) -> None:
    someone(access, "ada")
    out = export_dataset(access, tmp_path / "out", NOW, shape="wide").folder
    rows, seen = read(out, "series"), read(out, "observations")
    assert [(r["at"], r["at_offset_min"], r["zone"]) for r in rows] == [
        (r["at"], r["at_offset_min"], r["zone"]) for r in seen
    ]
    estimates = defaultdict(dict)
    for e in read(out, "estimates"):
        estimates[e["at"]][e["source"]] = tuple(e[name] for name in P)
    for row, one in zip(rows, seen, strict=True):
        for source in ("network", "learner", "learner_now"):
            assert said(row, source) == estimates[row["at"]].get(source, (None,) * 8)
        assert row["n_read"] == (one["reason"] is None)
    told = [r for r in rows if r["said_p_fear"] is not None]
    assert [(r["at"], round(r["said_p_fear"], 2)) for r in told] == [(NOW - 5 * MINUTE, 0.65)]
    assert [r["at"] for r in rows if r["said_leave_me_alone"] is not None] == [NOW - 3 * MINUTE]
    assert {(r["place"], r["company"]) for r in rows} == {("home", "alone")}
    assert rows[-1]["context_age_s"] == 29 * 60


def test_long_holds_the_same_cells_below_each_other(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    wide = read(export_dataset(lite, tmp_path / "wide", NOW, shape="wide").folder, "series")
    result = export_dataset(lite, tmp_path / "long", NOW, shape="long")
    long = read(result.folder, "series")
    heads = (
        "participant",
        "at",
        "at_offset_min",
        "zone",
        "origin",
        "n_observations",
        "n_read",
        "context_age_s",
    )
    expected = [
        (row["at"], name, value)
        for row in wide
        for name, value in row.items()
        if name not in heads and value is not None
    ]
    words = ("place", "activity", "company")
    found = [
        (
            row["at"],
            row["variable"] if row["variable"] in words else f"{row['source']}_{row['variable']}",
            row["value"] if row["text"] is None else row["text"],
        )
        for row in long
    ]
    assert found == expected
    assert result.rows["series"] == len(long) > 12 * 10


def test_windows_are_weighted_means_of_the_rows_in_them(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    result = export_dataset(lite, tmp_path / "out", NOW, shape="wide", every_s=300)
    rows = read(result.folder, "series")
    assert [r["n_observations"] for r in rows] == [4, 5, 5, 1] or sum(r["n_observations"] for r in rows) == 15
    groups: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for e in read(result.folder, "estimates"):
        if e["source"] == "network":
            groups[start(e["at"], 300)].append(e)
    for row in rows:
        assert row["at"] == start(row["at"], 300)
        mine = groups.get(row["at"], [])
        assert row["n_read"] == len(mine)
        if mine:
            mean = [sum(e[name] for e in mine) / len(mine) for name in P]
            assert said(row, "network") == pytest.approx(mean)
        else:
            assert said(row, "network") == (None,) * 8
    told = manifest(result.folder)["series"]
    assert (told["shape"], told["every_s"]) == ("wide", 300)
    assert "nothing is filled in" in told["rows"]


def start(at: datetime, every_s: int) -> datetime:
    return at - timedelta(seconds=at.timestamp() % every_s)


def test_what_is_not_granted_is_in_no_column(access: Access, tmp_path: Path) -> None:
    ada = someone(access, "ada")
    gone = [Scope.CONTEXT, Scope.PERSONAL_LEARNING, Scope.PROMPTS]
    consenting.withdraw(access, ada, gone, NOW, recorder=Recorder.PARTICIPANT)
    for shape in Shape:
        out = export_dataset(access, tmp_path / shape.value, NOW, shape=shape).folder
        rows = read(out, "series")
        if shape is Shape.LONG:
            assert {r["source"] for r in rows} == {"network", "said"}
            assert not {r["variable"] for r in rows} & {"place", "company", "leave_me_alone"}
            continue
        for row in rows:
            assert row["place"] is row["context_age_s"] is row["said_leave_me_alone"] is None
            assert said(row, "learner") == said(row, "learner_now") == (None,) * 8


def test_the_learner_of_now_says_what_the_persons_learner_says(lite: Access, tmp_path: Path) -> None:
    ada = someone(lite, "ada")
    feedback.add_context(lite, ada, Context(NOW - 8 * MINUTE, "work"), NOW)
    out = export_dataset(lite, tmp_path / "out", NOW).folder
    rows = read(out, "estimates")
    now = {r["at"]: r for r in rows if r["source"] == "learner_now"}
    assert len(now) == 12
    with lite.read(ada.id, NOW) as unit:
        learner = personal.load(unit)
        assert learner is not None
        contexts = [Context(NOW - 30 * MINUTE, "home", company="alone"), Context(NOW - 8 * MINUTE, "work")]
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        for at, row in now.items():
            seen = learner.features(
                leaning(Emotion.SADNESS), at, ZoneInfo("Europe/Berlin"), personal.context_at(contexts, at)
            )
            expected = learner.learner.predict(seen).probabilities
            assert tuple(row[name] for name in P) == pytest.approx(expected, abs=1e-9)
    # A later word changes what the learner says now, and nothing in an export of the instant before.
    feedback.correct(lite, ada, Correction(NOW - 2 * MINUTE, "emotion", leaning(Emotion.ANGER)), NOW + DAY)
    before = export_dataset(lite, tmp_path / "before", NOW + DAY, at=NOW).folder
    after = export_dataset(lite, tmp_path / "after", NOW + DAY).folder
    for folder, same in ((before, True), (after, False)):
        found = {r["at"]: r for r in read(folder, "estimates") if r["source"] == "learner_now"}
        assert ([found[at]["p_anger"] for at in now] == [now[at]["p_anger"] for at in now]) is same
    without = export_dataset(lite, tmp_path / "without", NOW + DAY, learner_now=False).folder
    assert {r["source"] for r in read(without, "estimates")} == {"network", "learner"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"every_s": 60}, "--every is the step of the table series"),
        ({"shape": "wide", "every_s": 0}, "--every is from 1 s to 1 day"),
        ({"shape": "wide", "every_s": 86_401}, "--every is from 1 s to 1 day"),
        ({"shape": "long", "formats": {"openesm"}}, "is Parquet or CSV"),
    ],
)
def test_what_cannot_be_made_is_one_line(
    lite: Access, tmp_path: Path, more: dict[str, Any], why: str
) -> None:
    person(lite, "ada")
    with pytest.raises(ExportError, match=why):
        export_dataset(lite, tmp_path / "out", NOW, **more)


def test_an_export_of_a_shape_is_repeated_byte_for_byte(lite: Access, tmp_path: Path) -> None:
    from tests.workflows.exported import bytes_of  # noqa: PLC0415

    ada = someone(lite, "ada")
    asked: dict[str, Any] = {"shape": "long", "every_s": 60, "formats": {"csv", "openesm"}}
    first = export_dataset(lite, tmp_path / "first", NOW, **asked)
    feedback.correct(lite, ada, Correction(NOW - 2 * MINUTE, "emotion", leaning(Emotion.ANGER)), NOW + DAY)
    again = export_dataset(lite, tmp_path / "again", NOW + DAY, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)


# One person's moments: seconds apart, who said something (0 nothing, 1 the network, 2 the learner too), samples, and
# whether the network reads seven emotions alone.
MOMENTS = st.lists(
    st.tuples(st.integers(1, 400), st.integers(0, 2), st.integers(1, 3), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(moments=MOMENTS, size=st.integers(1, 7), every=st.sampled_from([None, 7, 60, 3600]), data=st.data())
def test_every_series_is_what_its_rules_say_however_rows_arrive(
    moments: list[tuple[int, int, int, bool]], size: int, every: int | None, data: st.DataObject
) -> None:
    rows, at = [], 1_770_000_000
    for i, (step, sayers, samples, seven) in enumerate(moments):
        at += step
        head = (i + 1, at * 1_000_000, "Europe/Berlin", samples)
        said = leaning(EMOTIONS[i % 8], 0.3 + i / 100).probabilities
        by_network = (*said[:-1], 0.0) if seven else said
        rows += [(*head, None, *[None] * 8, None, None)] if not sayers else []
        rows += [
            (*head, k, *(said if k else by_network), samples, "seven" if seven else "eight")
            for k in range(sayers)
        ]
    last = at
    answers = tuple(
        Answer(t * 1_000_000, "valence", 0.5, None)
        for t in sorted(data.draw(st.lists(st.integers(1_770_000_000, last + 200), max_size=5)))
    )
    batches = [rows[i : i + size] for i in range(0, len(rows), size)]
    who = Who("p", False)
    found: dict[str, list[Any]] = defaultdict(list)
    unread = {"seven": frozenset({Emotion.CONTEMPT}), "eight": frozenset()}.__getitem__
    for frame in frames(iter(batches), who, Around(answers), None, Shape.WIDE, every, unread):
        for name, column in frame.items():
            found[name] += column.to_pylist()
    starts = {
        row[1]: row[1] if every is None else row[1] // (every * 1_000_000) * every * 1_000_000 for row in rows
    }
    expected: dict[int, list[Any]] = defaultdict(list)
    for row in {row[0]: row for row in rows}.values():
        expected[starts[row[1]]].append(row)
    assert [int(t.timestamp() * 1_000_000) for t in found["at"]] == sorted(expected)
    for i, key in enumerate(sorted(expected)):
        mine = expected[key]
        assert found["n_observations"][i] == sum(row[3] for row in mine)
        read_ = [r for r in rows if starts[r[1]] == key and r[4] == 0]
        for name, place, heard in (
            ("neutral", 5, read_),
            ("contempt", 12, [r for r in read_ if r[-1] == "eight"]),
        ):
            weight = sum(r[-2] for r in heard)
            mean = sum(r[-2] * r[place] for r in heard) / weight if weight else None
            assert found[f"network_p_{name}"][i] == (None if mean is None else pytest.approx(mean))
    held = sum(1 for v in found["said_valence"] if v is not None)
    places = set()
    for answer in answers:
        before = [t for t in expected if t <= answer.at_us]
        limit = every * 1_000_000 if every is not None else 120_000_001
        if before and answer.at_us - max(before) < limit:
            places.add(max(before))
    assert held == len(places)


def test_batches_are_as_many_as_fetched(
    lite: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same table whether a person's rows come at once or three at a time."""
    who = person(lite, "ada", now=NOW - DAY)
    store(lite, who, [observed(NOW - timedelta(seconds=7 * i + 1)) for i in range(20)])
    whole = export_dataset(lite, tmp_path / "whole", NOW, shape="wide", every_s=30).folder
    monkeypatch.setattr(exporting, "BATCH", 3)
    parts = export_dataset(lite, tmp_path / "parts", NOW, shape="wide", every_s=30).folder
    one, other = (
        [{k: v for k, v in r.items() if k != "participant"} for r in read(f, "series")]
        for f in (whole, parts)
    )
    assert len(one) == 5
    for a, b in zip(one, other, strict=True):
        assert a == {k: pytest.approx(v) if isinstance(v, float) else v for k, v in b.items()}
