"""In a public export nobody stands out: its table of participants is k-anonymous, and no row is dropped for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import ALL, NOW, installation
from tests.processes import close
from tests.workflows.exported import DAY, TABLES, bytes_of, fill, manifest, read, someone
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.store import exports
from tracker.workflows import consenting
from tracker.workflows.export import (
    ExportError,
    ExportResult,
    NothingToExportError,
    TooFewPeopleError,
    WithdrawnError,
    export_dataset,
)
from tracker.workflows.export.anonymising import COUNTED, GRANTED, QUASI, told, veil
from tracker.workflows.export.eligibility import Starts

ZONES = ("Europe/Berlin", "Europe/Paris", "Africa/Cairo", "America/New_York")


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    close(opened)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    close(opened)


def group(access: Access, zones: Sequence[str], **more: Any) -> list[Person]:
    return [someone(access, f"p{i}", zone=zone, **more) for i, zone in enumerate(zones)]


def public(access: Access, out: Path, k: int | None = None) -> ExportResult:
    return export_dataset(access, out, NOW, public=True, k=k)


def classes(folder: Path) -> Counter[tuple[Any, ...]]:
    """How many real people share each row, by a count of our own over every column but pseudonym and origin."""
    rows = [row for row in read(folder, "participants") if row["origin"] == "RECORDED"]
    return Counter(tuple(v for c, v in row.items() if c not in ("participant", "origin")) for row in rows)


def test_nobody_stands_out_in_a_public_export_and_no_row_is_missing(access: Access, tmp_path: Path) -> None:
    people = group(access, ["Europe/Berlin"] * 3 + ["Europe/Paris"] * 2 + ["America/New_York"])
    fill(access, people[0], NOW, source="b" * 64)  # has twice as many rows as the others
    plain = export_dataset(access, tmp_path / "plain", NOW)
    result = public(access, tmp_path / "public")
    assert min(classes(result.folder).values()) >= 5
    assert result.k == min(classes(result.folder).values())
    assert result.rows == plain.rows
    anonymity = manifest(result.folder)["anonymity"]
    assert (anonymity["asked"], anonymity["k"], anonymity["people"]) == (5, result.k, 6)
    assert set(anonymity["quasi_identifiers"]) == set(QUASI)
    assert manifest(plain.folder)["anonymity"]["k"] == plain.k == 1
    assert "k-anonymity of the table `participants` (not of the series): k = 6" in (
        result.folder / "codebook.md"
    ).read_text("utf-8")


def test_zones_of_one_clock_become_that_clock_in_every_table_and_keep_local_time(
    lite: Access, tmp_path: Path
) -> None:
    group(lite, ["Europe/Berlin"] * 3 + ["Europe/Paris"] * 3)
    out = public(lite, tmp_path / "out").folder
    for table in TABLES:
        rows = read(out, table)
        assert {row["zone"] for row in rows} <= {"UTC+01:00"}, (
            table
        )  # no summer time lies in the 60 days covered
        offsets = {v for row in rows for c, v in row.items() if c.endswith("_offset_min") and v is not None}
        assert offsets <= {60}
    assert {row["at_offset_min"] for row in read(out, "observations")} == {60}


def test_where_clocks_differ_no_offset_tells_what_the_zone_does_not(lite: Access, tmp_path: Path) -> None:
    group(lite, ["Europe/Berlin"] * 3 + ["Africa/Cairo"] * 3)
    out = public(lite, tmp_path / "out").folder
    for table in TABLES:
        rows = read(out, table)
        assert {row["zone"] for row in rows} <= {"UTC-2 to UTC+5"}, table
        assert not any(v is not None for row in rows for c, v in row.items() if c.endswith("_offset_min"))
    assert manifest(out)["anonymity"]["quasi_identifiers"]["zone"] == {
        "told": "by its third of the world, without offsets",
        "k": 6,
    }


def test_one_zone_is_told_as_it_is(lite: Access, tmp_path: Path) -> None:
    group(lite, ["Europe/Berlin"] * 5)
    result = public(lite, tmp_path / "out")
    assert result.k == 5
    assert {row["zone"] for row in read(result.folder, "observations")} == {"Europe/Berlin"}
    assert {c["told"] for c in manifest(result.folder)["anonymity"]["quasi_identifiers"].values()} == {
        "as it is"
    }


@pytest.mark.parametrize(("n", "who"), [(1, "1 person"), (4, "4 people")])
def test_a_study_of_few_people_has_no_public_export(lite: Access, tmp_path: Path, n: int, who: str) -> None:
    group(lite, ["Europe/Berlin"] * n)
    group_of_nobody = [someone(lite, f"s{i}", simulated=True) for i in range(5)]
    with pytest.raises(TooFewPeopleError, match=f"a study of {who} has no public export"):
        public(lite, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert len(group_of_nobody) == 5  # whom nobody can hide among


def test_a_public_export_holds_those_alone_who_allow_it(access: Access, tmp_path: Path) -> None:
    group(access, ["Europe/Berlin"] * 5)
    for i, missing in enumerate((Scope.EXPORT_PUBLIC, Scope.EXPORT_PSEUDONYMOUS)):
        someone(access, f"q{i}", tuple(s for s in ALL if s is not missing))
    result = public(access, tmp_path / "out")
    assert result.participants == 6  # a grant of export_pseudonymous is neither needed nor enough
    assert result.excluded_participants == {"export_public not in force": 1}
    nobody = installation(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "keys")
    with pytest.raises(NothingToExportError):
        public(nobody, tmp_path / "none")
    close(nobody)


def test_a_public_export_repeats_and_ends_with_its_own_scope(access: Access, tmp_path: Path) -> None:
    people = group(access, ["Europe/Berlin"] * 3 + ["Europe/Paris"] * 3)
    first = public(access, tmp_path / "first")
    own = export_dataset(access, tmp_path / "own", NOW)
    later = NOW + DAY
    again = export_dataset(access, tmp_path / "again", later, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    assert again.k == first.k
    consenting.withdraw(access, people[0], [Scope.EXPORT_PUBLIC], later, recorder=Recorder.PARTICIPANT)
    with access.database.read() as connection:
        flags = {e: exports.get(connection, e) for e in (first.id, own.id)}
    assert {e: row.outdated_at for e, row in flags.items() if row} == {first.id: later, own.id: None}
    with pytest.raises(WithdrawnError):
        export_dataset(access, tmp_path / "refused", later, again=first.id)
    export_dataset(access, tmp_path / "own again", later, again=own.id)
    consenting.withdraw(access, people[1], [Scope.EXPORT_PSEUDONYMOUS], later, recorder=Recorder.PARTICIPANT)
    with access.database.read() as connection:
        row = exports.get(connection, own.id)
    assert row is not None
    assert row.outdated_at == later


def test_researchers_may_ask_for_anonymity_too(lite: Access, tmp_path: Path) -> None:
    group(lite, ["Europe/Berlin", "Africa/Cairo"])
    result = export_dataset(lite, tmp_path / "out", NOW, k=2)
    assert result.k == 2
    with pytest.raises(
        TooFewPeopleError, match="2 people cannot hide each other among 3; ask for a --k of at most 2"
    ):
        export_dataset(lite, tmp_path / "three", NOW, k=3)
    with pytest.raises(ExportError, match="not 0"):
        export_dataset(lite, tmp_path / "zero", NOW, k=0)
    with pytest.raises(ExportError, match="--public or --k"):
        export_dataset(lite, tmp_path / "again", NOW, again=result.id, k=2)


def test_simulated_people_need_not_hide(lite: Access, tmp_path: Path) -> None:
    group(lite, ["Europe/Berlin"], simulated=True)
    result = public(lite, tmp_path / "out")
    assert result.k == 0
    assert "No real person is in it" in (result.folder / "codebook.md").read_text("utf-8")


# Without a database: any cohort.

REGIONS = (
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Athens",
    "Africa/Cairo",
    "Asia/Kolkata",
    "America/New_York",
)
START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=200)


@settings(deadline=None, max_examples=40)
@given(
    cohort=st.lists(
        st.tuples(
            st.sampled_from(REGIONS),
            st.booleans(),
            st.booleans(),
            st.lists(st.integers(0, 40), min_size=len(COUNTED), max_size=len(COUNTED)),
        ),
        min_size=3,
        max_size=8,
    ),
    k=st.integers(1, 3),
)
def test_any_cohort_reaches_k_and_zones_told_alike_have_the_same_offsets(
    cohort: list[tuple[str, bool, bool, list[int]]], k: int
) -> None:
    people = [
        (
            Person(str(i), str(i), str(i), zone, False, START, None),
            Starts(START, START if a else None, START if b else None, None),
        )
        for i, (zone, a, b, _) in enumerate(cohort)
    ]
    chosen = veil(people, END, k)
    rows = [
        {
            "participant": f"p{i}",
            "zone": zone,
            **dict(zip(GRANTED, (True, a, b, False, False), strict=True)),
            **dict(zip(COUNTED, counts, strict=True)),
            "origin": "RECORDED",
        }
        for i, (zone, a, b, counts) in enumerate(cohort)
    ]
    frame, report = told(rows, chosen)
    seen = Counter(zip(*(frame[name].to_pylist() for name in QUASI), strict=True))
    assert min(seen.values()) == report["k"] >= k
    if chosen.offsets:
        hours = [START + timedelta(hours=h) for h in range(0, 200 * 24, 6)]
        clocks: dict[Any, set[tuple[Any, ...]]] = {}
        for zone, name in zip((row["zone"] for row in rows), frame["zone"].to_pylist(), strict=True):
            offsets = tuple(at.astimezone(ZoneInfo(str(zone))).utcoffset() for at in hours)
            clocks.setdefault(name, set()).add(offsets)
        assert all(len(offsets) == 1 for offsets in clocks.values())
