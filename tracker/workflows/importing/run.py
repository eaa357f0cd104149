"""Take in one archive: read it whole, look that grants cover it, then store it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tracker.access import Access, Unit
from tracker.domain.consent import PausedError, Scope
from tracker.domain.people import EnrolmentError, Person
from tracker.personal.learning_again import learn_again
from tracker.store import arriving
from tracker.store.database import StatementError
from tracker.workflows.importing.contents import Contents, survey
from tracker.workflows.importing.errors import ArchiveError, NotCoveredByGrantsError, NotEmptyError
from tracker.workflows.importing.reading import Archive, open_archive
from tracker.workflows.importing.storing import Storing


@dataclass(frozen=True, slots=True)
class Sound:
    """An archive that was read whole and found sound; it stays open.

    Attributes
    ----------
    zone, simulated
        The person's time zone, and whether they are SIMULATED.
    """

    _archive: Archive
    _contents: Contents

    @property
    def zone(self) -> str:
        """The person's time zone."""
        return self._archive.zone

    @property
    def simulated(self) -> bool:
        """Whether the person is SIMULATED."""
        return self._archive.simulated

    def missing(self, unit: Unit) -> dict[Scope, datetime]:
        """Which scopes the grants of a unit lack for it, and from which instant on each would have to cover."""
        grants = unit.grants()
        return {
            scope: at
            for scope, at in self._contents.needed().items()
            if scope not in grants or grants[scope].covers_from > at
        }


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    stored, left
        Rows by table: stored, and left out because no grant covers them.
    learned
        How many corrections the person's learners learned anew.
    """

    stored: Mapping[str, int]
    left: Mapping[str, int]
    learned: int


@contextmanager
def sound(path: Path, now: datetime, report: Callable[[float], None] = lambda _: None) -> Iterator[Sound]:
    """Open an archive and read all of it, before anything is enrolled, granted or stored for it.

    Parameters
    ----------
    path
        The zip.
    now
        What lies after it cannot have happened (UTC).
    report
        Called with the share done, 0 to 1.

    Raises
    ------
    ArchiveError
        When the file is no archive, is damaged, or holds what none holds.
    """
    with open_archive(path) as archive:
        yield Sound(archive, survey(archive, now, report))


def require_room(access: Access, person: Person, archive: Sound, now: datetime) -> dict[Scope, datetime]:
    """Look whether a person can take an archive in; return the scopes that their grants lack for it.

    Raises
    ------
    NotEmptyError
        When they have a series already.
    EnrolmentError
        When the archive is of a SIMULATED person and this one is not, or the other way round.
    """
    if person.simulated != archive.simulated:
        mark = "of a SIMULATED person" if archive.simulated else "of a real person"
        other = "SIMULATED" if person.simulated else "real"
        raise EnrolmentError(
            f"the archive is {mark} and {person.name} is {other}; import it as somebody who is not enrolled yet, "
            "with --evidence"
        )
    with access.read(person.id, now) as unit:
        _require_empty(unit)
        return archive.missing(unit)


def take_in(
    access: Access,
    archive: Sound,
    person: Person,
    now: datetime,
    *,
    only_granted: bool = False,
    report: Callable[[float], None] = lambda _: None,
) -> Imported:
    """Store an archive as the data of one person, who has none of their own yet.

    Rows are stored under the grants of the person here, as if they were said now about then: each carries its own
    instant, and now as the instant of its recording. What was consented to elsewhere is kept as history, and allows
    nothing. Everything is stored in one transaction, or nothing is.

    Parameters
    ----------
    access, archive, person, now
        The gate, the archive, who takes it in, and when (UTC).
    only_granted
        Leave out what no grant covers, instead of refusing the whole.
    report
        Called with the share done, 0 to 1.

    Raises
    ------
    NotCoveredByGrantsError
        When the person's grants do not cover all of it.
    NotEmptyError, EnrolmentError
        As `require_room`.
    PausedError, StudyClosedError
        While the person has paused; when the study is closed.
    """
    require_room(access, person, archive, now)
    try:
        with access.write(person.id, now) as unit:
            # Since it was looked at before, another process may have stored something, or a withdrawal.
            _require_empty(unit)
            if not only_granted and (missing := archive.missing(unit)):
                raise NotCoveredByGrantsError(person.name, missing)
            unit.study.demand_open("nothing is imported")
            if unit.person.paused_at is not None:
                raise PausedError(person.name, unit.person.paused_at)
            storing = Storing(access, unit, archive._archive, archive._contents)
            storing.run(lambda done: report(0.8 * done))
            learned = learn_again(unit)
    except StatementError:
        raise ArchiveError(
            "the archive says something twice that can be said once; nothing was stored"
        ) from None
    report(1.0)
    return Imported(dict(storing.stored), dict(storing.left), learned)


def _require_empty(unit: Unit) -> None:
    if not arriving.is_empty(unit.connection, unit.person.subject):
        raise NotEmptyError(
            f"{unit.person.name} has a series of their own here, and an import never writes into one; "
            "import it as somebody else"
        )
