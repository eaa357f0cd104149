"""How a stored column is declared: on what it rests, how long it is kept and what it derives from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tracker.domain.affect import EMOTIONS
from tracker.domain.consent import Scope


class Ground(StrEnum):
    """What a column rests on where it rests on no scope."""

    IDENTITY = "identity"
    OPERATION = "operation"
    STAFF = "staff"


class Retention(StrEnum):
    """How long something is kept."""

    ERASED = (
        "until the participant erases it, withdraws and lets the time for an answer pass, or the study's days for it "
        "are over"
    )
    PERSON = "until the participant is erased"
    WINDOW = "30 days, as the learner's memory"
    CODE = "until it is used, at most 14 days"
    EVIDENCE = "stays after an erasure, and names nobody"
    SLOT = "90 days after the job ran"
    SIGN_IN = "90 days"
    TOKEN = "until it is revoked or has ended, at most 365 days"
    DAY = "24 hours; less, when anything of the participant is erased"
    MEMBER = "until the member is removed"
    SWITCHED = (
        "until the participant switches it off, logs out there, withdraws or erases it, or the browser or the study "
        "ends it"
    )
    STANDING = "as long as the grant stands"
    NOTICE = "as long as the installation, as proof"
    EXPORT = "as long as the list of exports"
    PRIOR = (
        "until it is fitted anew; when somebody in it leaves, it is retired at once and deleted once no "
        "learner holds anything of it"
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One stored column.

    Attributes
    ----------
    table, name
        Where it lies.
    ground
        The scope it rests on, or why it is there without one.
    retention
        How long.
    sealed
        Whether it is encrypted under the participant's own key, or the member's.
    derives_from
        Columns from which it is computed or copied; what is erased there is erased or recomputed here.
    also
        Whether a row that holds something here rests on the ground of its table too, and not on this one instead.
    """

    table: str
    name: str
    ground: Scope | Ground
    retention: Retention
    sealed: bool = False
    derives_from: tuple[str, ...] = ()
    also: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """One table: what it holds, in a participant's words, and its columns."""

    name: str
    what: str
    columns: tuple[Column, ...]


PROBABILITIES = " ".join(f"p_{emotion.value}" for emotion in EMOTIONS)
"""The columns of a distribution, as `declared` takes them."""


def declared(
    table: str,
    ground: Scope | Ground,
    retention: Retention,
    names: str,
    *,
    sealed: bool = False,
    derives_from: str = "",
    also: bool = False,
) -> tuple[Column, ...]:
    """Columns of a table that are alike in everything but their names.

    Parameters
    ----------
    table, ground, retention, sealed, also
        As in `Column`.
    names, derives_from
        With a space between each two.

    Examples
    --------
    >>> [column.name for column in declared("zones", Scope.PROMPTS, Retention.ERASED, "zone since")]
    ['zone', 'since']
    """
    origins = tuple(derives_from.split())
    return tuple(Column(table, n, ground, retention, sealed, origins, also) for n in names.split())
