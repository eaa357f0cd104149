"""Members of the staff: add, find, give and take roles, remove."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tracker.access import Access, membership
from tracker.domain.members import Member, Role, staff_roles
from tracker.domain.people import require_name
from tracker.store import factors, members


def add(access: Access, name: str, roles: Iterable[Role], study: str, now: datetime) -> Member:
    """Add a member with roles in a study; they log in once they followed an invitation.

    Parameters
    ----------
    access
        The gate.
    name
        How they log in; sealed at rest, and nobody else's here.
    roles
        At least one of rater, researcher and operator.
    study
        The id of the study.
    now
        The instant (UTC).

    Raises
    ------
    EnrolmentError
        When the name cannot be used.
    MemberError
        When it is taken, or a role is not a member's.
    """
    chosen = staff_roles(frozenset(roles))
    member = membership.admit(access, require_name(name), now)
    for role in sorted(chosen):
        member = grant_role(access, member, role, study, now)
    return member


def find(access: Access, name: str) -> Member:
    """Find a member by name; raise `UnknownMemberError` when there is none."""
    return membership.find(access, name)


def by_id(access: Access, member: str, now: datetime) -> Member:
    """Find a member by id; raise `UnknownMemberError` when there is none."""
    with membership.reading(access, member, now) as unit:
        return unit.member


def everyone(access: Access) -> list[Member]:
    """All members, in the order in which they were added."""
    return membership.everyone(access)


def grant_role(access: Access, member: Member, role: Role, study: str, now: datetime) -> Member:
    """Give a member a role in a study; return them as they are then.

    Raises
    ------
    MemberError
        When the role is a participant's.
    UnknownMemberError
        When they were removed.
    """
    staff_roles(frozenset({role}))
    with membership.writing(access, member.id, now) as unit:
        members.grant_role(unit.connection, member.id, study, role)
    return by_id(access, member.id, now)


def revoke_role(access: Access, member: Member, role: Role, study: str, now: datetime) -> Member:
    """Take a role from a member, at once: every request asks for it anew; return them as they are then.

    Whoever has none left, in any study, has no part here any more: a link that would let them in stops working.
    """
    with membership.writing(access, member.id, now) as unit:
        members.revoke_role(unit.connection, member.id, study, role)
        if not members.roles(unit.connection, member.id):
            factors.end_invitations(unit.connection, factors.Owner(None, member.id))
    return by_id(access, member.id, now)


def remove(access: Access, member: Member, now: datetime | None = None) -> dict[str, int]:
    """Erase a member: their key is destroyed and every row of theirs deleted; return how many, by table."""
    return membership.remove(access, member.id, now=now)
