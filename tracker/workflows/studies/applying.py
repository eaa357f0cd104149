"""Let a study govern, in one transaction with everything that must follow at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

from tracker.access import Access, Unit
from tracker.domain.consent import EXPORT_SCOPES, RATED_SCOPES
from tracker.domain.people import UnknownParticipantError
from tracker.personal import consent_changed
from tracker.privacy.key_errors import KeyDestroyedError
from tracker.store import exports, notices, studies
from tracker.store.database import Connection
from tracker.study import Study, StudyError
from tracker.workflows.studies.applied import in_force

LONGEST_NAME = 64
"""How long the name of whoever applies a study may be."""


def apply(access: Access, study: Study, by: str, now: datetime, *, over: str | None = None) -> bool:
    """Let a study govern from now on, in one transaction with everything that must follow at once.

    Its notices stand and all others are retired; learners of whoever loses a grant by that are rebased, priors
    that hold something of theirs are retired, exports that they are in are flagged.

    Parameters
    ----------
    access, now
        The gate, and the instant (UTC).
    study
        Read by `tracker.study.load`, so it is none that must not run.
    by
        Who applies it, for the record.
    over
        The SHA-256 of the study that governed when somebody was told what this changes (`Preview.over`); None: nobody
        was told anything.

    Returns
    -------
    bool
        False where it governs already; then nothing is recorded.

    Raises
    ------
    StudyError
        When the same version says something else already, its attestation is of the future, nobody is named, or
        another study governs by now than the one that it was compared with.
    """
    _demand_name(by)
    if study.attestation is not None and study.attestation.on > now.date():
        raise StudyError(
            [f"attestation.on is {study.attestation.on}, in the future; say when it was attested"]
        )
    everyone = [person.id for person in access.everyone()]
    with access.database.write() as connection:
        studies.lock(connection)
        units = list(_locked(access, connection, everyone, now))
        present = studies.in_force(connection)
        if study.sha256 == present.sha256:
            return False
        if over is not None and over != present.sha256:
            raise StudyError(
                [
                    f"{present.id}, version {present.version}, came to govern while this was looked at; nothing was "
                    "changed, look again at what it would change"
                ]
            )
        _demand_new_version(connection, study)
        studies.apply(connection, studies.StudyRow(study.sha256, study.document(), now, by))
        notices.stand(connection, study, now)
        for unit in units:
            _follow(access, unit)
    return True


def close(access: Access, by: str, now: datetime) -> bool:
    """Let the study take in nothing new; return False where it is closed already."""
    present = in_force(access)
    return apply(access, present.closing(), by, now, over=present.sha256)


def _locked(
    access: Access, connection: Connection, participants: Iterable[str], now: datetime
) -> Iterator[Unit]:
    # Always in the same order, so that two such transactions do not wait for each other.
    for participant in sorted(participants):
        with suppress(UnknownParticipantError, KeyDestroyedError):
            yield access.join(connection, participant, now)


def _follow(access: Access, before: Unit) -> None:
    """What must not rest any more on what a person loses by a study."""
    after = access.again(before)
    lost = before.grants().keys() - after.grants().keys()
    if lost:
        consent_changed(after, lost)
    if not EXPORT_SCOPES.isdisjoint(lost):
        rated = EXPORT_SCOPES & lost <= RATED_SCOPES
        exports.flag(before.connection, before.person.id, before.now, rated=rated)


def _demand_name(by: str) -> None:
    if not by.strip() or len(by) > LONGEST_NAME or not by.isprintable():
        raise StudyError([f"--by is {by!r}; say who applies the study, in 1 to {LONGEST_NAME} characters"])


def _demand_new_version(connection: Connection, study: Study) -> None:
    for row in studies.every(connection):
        same = row.document.get("id") == study.id and row.document.get("version") == study.version
        if same and {**row.document, "closed": study.closed} != study.document():
            raise StudyError(
                [
                    f"version {study.version} of {study.id} says something else since {row.applied_at:%Y-%m-%d}; "
                    "give the file another version"
                ]
            )
