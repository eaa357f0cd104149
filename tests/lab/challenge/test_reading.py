"""Diaries from CSV files: every treatment that `docs/cli.md` promises, and every refusal by row and column."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracker.domain.instants import InstantError
from tracker.lab.challenge.diaries import Beep, Cohort, ReadingError, TargetError, shared_features
from tracker.lab.challenge.reading import read
from tracker.lab.challenge.targets import Rule, TargetSpec

REAL = Path(__file__).parents[4] / "shared" / "esm"
ALONE = TargetSpec("alone", Rule.ABOVE, 50)

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "diary.csv"
        path.write_bytes(text.encode())
        return path

    return write


def stamped(*rows: str, header: str = "participant,timestamp,tense,place,alone") -> str:
    return "\n".join([header, *rows]) + "\n"


TWO_PEOPLE = (
    "bo,2026-03-02 09:00,10,home,20",
    "ada,2026-03-02 09:00,40,work,60",
    "ada,2026-03-02 23:30,NA,,80",
    "ada,2026-03-04 09:15,30,home,",
)


def moments(cohort: Cohort, person: str) -> tuple[Beep, ...]:
    return next(diary.moments for diary in cohort.people if diary.person == person)


def refused(path: Path, *words: str, target: TargetSpec = ALONE, **more: object) -> None:
    """Reading ends in one clear line that says all of this."""
    with pytest.raises((ReadingError, TargetError)) as caught:
        read(path, target, **more)  # type: ignore[arg-type]
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


class TestWhatIsRead:
    def test_people_moments_days_and_answers(self, write: Write) -> None:
        cohort = read(write(stamped(*TWO_PEOPLE)), ALONE)
        assert [diary.person for diary in cohort.people] == ["ada", "bo"]
        assert (cohort.numbers, cohort.words, cohort.scale) == (("tense",), ("place",), (20.0, 80.0))
        ada = moments(cohort, "ada")
        assert [beep.situation.day for beep in ada] == [1, 1, 3]
        assert [beep.truth for beep in ada] == [True, True, None]
        assert ada[2].answer is None
        assert ada[1].situation.numbers == {}
        assert ada[1].situation.words == {}
        assert (ada[1].situation.hour, ada[1].situation.weekday) == (23.5, 0)
        assert cohort.notes == ()

    def test_local_days_and_hours_of_the_zone(self, write: Write) -> None:
        rows = ("ada,2026-03-01T22:30:00Z,1,home,60", "ada,2026-03-01T23:30:00Z,1,home,20")
        ada = moments(read(write(stamped(*rows)), ALONE, zone="Europe/Berlin"), "ada")
        assert [(beep.situation.day, beep.situation.hour) for beep in ada] == [(1, 23.5), (2, 0.5)]
        assert ada[0].situation.at == datetime(2026, 3, 1, 22, 30, tzinfo=UTC)

    def test_day_and_beep_without_a_clock(self, write: Write) -> None:
        text = "participant,day,beep,alone\nada,2,1,60\nada,1,12,20\nada,40,1.0,20\nada,1,2,20\n"
        cohort = read(write(text), ALONE)
        ada = moments(cohort, "ada")
        assert not cohort.clocked
        assert [(beep.situation.day, beep.situation.slot) for beep in ada] == [
            (1, 2),
            (1, 12),
            (2, 1),
            (40, 1),
        ]
        assert all(beep.situation.hour is None and beep.situation.weekday is None for beep in ada)
        assert sorted(ada, key=lambda beep: beep.situation.at) == list(ada)

    def test_features_are_chosen_and_excluded(self, write: Write) -> None:
        path = write(stamped(*TWO_PEOPLE))
        assert read(path, ALONE, features=()).numbers == ()
        assert read(path, ALONE, features=("place",)).words == ("place",)
        assert read(path, ALONE, exclude=("tense", "participant")).numbers == ()
        refused(path, "'tens'", "did you mean tense", features=("tens",))
        refused(path, "'tens'", "did you mean tense", exclude=("tens",))
        refused(path, "--features alone", features=("alone",))
        assert read(path, ALONE, features=("tens",), exclude=("x",), strict=False).numbers == ()

    def test_a_byte_order_mark_blank_rows_and_a_column_without_a_name(self, write: Write) -> None:
        text = (
            "\ufeff,participant,timestamp,alone\n0,ada,2026-03-02 09:00,60\n\n,,,\n1,ada,2026-03-02 10:00,2\n"
        )
        cohort = read(write(text), ALONE)
        assert [beep.row for beep in moments(cohort, "ada")] == [2, 5]
        assert cohort.numbers == ()

    def test_one_person_and_weeks_of_silence(self, write: Write) -> None:
        rows = ("ada,2026-03-02 09:00,1,home,60", "ada,2026-05-02 09:00,1,home,20")
        ada = moments(read(write(stamped(*rows)), ALONE), "ada")
        assert [beep.situation.day for beep in ada] == [1, 62]

    def test_an_own_median_labels_the_days_it_is_taken_from(self, write: Write) -> None:
        rows = [f"ada,2026-03-0{day} 09:00,1,home,{value}" for day, value in enumerate((10, 20, 30, 25), 1)]
        rows += ["bo,2026-03-02 09:00,1,home,", "bo,2026-03-09 09:00,1,home,50"]
        cohort = read(write(stamped(*rows)), TargetSpec("alone", Rule.ABOVE_OWN_MEDIAN, 3))
        assert [beep.truth for beep in moments(cohort, "ada")] == [False, False, True, True]
        assert [diary.cut for diary in cohort.people] == [20.0, None]
        assert [beep.truth for beep in moments(cohort, "bo")] == [None, None]
        assert "'bo' answered nothing in the first 3 days" in cohort.notes[0]

    def test_a_word_as_target(self, write: Write) -> None:
        cohort = read(write(stamped(*TWO_PEOPLE)), TargetSpec("place", Rule.EQUALS, "home"))
        assert [beep.truth for beep in moments(cohort, "ada")] == [False, None, True]
        assert cohort.scale is None
        assert cohort.numbers == ("tense", "alone")


class TestNumbersAndWords:
    def test_text_in_a_column_of_numbers_names_row_and_column(self, write: Write) -> None:
        rows = [f"ada,2026-03-02 09:{minute},1,home,{minute}" for minute in range(10, 19)]
        path = write(stamped(*rows, "ada,2026-03-02 09:19,tired,home,90"))
        refused(path, "row 11", "'tense'", "'tired'")
        assert read(path, ALONE, exclude=("tense",)).words == ("place",)
        assert read(path, ALONE, features=("place",)).words == ("place",)

    def test_below_nine_tenths_a_column_is_of_categories_and_that_is_said(self, write: Write) -> None:
        rows = [f"ada,2026-03-02 09:{minute},1,home,{minute}" for minute in range(10, 18)]
        cohort = read(write(stamped(*rows, "ada,2026-03-02 09:19,tired,home,90")), ALONE)
        assert cohort.words == ("tense", "place")
        assert "'tense' is read as categories: 8 of its 9 values are numbers" in cohort.notes[0]

    @pytest.mark.parametrize("infinite", ["inf", "-Infinity", "1e999"])
    def test_the_infinite_names_row_and_column(self, write: Write, infinite: str) -> None:
        rows = ("ada,2026-03-02 09:00,1,home,60", f"ada,2026-03-02 09:10,{infinite},home,20")
        refused(write(stamped(*rows)), "row 3", "'tense'", "infinite")

    def test_another_spelling_of_nan_is_not_called_infinite(self, write: Write) -> None:
        rows = ("ada,2026-03-02 09:00,1,home,60", "ada,2026-03-02 09:10,NAN,home,20")
        refused(write(stamped(*rows)), "row 3", "'tense'", "no number", "leave empty")

    @pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "  "])
    def test_the_missing_is_absent(self, write: Write, missing: str) -> None:
        rows = ("ada,2026-03-02 09:00,1,home,60", f"ada,2026-03-02 09:10,{missing},{missing},20")
        second = moments(read(write(stamped(*rows)), ALONE), "ada")[1].situation
        assert (dict(second.numbers), dict(second.words)) == ({}, {})

    def test_a_constant_and_an_empty_column_may_stay(self, write: Write) -> None:
        rows = ("ada,2026-03-02 09:00,1,,60", "ada,2026-03-02 09:10,1,,20")
        assert read(write(stamped(*rows)), ALONE).numbers == ("tense", "place")


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", ["empty"]),
            (b"\n\n", ["empty"]),
            (b"participant,timestamp,alone\n", ["no rows"]),
            (b"participant,timestamp,alone\nada,2026-03-02 09:00,\xe4\n", ["UTF-8", "byte 50", "0xe4"]),
            ("participant,alone\nada,1\n".encode("utf-16"), ["UTF-8", "byte 1 "]),
            (b"participant;timestamp;alone\nada;2026-03-02 09:00;1\n", ["semicolons"]),
            (b"person,timestamp,alone\nada,2026-03-02 09:00,1\n", ["'participant'"]),
            (b"participant,day,alone\nada,1,1\n", ["'timestamp'", "'beep'"]),
            (b"participant,timestamp,alone,alone\nada,2026-03-02 09:00,1,1\n", ["'alone'", "more than once"]),
            (b"participant,timestamp,alone\nada,2026-03-02 09:00,1,5\n", ["row 2", "4 cells", "3 columns"]),
            (b'participant,timestamp,alone\nada,2026-03-02 09:00,"1\n', ["row 2", "no CSV"]),
            (b"participant,timestamp,alone\n,2026-03-02 09:00,1\n", ["row 2", "'participant'"]),
            (b"participant,timestamp,alone\nada,yesterday,1\n", ["row 2", "'timestamp'", "'yesterday'"]),
            (b"participant,timestamp,alone\nada,2026-03-02,1\n", ["row 2", "'timestamp'", "time of day"]),
            (b"participant,timestamp,alone\nada,0001-01-01 00:00,1\n", ["row 2", "'timestamp'", "years"]),
            (b"participant,timestamp,alone\nada,,1\n", ["row 2", "'timestamp'", "'alone'"]),
            (b"participant,day,beep,alone\nada,0,1,1\n", ["row 2", "'day'", "from 1"]),
            (b"participant,day,beep,alone\nada,1.5,1,1\n", ["row 2", "'day'", "'1.5'"]),
            (b"participant,day,beep,alone\nada,1,x,1\n", ["row 2", "'beep'", "'x'"]),
            (b"participant,day,beep,alone\nada,1e999,1,1\n", ["row 2", "'day'", "infinite"]),
        ],
    )
    def test_files(self, tmp_path: Path, content: bytes, words: list[str]) -> None:
        path = tmp_path / "diary.csv"
        path.write_bytes(content)
        refused(path, "diary.csv", *words)

    def test_no_file_and_a_folder(self, tmp_path: Path) -> None:
        refused(tmp_path / "none.csv", "does not exist")
        refused(tmp_path, "cannot be read")

    def test_targets(self, write: Write) -> None:
        path = write(stamped(*TWO_PEOPLE))
        refused(path, "'alon'", "did you mean alone", target=TargetSpec("alon", Rule.ABOVE, 5))
        refused(path, "says whose or when", target=TargetSpec("timestamp", Rule.ABOVE, 5))
        refused(path, "never true", "from 20 to 80", target=TargetSpec("alone", Rule.ABOVE, 80))
        refused(path, "always true", target=TargetSpec("alone", Rule.AT_LEAST, 20))
        refused(path, "'place'", "text", "row 2", target=TargetSpec("place", Rule.ABOVE, 80))
        refused(path, "never true", "home, work", target=TargetSpec("place", Rule.EQUALS, "hme"))
        refused(path, "holds numbers", target=TargetSpec("alone", Rule.EQUALS, "many"))
        refused(path, "--either", target=TargetSpec("place", Rule.EQUALS, "home", either=(1, 2)))

    def test_a_constant_and_an_empty_target(self, write: Write) -> None:
        rows = ("ada,2026-03-02 09:00,1,home,60", "bo,2026-03-02 09:10,1,home,60")
        refused(write(stamped(*rows)), "'alone' is 60 in every row")
        refused(write(stamped("ada,2026-03-02 09:00,1,home,")), "'alone' is empty")

    def test_an_unknown_zone(self, write: Write) -> None:
        with pytest.raises(InstantError, match="Mars"):
            read(write(stamped(*TWO_PEOPLE)), ALONE, zone="Mars/Olympus")


class TestCopies:
    def test_identical_rows_are_one_moment_and_a_note(self, write: Write) -> None:
        path = write(stamped(*TWO_PEOPLE, TWO_PEOPLE[1]))
        once = read(write(stamped(*TWO_PEOPLE)), ALONE)
        cohort = read(path.with_name("diary.csv"), ALONE)
        assert cohort == once
        twice = read(write(stamped(*TWO_PEOPLE, TWO_PEOPLE[1])), ALONE)
        assert twice == once
        assert "row 6 repeats row 3" in twice.notes[0]

    def test_conflicting_rows_name_both_and_the_column(self, write: Write) -> None:
        path = write(stamped(*TWO_PEOPLE, "ada,2026-03-02 09:00,40,work,61"))
        refused(path, "row 6", "row 3", "'alone'", "'61' instead of '60'")
        other = write(stamped(*TWO_PEOPLE, "ada,2026-03-02 09:00,40,home,60"))
        refused(other, "row 6", "'place'")
        assert len(moments(read(other, ALONE, exclude=("place",)), "ada")) == 3

    def test_without_a_clock_day_and_beep_tell_rows_apart(self, write: Write) -> None:
        head = "participant,day,beep,alone\nada,1,1,60\nada,1,2,20\n"
        assert len(moments(read(write(head + "ada,1,1,60\n"), ALONE), "ada")) == 2
        refused(write(head + "ada,1,1,61\n"), "row 4", "row 2", "'alone'")

    def test_prompts_numbered_apart_may_end_at_one_instant(self, write: Write) -> None:
        head = "participant,timestamp,day,beep,alone\nada,2026-03-02 09:00,1,1,60\n"
        slots = moments(read(write(head + "ada,2026-03-02 09:00,1,2,20\n"), ALONE), "ada")
        assert [beep.situation.slot for beep in slots] == [1, 2]
        refused(write(head + "ada,2026-03-02 09:30,1,1,60\n"), "row 3", "'timestamp'", "another time")


class TestClocks:
    HEAD = "participant,timestamp,day,beep,alone\nada,2026-03-02 09:00,1,1,60\n"

    def test_a_beep_against_the_clock_yields_to_it_with_a_note(self, write: Write) -> None:
        cohort = read(write(self.HEAD + "ada,2026-03-02 08:00,1,2,20\n"), ALONE)
        assert [beep.situation.slot for beep in moments(cohort, "ada")] == [2, 1]
        assert "row 2" in cohort.notes[0]
        assert "row 3" in cohort.notes[0]

    def test_a_day_against_the_clock_is_refused(self, write: Write) -> None:
        path = write(self.HEAD + "ada,2026-03-01 10:00,2,1,20\n")
        refused(path, "row 2", "row 3", "'day'", "runs back", "'ada'")

    def test_a_column_day_goes_before_the_calendar(self, write: Write) -> None:
        ada = moments(read(write(self.HEAD + "ada,2026-03-03 01:00,1,2,20\n"), ALONE), "ada")
        assert [beep.situation.day for beep in ada] == [1, 1]

    def test_an_hour_that_was_skipped(self, write: Write) -> None:
        rows = ("ada,2026-03-29 02:30,1,home,60", "ada,2026-03-29 03:10,1,home,20")
        cohort = read(write(stamped(*rows)), ALONE, zone="Europe/Berlin")
        ada = moments(cohort, "ada")
        assert [beep.situation.hour for beep in ada] == pytest.approx([3 + 1 / 6, 3.5])
        assert "skipped" in cohort.notes[0]
        assert "row 2" in cohort.notes[0]

    def test_an_hour_that_came_twice(self, write: Write) -> None:
        rows = ("ada,2026-10-25 02:30,1,home,60", "ada,2026-10-25 03:10,1,home,20")
        cohort = read(write(stamped(*rows)), ALONE, zone="Europe/Berlin")
        first, second = (beep.situation for beep in moments(cohort, "ada"))
        assert second.at - first.at == timedelta(hours=1, minutes=40)
        assert first.hour == 2.5
        assert "twice" in cohort.notes[0]

    def test_rows_without_time_and_answer_are_passed_over(self, write: Write) -> None:
        cohort = read(write(stamped(*TWO_PEOPLE, "ada,,,,")), ALONE)
        assert len(moments(cohort, "ada")) == 3
        assert "1 rows without" in cohort.notes[0]


lines = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bo", "cy"]),
        st.integers(0, 60 * 24 * 40),
        st.sampled_from(["", "1", "2.5", "-3"]),
        st.sampled_from(["", "home", "at work, alone"]),
        st.integers(0, 100),
    ),
    min_size=2,
    unique_by=lambda line: line[:2],
)
PLENTY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def as_text(rows: list[tuple[str, int, str, str, int]]) -> str:
    start = datetime(2026, 3, 10)
    return stamped(
        *(f'{who},{start + timedelta(minutes=at)},{x},"{place}",{y}' for who, at, x, place, y in rows),
        "zoe,2026-03-10 09:00,1,home,0",
        "zoe,2026-03-10 10:00,1,home,100",
    )


@PLENTY
@given(rows=lines, seed=st.integers(0, 99), copies=st.integers(0, 3))
def test_the_order_of_rows_and_copies_of_them_never_change_the_cohort(
    write: Write, rows: list[tuple[str, int, str, str, int]], seed: int, copies: int
) -> None:
    header, *body = as_text(rows).splitlines()
    plain = read(write("\n".join([header, *body])), ALONE, zone="Asia/Seoul")
    chance = random.Random(seed)
    body += chance.choices(body, k=copies)
    chance.shuffle(body)
    assert read(write("\n".join([header, *body])), ALONE, zone="Asia/Seoul") == plain


@PLENTY
@given(rows=lines)
def test_a_moment_says_what_its_own_row_says_whatever_the_others_are(
    write: Write, rows: list[tuple[str, int, str, str, int]]
) -> None:
    whole = read(write(as_text(rows)), ALONE, features=("tense",))
    fewer = read(write(as_text(rows[:1])), ALONE, features=("tense",))
    alone = moments(fewer, rows[0][0])[0].situation
    same = [beep.situation for beep in moments(whole, rows[0][0]) if beep.situation.at == alone.at]
    assert [(s.numbers, s.words, s.hour) for s in same] == [(alone.numbers, alone.words, alone.hour)]


def test_two_cohorts_share_what_both_have_in_one_kind(write: Write) -> None:
    one = read(write(stamped(*TWO_PEOPLE)), ALONE)
    text = stamped("cy,2026-03-02 09:00,1,5,20", "cy,2026-03-02 10:00,1,6,80")
    ours, others, dropped = shared_features(one, read(write(text), ALONE))
    assert (ours.numbers, ours.words, others.numbers, others.words) == (("tense",), (), ("tense",), ())
    assert dropped == ("place",)
    assert all(not beep.situation.words for diary in ours.people for beep in diary.moments)


@pytest.mark.parametrize(
    ("name", "target", "zone", "people", "answers"),
    [
        ("fisher2017", TargetSpec("avoid_people", Rule.ABOVE, 50), "UTC", 20, 2367),
        ("kaist_distraction2020", TargetSpec("expected_concentration", Rule.AT_LEAST, 4), "Asia/Seoul", 17, 4747),
        ("kossakowski2017", TargetSpec("event_disturb", Rule.AT_LEAST, 6), "Europe/Amsterdam", 1, 1469),
        ("fried2021", TargetSpec("alone", Rule.AT_LEAST, 3), "Europe/Amsterdam", 79, 3945),
    ],
)  # fmt: skip
def test_real_diaries_are_read_without_a_note(
    name: str, target: TargetSpec, zone: str, people: int, answers: int
) -> None:
    path = REAL / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"{name}.csv is not here: reading real diaries is not tried")
    cohort = read(path, target, zone=zone)
    assert len(cohort.people) == people
    assert sum(beep.truth is not None for diary in cohort.people for beep in diary.moments) == answers
    assert cohort.notes == ()


cells = st.one_of(
    st.sampled_from(
        [
            "ada",
            "bo",
            "1",
            "2",
            "1e400",
            "-0",
            "NaN",
            "NA",
            "",
            '"',
            "2026-03-02 09:00",
            "0",
            "1e18",
            "9" * 400,
        ]
    ),
    st.text(max_size=6),
)


@PLENTY
@given(
    header=st.lists(st.sampled_from(["participant", "timestamp", "day", "beep", "alone", "x"]), min_size=3),
    rows=st.lists(st.lists(cells, min_size=3, max_size=6), max_size=5),
    noise=st.binary(max_size=4),
)
def test_every_file_is_read_or_refused_in_one_line(
    write: Write, header: list[str], rows: list[list[str]], noise: bytes
) -> None:
    text = "\n".join(",".join(row) for row in [[*dict.fromkeys(header)], *rows])
    path = write("")
    path.write_bytes(text.encode("utf-8", "replace") + noise)
    said = ""
    try:
        read(path, ALONE)
    except (ReadingError, TargetError) as error:
        said = str(error)
    assert "\n" not in said
