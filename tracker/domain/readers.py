"""Who of the staff looks at a person's data, and as what: the person will read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tracker.domain.consent import ConsentError, Scope, Use


class Role(StrEnum):
    """As what somebody looks."""

    OPERATOR = "operator"
    RESEARCHER = "researcher"


USES = {Role.OPERATOR: (Use.STORE_SERIES,), Role.RESEARCHER: (Use.STORE_SERIES, Use.LOOK)}
"""What must be allowed for a look at a series. What was withdrawn is for the participant alone, so no role sees it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who of the staff looks.

    Parameters
    ----------
    name
        As the installation knows them.
    role
        As what.
    """

    name: str
    role: Role = Role.OPERATOR

    @property
    def told(self) -> str:
        """How they stand in the list of those who looked.

        Examples
        --------
        >>> Reader("ada").told, Reader("grace", Role.RESEARCHER).told
        ('ada', 'grace, as a researcher')
        """
        return self.name if self.role is Role.OPERATOR else f"{self.name}, as a {self.role.value}"


UNNAMED = Reader("somebody with the operator's keys")
"""Who looks where a caller does not say: the look is noted all the same."""


class NotForStaffError(ConsentError):
    """The person has not allowed this, so nobody of the staff may look.

    Parameters
    ----------
    name
        The person.
    missing
        The scopes that are not in force; one that shows data to others has to be granted in person.
    """

    def __init__(self, name: str, missing: list[Scope]) -> None:
        scopes = ", ".join(scope.value for scope in missing)
        how = "granted in person" if Scope.SHARE_WITH_RESEARCHERS in missing else "granted"
        super().__init__(
            f"the series of {name} is for {name} alone while {scopes} is not {how}; nothing was shown"
        )
