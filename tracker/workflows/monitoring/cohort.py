"""Who lets researchers look at them one by one; of nobody else is it even said that they are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import Scope, Use
from tracker.domain.members import Member
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.readers import USES, NotForStaffError, Reader, Role
from tracker.privacy.key_errors import KeyDestroyedError


@dataclass(frozen=True, slots=True)
class Sharing:
    """A participant who shares with researchers.

    Attributes
    ----------
    person
        Who.
    since
        From which instant on they let their series be seen.
    prompts
        Whether they let be seen what they were asked.
    """

    person: Person
    since: datetime
    prompts: bool


def sharing(access: Access, now: datetime) -> list[Sharing]:
    """Those who share with researchers now, in the order in which they were enrolled.

    Nothing is told of them but that they do, so this is no look at their data.
    """
    with access.read_all(now) as units:
        return [shared for unit in units if (shared := _shared(unit)) is not None]


def find(access: Access, participant: str, now: datetime) -> Sharing:
    """One of them by id; `UnknownParticipantError` for everybody else, whether they are there or not."""
    try:
        with access.read(participant, now) as unit:
            shared = _shared(unit)
    except KeyDestroyedError:
        shared = None  # they are being erased
    if shared is None:
        raise UnknownParticipantError(participant)
    return shared


@contextmanager
def looked_at(access: Access, reader: Reader, who: Sharing, now: datetime, what: str) -> Iterator[Unit]:
    """Open a reading unit on one of them: that somebody looks is noted first, where the person sees it.

    Raises
    ------
    NotForStaffError
        When they do not share any more; then nobody has looked.
    """
    with access.read(who.person.id, now) as unit:
        _demand(unit)
    with access.look(who.person.id, now, reader=reader.told, what=what) as unit:
        _demand(unit)
        yield unit


@contextmanager
def looked_at_each(
    access: Access, reader: Reader, whom: Sequence[Sharing], now: datetime, what: str
) -> Iterator[list[tuple[Sharing, Unit]]]:
    """Reading units on each of some who share, all on one snapshot; all looks are noted first, at once.

    Whoever was erased or stopped sharing meanwhile is left out.
    """
    there = access.record_looks((who.person.id for who in whom), now, reader=reader.told, what=what)
    called = {who.person.id: who for who in whom}
    with access.read_all(now, there) as units:
        yield [(called[unit.person.id], unit) for unit in units if _shared(unit) is not None]


def reader_of(member: Member) -> Reader:
    """How a researcher stands in the list of those who looked: by number, for who they are is theirs to tell.

    Examples
    --------
    >>> from datetime import UTC
    >>> reader_of(Member("5ef60123456789", "kim", datetime(2026, 3, 1, tzinfo=UTC))).told
    'member 5ef60123, as a researcher'
    """
    return Reader(f"member {member.id[:8]}", Role.RESEARCHER)


def _demand(unit: Unit) -> None:
    if _shared(unit) is None:
        raise NotForStaffError(unit.person.name, [Scope.SHARE_WITH_RESEARCHERS])


def _shared(unit: Unit) -> Sharing | None:
    permits = [unit.allowed(use) for use in USES[Role.RESEARCHER]]
    since = [permit.covers_from for permit in permits if permit is not None]
    if len(since) < len(permits):
        return None
    return Sharing(unit.person, max(since), unit.allowed(Use.PROMPT) is not None)
