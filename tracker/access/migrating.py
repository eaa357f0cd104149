"""The keys as migrations need them (see `tracker.store.schema.Sealing`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracker.access import sealing
from tracker.privacy.keys import IDENTITY, Vault
from tracker.store.chains import CONSENT

_TABLE = CONSENT.events.name


class MigrationKeys:
    """Opens and seals what migrations move.

    Parameters
    ----------
    vault
        The keys of the installation.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def evidence(self, participant: str, seq: int, sealed: bytes) -> str:
        """Open the evidence of a consent event as revision 0001 stored it."""
        return self._vault.open(participant, IDENTITY, sealed, _evidence(seq)).decode()

    def seal_evidence(self, participant: str, seq: int, evidence: str) -> bytes:
        """Seal it as revision 0001 stored it."""
        return self._vault.seal(participant, IDENTITY, evidence.encode(), _evidence(seq))

    def seal(self, participant: str, seq: int, fields: Mapping[str, Any]) -> bytes:
        """Seal what a consent event says."""
        return sealing.seal_fields(self._vault, participant, _TABLE, seq, fields)

    def open(self, participant: str, seq: int, sealed: bytes) -> dict[str, Any]:
        """Open it."""
        found: dict[str, Any] = json.loads(
            self._vault.open(participant, IDENTITY, sealed, sealing.place(_TABLE, seq))
        )
        return found

    def subject(self, participant: str, sealed: bytes) -> str:
        """Open the link to the series."""
        return self._vault.open(participant, IDENTITY, sealed, "participants.subject_sealed").decode()

    def instant(self, text: str) -> datetime:
        """Read an instant as it stands in a consent event."""
        return datetime.fromisoformat(text)


def _evidence(seq: int) -> str:
    return f"consent_events.evidence_sealed|{seq}"
