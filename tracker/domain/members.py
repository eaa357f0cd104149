"""The members of a study's staff: raters, researchers and operators, and what each may do in which study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody is to a study; whoever logs in is at least one of them.

    A participant has no row among the members: they are enrolled, and what they see rests on consent alone.
    """

    PARTICIPANT = "participant"
    RATER = "rater"
    RESEARCHER = "researcher"
    OPERATOR = "operator"


STAFF = frozenset({Role.RATER, Role.RESEARCHER, Role.OPERATOR})
"""The roles that a member can have."""

STRONG = frozenset({Role.RESEARCHER, Role.OPERATOR})
"""The roles that demand a passkey or an authenticator app beside the password."""


class MemberError(ValueError):
    """A member cannot be added or changed as asked."""


class UnknownMemberError(LookupError):
    """Nobody of this name is a member here.

    Parameters
    ----------
    name
        As it was typed.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"nobody called {name!r} is a member here; check the spelling (capital letters count), or invite them: "
            "affect-tracker invite NAME --role rater"
        )


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff, with what is sealed in the database opened for this process.

    Parameters
    ----------
    id
        Random; what they rate and decide hangs on it.
    name
        How they log in; sealed at rest, and of nobody else here, participants included.
    roles
        What they may do, by the id of the study.
    created_at
        When they were invited (UTC).
    """

    id: str
    name: str
    created_at: datetime
    roles: Mapping[str, frozenset[Role]] = field(default_factory=lambda: MappingProxyType({}))

    def in_study(self, study: str) -> frozenset[Role]:
        """What they are in a study; nothing where they have no part in it.

        Examples
        --------
        >>> from datetime import UTC
        >>> kim = Member("5ef6", "kim", datetime(2026, 3, 1, tzinfo=UTC), {"sleep": frozenset({Role.RATER})})
        >>> kim.in_study("sleep") == {Role.RATER}, kim.in_study("work")
        (True, frozenset())
        """
        return self.roles.get(study, frozenset())

    def has(self, role: Role, study: str) -> bool:
        """Whether they have a role in a study.

        Examples
        --------
        >>> from datetime import UTC
        >>> kim = Member("5ef6", "kim", datetime(2026, 3, 1, tzinfo=UTC), {"sleep": frozenset({Role.RATER})})
        >>> kim.has(Role.RATER, "sleep"), kim.has(Role.OPERATOR, "sleep"), kim.has(Role.RATER, "work")
        (True, False, False)
        """
        return role in self.in_study(study)


def staff_roles(names: frozenset[Role]) -> frozenset[Role]:
    """Roles that a member can have; raise `MemberError` for none, and for a participant's.

    Examples
    --------
    >>> staff_roles(frozenset({Role.PARTICIPANT}))
    Traceback (most recent call last):
    ...
    tracker.domain.members.MemberError: a participant is enrolled, not made a member: affect-tracker enrol NAME
    """
    if Role.PARTICIPANT in names:
        raise MemberError("a participant is enrolled, not made a member: affect-tracker enrol NAME")
    if not names:
        raise MemberError("a member has at least one role: rater, researcher or operator")
    return names
