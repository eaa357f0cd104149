"""Questions put to a participant, one per slot."""

from __future__ import annotations

from datetime import datetime

from tracker.access import Access
from tracker.domain.consent import Use
from tracker.domain.people import Person
from tracker.domain.series import Prompt
from tracker.store import feedback


def record(access: Access, person: Person, prompt: Prompt, now: datetime) -> int | None:
    """Keep a prompt and what became of it; a slot that has one keeps that one, and None is returned.

    Raises
    ------
    ConsentMissingError
        Without the scope prompts.
    """
    with access.write(person.id, now) as unit:
        return feedback.put_prompt(
            unit.connection, unit.permit(Use.PROMPT), person.subject, unit.person.zone, prompt, now
        )
