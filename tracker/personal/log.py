"""From the stored log of corrections to the events that a learner is rebuilt from.

What was withdrawn leaves the learner too, and comes back as far as a new grant covers it: contexts and the past in
the stored features, answers and other corrections whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.access import Unit
from tracker.domain.consent import Permit, Scope, State, Use
from tracker.learning.features import MAX_CONTEXT_AGE_S
from tracker.learning.kinds import EMOTION
from tracker.learning.replay import LearningEvent
from tracker.learning.window import RecordedEvent, remembered, window
from tracker.personal.contexts import AGE, without_context
from tracker.personal.hidden import Hidden
from tracker.personal.moments import uncut
from tracker.store import learned
from tracker.store.learned import LearnedRow
from tracker.store.snapshots import SnapshotRow

FADED = 0.25
"""What remains of the weight of corrections from before a drift: they no longer describe the person well."""


@dataclass(frozen=True, slots=True)
class Covered:
    """From which instant on corrections, contexts, answers to prompts and raters' words may be learned from.

    None: not at all.
    """

    learn_since: datetime
    context_since: datetime | None
    prompts_since: datetime | None
    raters_since: datetime | None = None

    @classmethod
    def by(cls, unit: Unit, use: Use = Use.LEARN) -> Covered:
        """What is covered in a unit; raise `ConsentMissingError` where the use is not allowed."""
        context, prompts = unit.allowed(Use.KEEP_CONTEXT), unit.allowed(Use.PROMPT)
        # What is pooled is what people say of themselves; others' words of them stay with their own learner.
        raters = _raters(unit) if use is Use.LEARN else None
        return cls(
            unit.permit(use).covers_from,
            context.covers_from if context is not None else None,
            prompts.covers_from if prompts is not None else None,
            raters.covers_from if raters is not None else None,
        )

    @classmethod
    def of(cls, row: SnapshotRow) -> Covered:
        """What was covered when a learner was rebased."""
        return cls(row.learn_since, row.context_since, row.prompts_since, row.raters_since)


def _raters(unit: Unit) -> Permit | None:
    """The permit under which what raters said is learned from.

    Whoever once showed their cut-out face and does not any more may have had words said of that: none is learned.
    """
    crops = unit.allowed(Use.RATE_CROPS)
    shown = any(e.scope is Scope.FACE_CROPS and e.state is State.GIVEN for e in unit.events)
    return crops if crops is not None or shown else unit.allowed(Use.RATE_VIDEO)


def rows_of(unit: Unit, target: str, rebased_at: datetime) -> list[LearnedRow]:
    """The log of a target that a learner rebased at an instant may rest on, without what was foretold.

    Raises
    ------
    DamagedLogError
        When one of its rows cannot be read.
    """
    since, _ = window(rebased_at)
    return learned.learned_since(unit.connection, unit.person.subject, target, since, predictions=False)


def events_of(
    unit: Unit,
    target: str,
    rows: Iterable[LearnedRow],
    covered: Covered,
    rebased_at: datetime,
    faded_before: datetime | None,
) -> list[LearningEvent]:
    """The events that a learner holds: a pure function of the rows, the instants and what the person hides.

    Whatever changes that rebases the learners in the same transaction, so a replay finds what the rebase found.
    """
    hidden = Hidden.of(unit, target)
    kept = [
        row
        for row in rows
        if row.at >= covered.learn_since
        and (not row.prompted or _since(row.said_at, covered.prompts_since))
        and (not row.rated or _since(row.at, covered.raters_since))
        and not hidden.holds(row)
    ]
    seen = _features(unit, target, kept, covered, hidden)
    return remembered(
        [
            RecordedEvent(
                row.id,
                row.recorded_at,
                LearningEvent(features, row.label, _faded(row, faded_before)),
                row.ended_at,
            )
            for row, features in zip(kept, seen, strict=True)
        ],
        rebased_at,
    )


def covered_features(
    features: Mapping[str, float], at: datetime, since: datetime | None
) -> Mapping[str, float]:
    """An emotion learner's features, without a context that is not covered."""
    # The context is as old as its feature says; what counts is when it was, not when it was seen.
    age = timedelta(seconds=features.get(AGE, 0.0) * MAX_CONTEXT_AGE_S)
    return features if _since(at - age, since) else without_context(features)


def _features(
    unit: Unit, target: str, rows: Sequence[LearnedRow], covered: Covered, hidden: Hidden
) -> list[Mapping[str, float]]:
    if target == EMOTION:
        shown = [hidden.out_of_moment(row.features, row.seen_at) for row in rows]
        return [
            covered_features(features, row.seen_at, covered.context_since)
            for features, row in zip(shown, rows, strict=True)
        ]
    names = [_uncovered(row, covered, hidden) for row in rows]
    cuts = learned.cuts(unit.connection, [row.id for row, name in zip(rows, names, strict=True) if name])
    return [uncut(row.features, cuts.get(row.id), name) for row, name in zip(rows, names, strict=True)]


def _uncovered(row: LearnedRow, covered: Covered, hidden: Hidden) -> str:
    seen = row.seen
    context = seen.context_from is None or _since(seen.context_from, covered.context_since)
    context = context and not hidden.in_contexts(seen, row.said_at)
    past = seen.past_from is None or seen.past_from >= covered.learn_since
    past = past and not hidden.in_past(seen, row.said_at)
    prompts = seen.prompts_from is None or _since(seen.prompts_from, covered.prompts_since)
    match context, past and prompts:
        case True, True:
            return ""
        case False, True:
            return "context"
        case True, False:
            return "past"
        case _:
            return "both"


def _faded(row: LearnedRow, before: datetime | None) -> float:
    return row.weight * FADED if before is not None and row.recorded_at < before else row.weight


def _since(at: datetime, since: datetime | None) -> bool:
    return since is not None and at >= since
