"""Check a consent receipt, or the certificate of an erasure, with nothing but the file: no database, no network.

What can be told apart is told apart: a file that was cut, events that are missing or stand in another order, a text
that is not the one agreed to, another key, and anything else that was altered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.privacy import signed, vocabulary
from tracker.privacy.signed import ForgedError

LARGEST = 20_000_000
"""No receipt is longer than this many characters."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A receipt that is whole.

    Parameters
    ----------
    key
        Fingerprint of the key that signed it.
    expected
        Whether that is the key that the caller asked for; False where they named none.
    created
        When it was made, ISO 8601.
    name
        Whose it is.
    study
        Of which study.
    events
        How many choices it holds.
    in_force
        Scopes that were allowed when it was made.
    """

    key: str
    expected: bool
    created: str
    name: str
    study: str
    events: int
    in_force: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "whole": True,
            "kind": "consent receipt",
            "key": self.key,
            "key_expected": self.expected,
            "created": self.created,
            "name": self.name,
            "study": self.study,
            "events": self.events,
            "in_force": list(self.in_force),
        }


@dataclass(frozen=True, slots=True)
class VerifiedErasure:
    """The certificate of an erasure that is whole. It names nobody, so it cannot tell whose data it is about.

    Parameters
    ----------
    key
        Fingerprint of the key that signed it.
    expected
        Whether that is the key that the caller asked for; False where they named none.
    issued
        When it was made, ISO 8601.
    scope
        The scope that was erased; None for a whole person.
    gone
        When the data were gone, ISO 8601.
    rows, keys
        How many rows and keys went.
    learners
        What other people's learners hold of it, in words.
    learners_clean
        Since when none holds anything of it, ISO 8601; None: not yet.
    looked_at, not_looked_at, out_of_reach
        Where it was looked for, where it could not be, and what no program there can erase.
    """

    key: str
    expected: bool
    issued: str
    scope: str | None
    gone: str
    rows: int
    keys: int
    learners: str
    learners_clean: str | None
    looked_at: tuple[str, ...]
    not_looked_at: tuple[str, ...]
    out_of_reach: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "whole": True,
            "kind": "erasure certificate",
            "key": self.key,
            "key_expected": self.expected,
            "issued_at": self.issued,
            "scope": self.scope,
            "data_gone_at": self.gone,
            "rows": self.rows,
            "keys": self.keys,
            "learners": self.learners,
            "learners_clean_at": self.learners_clean,
            "looked_at": list(self.looked_at),
            "not_looked_at": list(self.not_looked_at),
            "out_of_reach": list(self.out_of_reach),
        }


def verify(text: str, key: str | None = None) -> Verified | VerifiedErasure:
    """Check a receipt, or the certificate of an erasure.

    Parameters
    ----------
    text
        The file's text.
    key
        Fingerprint of the key that must have signed it, as ``affect-tracker consent key`` prints it. Without one it is
        shown that nothing was altered since somebody signed, not that it was the study.

    Raises
    ------
    ForgedError
        When the file is neither, whole, in one line that says why.
    """
    if len(text) > LARGEST:
        raise ForgedError(f"it has {len(text)} characters; no receipt has more than {LARGEST}")
    document = signed.read(text)
    try:
        if document.get("format") == vocabulary.CERTIFICATE_FORMAT:
            return _erasure(document, signed.require_signature(document, key), key is not None)
        if document.get("dct:conformsTo") != vocabulary.RECEIPT_PROFILE:
            says = document.get("dct:conformsTo", document.get("format"))
            raise ForgedError(
                f"it is neither a consent receipt nor the certificate of an erasure: it says {says!r}"
            )
        _require_order(document)
        own = signed.require_signature(document, key)
        _require_texts(document)
        return _told(document, own, key is not None)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise ForgedError("a part of it is missing or of another kind than ours: it was altered") from None


def events_of(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All events of a receipt, record by record."""
    for record in document["dpv:hasRecordOfActivity"]:
        yield from record["dpv:hasConsentStatus"]


def _require_order(document: Mapping[str, Any]) -> None:
    # Said before the signature is looked at, because it says more than "altered".
    places = []
    for record in document["dpv:hasRecordOfActivity"]:
        here = [event["affect:place"] for event in record["dpv:hasConsentStatus"]]
        if here != sorted(here):
            raise ForgedError(
                f"its events of {record['affect:scope']} stand in another order than they happened"
            )
        places += here
    count = document["affect:events"]
    missing = sorted(set(range(1, count + 1)) - set(places))
    if missing:
        raise ForgedError(f"event {missing[0]} of {count} is missing: something was cut out of it")
    if len(places) != count:
        raise ForgedError(f"it says that it holds {count} events, and holds {len(places)}")


def _require_texts(document: Mapping[str, Any]) -> None:
    for notice in document["dpv:hasNotice"]:
        text, stated = notice["rdf:value"], notice["affect:sha256"]
        if text is not None and hashlib.sha256(text.encode()).hexdigest() != stated:
            raise ForgedError(f"the notice in it is not the one whose SHA-256 is {stated}")


def _told(document: Mapping[str, Any], own: str, expected: bool) -> Verified:
    principal = next(e for e in document["dpv:hasEntity"] if e["@type"] == "dpv:DataSubject")
    records = document["dpv:hasRecordOfActivity"]
    return Verified(
        key=own,
        expected=expected,
        created=document["dct:created"],
        name=principal["dpv:hasName"],
        study=document["affect:study"]["id"],
        events=document["affect:events"],
        in_force=tuple(r["affect:scope"] for r in records if r["affect:inForce"]),
    )


def _erasure(document: Mapping[str, Any], own: str, expected: bool) -> VerifiedErasure:
    return VerifiedErasure(
        key=own,
        expected=expected,
        issued=document["issued_at"],
        scope=document["scope"],
        gone=document["data_gone_at"],
        rows=sum(document["rows"].values()),
        keys=document["keys"],
        learners=document["learners"],
        learners_clean=document["learners_clean_at"],
        looked_at=tuple(document["looked_at"]),
        not_looked_at=tuple(document["not_looked_at"]),
        out_of_reach=tuple(document["out_of_reach"]),
    )
