"""What an interrupted erasure needs to go on: whose it is, and what to look for; sealed until it is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.store import erasing, extents, fingerprints
from tracker.store.database import Connection
from tracker.workflows.erasure import lineage

PENDING = "erasing"
PLACE = "tombstones.counts"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose rows go, and by what they would be recognised.

    Attributes
    ----------
    participant, subject
        Their ids.
    scope
        The scope, or None for the whole person.
    needles
        Bytes that nobody else's rows hold.
    words
        Words of theirs; where nobody else says one, its bytes must be gone too.
    """

    participant: str
    subject: str
    scope: Scope | None = None
    needles: tuple[bytes, ...] = ()
    words: tuple[str, ...] = ()

    def as_bytes(self) -> bytes:
        """For sealing."""
        return json.dumps(
            {
                "participant": self.participant,
                "subject": self.subject,
                "scope": self.scope.value if self.scope is not None else None,
                "needles": [needle.hex() for needle in self.needles],
                "words": list(self.words),
            }
        ).encode()


def read(sealed: bytes) -> Whose:
    """What `Whose.as_bytes` made, or the pair of ids that stood there before there was more."""
    found: Any = json.loads(sealed)
    if isinstance(found, list):
        return Whose(found[0], found[1])
    return Whose(
        found["participant"],
        found["subject"],
        Scope(found["scope"]) if found["scope"] is not None else None,
        tuple(bytes.fromhex(needle) for needle in found["needles"]),
        tuple(found["words"]),
    )


def of(connection: Connection, person: Person, scope: Scope | None) -> Whose:
    """Whose rows will go, with samples of what they hold."""
    if scope is None:
        rows = erasing.owned(person.subject, person.id)
        ids: tuple[bytes, ...] = (person.id.encode(), person.subject.encode())
    else:
        rows = extents.conditions(person.subject, person.id, lineage.extents(scope))
        ids = ()
    needles = (*ids, *fingerprints.sealed_ends(connection, rows))
    return Whose(person.id, person.subject, scope, needles, tuple(fingerprints.words(connection, rows)))


def said(person: Person, scope: Scope | None) -> tuple[str, ...]:
    """What is looked for, too, and never noted: the name, where it is long enough to be told from chance."""
    return (person.name,) if scope is None and len(person.name) >= fingerprints.SHORTEST else ()
