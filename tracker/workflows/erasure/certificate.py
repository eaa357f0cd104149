"""The certificate of an erasure: counts, instants and what is out of reach, signed; it names nobody."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from tracker.access import Access
from tracker.workflows.erasure.outcome import Erased

FORMAT = "affect-tracker erasure certificate 1"


def certify(access: Access, done: Erased, now: datetime) -> dict[str, Any]:
    """Make the certificate of an erasure, signed with the installation's key.

    The signature is Ed25519 over the canonical JSON (sorted keys, no spaces, UTF-8) of all other fields.
    """
    document = {"format": FORMAT, "issued_at": now.isoformat(), **done.as_dict()}
    document["public_key"] = _text(access.vault.public_key())
    return {**document, "signature": _text(access.vault.sign(canonical(document)))}


def canonical(document: dict[str, Any]) -> bytes:
    """The bytes that are signed.

    Examples
    --------
    >>> canonical({"b": 1, "a": "ä", "signature": "x"})
    b'{"a":"\\xc3\\xa4","b":1}'
    """
    signed = {key: value for key, value in document.items() if key != "signature"}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
