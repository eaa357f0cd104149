"""Consent records and receipts after ISO/IEC TS 27560:2023, in the terms of the Data Privacy Vocabulary.

A receipt is one person's whole history of choices: per scope one record with header, processing, parties and
events, and the exact texts that the events name. It holds what the person knows already, nobody else, and no secret;
the same arguments make the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tracker.domain.consent import ConsentEvent, Recorder, Scope
from tracker.domain.notice import BUILT_IN, NoticeText
from tracker.privacy import vocabulary
from tracker.privacy.datamap import TABLES, tables_of
from tracker.privacy.signed import canonical
from tracker.privacy.vocabulary import TERMS, Terms
from tracker.study import DEFAULT, Study, kept_days
from tracker.study.parts import Controller

_NAMESPACE = uuid.UUID("5d2a1c86-2f0b-5c55-9a0e-6b6f0d3c27e6")
_CONTROLLER, _PRINCIPAL, _AUTHORITY = "#controller", "#data-subject", "#authority"
NOT_STATED = "not stated by the study"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with the hash of its row in the consent log, by which its place there can be shown later."""

    event: ConsentEvent
    log_hash: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose receipt it is.

    Parameters
    ----------
    id
        A pseudonym that is made for receipts alone: it joins with nothing that is stored.
    name
        As the study calls them.
    simulated
        Whether they are a simulation, so that the receipt says so.
    """

    id: str
    name: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Everything that a receipt is made of.

    Parameters
    ----------
    principal
        Whose choices these are.
    entries
        All of their events, in the log's order.
    in_force
        The event on which each granted scope rests at the receipt's instant.
    texts
        The notices that were kept, by SHA-256, as they were shown.
    study
        The study in force; `tracker.study.DEFAULT` where none was applied.
    page
        Where the choices are changed.
    studies
        Under which study each event was said, by its number in the log; the study in force where it is not told.
    """

    principal: Principal
    entries: Sequence[Entry]
    in_force: Mapping[Scope, ConsentEvent]
    texts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    study: Study = DEFAULT
    page: str = "the page “Consent” of the study's web app"
    studies: Mapping[int, Study] = field(default_factory=dict)

    def said_under(self, entry: Entry) -> Study:
        """The study that somebody answered with an event: who answers for it and who receives what, they agreed to."""
        return self.studies.get(entry.event.seq, self.study)


