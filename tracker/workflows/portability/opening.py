"""What of a person's rows an archive gives otherwise than it is stored: opened, without others, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.access import Access, Unit
from tracker.domain.consent import Scope
from tracker.domain.notes import from_bytes
from tracker.privacy.keys import IDENTITY

OTHER_RATER = "somebody else"
"""Given in the place of another rater's id: who they are is theirs to tell."""

LEFT_OUT = {
    ("participants", "name_digest"): "serves only to find the name, which is given",
    ("accounts", "code_hash"): "would help whoever finds the file to break in",
    ("accounts", "password_hash"): "would help whoever finds the file to break in",
    ("factors", "digest"): "would help whoever finds the file to break in",
    ("factors", "sealed"): "would help whoever finds the file to break in",
    ("tokens", "digest"): "would help whoever finds the file to break in",
    ("repeats", "sealed"): "is a copy of what other tables hold, for 24 hours",
    ("exports", "request"): "says how many other people are in the dataset",
    ("priors", "parameters"): "are of other people too",
    ("priors", "people"): "says how many other people are in it",
    ("priors", "events"): "says how much other people answered",
    ("releases", "result"): "is of other people too",
    **{
        (table, "member"): "is a rater's, and theirs to tell"
        for table in ("rating_tasks", "rating_votes", "rating_traces")
    },
    **{(table, "decided_by"): "is theirs to tell who decided" for table in ("rating_gold", "adjudications")},
}
"""Columns that are not given, and why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """How a sealed column is given.

    Parameters
    ----------
    purpose
        Of the key under which it is sealed.
    names
        The fields that take its place.
    read
        From plaintext to the values of those fields.
    place
        Where a ciphertext lies, by the row's key; it opens nowhere else.
    """

    purpose: str
    names: tuple[str, ...]
    read: Callable[[bytes], tuple[Any, ...]]
    place: Callable[[Any], str]


def _text(plain: bytes) -> tuple[Any, ...]:
    return (plain.decode(),)


def _fields(*names: str) -> Callable[[bytes], tuple[Any, ...]]:
    def read(plain: bytes) -> tuple[Any, ...]:
        found = json.loads(plain)
        return tuple(found.get(name) for name in names)

    return read


def _numbered(column: str) -> Callable[[Any], str]:
    return lambda key: f"{column}|{key}"


_CONSENT = ("scope", "state", "notice", "covers_from", "expires_at", "recorder", "evidence", "grant")
_LOOK = ("reader", "what")
_DEVICE = ("endpoint", "maker", "browser")
_FORMER = ("installation", "table", "position", "row")

OPENED: Mapping[tuple[str, str], Opened] = {
    ("participants", "name_sealed"): Opened(IDENTITY, ("name",), _text, lambda _: "participants.name_sealed"),
    ("participants", "subject_sealed"): Opened(
        IDENTITY, ("subject",), _text, lambda _: "participants.subject_sealed"
    ),
    ("tokens", "name_sealed"): Opened(IDENTITY, ("name",), _text, _numbered("tokens.name_sealed")),
    ("consent_events", "sealed"): Opened(
        IDENTITY, _CONSENT, _fields(*_CONSENT), _numbered("consent_events.sealed")
    ),
    ("access_events", "sealed"): Opened(IDENTITY, _LOOK, _fields(*_LOOK), _numbered("access_events.sealed")),
    ("former_records", "sealed"): Opened(
        IDENTITY, _FORMER, _fields(*_FORMER), _numbered("former_records.sealed")
    ),
    ("notes", "sealed"): Opened(
        Scope.NOTES.value, ("text",), lambda plain: (from_bytes(plain),), _numbered("notes.sealed")
    ),
    ("push_devices", "sealed"): Opened(
        Scope.PROMPTS.value, _DEVICE, _fields(*_DEVICE), _numbered("push_devices.sealed")
    ),
    # A picture is a file of its own: the field names it.
    ("crops", "sealed"): Opened(
        Scope.FACE_CROPS.value, ("file",), lambda plain: (plain,), _numbered("crops.sealed")
    ),
    ("frames", "sealed"): Opened(
        Scope.RAW_VIDEO.value, ("file",), lambda plain: (plain,), _numbered("frames.sealed")
    ),
}
"""What is stored sealed, and how it is given."""

Opener = Callable[[bytes, Any], tuple[Any, ...]]
"""From a ciphertext and its row's key to the values that take its place."""


def opener(access: Access, unit: Unit, how: Opened) -> Opener:
    """What opens a sealed column for the person of a unit.

    The key is fetched with the first ciphertext: somebody of whom nothing was sealed has none.
    """
    found: list[Callable[[bytes, str], bytes]] = []

    def read(ciphertext: bytes, key: Any) -> tuple[Any, ...]:
        if not found:
            found.append(access.vault.opener(unit.person.id, how.purpose))
        return how.read(found[0](ciphertext, how.place(key)))

    return read
