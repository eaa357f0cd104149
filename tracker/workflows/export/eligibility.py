"""Who is in an export, and from which instant on: pure decisions over a person's consent events.

A row needs its scopes in force twice, at the export's instant and when the export runs, and said by the
participants themselves: an operator's record opens no export until they confirm it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tracker.access import Unit
from tracker.domain.consent import EXPORT_SCOPES, EXPORT_USES, SCOPES_OF, Notice, Recorder, Scope, Use
from tracker.domain.stretches import Stretch


class Exclusion(StrEnum):
    """Why a participant is not in an export."""

    NOT_GRANTED = "{scope} not in force"
    NOT_CONFIRMED = "{scope} not confirmed by the participant"
    WITHDRAWN = "{scope} withdrawn since"
    NO_ROWS_GRANTED = "neither affect_series nor prompts in force"

    def told(self, door: Use) -> str:
        """In words, for an export through this door.

        Examples
        --------
        >>> Exclusion.WITHDRAWN.told(Use.EXPORT_PUBLIC)
        'export_public withdrawn since'
        """
        return self.value.format(scope=_scope(door).value)


@dataclass(frozen=True, slots=True)
class Starts:
    """From which instant on each kind of rows may be exported; None where not at all.

    Attributes
    ----------
    series
        Observations, the network's estimates, corrections that answer no prompt.
    learner
        Estimates of the personal learner.
    contexts
        Contexts.
    prompts
        Prompts and the answers to them.
    ratings
        What raters said; in no export for everybody, for raters allow researchers alone.
    hidden
        Stretches of which nothing is exported, whatever is granted.
    """

    series: datetime | None
    learner: datetime | None
    contexts: datetime | None
    prompts: datetime | None
    ratings: datetime | None = None
    hidden: tuple[Stretch, ...] = ()


def decide(
    unit: Unit,
    at: datetime,
    seq: int | None = None,
    door: Use = Use.EXPORT,
    hidden: tuple[Stretch, ...] = (),
) -> Starts | Exclusion:
    """Decide what of a person may be exported.

    Parameters
    ----------
    unit
        The person with all their events, in the transaction that counts.
    at
        The export's instant: it knows only what was recorded up to then.
    seq
        Where the consent log stood when the export was first made, for repeating it: what was granted
        later adds nothing, what was withdrawn later takes away.
    door
        For whom it is made: `Use.EXPORT` for researchers, `Use.EXPORT_PUBLIC` for everybody.
    hidden
        What they hide.
    """
    then = _as_of(unit, at, seq)
    if _start(then, (door,)) is None:
        unconfirmed = _scope(door) in then.grants()
        return Exclusion.NOT_CONFIRMED if unconfirmed else Exclusion.NOT_GRANTED
    if _start(unit, (door,)) is None:
        return Exclusion.WITHDRAWN
    found = {}
    for kind, needed in EXPORT_USES.items():
        uses = tuple(door if use is Use.EXPORT else use for use in needed)
        first, second = _start(then, uses), _start(unit, uses)
        found[kind] = max(first, second) if first is not None and second is not None else None
    if door is Use.EXPORT_PUBLIC:
        found["ratings"] = None
    starts = Starts(**found, hidden=hidden)
    return Exclusion.NO_ROWS_GRANTED if starts.series is starts.prompts is None else starts


def decide_then(
    unit: Unit, at: datetime, seq: int, door: Use = Use.EXPORT, hidden: tuple[Stretch, ...] = ()
) -> Starts | Exclusion:
    """Decide as it was decided when the consent log stood at a position, and `hidden` was hidden."""
    known = tuple(e for e in unit.events if e.seq <= seq)
    return decide(replace(unit, events=known), at, seq, door, hidden)


def notices(unit: Unit, at: datetime, seq: int, door: Use = Use.EXPORT) -> set[Notice]:
    """The notices under which the person granted what an export rests on."""
    rests_on = (EXPORT_SCOPES - {_scope(Use.EXPORT)}) | {_scope(door)}
    return {e.notice for scope, e in _as_of(unit, at, seq).grants().items() if scope in rests_on}


def _scope(door: Use) -> Scope:
    [scope] = SCOPES_OF[door]
    return scope


def _as_of(unit: Unit, at: datetime, seq: int | None) -> Unit:
    known = (e for e in unit.events if e.recorded_at <= at and (seq is None or e.seq <= seq))
    return replace(unit, now=at, events=tuple(known))


def _start(unit: Unit, uses: Iterable[Use]) -> datetime | None:
    grants = unit.grants()
    starts = []
    for use in uses:
        permit = unit.allowed(use)
        if permit is None or any(grants[s].recorder is not Recorder.PARTICIPANT for s in SCOPES_OF[use]):
            return None
        starts.append(permit.covers_from)
        starts += [at for s in SCOPES_OF[use] if (at := unit.readable_from(s)) is not None]
    return max(starts)
