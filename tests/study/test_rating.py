"""The table [rating]: what it says, what it refuses, and that a study without it is the study that it was."""

import pytest

from tracker.study import DEFAULT, StudyError, parse
from tracker.study.rating import RatingRules

STUDY = """
id = "faces"
title = "Faces"
version = "1"
help_contact = "Dr. Example"
deployment_context = "research_home"
controller = {name = "Example University", contact = "privacy@example.org"}
purposes = [{text = "To study mood."}]
"""


def test_what_is_said_governs_and_the_rest_is_as_ever() -> None:
    found = parse(STUDY + "[rating]\ngoal = 5\nreveal = true\n").rating
    assert found == RatingRules(goal=5, reveal=True)
    assert (found.second_share, found.gold_share, found.random_every) == (0.2, 0.05, 10)


def test_a_study_that_says_nothing_of_it_keeps_its_digest() -> None:
    plain = parse(STUDY)
    assert "rating" not in plain.document()
    assert parse(STUDY + "[rating]\ngoal = 20\n").sha256 == plain.sha256
    assert parse(STUDY + "[rating]\ngoal = 21\n").sha256 != plain.sha256
    assert DEFAULT.rating == RatingRules()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("gold_share = 0.6", "rating.gold_share"),
        ("random_every = 1", "rating.random_every"),
        ("lag_s = -1.0", "rating.lag_s"),
        ("goals = 5", "did you mean goal"),
    ],
)
def test_what_cannot_be_is_named_with_its_line(line: str, named: str) -> None:
    with pytest.raises(StudyError, match="line 10") as told:
        parse(STUDY + f"[rating]\n{line}\n")
    assert named in str(told.value)
