"""How tombstones are numbered: by a keyed digest of whose they are, so that they name nobody."""

from __future__ import annotations

from collections.abc import Callable

from tracker.domain.consent import Scope
from tracker.privacy.keys import Vault

Numbering = Callable[[str, Scope | None], str]
"""From a participant's id, and a scope or None for all of them, to the id of their tombstone."""

PURPOSE = "tombstones"
_LENGTH = 32


def numbering(vault: Vault) -> Numbering:
    """Fetch the key once; return what numbers the tombstones of many."""
    digest = vault.digester(PURPOSE)
    return lambda participant, scope: digest(of_whom(participant, scope))[:_LENGTH]


def of_whom(owner: str, scope: Scope | None) -> str:
    """What a digest is made of: an id, and the scope where only what it covers was erased.

    Examples
    --------
    >>> of_whom("5ef6", None), of_whom("5ef6", Scope.NOTES)
    ('5ef6', '5ef6|notes')
    """
    return owner if scope is None else f"{owner}|{scope.value}"
