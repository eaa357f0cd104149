"""Invitations: a link that lets somebody in once, to choose a password; no e-mail is needed."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from tracker.access import Access, credentials
from tracker.access.credentials import Whom
from tracker.store import factors

INVITATION_HOLDS = timedelta(days=7)
"""For how long a link lets somebody in."""


class InvitationError(LookupError):
    """A link lets nobody in: it was used, is too old, or never was one."""

    def __init__(self) -> None:
        super().__init__("this link was used already, is too old, or is incomplete; ask for a new one")


def invite(access: Access, whom: Whom, now: datetime) -> str:
    """Make the token of a link for somebody; the one before stops working. It is kept as a digest.

    Parameters
    ----------
    access, whom
        The gate; a participant or a member.
    now
        The instant (UTC); `INVITATION_HOLDS` counts from it.

    Returns
    -------
    str
        256 random bits, to be put after ``/invited/``.
    """
    token = secrets.token_urlsafe(32)
    with credentials.writing(access, whom, now) as door:
        factors.invite(door.connection, door.owner, _digest(token), now, now + INVITATION_HOLDS)
    return token


def invited(access: Access, token: str, now: datetime) -> Whom:
    """Whom a token lets in, without using it up: programs that look at links must not.

    Raises
    ------
    InvitationError
        When it lets nobody in.
    """
    with access.database.read() as connection:
        owner = factors.invited(connection, _digest(token), now)
    whom = None if owner is None else credentials.by_owner(access, owner, now)
    if whom is None:
        raise InvitationError
    return whom


def accept_invitation(access: Access, token: str, now: datetime) -> tuple[Whom, int]:
    """Use a token up; return whom it lets in, and the version of their sessions.

    Raises
    ------
    InvitationError
        When it lets nobody in, or another was faster.
    """
    whom = invited(access, token, now)
    with credentials.writing(access, whom, now) as door:
        if not factors.end_invitation(door.connection, _digest(token)):
            raise InvitationError
        return whom, door.account().session_version


def _digest(token: str) -> str:
    """256 random bits need neither salt nor slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
