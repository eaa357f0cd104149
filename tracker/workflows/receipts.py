"""Give receipts: a person's choices as a signed file that anyone can verify, and where consent stood at any instant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.consent import Rules, Scope
from tracker.domain.instants import require_past
from tracker.domain.people import Person
from tracker.privacy import receipts, signed
from tracker.privacy.receipts import Entry, History, Principal
from tracker.privacy.signed import Signer
from tracker.privacy.standing import Standing, standing
from tracker.store import chains, notices, studies
from tracker.store.chains import CONSENT
from tracker.study import DEFAULT, Study, notice_hashes


def receipt(access: Access, person: Person, now: datetime) -> dict[str, Any]:
    """Make a person's receipt, signed with the installation's key.

    Parameters
    ----------
    access, person
        Whose.
    now
        When it is made (UTC).

    Raises
    ------
    NothingToShowError
        When they have not chosen anything yet.
    """
    with access.read(person.id, now) as unit:
        hashes = chains.hashes_of(unit.connection, CONSENT, person.id)
        named = {event.notice.sha256 for event in unit.events}
        kept = {sha256: notices.document(unit.connection, sha256) for sha256 in sorted(named)}
        # A pseudonym of its own: a receipt that got about must not join with an old backup.
        principal = Principal(access.vault.digest("receipts", person.id)[:32], person.name, person.simulated)
        history = History(
            principal,
            [Entry(event, hashes[event.seq]) for event in unit.events],
            unit.grants(),
            {sha256: text for sha256, text in kept.items() if text is not None},
            unit.study,
            studies=_said_under(unit),
        )
    # An event of this very instant may bear a later time than a clock that runs behind.
    at = max(now, *(e.event.recorded_at for e in history.entries)) if history.entries else now
    return signed.signed(receipts.receipt(history, at), signer(access))


def _said_under(unit: Unit) -> dict[int, Study]:
    """Which study each event answers: the newest of its time that showed the text which the event names."""
    governed = [(row.applied_at, studies.checked(row)) for row in studies.every(unit.connection)]
    shown = [(at, study, notice_hashes(study)) for at, study in [(None, DEFAULT), *governed]]
    found = {}
    for event in unit.events:
        then = [(study, texts) for at, study, texts in shown if at is None or at <= event.recorded_at]
        named = [study for study, texts in then if event.notice.sha256 in texts]
        found[event.seq] = named[-1] if named else then[-1][0]
    return found


def signer(access: Access) -> Signer:
    """The installation as one who signs."""
    return Signer(access.vault.public_key(), access.vault.sign)


def key(access: Access) -> str:
    """The fingerprint that receipts of this installation have: to be published where participants trust it."""
    return signed.fingerprint(access.vault.public_key())


def consent_at(access: Access, person: Person, at: datetime, now: datetime) -> dict[Scope, Standing]:
    """Compute again where consent stood at an instant, under the study and the notices of then.

    Parameters
    ----------
    access, person
        Whose.
    at
        The instant; events that were recorded later, notices that changed later and studies that were applied later
        are not seen.
    now
        The instant of asking.

    Raises
    ------
    InstantError
        When the instant lies in the future.
    """
    at = require_past(at, now)
    with access.read(person.id, now) as unit:
        consent = studies.at(unit.connection, at).consent
        rules = Rules(notices.stood(unit.connection, at), consent.guardians, consent.expires_after_days)
        return standing(unit.events, at, rules)
