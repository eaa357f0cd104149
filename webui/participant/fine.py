"""A short recording drawn by the second: by the minute it would be a single bar."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.people import Person
from tracker.domain.series import Moment, Reason
from tracker.workflows import timeline
from tracker.workflows.timeline import Gap, Page, Point

SECOND = timedelta(seconds=1)
SHORT = timedelta(minutes=15)
"""Stretches up to this long are drawn by the second."""


def refined(access: Access, person: Person, now: datetime, page: Page) -> Page:
    """The same page by the second where everything on it lies within a quarter of an hour."""
    drawn = [p.at for p in page.points] + [g.at for g in page.gaps]
    if not page.points or page.step != timeline.MINUTE or max(drawn) - min(drawn) > SHORT:
        return page
    points: dict[datetime, list[Moment]] = defaultdict(list)
    gaps: Counter[tuple[datetime, Reason]] = Counter()
    end = max(drawn) + page.step
    with timeline.moments(access, person, now, min(drawn), end) as moments:
        for moment in moments:
            second = moment.at.replace(microsecond=0)
            if moment.reason is not None:
                gaps[second, moment.reason] += 1
            if moment.machine is not None:
                points[second].append(moment)
    return replace(
        page,
        step=SECOND,
        points=tuple(_point(at, found) for at, found in sorted(points.items())),
        gaps=tuple(Gap(at, reason, n) for (at, reason), n in sorted(gaps.items())),
    )


def _point(at: datetime, moments: list[Moment]) -> Point:
    machine = _mean([m.machine for m in moments if m.machine is not None])
    return Point(at, len(moments), machine, _mean([m.personal for m in moments if m.personal is not None]))


def _mean(said: list[Distribution]) -> Distribution | None:
    if not said:
        return None
    return Distribution.from_sequence([sum(d.probabilities[i] for d in said) for i in range(len(EMOTIONS))])
