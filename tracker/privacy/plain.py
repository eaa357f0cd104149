"""The data map in plain words: what is stored on which ground, how long, and whether it is encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.consent import Scope
from tracker.privacy.datamap import TABLES, Ground, Retention

KEPT: dict[Retention, str] = {
    Retention.ERASED: (
        "until you erase it, withdraw and let the time for an answer pass, or the study's days for it are over"
    ),
    Retention.PERSON: "until you erase everything about you",
    Retention.WINDOW: "30 days",
    Retention.CODE: "until you use it, at most 14 days",
    Retention.EVIDENCE: "for good; it names nobody",
    Retention.SLOT: "90 days",
    Retention.SIGN_IN: "90 days",
    Retention.TOKEN: "until you revoke it or it ends, at most 365 days",
    Retention.DAY: "24 hours",
    Retention.MEMBER: "until they are no member any more",
    Retention.SWITCHED: "until you switch it off, log out there, withdraw or erase it, or the browser ends it",
    Retention.STANDING: "as long as you allow it",
    Retention.NOTICE: "as long as the study's installation, as proof",
    Retention.EXPORT: "as long as the list of datasets",
    Retention.PRIOR: "until it is computed anew; when you leave, that happens at once",
}
"""How long something is kept, said to the person whom it is about."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one table holds on one ground.

    Parameters
    ----------
    table, what
        Its name, and what it is in a participant's words.
    kept
        How long, one phrase for each way.
    encrypted
        Whether something of it lies under the participant's own key.
    """

    table: str
    what: str
    kept: tuple[str, ...]
    encrypted: bool


def held_on(ground: Scope | Ground) -> tuple[Held, ...]:
    """What is stored on a ground, table by table, as the data map declares it.

    Examples
    --------
    >>> [held.table for held in held_on(Scope.NOTES)], held_on(Scope.NOTES)[0].encrypted
    (['notes'], True)
    """
    found = []
    for table in TABLES:
        here = [column for column in table.columns if column.ground is ground]
        if here:
            kept = tuple(dict.fromkeys(KEPT[column.retention] for column in here))
            found.append(Held(table.name, table.what, kept, any(column.sealed for column in here)))
    return tuple(found)
