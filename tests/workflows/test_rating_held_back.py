"""Nothing that is told of raters says anything of one who refuses to be compared, by no difference of two figures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, installation, member
from tests.processes import close
from tests.workflows import rated
from tests.workflows.rated import rater, said, shown
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.members import Member
from tracker.domain.raters import RaterScope
from tracker.study import DEFAULT
from tracker.study.rating import RatingRules
from tracker.workflows import rating, studies

FACES = 6
words = st.lists(st.sampled_from([*Emotion, None]), max_size=FACES)


@contextmanager
def place() -> Iterator[Access]:
    with tempfile.TemporaryDirectory() as folder:
        made = installation(f"sqlite:///{folder}/a.db", Path(folder))
        rules = RatingRules(second_share=1, gold_share=0, random_every=2)
        study = DEFAULT.model_copy(update={"id": "two", "rating": rules})
        assert studies.apply(made, study, "ops", NOW)
        shown(made, faces=FACES)
        yield made
        close(made)


def told(access: Access) -> dict[str, Any]:
    """All that is told of raters, but how many refuse."""
    found = replace(rating.agreement(access, NOW), uncompared=0, raters=())
    rows = rating.agreement(access, NOW).raters
    return {
        **asdict(found),
        "raters": [
            {**asdict(row), "confusion": row.confusion is not None and row.confusion.tolist()} for row in rows
        ],
    }


def votes(access: Access, who: Member, answers: list[Emotion | None]) -> int:
    items = rated.given(access, who, len(answers)) if answers else []
    for item, answer in zip(items, answers, strict=False):
        rating.vote(access, who, item, said(answer, ms=700), NOW)
    return len(items)


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(words, min_size=0, max_size=2), words)
def test_what_is_told_is_the_same_whatever_they_say(
    sharing: list[list[Emotion | None]], refused: list[Emotion | None]
) -> None:
    with place() as access:
        for n, answers in enumerate(sharing):
            votes(access, rater(access, f"sharing{n}"), answers)
        before = told(access)
        shy = member(access, "shy")
        rating.agree(access, shy, rating.notice(access).sha256, NOW, {RaterScope.VOTES})
        there = votes(access, shy, refused)
        assert told(access) == before
        assert rating.agreement(access, NOW).uncompared == min(there, 1)
