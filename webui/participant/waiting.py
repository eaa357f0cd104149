"""What was withdrawn and is still stored: what was answered, and when it is erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.access import Unit
from tracker.domain.consent import Scope
from tracker.store import requests
from tracker.workflows.consenting import Answer


@dataclass(frozen=True, slots=True)
class Waiting:
    """A withdrawn scope: what the participant said about it, and when it is erased (None: kept)."""

    scope: Scope
    answer: Answer
    due_at: datetime | None

    @property
    def unanswered(self) -> bool:
        """Whether the participant has not said yet what is to be done."""
        return self.answer is Answer.UNANSWERED


def waiting_of(unit: Unit) -> dict[Scope, Waiting]:
    """What waits, by scope."""
    rows = requests.of(unit.connection, unit.person.id)
    return {row.scope: Waiting(row.scope, Answer(row.answer), row.due_at) for row in rows}
