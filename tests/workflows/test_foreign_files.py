"""Files of other programs as they are read: what a row says, and what is wrong with a file, by its place."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.foreign_files import (
    DIARY,
    ESM,
    MAPPINGS,
    NOW,
    START,
    closing,
    diary,
    openface,
    py_feat,
    surveyed,
    written,
)
from tracker.domain.affect import Emotion
from tracker.domain.series import Reason
from tracker.study import StudyError
from tracker.workflows import foreign
from tracker.workflows.foreign import instants, rows, survey
from tracker.workflows.foreign.rows import Row
from tracker.workflows.foreign.sifting import Bounds, Sieve, Sifted

__all__ = ["closing"]

ADA = "ada,2026-03-02 09:00,75,4,home,calm"
OPENFACE, PY_FEAT = MAPPINGS / "openface.toml", MAPPINGS / "py-feat.toml"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return written(tmp_path, DIARY, "diary.toml")


def read(tmp_path: Path, mapping: Path, *lines: str) -> foreign.Survey:
    return surveyed(written(tmp_path, diary(*lines)), mapping)


def told(found: foreign.Survey) -> list[Row]:
    return [row for name in found.people for moment in found.rows(name) for row in moment]


def sifted(found: foreign.Survey, mapping: Path, name: str = "ada") -> Sifted:
    return Sieve(foreign.load(mapping), found.found.sha256).sift(list(found.rows(name)), Bounds({}, {}))


def test_a_row_says_what_its_mapping_says(tmp_path: Path, mapping: Path) -> None:
    found = read(tmp_path, mapping, ADA)
    [row] = told(found)
    assert (row.who, row.zone, row.line) == ("ada", "Europe/Berlin", 2)
    assert row.at == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert [(word.target, word.value) for word in row.words] == [
        ("leave_me_alone", 0.75),
        ("number:stress", 0.0),
    ]
    assert row.around == ("home", None, None)
    assert found.found.not_taken == ["mood"]


def test_an_empty_cell_says_nothing_and_a_row_of_them_is_counted(tmp_path: Path, mapping: Path) -> None:
    found = read(tmp_path, mapping, ADA, "ada,2026-03-02 10:00,,NA,,calm", "ada,2026-03-02 11:00,,1,,")
    assert found.found.silent == 1
    assert [[word.value for word in row.words] for row in told(found)] == [[0.75, 0.0], [-1.0]]


@pytest.mark.parametrize(
    ("line", "reason", "column", "value"),
    [
        ("ada,2026-03-29 02:30,1,1,,", instants.GAP, "when", "2026-03-29 02:30"),
        ("ada,2026-03-21 09:00,1,1,,", instants.FUTURE, "", "2026-03-21T08:00:00+00:00"),
        ("ada,yesterday,1,1,,", instants.NO_TIME, "when", "yesterday"),
        ("ada,2026-03-02T09:00:00Z,1,1,,", instants.NO_TIME, "when", "2026-03-02T09:00:00Z"),
        ("ada,,1,1,,", instants.NO_TIME, "when", ""),
        (",2026-03-02 10:00,1,1,,", rows.NOBODY, "who", ""),
        ("a/b,2026-03-02 10:00,1,1,,", rows.NOBODY, "who", "a/b"),
        ("ada,2026-03-02 10:00,101,1,,", rows.OFF_SCALE, "alone", "101"),
        ('ada,2026-03-02 10:00,"7,5",1,,', rows.NO_NUMBER, "alone", "7,5"),
        ("ada,2026-03-02 10:00,1_0,1,,", rows.NO_NUMBER, "alone", "1_0"),
        ("ada,2026-03-02 10:00,inf,1,,", rows.NO_NUMBER, "alone", "inf"),
        (f"ada,2026-03-02 10:00,1,1,{'x' * 65},", rows.TOO_LONG, "where", "x" * 60),
        ("ada,2026-03-02 10:00,1,1", rows.RAGGED, "", "4"),
    ],
)
def test_a_row_that_cannot_be_taken_in_is_counted_with_its_place(
    tmp_path: Path, mapping: Path, line: str, reason: str, column: str, value: str
) -> None:
    now = datetime(2026, 4, 20, tzinfo=UTC) if reason == instants.GAP else NOW
    found = surveyed(written(tmp_path, diary(ADA, line)), mapping, now)
    [(why, refused)] = found.found.refused.items()
    assert (why, refused.rows, refused.lines) == (reason, 1, [3])
    assert (refused.column, refused.value) == (column, value)
    assert len(told(found)) == 1


def test_a_local_time_that_was_twice_is_the_first_and_is_told(tmp_path: Path, mapping: Path) -> None:
    lines = ("ada,2025-10-26 02:30,1,1,,", "ada,2025-10-26 03:30,1,1,,")
    found = read(tmp_path, mapping, *lines)
    assert [row.at.hour for row in told(found)] == [0, 2]
    assert found.found.twice == 1
    second = written(tmp_path, DIARY.replace("zone =", 'ambiguous = "second"\nzone ='), "second.toml")
    assert [row.at.hour for row in told(read(tmp_path, second, *lines))] == [1, 2]
    refusing = written(tmp_path, DIARY.replace("zone =", 'ambiguous = "refuse"\nzone ='), "refuse.toml")
    assert read(tmp_path, refusing, *lines).found.refused[instants.TWICE].lines == [2]


def test_clocks_that_were_moved_meanwhile_are_told(tmp_path: Path, mapping: Path) -> None:
    found = read(tmp_path, mapping, "ada,2025-10-01 09:00,1,1,,", "ada,2025-11-01 09:00,1,1,,")
    [(zone, at, by)] = found.found.moved
    assert (zone, at.isoformat(), by) == ("Europe/Berlin", "2025-10-26T01:00:00+00:00", "-1:00")


def test_rows_that_contradict_each_other_are_refused_both_and_repeated_ones_taken_once(
    tmp_path: Path, mapping: Path
) -> None:
    other = ADA.replace(",75,", ",70,")
    found = read(tmp_path, mapping, ADA, ADA.replace("ada", "bob"), other, ADA.replace("ada", "bob"))
    assert found.found.refused[survey.CLASHES].lines == [2, 4]
    assert found.found.repeated == 1
    assert found.people == ["bob"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(tmp_path: Path, mapping: Path, chance: random.Random) -> None:
    lines = [f"{who},2026-03-0{day} 1{hour}:00,{hour * 10},{day},home," for who in ("ada", "bob")
             for day in (1, 2, 3) for hour in (0, 1)]  # fmt: skip
    lines += [lines[0], lines[3].replace(",home,", ",work,")]
    straight = read(tmp_path, mapping, *lines)
    plain = [(row.who, row.at, row.words, row.around) for row in told(straight)]
    chance.shuffle(lines)
    mixed = read(tmp_path, mapping, *lines)
    assert [(row.who, row.at, row.words, row.around) for row in told(mixed)] == plain
    assert len(plain) == 11
    assert mixed.found.repeated == straight.found.repeated == 1


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        ("who,when\nada,1\n".encode("utf-16"), "line 1: this is UTF-16"),
        (diary(ADA).replace(",", ";").encode(), "divided by a semicolon; say delimiter = ';'"),
        (diary(ADA).replace(",", "\t").encode(), "divided by a tab; say delimiter = 'tab'"),
        (
            diary(ADA).replace("stress", "tension").encode(),
            "line 1: there is no column 'stress'; there are: who, when",
        ),
        (diary(ADA).replace("mood", "alone").encode(), "line 1: 'alone' heads columns 3 and 6"),
        (
            diary(ADA, ADA.replace("home", "café")).encode("cp1252"),
            "line 3: byte 0xe9 is no utf-8 (column 5)",
        ),
        (diary(ADA, ADA.replace("home", "a\0b")).encode(), "line 3: it holds U+0000"),
        (diary(ADA, 'ada,"2026').encode(), "line 3: this is no CSV"),
        (
            diary("ada,soon,1,1,,").encode(),
            "line 2, column 'when': no time that can be read ('soon'); no row of 1",
        ),
        (diary().encode(), "nothing in it says anything"),
        (b"who," + b"x" * (1 << 20), "line 1: it has more than 1,048,576 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, mapping: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(raw)
    with pytest.raises(foreign.ForeignFileError) as refused:
        surveyed(path, mapping)
    assert says in str(refused.value)
    assert str(refused.value).startswith("bad.csv")


def test_a_mark_at_the_beginning_other_encodings_and_decimal_commas_are_read(
    tmp_path: Path, mapping: Path
) -> None:
    text = diary(ADA.replace("home", "café"))
    assert told(surveyed(written(tmp_path, text, encoding="utf-8-sig"), mapping))[0].around == (
        "café",
        None,
        None,
    )
    french = written(tmp_path, f'encoding = "cp1252"\ndelimiter = ";"\ndecimal = ","\n{DIARY}', "french.toml")
    raw = text.replace(",", ";").replace(";75;", ";7,5;")
    [row] = told(surveyed(written(tmp_path, raw, encoding="cp1252"), french))
    assert (row.around, row.words[0].value) == (("café", None, None), 0.075)


def test_a_field_may_have_lines_and_its_row_is_counted_where_it_begins(tmp_path: Path, mapping: Path) -> None:
    lines = ('ada,2026-03-02 09:00,75,4,home,"calm\nand\nquiet"', "", "ada,2026-03-02 10:00,200,4,home,")
    found = read(tmp_path, mapping, *lines)
    assert found.found.refused[rows.OFF_SCALE].lines == [6]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('local = "when"\n', "", "instant: say exactly one of local, instant"),
        ("Europe/Berlin", "Berlin", "instant.zone: 'Berlin' is no IANA time zone"),
        ("leave_me_alone", "alone", "answers.0.target: 'alone' is no target"),
        ("high = 100", "hihg = 100", "answers.0.hihg is unknown; did you mean high?"),
        ("low = 0\nhigh = 100", "low = 5\nhigh = 5", "answers.0: a scale has two ends"),
        ("low = 1\nhigh = 7", "above = 4", "answers.1.above: number:stress is a number"),
        ('"context", ', "", "consent.scopes: contexts are kept under context"),
        ("number:stress", "leave_me_alone", "answers.1.target: 'leave_me_alone' is there twice"),
        ('place = "where"', 'place_words = { a = "b" }', "contexts.place_words: there is no column"),
        ('local = "when"', 'frame = "when"', "instant.frame: frames_per_second is missing"),
        ('"personal_learning"', '"learning"', "consent.scopes.2"),
    ],
)
def test_a_mapping_that_says_what_cannot_be_is_refused_with_line_and_field(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    text = DIARY.replace(before, after, 1)
    assert text != DIARY
    with pytest.raises(StudyError) as refused:
        foreign.load(written(tmp_path, text, "bad.toml"))
    assert any(
        says in problem and problem.startswith("bad.toml, line ") for problem in refused.value.problems
    )


def test_yes_no_and_codes_say_what_values_mean(tmp_path: Path) -> None:
    text = DIARY.replace("low = 0\nhigh = 100", "at_least = 50").replace(
        "low = 1\nhigh = 7", 'codes = { "1" = -1.0, "2" = 0.5 }'
    )
    mapping = written(tmp_path, text, "codes.toml")
    found = read(tmp_path, mapping, "ada,2026-03-02 09:00,50,1.0,,", "ada,2026-03-02 10:00,49.9,2,,",
                 "ada,2026-03-02 11:00,1,3,,")  # fmt: skip
    assert [[word.value for word in row.words] for row in told(found)] == [[1.0, -1.0], [0.0, 0.5]]
    assert found.found.refused[rows.UNKNOWN_WORD].value == "3"


def test_days_and_beeps_are_times_of_the_first_day_on(tmp_path: Path) -> None:
    said = 'day = "day"\nbeep = "beep"\nfirst_day = 2026-03-01\nbeeps = ["09:00", "21:00"]'
    mapping = written(tmp_path, DIARY.replace('local = "when"', said), "beeps.toml")
    path = written(tmp_path, "who,day,beep,alone,stress,where\nada,2,1,5,1,\nada,1,2,5,1,\nada,1,3,5,1,\n")
    found = surveyed(path, mapping)
    assert [row.at.isoformat() for row in told(found)] == [
        "2026-03-01T20:00:00+00:00",
        "2026-03-02T08:00:00+00:00",
    ]
    assert found.found.refused[instants.NO_TIME].column == "beep"


def test_openface_says_where_a_face_was_and_no_emotion(tmp_path: Path) -> None:
    frames = [(1, 0, 0, 0.98, 1), (2, 0, 0.04, 0.0, 0), (3, 0, 0.08, 0.5, 1)]
    path = written(tmp_path, openface(frames))
    found = surveyed(path, OPENFACE, participant="ada", starts_at=START)
    observed = [seen.observation for _, seen in sifted(found, OPENFACE).observed]
    assert [(o.pts_us, o.reason, o.faces, o.score) for o in observed] == [
        (0, None, 1, 0.98),
        (40_000, Reason.NO_FACE, 0, None),
        (80_000, Reason.UNCLEAR, 1, 0.5),
    ]
    assert observed[1].at == datetime(2026, 3, 2, 8, 0, 0, 40_000, tzinfo=UTC)
    assert all(not seen.estimates for _, seen in sifted(found, OPENFACE).observed)
    assert {"AU01_r", "AU12_c", "x_0", "X_0", "gaze_0_x", "face_id"} <= set(found.found.not_taken)


def test_openface_of_the_newer_form_without_blanks_is_the_same(tmp_path: Path) -> None:
    text = openface([(1, 0, 0, 0.98, 1)])
    spaced = surveyed(written(tmp_path, text), OPENFACE, participant="ada", starts_at=START)
    plain = written(tmp_path, text.replace(", ", ","), "plain.csv")
    dense = surveyed(plain, OPENFACE, participant="ada", starts_at=START)
    assert [row.seen for row in told(spaced)] == [row.seen for row in told(dense)]


def test_faces_of_one_moment_are_in_doubt_unless_one_is_said_to_be_the_participants(tmp_path: Path) -> None:
    path = written(tmp_path, openface([(1, 7, 0, 0.9, 1), (1, 0, 0, 0.95, 1), (2, 7, 0.04, 0.9, 1)]))
    doubt = surveyed(path, OPENFACE, participant="ada", starts_at=START)
    assert [(s.observation.reason, s.observation.faces) for _, s in sifted(doubt, OPENFACE).observed] == [
        (Reason.AMBIGUOUS, 2),
        (None, 1),
    ]
    text = OPENFACE.read_text("utf-8").replace("# id =", "id =").replace("# chosen =", "chosen =")
    chosen = written(tmp_path, text, "chosen.toml")
    found = surveyed(path, chosen, participant="ada", starts_at=START)
    observed = [s.observation for _, s in sifted(found, chosen).observed]
    assert [(o.reason, o.faces, o.score) for o in observed] == [(None, 2, 0.95), (Reason.NO_FACE, 1, None)]


def test_py_feat_reads_seven_emotions_and_contempt_is_said_to_be_unread(tmp_path: Path) -> None:
    path = written(tmp_path, py_feat([(0, 0.7), (15, None)]))
    found = surveyed(path, PY_FEAT, participant="ada", starts_at=START)
    [(_, face), (_, none)] = sifted(found, PY_FEAT).observed
    [estimate] = face.estimates
    assert estimate.network == "py-feat/resmasknet"
    assert estimate.distribution[Emotion.HAPPINESS] == pytest.approx(0.7)
    assert estimate.distribution[Emotion.CONTEMPT] == 0
    assert face.observation.box == (10.5, 20.5, 60.0, 80.0)
    assert (none.observation.reason, none.observation.pts_us, none.estimates) == (Reason.NO_FACE, 500_000, ())
    assert found.found.unread == ["contempt"]


def test_what_is_no_distribution_is_refused(tmp_path: Path) -> None:
    text = py_feat([(0, 0.7), (1, 0.5)]).replace("0.7", "0.9")
    found = surveyed(written(tmp_path, text), PY_FEAT, participant="ada", starts_at=START)
    assert found.found.refused[rows.NO_DISTRIBUTION].lines == [2]


def test_who_and_when_are_said_once(tmp_path: Path, mapping: Path) -> None:
    path = written(tmp_path, openface([(1, 0, 0, 0.98, 1)]))
    with pytest.raises(foreign.AskedError, match="nobody says whose rows"):
        surveyed(path, OPENFACE, starts_at=START)
    with pytest.raises(foreign.AskedError, match="nobody says when the recording began"):
        surveyed(path, OPENFACE, participant="ada")
    with pytest.raises(foreign.AskedError, match="is no time of ISO 8601"):
        surveyed(path, OPENFACE, participant="ada", starts_at="noon")
    with pytest.raises(foreign.AskedError, match="never was"):
        surveyed(path, OPENFACE, participant="ada", starts_at="2025-03-30T02:30:00")
    with pytest.raises(foreign.AskedError, match="leave --participant out"):
        surveyed(written(tmp_path, diary(ADA)), mapping, participant="ada")
    with pytest.raises(foreign.AskedError, match="leave --starts-at out"):
        surveyed(written(tmp_path, diary(ADA)), mapping, starts_at=START)


@pytest.mark.parametrize("name", ["fisher2017", "kaist_distraction2020", "fried2021", "kossakowski2017"])
def test_a_ready_mapping_reads_its_data(name: str) -> None:
    if not (ESM / f"{name}.csv").exists():
        pytest.skip(f"{name}.csv is not here: ../shared/esm holds the data that the mapping is for")
    found = surveyed(ESM / f"{name}.csv", MAPPINGS / f"{name}.toml").found
    expected = {
        "fisher2017": (2710, 20, 343, 0, 0),
        "kaist_distraction2020": (4747, 17, 0, 41, 0),
        "fried2021": (4372, 79, 424, 0, 2),
        "kossakowski2017": (1476, 1, 2, 0, 0),
    }
    refused = sum(why.rows for why in found.refused.values())
    assert (found.rows, len(found.people), found.silent, found.repeated, refused) == expected[name]


def test_every_mapping_that_ships_is_sound() -> None:
    assert len(list(MAPPINGS.glob("*.toml"))) == 6
    for path in MAPPINGS.glob("*.toml"):
        foreign.load(path)


def test_a_file_is_never_held_in_memory(tmp_path: Path) -> None:
    """What is kept of a row is a fraction of the row, and of a thousand rows a thousand times that."""
    path = written(tmp_path, openface((n, 0, n / 25, 0.98, 1) for n in range(20_000)))
    tracemalloc.start()
    found = surveyed(path, OPENFACE, participant="ada", starts_at=START)
    seen = sum(1 for _ in found.rows("ada"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 20_000
    # 40 bytes a row, the same again while they are sorted, and what one row takes.
    assert peak < 20_000 * 160 + 2_000_000
