"""Where a participant's day stands, for who decides whether to ask."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from tracker.access import Unit
from tracker.domain.consent import Use
from tracker.learning.asking import AskingPolicy, Today
from tracker.store import asked


def today_of(unit: Unit, policy: AskingPolicy) -> Today:
    """Where a participant's day stands at the instant of a unit: all questions count, whoever put them."""
    permit, connection, subject = unit.permit(Use.PROMPT), unit.connection, unit.person.subject
    zone = ZoneInfo(unit.person.zone)
    local = unit.now.astimezone(zone)
    began = policy.day_began(local)
    first = asked.first_put(connection, permit, subject)
    first_day = policy.day_began((first or unit.now).astimezone(zone)).date()
    # A gap may be longer than a day; a question put by a clock that ran ahead counts too.
    recent = asked.put_since(connection, permit, subject, unit.now - policy.gap - timedelta(days=2))
    return Today(
        day=max((began.date() - first_day).days + 1, 1),
        hour=local.hour + local.minute / 60 + local.second / 3600,
        # By the clock on the wall: the end of the quiet hours may be an hour that the change of clocks leaves out.
        asked=sum(policy.day_began(at.astimezone(zone)) >= began for at in recent),
        since_last=unit.now - recent[-1] if recent else None,
    )
