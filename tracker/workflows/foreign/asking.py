"""Does a file fit the study and the people here? Asked before anybody is enrolled and anything is stored."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import Scope
from tracker.domain.people import Person, UnknownParticipantError
from tracker.study import Study
from tracker.workflows.foreign import attesting
from tracker.workflows.foreign.errors import AskedError, EnrolledError
from tracker.workflows.foreign.mapping import MappingFile


def demand_targets(study: Study, mapping: MappingFile) -> None:
    """Raise `AskedError` when answers are taken for what the study does not ask.

    A study that names no targets of its own takes any, as the command `correct` does.
    """
    known = {question.name for question in study.own_questions}
    for target in mapping.targets:
        if ":" in target and known and target not in known:
            raise AskedError(
                f"{target!r} is none of the study's targets; there are: {', '.join(sorted(known))}. Name one of "
                "these in the mapping, or apply a study that asks it"
            )


def whom(
    access: Access,
    names: Collection[str],
    mapping: MappingFile,
    sha256: str,
    now: datetime,
    *,
    existing: Collection[str] = (),
    named: str | None = None,
) -> dict[str, Person | None]:
    """Who the people of a file are here; None where somebody is to be enrolled.

    Parameters
    ----------
    names
        Theirs, as the file says.
    sha256
        The file's hash: whoever was enrolled by an import of it is no clash.
    existing
        Those who are declared to be enrolled here already, beside those whom the mapping declares.
    named
        Whoever the command names, where the mapping names nobody: they are meant, enrolled or not.

    Raises
    ------
    AskedError
        When somebody who is declared is nobody of the file.
    EnrolledError
        When somebody of a name is enrolled, and nobody says that it is the same person.
    UnknownParticipantError
        When somebody is not enrolled who is declared to be, or whom the mapping does not enrol.
    """
    if strangers := [name for name in existing if name not in names]:
        raise AskedError(f"{strangers[0]!r} is nobody of the file; it names {', '.join(sorted(names)[:8])}")
    declared = {*existing, *mapping.participant.existing}
    found: dict[str, Person | None] = {}
    clashing = []
    for name in sorted(names):
        try:
            person = access.person(name)
        except UnknownParticipantError:
            if not mapping.participant.enrol or name in declared:
                raise
            found[name] = None
            continue
        found[name] = person
        if name not in declared and name != named and not _ours(access, person, sha256, now):
            clashing.append(name)
    if clashing:
        raise EnrolledError(clashing)
    return found


def unanswered(unit: Unit, scopes: Collection[Scope]) -> list[Scope]:
    """Scopes of which the person has never said anything: only of these another's word can be recorded.

    Whoever refused or withdrew is not granted for by an import, and what they granted themselves stays as it is.
    """
    answered = {event.scope for event in unit.events}
    return [scope for scope in Scope if scope in scopes and scope not in answered]


def _ours(access: Access, person: Person, sha256: str, now: datetime) -> bool:
    with access.read(person.id, now) as unit:
        return attesting.is_kept(access, unit, sha256)
