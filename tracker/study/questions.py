"""The tables of a study file that say what can be answered: `[[targets]]` and `[contexts]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from tracker.domain.surroundings import ACTIVITIES, COMPANIES, PLACES
from tracker.study.asking import Prompts
from tracker.study.parts import Line, Part

OwnTarget = Annotated[str, StringConstraints(pattern=r"^(yes_no|number):.*\S.*$", max_length=32)]
Word = Annotated[
    str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$")
]
"""A category: few characters, nothing around them."""
Words = Annotated[tuple[Word, ...], Field(min_length=1, max_length=30)]


class OwnQuestion(Part):
    """A target of the study's own, and how it is asked.

    Attributes
    ----------
    name
        ``yes_no:`` or ``number:`` and what it is called; a learner of its own belongs to it.
    question
        What participants read.
    low, high
        What the ends of a number are called; of a yes-or-no question no and yes.
    """

    name: OwnTarget
    question: Line
    low: Line | None = None
    high: Line | None = None

    @property
    def number(self) -> bool:
        """Whether it is answered on a scale, and not with yes or no."""
        return self.name.startswith("number:")


class Contexts(Part):
    """The words for what surrounds somebody that the page of answers offers; unless said, the software's own."""

    place: Words = PLACES
    activity: Words = ACTIVITIES
    company: Words = COMPANIES


def question_problems(
    targets: Sequence[OwnQuestion], contexts: Contexts, prompts: Sequence[Prompts]
) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """What is wrong with questions: of each problem the kind, the place and what to do."""
    seen: set[str] = set()
    for n, target in enumerate(targets):
        if target.name in seen:
            yield "rule", ("targets", n, "name"), f"{target.name!r} is there twice; each is asked in one way"
        seen.add(target.name)
    for name, words in contexts:
        if twice := next((w for i, w in enumerate(words) if w in words[:i]), None):
            yield "rule", ("contexts", name), f"{twice!r} is there twice; say it once"
    for n, said in enumerate(prompts):
        for i, target_name in enumerate(said.asks):
            if target_name in said.asks[:i]:
                yield "rule", ("prompts", n, "asks", i), f"{target_name!r} is there twice; ask it once"
            elif targets and ":" in target_name and target_name not in seen:
                known = ", ".join(sorted(seen))
                yield (
                    "rule",
                    ("prompts", n, "asks", i),
                    f"{target_name!r} is none of [[targets]]; there are: {known}",
                )
