"""How sure a person's learner is of a moment, and how sure it must be to leave them unasked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Unit
from tracker.domain.consent import Use
from tracker.learning.abstention import AdaptiveThreshold
from tracker.learning.kinds import LEAVE_ME_ALONE
from tracker.learning.novelty import novelty
from tracker.learning.reasons import Reason
from tracker.learning.vigilance import STEADY, Vigilance, raised, vigilance
from tracker.learning.window import window
from tracker.personal.drifting import drifted
from tracker.personal.learners import current
from tracker.personal.moments import look
from tracker.store import asked
from tracker.store.asked import JudgedAnswer
from tracker.store.seen import DamagedLogError

START = 0.9
"""The threshold of somebody who has not answered yet, where no study has found a better one."""


@dataclass(frozen=True, slots=True)
class Sureness:
    """What asking needs to know of a learner at a moment.

    Attributes
    ----------
    alone
        The probability that the person wants to be left alone; one half where nothing may be or is known.
    threshold
        From which confidence on it decides by itself.
    novelty
        How little is known of such moments, in [0, 1].
    vigilant
        How watchful drifts call for being.
    """

    alone: float = 0.5
    threshold: float = START
    novelty: float = 1.0
    vigilant: Vigilance = STEADY


def sureness(unit: Unit, at: datetime, *, audits: float, start: float = START) -> Sureness:
    """How sure the person's learner is that they want to be left alone at a moment, in a writing unit.

    Parameters
    ----------
    unit
        In which the answers to prompts may be read.
    at
        The moment.
    audits
        Share of confident decisions that were asked nonetheless.
    start
        The threshold that kept the promise on other people.
    """
    learn = unit.allowed(Use.LEARN)
    learner = current(unit, LEAVE_ME_ALONE) if learn is not None else None
    if learn is None or learner is None:
        return Sureness(threshold=start)
    covered = max(window(at)[0], learn.covers_from, unit.permit(Use.PROMPT).covers_from)
    try:
        answers = asked.judged_answers(
            unit.connection, learn, unit.person.subject, LEAVE_ME_ALONE, since=covered
        )
    except DamagedLogError:
        return Sureness(threshold=start)
    features = look(unit, LEAVE_ME_ALONE, at).features
    vigilant = vigilance(drifted(unit, LEAVE_ME_ALONE), unit.now)
    return Sureness(
        alone=learner.learner.predict(features),
        threshold=raised(threshold_after(answers, audits, start), vigilant),
        novelty=novelty(features, [answer.features for answer in answers]),
        vigilant=vigilant,
    )


def threshold_after(answers: Iterable[JudgedAnswer], audits: float, start: float = START) -> float:
    """The threshold after a person's answers: a pure function of them, in recording order.

    An answer of "either is fine" is contradicted by no decision. One drawn at random stands for all of its kind. In the
    warm-up the learner was still getting to know the person: how right it was then says nothing of now.
    """
    threshold = AdaptiveThreshold(start)
    for _ in decided(answers, audits, threshold):
        pass
    return threshold.threshold


def decided(
    answers: Iterable[JudgedAnswer], audits: float, threshold: AdaptiveThreshold
) -> Iterator[tuple[JudgedAnswer, bool]]:
    """Each answer with whether its moment would have been decided unasked, before the threshold learns of it."""
    for answer in answers:
        confidence = max(answer.predicted, 1.0 - answer.predicted)
        right = answer.said == 0.5 or (answer.predicted >= 0.5) == (answer.said > 0.5)
        drawn = answer.random and audits > 0.0
        told = right if answer.reason != Reason.WARM_UP else None
        yield answer, threshold.decides(confidence)
        threshold.update(confidence, told, stands_for=1.0 / audits if drawn else 1.0)
