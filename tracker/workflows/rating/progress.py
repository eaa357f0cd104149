"""How far a rater is: the goal of today, and figures of their own. No ranking, and no speed to reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from tracker.access import Access
from tracker.domain.members import Member
from tracker.domain.raters import RaterScope
from tracker.learning.shares import Share, share
from tracker.store import rating_votes
from tracker.store.rating_votes import VoteRow
from tracker.workflows.rating import doors


@dataclass(frozen=True, slots=True)
class Progress:
    """A rater's own figures.

    Attributes
    ----------
    done, goal
        Today (UTC), and what the study asks for a day.
    total
        Ever, as far as it stands.
    cannot_tell
        The share of answers that no emotion could be said.
    median_response_ms
        How long an answer took; None where it is not measured.
    visible_p95_ms
        In how many milliseconds 19 of 20 items were visible, as the browser measured; None where it is not known.
    """

    done: int
    goal: int
    total: int
    cannot_tell: Share | None
    median_response_ms: float | None
    visible_p95_ms: int | None

    @property
    def words(self) -> str:
        """Today in words.

        Examples
        --------
        >>> Progress(12, 20, 40, None, None, None).words
        '12 of 20 today'
        """
        return f"{self.done} of {self.goal} today"


def progress(access: Access, member: Member, now: datetime) -> Progress:
    """A rater's own figures.

    Raises
    ------
    NoRaterError
        When they have no part in the study, or have not agreed to be measured.
    """
    study = doors.study_in_force(access)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with access.database.read() as connection:
        timed = RaterScope.SPEED in doors.demand_rater(connection, member, study)
        done = rating_votes.count_since(connection, member.id, today)
        votes = [v for v in rating_votes.of_member(connection, member.id) if v.verdict.counts]
    return Progress(
        done=done,
        goal=study.rating.goal,
        total=len(votes),
        cannot_tell=share(sum(v.distribution is None for v in votes), len(votes)),
        median_response_ms=_median([v.response_ms for v in votes if timed and v.response_ms is not None]),
        visible_p95_ms=_visible(votes) if timed else None,
    )


def _median(values: list[int]) -> float | None:
    return float(median(values)) if values else None


def _visible(votes: list[VoteRow]) -> int | None:
    measured = sorted(v.visible_ms for v in votes if v.visible_ms is not None)
    return measured[-(-95 * len(measured) // 100) - 1] if measured else None
