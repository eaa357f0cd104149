"""How tombstones are numbered: by a keyed digest of whose they are, so that they name nobody."""

from __future__ import annotations

from collections.abc import Callable

from tracker.domain.consent import Scope
from tracker.domain.stretches import Stretch
from tracker.privacy.keys import Vault

What = Scope | Stretch | None
"""What was erased of somebody: what one scope covers, a stretch of time, or (None) everything."""

Numbering = Callable[[str, What], str]
"""From a participant's id, and what was erased, to the id of their tombstone."""

PURPOSE = "tombstones"
_LENGTH = 32


def numbering(vault: Vault) -> Numbering:
    """Fetch the key once; return what numbers the tombstones of many."""
    digest = vault.digester(PURPOSE)
    return lambda participant, scope: digest(of_whom(participant, scope))[:_LENGTH]


def of_whom(owner: str, what: What) -> str:
    """What a digest is made of: an id, and the scope or the stretch where only what that covers was erased.

    Examples
    --------
    >>> of_whom("5ef6", None), of_whom("5ef6", Scope.NOTES)
    ('5ef6', '5ef6|notes')
    """
    return owner if what is None else f"{owner}|{told(what)}"


def told(what: Scope | Stretch) -> str:
    """How a tombstone says what was erased, in at most 32 characters.

    Examples
    --------
    >>> told(Scope.NOTES)
    'notes'
    """
    return what.marked() if isinstance(what, Stretch) else what.value


def read(mark: str | None) -> What:
    """What `told` said.

    Examples
    --------
    >>> read("notes"), read(None)
    (<Scope.NOTES: 'notes'>, None)
    """
    return None if mark is None else Stretch.read(mark) or Scope(mark)
