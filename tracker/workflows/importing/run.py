"""Take in one archive: read it whole, look that grants cover it, then store it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tracker.access import Access, Unit
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import EnrolmentError, Person, UnknownParticipantError, require_name
from tracker.store import arriving
from tracker.store.database import StatementError
from tracker.workflows import consenting, enrolment
from tracker.workflows.importing.contents import Contents, survey
from tracker.workflows.importing.errors import ArchiveError, NotCoveredByGrantsError, NotEmptyError
from tracker.workflows.importing.learning import learn_again
from tracker.workflows.importing.reading import Archive, open_archive
from tracker.workflows.importing.storing import Storing


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    person
        Who has the rows now.
    code
        The one-time code of a person who was enrolled for it; else None.
    stored, left
        Rows by table: stored, and left out because no grant covers them.
    learned
        How many corrections the person's learners learned anew.
    """

    person: Person
    code: str | None
    stored: Mapping[str, int]
    left: Mapping[str, int]
    learned: int


def import_archive(
    access: Access,
    path: Path,
    name: str,
    now: datetime,
    *,
    evidence: str = "",
    only_granted: bool = False,
    report: Callable[[float], None] = lambda _: None,
) -> Imported:
    """Take in an archive as the data of one person, who has none of their own yet.

    Rows are stored under the grants of the person here, as if they were said now about then: each carries its own
    instant, and now as the instant of its recording. What was consented to elsewhere is kept as history, and allows
    nothing. Everything is stored in one transaction, or nothing is.

    Parameters
    ----------
    access, path, name, now
        The gate, the archive, who takes it in, and when (UTC).
    evidence
        Where an operator's proof lies that the person wants it. With it somebody who is not enrolled is enrolled,
        and the grants that the archive needs are recorded; without it both must be there.
    only_granted
        Leave out what no grant covers, instead of refusing the whole.
    report
        Called with the share done, 0 to 1.

    Raises
    ------
    ArchiveError
        When the file is no archive, is damaged, or holds what none holds.
    NotCoveredByGrantsError
        When the person's grants do not cover all of it.
    NotEmptyError
        When the person has data already.
    EnrolmentError
        When the archive is of a SIMULATED person and this one is not, or the other way round.
    PausedError
        While the person has paused.
    UnknownParticipantError
        When nobody is called so, and there is no evidence to enrol them on.
    """
    with open_archive(path) as archive:
        contents = survey(archive, now, lambda done: report(done / 2))
        person, code = _person(access, archive, name, now, evidence)
        with access.read(person.id, now) as unit:
            _require_empty(unit)
            missing = _missing(unit, contents)
        if missing and evidence:
            consenting.grant(
                access,
                person,
                list(missing),
                now,
                recorder=Recorder.OPERATOR,
                covers_from=min(missing.values()),
                evidence=evidence,
            )
        try:
            with access.write(person.id, now) as unit:
                # Since it was looked at before: somebody else may have stored, or withdrawn.
                _require_empty(unit)
                if not only_granted and (missing := _missing(unit, contents)):
                    raise NotCoveredByGrantsError(name, missing)
                if contents.earliest:
                    unit.capture_permit()
                storing = Storing(access, unit, archive, contents)
                storing.run(lambda done: report(0.5 + 0.4 * done))
                n = learn_again(unit)
        except StatementError:
            raise ArchiveError(
                f"{path} says something twice that can be said once; nothing was stored"
            ) from None
    report(1.0)
    return Imported(person, code, dict(storing.stored), dict(storing.left), n)


def _person(
    access: Access, archive: Archive, name: str, now: datetime, evidence: str
) -> tuple[Person, str | None]:
    try:
        person = access.person(name)
    except UnknownParticipantError:
        require_name(name)
        if not evidence.strip():
            raise
        enrolled = enrolment.enrol(access, name, archive.zone, now, simulated=archive.simulated)
        return enrolled.person, enrolled.code
    if person.simulated != archive.simulated:
        mark = "SIMULATED" if archive.simulated else "of a real person"
        raise EnrolmentError(
            f"the archive is {mark} and {name} is not; import it as somebody who is not enrolled yet, with --evidence"
        )
    return person, None


def _missing(unit: Unit, contents: Contents) -> dict[Scope, datetime]:
    grants = unit.grants()
    return {
        scope: at
        for scope, at in contents.needed().items()
        if scope not in grants or grants[scope].covers_from > at
    }


def _require_empty(unit: Unit) -> None:
    if not arriving.is_empty(unit.connection, unit.person.subject):
        raise NotEmptyError(
            f"{unit.person.name} has a series of their own here, and an import never writes into one; "
            "import it as somebody else"
        )
