"""What keeps an archive from being taken in; in each case nothing of it was stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tracker.domain.consent import ConsentError, Scope


class ArchiveError(ValueError):
    """A file is no archive, is damaged, or holds what no archive of this program holds."""


class NotEmptyError(ValueError):
    """The person has data of their own here already: an import never writes over them, nor between them."""


class NotCoveredByGrantsError(ConsentError):
    """The person's grants do not cover what the archive holds.

    Parameters
    ----------
    name
        The person.
    needed
        From which instant on each scope that is missing, or begins too late, would have to cover.
    """

    def __init__(self, name: str, needed: Mapping[Scope, datetime]) -> None:
        self.needed = dict(needed)
        scopes = " ".join(scope.value for scope in needed)
        start = min(needed.values()).isoformat()
        super().__init__(
            f"the grants of {name} do not cover this archive ({scopes.replace(' ', ', ')} from {start} on); nothing "
            f"was stored. Let {name} grant them, or record it: affect-tracker consent grant {name} {scopes} "
            f"--covers-from {start} --evidence TEXT, or add --only-granted to leave the rest out"
        )
