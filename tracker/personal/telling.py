"""What a learner has learned about its person, as facts to be put into words; none without its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.affect import EMOTIONS, Emotion
from tracker.domain.consent import Use
from tracker.learning.abstention import AdaptiveThreshold
from tracker.learning.asking import AskingPolicy
from tracker.learning.drift import DriftEvent
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE, Kind, Learner, kind_of
from tracker.learning.shares import Share
from tracker.learning.vigilance import raised, vigilance
from tracker.learning.window import window
from tracker.personal.drifting import drifted
from tracker.personal.figures import Judged, judge
from tracker.personal.learners import Personal, live, load
from tracker.personal.log import Covered, events_of, rows_of
from tracker.personal.pulls import Pull, pulls
from tracker.personal.sources import Source
from tracker.personal.sureness import START, decided
from tracker.store import asked, learned
from tracker.store.learned import Foretold
from tracker.store.seen import DamagedLogError

_SEEN = 3.0
"""Answers about one reading from which on it is told what they said."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What the person says where their face reads as something else.

    Attributes
    ----------
    read, said
        What the network reads, and what the person calls it most often then.
    share, answers
        How often, of how many answers (weighted, so no whole number).
    """

    read: Emotion
    said: Emotion
    share: float
    answers: float


@dataclass(frozen=True, slots=True)
class Alone:
    """How "leave me alone" is decided or asked.

    Attributes
    ----------
    threshold
        From which confidence on nothing is asked; above 1: never.
    decided
        How many of the moments asked about would have been decided without asking.
    right
        How many of those rightly; "either is fine" contradicts no decision.
    drawn
        The same, of the moments that chance alone chose: these speak for all.
    warm_up
        Whether everything is still asked, to get to know the person.
    policy
        When the study allows questions.
    """

    threshold: float
    decided: Share
    right: Share
    drawn: Share
    warm_up: bool
    policy: AskingPolicy


@dataclass(frozen=True, slots=True)
class Told:
    """What one learner has learned, in facts.

    Attributes
    ----------
    target, source
        Of what it is, and where its answers come from.
    answers
        How many answers it holds.
    since
        The first instant of what it remembers (UTC).
    judged
        How often it was right.
    pulls
        What moves its estimates, strongest first.
    meant
        For the emotion: where the person calls a reading something else.
    drifts
        When its estimates had begun to fit less well, oldest first.
    alone
        For "leave me alone" alone.
    """

    target: str
    source: Source
    answers: int
    since: datetime
    judged: Judged
    pulls: tuple[Pull, ...] = ()
    meant: tuple[Meant, ...] = ()
    drifts: tuple[DriftEvent, ...] = ()
    alone: Alone | None = None


def told(unit: Unit) -> list[Told]:
    """What each learner of the person of a unit has learned; nothing where learning is not allowed.

    A learner whose log cannot be read is left out: nothing can be said of it.
    """
    if unit.allowed(Use.LEARN) is None:
        return []
    found = []
    for target in sorted(live(unit), key=lambda t: (t != EMOTION, t != LEAVE_ME_ALONE, t)):
        learner = load(unit, target)
        if learner is not None:
            try:
                found.append(_told(unit, learner))
            except DamagedLogError:
                continue
    return found


def judged(unit: Unit, targets: Sequence[str]) -> dict[str, Judged]:
    """How often the person's learners of some targets were right: the quick part of `told`.

    Nothing where learning is not allowed, and of a learner that was told nothing or whose log cannot be read.
    """
    if unit.allowed(Use.LEARN) is None:
        return {}
    covered, found = Covered.by(unit), {}
    for target in targets:
        with suppress(DamagedLogError):
            if known := _answers(unit, target, covered):
                found[target] = judge(target, known)
    return found


def answers(unit: Unit, target: str) -> list[Foretold]:
    """What was foretold and answered of a target in the window and may be learned from, in recording order.

    Nothing of a learner whose log cannot be read.

    Raises
    ------
    ConsentMissingError
        Where learning is not allowed.
    """
    try:
        return _answers(unit, target, Covered.by(unit))
    except DamagedLogError:
        return []


def _answers(unit: Unit, target: str, covered: Covered) -> list[Foretold]:
    since = window(unit.now)[0]
    rows = learned.foretold(unit.connection, unit.person.subject, target, since=since)
    return [answer for answer in rows if _covers(covered, answer)]


def _told(unit: Unit, found: Personal) -> Told:
    target, since = found.target, window(unit.now)[0]
    covered = Covered.by(unit)
    rows = rows_of(unit, target, found.snapshot.rebased_at)
    events = events_of(unit, target, rows, covered, found.snapshot.rebased_at, found.snapshot.faded_before)
    kind = kind_of(target)
    return Told(
        target=target,
        source=found.source,
        answers=len(events),
        since=since,
        judged=judge(target, _answers(unit, target, covered)),
        pulls=tuple(pulls(kind, found.learner, events)) if found.source.own else (),
        meant=tuple(meant(found.learner)) if kind is Kind.EMOTION and found.source.own else (),
        drifts=tuple(drifted(unit, target)),
        alone=_alone(unit, covered) if target == LEAVE_ME_ALONE else None,
    )


def _covers(covered: Covered, answer: Foretold) -> bool:
    return answer.at >= covered.learn_since and (
        not answer.prompted or (covered.prompts_since is not None and answer.at >= covered.prompts_since)
    )


def meant(learner: Learner) -> list[Meant]:
    """Where an emotion learner has been told that a reading means something else, most answers first.

    Examples
    --------
    >>> from tracker.learning.learner import EmotionLearner
    >>> meant(EmotionLearner.fresh())
    []
    """
    said = learner.snapshot().get("said") or {}
    found = []
    for read in EMOTIONS:
        row = {e: float(said[read.value][e.value]) for e in EMOTIONS} if read.value in said else {}
        total = sum(row.values())
        top = max(row, key=lambda e: row[e], default=read)
        if total >= _SEEN and top is not read:
            found.append(Meant(read, top, row[top] / total, total))
    return sorted(found, key=lambda m: -m.answers)


def _alone(unit: Unit, covered: Covered) -> Alone:
    policy = AskingPolicy()
    learn = unit.permit(Use.LEARN)
    since = max(window(unit.now)[0], covered.learn_since, covered.prompts_since or unit.now)
    put = asked.judged_answers(unit.connection, learn, unit.person.subject, LEAVE_ME_ALONE, since=since)
    threshold = AdaptiveThreshold(START)
    chosen = [(answer, sure) for answer, sure in decided(put, policy.audits, threshold)]
    sure = [answer for answer, is_sure in chosen if is_sure]
    right = [a for a in sure if a.said == 0.5 or (a.predicted >= 0.5) == (a.said > 0.5)]
    vigilant = vigilance(drifted(unit, LEAVE_ME_ALONE), unit.now)
    enrolled = unit.person.enrolled_at.astimezone(ZoneInfo(unit.person.zone)).date()
    today = unit.now.astimezone(ZoneInfo(unit.person.zone)).date()
    return Alone(
        threshold=raised(threshold.threshold, vigilant),
        decided=Share(len(sure), len(chosen)),
        right=Share(len(right), len(sure)),
        drawn=_drawn(sure, right),
        warm_up=today - enrolled < timedelta(days=policy.warm_up_days),
        policy=policy,
    )


def _drawn(sure: Sequence[asked.JudgedAnswer], right: Sequence[asked.JudgedAnswer]) -> Share:
    return Share(sum(a.random for a in right), sum(a.random for a in sure))
