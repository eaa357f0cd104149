"""A study that asks by schedule, put into force under the built-in notice, so that no grant ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from tests.builders import NOW
from tests.study.test_reading import least
from tracker.access import Access
from tracker.domain.people import Person
from tracker.store import studies, tables
from tracker.store.studies import StudyRow
from tracker.study import DEFAULT, Study
from tracker.workflows import prompting
from tracker.workflows.prompting import Ticked

MINUTE = timedelta(minutes=1)
DAY = """
[asking]
gap_minutes = 30

[[prompts]]
id = "noon"
at = ["12:30"]
reminders = 2
remind_after_minutes = 10

[[prompts]]
id = "day"
windows = [{ opens = "14:00", closes = "18:00", prompts = 2 }]
yields = false
"""


def scheduled(access: Access, more: str = DAY, now: datetime = NOW - timedelta(days=1)) -> Study:
    """Let a study with some schedules govern from an instant on."""
    said = least(more)
    study = DEFAULT.model_copy(update={"prompts": said.prompts, "asking": said.asking})
    with access.database.write() as connection:
        studies.apply(connection, StudyRow(study.sha256, study.document(), now, "test"))
    return study


def ticks(access: Access, who: Person, start: datetime, end: datetime, step: timedelta = MINUTE) -> Ticked:
    """Tick from one instant to before another."""
    done, now = Ticked(), start
    while now < end:
        done += prompting.tick(access, who, now)
        now += step
    return done


def states(access: Access, who: Person) -> dict[str, tuple[str, str | None]]:
    """State and reason of each slot of a person that has a prompt, in the order of the slots' times."""
    p = tables.prompts.c
    query = select(p.slot, p.state, p.reason).where(p.subject == who.subject).order_by(p.scheduled_at, p.id)
    with access.database.read() as connection:
        return {slot: (state, reason) for slot, state, reason in connection.execute(query)}
