"""Two studies say the same only where they are the same."""

from __future__ import annotations

import pytest

from tests.study.test_reading import least
from tracker.study import StudyError
from tracker.study.differing import differences

TARGETS = (
    '[[targets]]\nname = "yes_no:tired"\nquestion = "Tired?"\n',
    '[[targets]]\nname = "number:stress"\nquestion = "Stressed?"\n',
)
PROMPTS = ('[[prompts]]\nid = "a"\nat = ["10:00"]\n', '[[prompts]]\nid = "b"\nat = ["12:00"]\n')


@pytest.mark.parametrize(("key", "tables"), [("targets", TARGETS), ("prompts", PROMPTS)])
def test_another_order_is_a_difference(key: str, tables: tuple[str, str]) -> None:
    one, other = least("".join(tables)), least("".join(tables[::-1]))
    assert one.sha256 != other.sha256
    assert [found.sentence() for found in differences(one, other)] == [f"{key}: in another order"]
    assert differences(one, one) == []


def test_what_is_new_stands_in_no_other_order() -> None:
    one, other = least(PROMPTS[1]), least("".join(PROMPTS))
    (found,) = differences(one, other)
    assert found.place == ("prompts", "a")
    assert "nothing -> id 'a', at ['10:00'], unseen_minutes 60" in found.sentence()
    assert "None" not in found.sentence()


NIGHT = '[asking]\nquiet_from = "03:00"\nquiet_until = "03:00"\n'


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            '[[prompts]]\nid = "a"\nat = ["00:10", "23:50"]\n',
            "at: 00:10 comes 20 minutes at most after 23:50",
        ),
        (
            '[[prompts]]\nid = "a"\nat = ["23:50"]\ndays = "weekends"\n'
            '[[prompts]]\nid = "b"\nat = ["00:10"]\ndays = "weekdays"\n',
            "prompts.1.at: 00:10 comes 20 minutes at most after 23:50 of the day before (Sundays)",
        ),
    ],
)
def test_what_midnight_puts_too_near_is_refused(more: str, line: str) -> None:
    with pytest.raises(StudyError) as error:
        least(NIGHT + more)
    assert line in error.value.problems[0]


@pytest.mark.parametrize(
    "more",
    [
        '[[prompts]]\nid = "a"\nat = ["00:10", "23:10"]\n',
        '[[prompts]]\nid = "a"\nat = ["23:50"]\ndays = "weekdays"\n'
        '[[prompts]]\nid = "b"\nwindows = [{opens = "00:00", closes = "02:00"}]\ndays = "weekends"\n',
    ],
)
def test_what_can_be_put_across_midnight_is_not(more: str) -> None:
    assert least(NIGHT + more).prompts
