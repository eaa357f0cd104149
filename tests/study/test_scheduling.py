"""Schedules of a study file: whole and possible, or refused with the line, the field and what to do."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.study.test_reading import least, problem
from tracker.domain.schedules import slots
from tracker.study import DEFAULT, StudyError, from_document

DAY = """
[[prompts]]
id = "morning"
at = ["08:30"]
days = "weekdays"
expires_after_minutes = 45
reminders = 2
remind_after_minutes = 15

[[prompts]]
id = "day"
windows = [
    { opens = "10:00", closes = "13:00" },
    { opens = "13:00", closes = "17:00", prompts = 2 },
]
asks = ["leave_me_alone", "number:stress"]

[[prompts]]
id = "face"
after = "face_after_gap"
unseen_minutes = 90

[[prompts]]
id = "unsure"
after = "learner_unsure"
"""


def test_a_day_as_the_file_says_it() -> None:
    study = least(DAY)
    assert from_document(json.loads(json.dumps(study.document()))) == study
    morning, day, face, _ = study.plan.schedules
    assert (morning.times, morning.days, morning.expires) == (
        (510,),
        frozenset(range(5)),
        timedelta(minutes=45),
    )
    assert [(w.opens, w.closes, w.prompts) for w in day.windows] == [(600, 780, 1), (780, 1020, 2)]
    assert face.unseen == timedelta(minutes=90)
    assert study.plan.seed == study.id
    assert study.plan.gap == timedelta(hours=1)


def test_a_study_that_asks_nothing_is_what_it_was_before_there_were_prompts() -> None:
    for study in (DEFAULT, least()):
        assert not {"prompts", "asking"} & study.document().keys()
        assert study.plan.schedules == ()
    assert {"prompts", "asking"} < least("\n[asking]\nper_day = 3\n").document().keys()


PROMPT = '\n[[prompts]]\nid = "a"\n'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (PROMPT, r"line 14: prompts.0: say either when it falls due"),
        (PROMPT + 'at = ["09:00"]\nafter = "learner_unsure"', "prompts.0: say either when"),
        (PROMPT + 'at = ["9:00"]', r"line 16: prompts.0.at.0 is '9:00'; write times of the day as 08:30"),
        (PROMPT + 'at = ["24:00"]', "write times of the day"),
        (PROMPT + 'at = ["10:00", "09:00"]', "write the times in order"),
        (PROMPT + 'at = ["09:00", "09:30"]', "09:30 comes 30 minutes after 09:00, but gap_minutes"),
        (PROMPT + 'at = ["23:00"]', "prompts.0.at: 23:00 lies in the quiet hours from 22:00 to 08:00"),
        (PROMPT + 'at = ["09:00"]\nasks = ["mood"]', "asks.0 is 'mood'; write emotion, valence"),
        (PROMPT + 'at = ["09:00"]\nevery = 3', "prompts.0.every is unknown"),
        (PROMPT + 'at = ["09:00"]\nexpires_after_minutes = 1', "expires_after_minutes is 1"),
        (
            PROMPT + 'at = ["09:00"]\nreminders = 4\nremind_after_minutes = 15',
            r"line 17: prompts.0.reminders: the last reminder would come 60 minutes after .* expires after 60",
        ),
        (
            PROMPT + 'windows = [{ opens = "12:00", closes = "12:00" }]',
            "a window from 12:00 to 12:00 has no minute",
        ),
        (
            PROMPT + 'windows = [{ opens = "23:00", closes = "01:00" }]',
            "one across midnight is two windows",
        ),
        (
            PROMPT + 'windows = [{ opens = "07:00", closes = "10:00" }]',
            r"prompts.0.windows: the window from 07:00 to 10:00 reaches into the quiet hours",
        ),
        (
            PROMPT
            + 'windows = [{ opens = "09:00", closes = "12:00" }, { opens = "11:00", closes = "14:00" }]',
            "from 11:00 to 14:00 begins before the window from 09:00 to 12:00 ends",
        ),
        (
            PROMPT
            + 'windows = [{ opens = "09:00", closes = "12:00" }]\n[[prompts]]\nid = "b"\n'
            + 'windows = [{ opens = "11:00", closes = "14:00" }]',
            r"line 19: prompts.1.windows: .* from 11:00 to 14:00 overlaps .* from 09:00 to 12:00 on Mondays",
        ),
        (
            PROMPT + 'windows = [{ opens = "09:00", closes = "12:00", prompts = 4 }]',
            "4 prompts 60 minutes apart need 181 minutes, but on Mondays .* may have only 180",
        ),
        (
            PROMPT + 'apart_minutes = 90\nwindows = [{ opens = "09:00", closes = "12:00", prompts = 3 }]',
            "3 prompts 90 minutes apart need 181 minutes",
        ),
        (
            PROMPT
            + 'windows = [{ opens = "09:00", closes = "10:00" }, { opens = "10:00", closes = "10:30" }]',
            "1 prompts 60 minutes apart need 1 minutes, but on Mondays the window from 10:00 to 10:30 may have only 0",
        ),
        (
            PROMPT + 'at = ["10:00"]\nwindows = [{ opens = "09:30", closes = "10:30" }]',
            "may have only 0",
        ),
        (
            "\n[asking]\nper_day = 2\n" + PROMPT + 'at = ["09:00", "11:00", "13:00"]',
            "3 prompts fall due on Mondays, but per_day in .asking. is 2",
        ),
        (PROMPT + 'at = ["09:00"]\n[[prompts]]\nid = "a"\nat = ["12:00"]', "'a' is there twice"),
        (PROMPT + 'at = ["09:00"]\nunseen_minutes = 30', "only prompts after face_after_gap wait for that"),
        ('\n[asking]\nquiet_from = "22"\n', "quiet_from is '22'; write a time of the day as 22:00"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(more: str, told: str) -> None:
    with pytest.raises(StudyError, match=told):
        least(more)
    assert problem(more)


def test_weekdays_and_weekends_do_not_stand_in_each_others_way() -> None:
    study = least(
        PROMPT
        + 'at = ["09:00"]\ndays = "weekdays"\n[[prompts]]\nid = "b"\nat = ["09:30"]\ndays = "weekends"\n'
    )
    monday, saturday = (slots(study.plan, "ada", date(2026, 3, d), "UTC") for d in (16, 21))
    assert [slot.schedule for slot in (*monday, *saturday)] == ["a", "b"]


@given(
    st.sets(st.integers(16, 44), min_size=2, max_size=6),
    st.lists(st.integers(1, 3), min_size=5, max_size=5),
    st.sets(st.integers(16, 43), max_size=2),
    st.integers(0, 90),
    st.text(max_size=5),
)
def test_what_is_accepted_has_room_on_every_day_without_a_change_of_clocks(
    edges: set[int], counts: list[int], times: set[int], gap: int, subject: str
) -> None:
    """The promise of the check: no draw ever leaves a prompt of a sound study without a place."""

    def clock(half_hours: int) -> str:
        return f"{half_hours // 2:02}:{half_hours % 2 * 30:02}"

    said = ", ".join(
        f'{{ opens = "{clock(a)}", closes = "{clock(b)}", prompts = {n} }}'
        for (a, b), n in zip(pairwise(sorted(edges)), counts, strict=False)
    )
    at = ", ".join(f'"{clock(t)}"' for t in sorted(times))
    more = f"\n[asking]\ngap_minutes = {gap}\nper_day = 50\n{PROMPT}at = [{at}]\nwindows = [{said}]\n"
    try:
        study = least(more)
    except StudyError:
        return  # most of those that are refused, about a fifth, ask too often
    wanted = len(times) + sum(w.prompts for w in study.prompts[0].windows)
    for day in range(1, 8):
        found = slots(study.plan, subject, date(2026, 6, day), "Europe/Berlin")
        assert [slot.lost for slot in found] == [None] * wanted
