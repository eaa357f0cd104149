"""Learn what was said elsewhere: a learner starts from a prior of its own installation, so none is taken in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.affect import Distribution
from tracker.domain.consent import Use
from tracker.learning.kinds import EMOTION, label_of
from tracker.learning.weights import correction_weight, kind_of_rater
from tracker.learning.window import window
from tracker.personal.contexts import context_at
from tracker.personal.learners import Personal, note, rebase
from tracker.personal.moments import look
from tracker.store import feedback, hiding, timeline
from tracker.store.feedback import CorrectionRow
from tracker.store.seen import Seen


def learn_again(unit: Unit, only: Collection[int] | None = None) -> int:
    """Teach the person's learners the corrections of the last 30 days that stand; return how many they learned.

    Each is predicted before it is learned, in the order of the moments. What was said earlier is not learned: it
    would have been forgotten where it comes from, too. The learner's words on past moments stay as they were.

    Parameters
    ----------
    unit
        A writing unit in which the rows were stored.
    only
        The corrections that are new to them, by number; None: all.
    """
    permit = unit.allowed(Use.LEARN)
    if permit is None:
        return 0
    start, _ = window(unit.now)
    said = feedback.standing_corrections(
        unit.connection, unit.person.subject, max(start, permit.covers_from), unit.now
    )
    learners: dict[str, Personal] = {}
    n = 0
    for row in said:
        if only is not None and row.id not in only:
            continue
        if row.target not in learners:
            learners[row.target] = rebase(unit, row.target)
        n += _learn(unit, learners[row.target], row, permit.covers_from)
    for target in learners:
        rebase(unit, target)
    return n


def _learn(unit: Unit, personal_: Personal, row: CorrectionRow, since: datetime) -> bool:
    reading = timeline.reading_of(unit.connection, row.observation) if row.observation is not None else None
    machine = reading.machine if reading is not None else None
    at = reading.at if reading is not None else row.at
    if at < since or hiding.hides_correction(unit.connection, row.id):
        return False
    label = label_of(row.target, row.distribution, row.value)
    seen = _seen(unit, personal_, machine, row.at, at)
    weight = correction_weight(kind_of_rater(row.rater), accepted=False)
    note(unit, personal_, correction=row.id, seen=seen, label=label, weight=weight, machine=machine)
    return True


def _seen(
    unit: Unit, learner: Personal, machine: Distribution | None, at: datetime, seen_at: datetime
) -> Seen:
    if learner.target != EMOTION:
        return look(unit, learner.target, at)
    contexts = feedback.contexts_between(unit.connection, unit.person.subject, seen_at, seen_at)
    zone = ZoneInfo(unit.person.zone)
    return Seen(learner.features(machine, seen_at, zone, context_at(contexts, seen_at)))
