"""One participant who shares: what arrived, what they were asked, how their learners did, and who looked at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Response, render_template

from tracker.access.looks import Look
from tracker.domain.consent import Use
from tracker.domain.readers import Role
from tracker.workflows import monitoring, prompting
from tracker.workflows.monitoring import Arriving, Day, Fared, Sharing
from tracker.workflows.prompting import Asked
from webui import auth
from webui.monitor import plots, room
from webui.monitor.people import answered, level, spread
from webui.monitor.room import pages
from webui.services import services
from webui.words import REASONS

WHAT = "how the study goes with you: what arrived, what you were asked, how your learners did, and who looked"
LOOKS = 50
"""How many looks are shown."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look shows."""

    who: Sharing
    arriving: Arriving
    asked: dict[date, Asked] | None
    asked_from: datetime
    fared: list[Fared]
    looks: list[Look]
    zone: ZoneInfo

    def rows(self, days: int) -> list[tuple[date, Day | None, Asked | None]]:
        """Each of the last days, newest first; None for what is not shared, or not kept any more."""
        asked = dict(spread(self.who, self.asked or {}, self.asked_from, days))
        return [
            (day, self._came(day), asked[day] if self.asked is not None else None)
            for day in sorted(asked, reverse=True)
        ]

    def _came(self, day: date) -> Day | None:
        return self.arriving.days.get(day, Day() if day >= self.arriving.first else None)


@pages.get("/study/people/<item:who>")
def person(who: str) -> str:
    """How the study goes with one of them: one look, which they see."""
    days = room.days()
    seen = look_at(who, days)
    return render_template(
        "monitor_person.html",
        seen=seen,
        person=seen.who.person,
        rows=seen.rows(days),
        span=days,
        spans=room.SPANS,
        whole=sum((asked for asked in (seen.asked or {}).values()), Asked()),
        answered=answered,
        level=level,
        told=room.told,
        plots={f.target: plots.over_weeks(f, simulated=seen.who.person.simulated) for f in seen.fared},
        reasons={reason.value: str(words) for reason, words in REASONS.items()},
        looks=seen.looks[::-1][:LOOKS],
    )


@pages.get("/study/people/<item:who>/days.csv")
def days_csv(who: str) -> Response:
    """What arrived and what was asked, day by day."""
    seen = look_at(who, room.days())
    asked = ("put", "answered", "late", "missed", "put_away", "waiting", "withheld", "by_learner")
    reasons = [*REASONS]
    columns = ("day", "simulated", "read", *(f"without_{r.value}" for r in reasons), *asked)
    rows = (
        [
            day.isoformat(),
            seen.who.person.simulated,
            # Nothing is not none: of a day that is not shared there is no number.
            came.read if came is not None else "",
            *(came.without[r] if came is not None else "" for r in reasons),
            *(getattr(was, name) if was is not None else "" for name in asked),
        ]
        for day, came, was in seen.rows(room.days())
    )
    return room.table("days", columns, rows)


@pages.get("/study/people/<item:who>/learners.csv")
def learners_csv(who: str) -> Response:
    """How each learner did, week by week, beside what it should beat."""
    seen = look_at(who, room.days())
    columns = (
        "target",
        "first_day",
        "last_day",
        "who",
        "n",
        "value",
        "low",
        "high",
        "said_sure",
        "simulated",
    )
    rows, made_up = [], seen.who.person.simulated
    for fared in seen.fared:
        for week in fared.weeks:
            for name in plots.SERIES:
                figure = getattr(week, name)
                if figure is not None:
                    value = figure.value if hasattr(figure, "value") else figure.mean
                    sure = week.sure if name == "learner" and week.sure is not None else ""
                    dates = (week.first.isoformat(), week.last.isoformat())
                    ends = (figure.low, figure.high) if figure.ranged else ("", "")
                    rows.append([fared.target, *dates, name, figure.n, value, *ends, sure, made_up])
    return room.table("learners", columns, rows)


def look_at(participant: str, days: int) -> Seen:
    """Look at one of those who share; they read that somebody did."""
    access, at = services().access, auth.now()
    who = monitoring.find(access, participant, at)
    with monitoring.looked_at(access, monitoring.reader_of(auth.member()), who, at, WHAT) as unit:
        shared = unit.allowed(Use.PROMPT) is not None  # as it is now, not as it was a moment ago
        return Seen(
            who,
            monitoring.arriving(unit, who.since, days),
            prompting.complied(unit, Role.RESEARCHER, days) if shared else None,
            prompting.told_from(unit, Role.RESEARCHER) if shared else at,
            monitoring.fared(unit, who.since),
            access.looks(unit),
            ZoneInfo(unit.person.zone),
        )
