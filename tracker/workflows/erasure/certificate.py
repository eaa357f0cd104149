"""The certificate of an erasure: counts, instants and what is out of reach, signed; it names nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tracker.access import Access
from tracker.privacy import signed
from tracker.privacy.signed import Signer
from tracker.privacy.vocabulary import CERTIFICATE_FORMAT
from tracker.workflows.erasure.outcome import Erased

FORMAT = CERTIFICATE_FORMAT


def certify(access: Access, done: Erased, now: datetime) -> dict[str, Any]:
    """Make the certificate of an erasure, signed with the installation's key.

    Anybody can check it with ``consent verify`` and the key's fingerprint.
    """
    document = {"format": FORMAT, "issued_at": now.isoformat(), **done.as_dict()}
    return signed.signed(document, Signer(access.vault.public_key(), access.vault.sign))


def written(certificate: dict[str, Any]) -> str:
    """The certificate as a file."""
    return signed.written(certificate)
