"""Devices that are told that a question waits end with the session that switched them on."""

from __future__ import annotations

from tracker.access.credentials import Door
from tracker.domain.people import Person
from tracker.store import pushing


def end_devices(door: Door, *, of: int | None = None, but: int | None = None) -> None:
    """Have devices told no more; who takes no part has none.

    Parameters
    ----------
    door
        The transaction in which sessions end.
    of
        The sign-in whose devices end; None: of all.
    but
        The sign-in whose devices go on.
    """
    if not isinstance(door.whom, Person):
        return
    if of is not None:
        pushing.remove_of_sign_in(door.connection, door.whom.subject, of)
    else:
        pushing.remove_of_others(door.connection, door.whom.subject, but)
