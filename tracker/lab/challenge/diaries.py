"""People's diaries as the challenge replays them: moments in time order, each with the answer that was given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from tracker.learning.situations import Answer, Situation


class ReadingError(ValueError):
    """A diary file cannot be read: what is wrong, in which row and column, and what to do."""


class TargetError(ValueError):
    """The question put to a file does not fit it: an unknown column, a rule that never or always holds."""


@dataclass(frozen=True, slots=True)
class Beep:
    """One moment of a diary.

    Attributes
    ----------
    situation
        What was known before the answer.
    answer
        What the person said; None where the target is missing.
    truth
        Whether the target holds; None exactly where the answer is.
    either
        Whether the answer means "either is fine", which no decision contradicts.
    row
        Where it stands in its file; the header is row 1. No part of equality, nor are a cohort's notes.
    """

    situation: Situation
    answer: Answer | None
    truth: bool | None
    either: bool = False
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Diary:
    """One person's moments in time order.

    Attributes
    ----------
    cut
        The value of the target above (or from) which this person's truth is yes; None where the rule has none. With
        the own median it is known only after the days that it is taken from.
    """

    person: str
    moments: tuple[Beep, ...]
    cut: float | None = None

    @property
    def trace(self) -> frozenset[tuple[object, ...]]:
        """When what was said: the same person under another name leaves the same trace.

        Empty where it would say nothing: two people who, without a clock, give the same one or two answers all the time
        need not be one.
        """
        varied = len({beep.answer for beep in self.moments if beep.answer is not None}) > 2
        return frozenset(
            (known.at, beep.answer, frozenset(known.numbers.items()), frozenset(known.words.items()))
            for beep in self.moments
            if beep.answer is not None
            for known in (beep.situation,)
            if varied or known.numbers or known.words or known.hour is not None
        )


@dataclass(frozen=True, slots=True)
class Cohort:
    """Everybody in a file, sorted by name, so that the order of its rows means nothing.

    Attributes
    ----------
    numbers, words
        Features that are numbers, and those that are categories, in the order of the file's columns.
    name
        The file's name without its ending.
    scale
        Lowest and highest value of the target in the file; None where the answer has no grades.
    clocked
        Whether instants are real; else they are invented from day and beep, and hours and weekdays are missing.
    notes
        What was done to the file in reading it, one sentence each, for whoever reads the figures.
    """

    people: tuple[Diary, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    name: str
    scale: tuple[float, float] | None = None
    clocked: bool = True
    notes: tuple[str, ...] = field(default=(), compare=False)

    def with_features(self, numbers: Collection[str], words: Collection[str]) -> Cohort:
        """Keep only these features, here and in every moment.

        Examples
        --------
        >>> empty = Cohort((), ("tense", "tired"), ("place",), "none")
        >>> empty.with_features({"tired"}, set()).numbers
        ('tired',)
        """
        people = tuple(
            replace(diary, moments=tuple(_narrowed(beep, numbers, words) for beep in diary.moments))
            for diary in self.people
        )
        kept = tuple(name for name in self.numbers if name in numbers)
        return replace(
            self, people=people, numbers=kept, words=tuple(name for name in self.words if name in words)
        )


def _narrowed(beep: Beep, numbers: Collection[str], words: Collection[str]) -> Beep:
    known = beep.situation
    situation = replace(
        known,
        numbers={name: value for name, value in known.numbers.items() if name in numbers},
        words={name: value for name, value in known.words.items() if name in words},
    )
    return replace(beep, situation=situation)


def shared_features(cohort: Cohort, prior: Cohort) -> tuple[Cohort, Cohort, tuple[str, ...]]:
    """Narrow two cohorts to the features that both have, in the same kind; name those that fell away.

    A learner that starts from other people can use only what was asked of them too.

    Examples
    --------
    >>> here = Cohort((), ("tense", "tired"), ("place",), "here")
    >>> there = Cohort((), ("tense", "place"), (), "there")
    >>> ours, others, dropped = shared_features(here, there)
    >>> ours.numbers, ours.words, others.numbers, dropped
    (('tense',), (), ('tense',), ('tired', 'place'))
    """
    numbers = set(cohort.numbers) & set(prior.numbers)
    words = set(cohort.words) & set(prior.words)
    gone = [name for name in (*cohort.numbers, *cohort.words) if name not in numbers | words]
    gone += [name for name in (*prior.numbers, *prior.words) if name not in {*numbers, *words, *gone}]
    return cohort.with_features(numbers, words), prior.with_features(numbers, words), tuple(gone)
