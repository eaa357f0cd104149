"""Between events and what is stored of them: sealed under the person's key, and committed to in the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tracker.domain.consent import ConsentEvent, Notice, Recorder, Scope, State
from tracker.privacy.keys import IDENTITY, Vault
from tracker.store.chains import EventRow

Opener = Callable[[bytes, str], bytes]
"""Opens what was sealed for one person under one key: (ciphertext, place) -> plaintext."""


def place(table: str, seq: int) -> str:
    """Where an event lies; its ciphertext opens nowhere else."""
    return f"{table}.sealed|{seq}"


def seal_fields(vault: Vault, participant: str, table: str, seq: int, fields: Mapping[str, Any]) -> bytes:
    """Seal what an event says under the person's key."""
    text = json.dumps(dict(fields), sort_keys=True, ensure_ascii=False)
    return vault.seal(participant, IDENTITY, text.encode(), place(table, seq))


def open_fields(opener: Opener, table: str, row: EventRow) -> dict[str, Any]:
    """Open what `seal_fields` sealed."""
    found: dict[str, Any] = json.loads(opener(row.sealed, place(table, row.seq)))
    return found


def fields_of(event: ConsentEvent) -> dict[str, Any]:
    """What is sealed of a consent event."""
    return {
        "scope": event.scope.value,
        "state": event.state.value,
        "notice": [event.notice.version, event.notice.language, event.notice.sha256],
        "covers_from": event.covers_from.isoformat(),
        "expires_at": event.expires_at.isoformat() if event.expires_at is not None else None,
        "recorder": event.recorder.value,
        "evidence": event.evidence,
        "grant": event.grant,
        "study": event.study,
    }


def event_of(fields: Mapping[str, Any], seq: int, recorded_at: datetime) -> ConsentEvent:
    """The consent event that was sealed.

    Raises
    ------
    ValueError
        When it holds a scope, state or recorder that this program does not know: such an event permits nothing.
    """
    expires_at = fields["expires_at"]
    return ConsentEvent(
        seq=seq,
        scope=Scope(fields["scope"]),
        state=State(fields["state"]),
        notice=Notice(*fields["notice"]),
        recorded_at=recorded_at,
        covers_from=datetime.fromisoformat(fields["covers_from"]),
        recorder=Recorder(fields["recorder"]),
        evidence=fields["evidence"],
        expires_at=datetime.fromisoformat(expires_at) if expires_at is not None else None,
        grant=fields["grant"],
        study=fields.get("study"),
    )


def label(version: tuple[int, str] | None) -> str:
    """How an event names the version of the study that governed, by its number and SHA-256.

    Examples
    --------
    >>> label((2, "4f1c")), label(None)
    ('2:4f1c', '')
    """
    return "" if version is None else f"{version[0]}:{version[1]}"


def committed(participant: str, event: ConsentEvent) -> dict[str, str]:
    """What the consent log commits to; what an event lacks is left out, as it was before it could have it."""
    fields = {
        "participant": participant,
        "scope": event.scope.value,
        "state": event.state.value,
        "notice": json.dumps([event.notice.version, event.notice.language, event.notice.sha256]),
        "recorded_at": event.recorded_at.isoformat(),
        "covers_from": event.covers_from.isoformat(),
        "recorder": event.recorder.value,
        "evidence": event.evidence,
    }
    if event.expires_at is not None:
        fields["expires_at"] = event.expires_at.isoformat()
    if event.grant is not None:
        fields["grant"] = str(event.grant)
    if event.study is not None:
        fields["study"] = event.study
    return fields