class NothingToShowError(LookupError):
    """Nobody has said anything yet, so there is nothing to give a receipt for."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has not chosen anything yet, so there is no receipt; they choose on the consent page, or record "
            f"it: affect-tracker consent grant {name!r} SCOPE --evidence TEXT"
        )


def receipt(history: History, at: datetime) -> Json:
    """Make a receipt, not signed yet.

    Parameters
    ----------
    history
        Whose choices, under which study and texts.
    at
        When it is made (UTC); events recorded later are not in it.

    Raises
    ------
    NothingToShowError
        When there is no event to show.
    """
    entries = sorted((e for e in history.entries if e.event.recorded_at <= at), key=lambda e: e.event.seq)
    if not entries:
        raise NothingToShowError(history.principal.name)
    places = {entry.event.seq: number for number, entry in enumerate(entries, start=1)}
    spoken = [scope for scope in Scope if any(e.event.scope is scope for e in entries)]
    body: Json = {
        "@context": vocabulary.CONTEXT,
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": vocabulary.RECEIPT_PROFILE,
        "dct:created": at.isoformat(),
        "dct:publisher": _ref(_CONTROLLER),
        "dct:audience": _ref(_PRINCIPAL),
        "dct:title": f"What you allowed: {history.study.title}",
        "affect:study": {
            "id": history.study.id,
            "version": history.study.version,
            "sha256": history.study.sha256,
        },
        "affect:events": len(entries),
        "dpv:hasEntity": _parties(history),
        "dpv:hasNotice": [_notice(e, history.texts) for e in _first_of_each_text(entries)],
        "dpv:hasRecordOfActivity": [
            _record(history, scope, [e for e in entries if e.event.scope is scope], places)
            for scope in spoken
        ],
    }
    if history.principal.simulated:
        body["affect:simulated"] = "SIMULATED: this person does not exist"
    name = f"urn:uuid:{uuid.uuid5(_NAMESPACE, hashlib.sha256(canonical(body)).hexdigest())}"
    return {"@id": name, "dpv:hasIdentifier": name, **body}


def _parties(history: History) -> list[Json]:
    principal = history.principal
    return [
        *(
            {
                "@id": name,
                "@type": "dpv:DataController",
                "dpv:hasIdentifier": name,
                "dpv:hasName": controller.name,
                "dpv:hasAddress": controller.address or NOT_STATED,
                "dpv:hasContact": controller.contact,
                "schema:contactPoint": {"@type": "schema:ContactPoint", "schema:name": help_contact},
            }
            for name, (controller, help_contact) in _controllers(history).items()
        ),
        {
            "@id": _PRINCIPAL,
            "@type": "dpv:DataSubject",
            "dpv:hasIdentifier": principal.id,
            "dpv:hasName": principal.name,
        },
        {
            "@id": _AUTHORITY,
            "@type": "dpv:Authority",
            "dpv:hasIdentifier": _AUTHORITY,
            "dpv:hasName": "the data protection authority of where you live, work, or think that something went wrong",
        },
    ]


def _controllers(history: History) -> dict[str, tuple[Controller, str]]:
    """Who answers now, and who answered under earlier studies where that was somebody else."""
    under = [history.study, *(history.studies[seq] for seq in sorted(history.studies))]
    distinct: list[tuple[Controller, str]] = []
    for study in under:
        if (study.controller, study.help_contact) not in distinct:
            distinct.append((study.controller, study.help_contact))
    return {_CONTROLLER if n == 1 else f"{_CONTROLLER}-{n}": who for n, who in enumerate(distinct, start=1)}


def _record(history: History, scope: Scope, entries: Sequence[Entry], places: Mapping[int, int]) -> Json:
    # One record for each scope, because each is a consent of its own: none implies another.
    name = f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{history.principal.id}|{scope.value}')}"
    standing, study = history.in_force.get(scope), history.said_under(entries[-1])
    whose = (study.controller, study.help_contact)
    controller = next(name for name, who in _controllers(history).items() if who == whose)
    return {
        "@id": name,
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": vocabulary.RECORD_PROFILE,
        "dpv:hasIdentifier": name,
        "affect:scope": scope.value,
        "affect:study": {"id": study.id, "version": study.version, "sha256": study.sha256},
        "affect:inForce": standing is not None,
        "affect:confirmedByTheParticipant": standing is not None
        and standing.recorder is Recorder.PARTICIPANT,
        "dpv:hasDataSubject": _ref(_PRINCIPAL),
        "dpv:hasDataController": _ref(controller),
        "dpv:hasAuthority": _ref(_AUTHORITY),
        "dpv:hasJurisdiction": study.jurisdiction,
        "dpv:hasApplicableLaw": _ref("eu-gdpr:GDPR"),
        "dpv:hasLegalBasis": _ref("eu-gdpr:A9-2-a"),
        "dct:language": entries[-1].event.notice.language,
        "dpv:hasProcess": _process(study, scope, _text_of(entries[-1].event, history.texts)),
        "dpv:hasConsentControl": {
            "@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"],
            "dpv:isExercisedAt": history.page,
        },
        "dpv:hasRight": [
            {"@type": ["dpv:DataSubjectRight", right], "dct:title": said}
            for right, said in vocabulary.RIGHTS.items()
        ],
        "dpv:hasConsentStatus": [_event(e, places[e.event.seq]) for e in entries],
    }


def _process(study: Study, scope: Scope, text: NoticeText) -> Json:
    terms, card = TERMS[scope], text.card(scope)
    purposes = [{"@type": "dpv:Purpose", "skos:broader": _ref(terms.purpose), "dct:description": card.why}]
    purposes += [
        {"@type": "dpv:Purpose", "skos:broader": _ref(f"dpv:{p.dpv}"), "dct:description": p.text}
        for p in study.purposes
    ]
    return {
        "@type": "dpv:Process",
        "dct:title": card.title,
        "dct:description": card.what,
        "dpv:hasPurpose": purposes,
        "dpv:hasPersonalData": _data(scope, terms),
        "dpv:hasProcessing": [_ref(operation) for operation in terms.processing],
        "dpv:hasAlgorithmicLogic": text.preamble,
        "dpv:hasDataSource": _ref(terms.source),
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": list(study.storage)},
            _duration(study, scope, card.how_long),
        ],
        "dpv:hasRecipient": {
            "@type": terms.recipient,
            "dct:description": card.who,
            "affect:ofTheStudy": list(study.recipients),
        },
    }


def _data(scope: Scope, terms: Terms) -> Json:
    stored = {table.name: table.what for table in TABLES}
    return {
        "@type": ["dpv:PersonalData", "dpv:SpecialCategoryPersonalData"],
        "skos:broader": [_ref(category) for category in terms.data],
        "dpv:hasNecessity": _ref("dpv:Optional"),
        "affect:tables": {name: stored[name] for name in tables_of(scope)},
    }


def _duration(study: Study, scope: Scope, said: str) -> Json:
    days = kept_days(study, scope)
    if days is not None:
        return {"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{days}D", "dct:description": said}
    return {
        "@type": "dpv:StorageDuration",
        "dpv:hasDuration": {"@type": "dpv:UntilEventDuration", "rdf:value": said},
    }


def _event(entry: Entry, place: int) -> Json:
    event = entry.event
    ends: Json = {"@type": "dpv:EndlessDuration"}
    if event.expires_at is not None:
        ends = {"@type": "dpv:UntilTimeDuration", "rdf:value": event.expires_at.isoformat()}
    return {
        "@type": [vocabulary.status(event), "dpv:ExplicitlyExpressedConsent"],
        "affect:place": place,
        "affect:logRow": event.seq,
        "affect:logHash": entry.log_hash,
        "dpv:isIndicatedAtTime": event.recorded_at.isoformat(),
        "dpv:isIndicatedBy": _ref(vocabulary.indicated_by(event)),
        "dpv:hasIndicationMethod": vocabulary.METHODS[event.recorder],
        "affect:coversFrom": event.covers_from.isoformat(),
        "dpv:hasDuration": ends,
        "dpv:hasNotice": _ref(_notice_id(event.notice.sha256)),
    }


def _notice(entry: Entry, texts: Mapping[str, Mapping[str, Any]]) -> Json:
    notice, shown = entry.event.notice, _shown(entry.event, texts)
    return {
        "@id": _notice_id(notice.sha256),
        "@type": "dpv:ConsentNotice",
        "schema:version": notice.version,
        "dct:language": notice.language,
        "affect:sha256": notice.sha256,
        # The text in the very form that was hashed; without it the hash alone stands.
        "rdf:value": json.dumps(shown, sort_keys=True, ensure_ascii=False) if shown is not None else None,
    }


def _shown(event: ConsentEvent, texts: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if event.notice.sha256 in texts:
        return texts[event.notice.sha256]
    return BUILT_IN.document() if event.notice.sha256 == BUILT_IN.notice().sha256 else None


def _text_of(event: ConsentEvent, texts: Mapping[str, Mapping[str, Any]]) -> NoticeText:
    shown = _shown(event, texts)
    if shown is None:
        return BUILT_IN
    return NoticeText.from_document(event.notice.version, event.notice.language, shown)


def _first_of_each_text(entries: Iterable[Entry]) -> list[Entry]:
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.event.notice.sha256, entry)
    return list(first.values())


def _notice_id(sha256: str) -> str:
    return f"#notice-{sha256[:16]}"


def _ref(term: str) -> Json:
    return {"@id": term}
