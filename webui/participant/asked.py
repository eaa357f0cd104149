"""Whether a question waits for whoever is logged in: every page says so, since nothing is sent to a phone."""

from __future__ import annotations

from flask import g

from tracker.domain.people import Person, UnknownParticipantError
from tracker.privacy.key_errors import KeyUnavailableError
from tracker.store.database import DatabaseError
from tracker.workflows import prompting
from webui.clock import now
from webui.services import services


def question_waits() -> bool:
    """Whether a question can be answered now; False where nobody can tell, so that a page that says why shows."""
    who = g.get("person")
    if not isinstance(who, Person):
        return False
    try:
        with services().access.read(who.id, now()) as unit:
            return prompting.live(unit) is not None
    except (DatabaseError, KeyUnavailableError, UnknownParticipantError):
        return False
