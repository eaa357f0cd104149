"""What consent is called in the W3C Data Privacy Vocabulary, version 2.3 (https://w3id.org/dpv/2.3).

Scopes, states and recorders of ours, each with the vocabulary's own terms, so that programs that know nothing of
this software can read a receipt. The profiles are those of the guide "Consent Records and Receipts: ISO/IEC TS
27560:2023 with DPV".
"""

from __future__ import annotations

from dataclasses import dataclass

from tracker.domain.consent import ConsentEvent, Recorder, Scope, State

RECORD_PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
RECEIPT_PROFILE = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
CERTIFICATE_FORMAT = "affect-tracker erasure certificate 1"
"""What the certificate of an erasure says that it is; no vocabulary has a word for it."""

CONTEXT: dict[str, str] = {
    "affect": "urn:affect-tracker:terms:",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
"""Prefixes; they stand in each receipt, so that nothing has to be fetched to read one."""

RIGHTS: dict[str, str] = {
    "eu-gdpr:A7-3": "withdraw consent at any time, as easily as it was given",
    "eu-gdpr:A15": "see what is stored",
    "eu-gdpr:A16": "put it right",
    "eu-gdpr:A17": "have it erased",
    "eu-gdpr:A18": "have its use restricted: pause",
    "eu-gdpr:A20": "take it along in a machine-readable form",
    "eu-gdpr:A77": "complain to a supervisory authority",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the vocabulary calls what one scope allows.

    Parameters
    ----------
    purpose
        The purpose's category.
    data
        Categories of personal data.
    processing
        Operations on them.
    source
        Where the data come from.
    recipient
        To whom they go.
    """

    purpose: str
    data: tuple[str, ...]
    processing: tuple[str, ...]
    source: str = "dpv:DataSubjectDataSource"
    recipient: str = "dpv:DataSubject"


_RESEARCH = "dpv:ResearchAndDevelopment"
_SERIES = ("pd:FacialExpression", "pd:Emotion")

TERMS: dict[Scope, Terms] = {
    Scope.AFFECT_SERIES: Terms(_RESEARCH, _SERIES, ("dpv:Collect", "dpv:Analyse", "dpv:Profiling")),
    Scope.CONTEXT: Terms(_RESEARCH, ("pd:Location", "pd:Social"), ("dpv:Collect",)),
    Scope.FACE_CROPS: Terms(_RESEARCH, ("pd:Picture", "pd:FacialExpression"), ("dpv:Collect",)),
    Scope.RAW_VIDEO: Terms(_RESEARCH, ("pd:Picture", "pd:FacialExpression"), ("dpv:Collect",)),
    Scope.NOTES: Terms(_RESEARCH, ("pd:Thought",), ("dpv:Collect",)),
    Scope.PROMPTS: Terms(_RESEARCH, ("pd:Mood", "pd:Opinion"), ("dpv:Collect",)),
    Scope.PERSONAL_LEARNING: Terms(
        "dpv:ServicePersonalisation", ("pd:Emotion", "pd:IndividualProfile"), ("dpv:Analyse", "dpv:Profiling")
    ),
    Scope.POOLED_LEARNING: Terms(_RESEARCH, ("pd:Emotion",), ("dpv:Aggregate", "dpv:Analyse")),
    Scope.SHARE_WITH_RATERS: Terms(
        _RESEARCH, ("pd:Picture", "pd:FacialExpression"), ("dpv:Share",), recipient="dpv:Recipient"
    ),
    Scope.SHARE_WITH_RESEARCHERS: Terms(_RESEARCH, _SERIES, ("dpv:Share",), recipient="dpv:Recipient"),
    Scope.EXPORT_PSEUDONYMOUS: Terms(_RESEARCH, _SERIES, ("dpv:Share",), recipient="dpv:ThirdParty"),
    Scope.EXPORT_PUBLIC: Terms(_RESEARCH, _SERIES, ("dpv:Share",), recipient="dpv:ThirdParty"),
}
"""The vocabulary's terms for each scope."""

_STATES: dict[State, str] = {
    State.GIVEN: "dpv:ConsentGiven",
    State.REFUSED: "dpv:ConsentRefused",
    State.WITHDRAWN: "dpv:ConsentWithdrawn",
    State.EXPIRED: "dpv:ConsentExpired",
    State.RENEWED: "dpv:RenewedConsentGiven",
}

_ENTITIES: dict[Recorder, str] = {
    Recorder.PARTICIPANT: "dpv:DataSubject",
    Recorder.GUARDIAN: "dpv:GuardianOfDataSubject",
    # The operator holds the participant's word; whose word it is, is still theirs.
    Recorder.OPERATOR: "dpv:DataSubject",
}

METHODS: dict[Recorder, str] = {
    Recorder.PARTICIPANT: "by the participant themselves",
    Recorder.GUARDIAN: "by a guardian, whose signed evidence the study holds",
    Recorder.OPERATOR: "recorded by an operator of the study, who holds evidence of it",
}
"""How an event was expressed. The evidence itself is not in a receipt: it may name other people."""


def status(event: ConsentEvent) -> str:
    """The vocabulary's state of consent for an event.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from tracker.domain.consent import Notice
    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> event = ConsentEvent(1, Scope.NOTES, State.GIVEN, Notice("1", "en", ""), at, at, Recorder.PARTICIPANT)
    >>> status(event), indicated_by(event)
    ('dpv:ConsentGiven', 'dpv:DataSubject')
    """
    # The vocabulary keeps "withdrawn" for the data subject; another's ending is a revocation.
    if event.state is State.WITHDRAWN and event.recorder is Recorder.GUARDIAN:
        return "dpv:ConsentRevoked"
    return _STATES[event.state]


def indicated_by(event: ConsentEvent) -> str:
    """Whose word an event is."""
    return _ENTITIES[event.recorder]
