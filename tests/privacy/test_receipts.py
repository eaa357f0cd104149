"""Receipts: every mandatory field, the vocabulary's own terms, nobody else's data, and no change that goes unseen."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.consent import ConsentEvent, Notice, Recorder, Scope, State
from tracker.domain.notice import BUILT_IN
from tracker.privacy import signed, vocabulary
from tracker.privacy.receipts import Entry, History, NothingToShowError, Principal, receipt
from tracker.privacy.signed import ForgedError, Signer
from tracker.privacy.verifying import Verified, events_of, verify
from tracker.study import DEFAULT
from tracker.study.parts import ConsentRules, Controller, Retention

AT = datetime(2026, 3, 20, 12, tzinfo=UTC)
OLD_TEXT = {**BUILT_IN.document(), "preamble": "An older text, that said other things of this software."}
STUDY = DEFAULT.model_copy(
    update={
        "id": "sleep-and-mood",
        "controller": Controller(name="Example University", contact="privacy@example.org", address="1 Way"),
        "retention": Retention(context=30),
        "consent": ConsentRules(expires_after_days=90),
    }
)
KEY, OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)), Ed25519PrivateKey.generate()

# Every term of the vocabulary that a receipt may hold, as DPV 2.3 and its guide on 27560 write them.
KNOWN = {
    "dpv:Aggregate",
    "dpv:Analyse",
    "dpv:Authority",
    "dpv:Collect",
    "dpv:ConsentExpired",
    "dpv:ConsentGiven",
    "dpv:ConsentNotice",
    "dpv:ConsentReceipt",
    "dpv:ConsentRecord",
    "dpv:ConsentRefused",
    "dpv:ConsentRevoked",
    "dpv:ConsentWithdrawn",
    "dpv:DataController",
    "dpv:DataSubject",
    "dpv:DataSubjectDataSource",
    "dpv:DataSubjectRight",
    "dpv:EndlessDuration",
    "dpv:ExplicitlyExpressedConsent",
    "dpv:GuardianOfDataSubject",
    "dpv:Optional",
    "dpv:PersonalData",
    "dpv:Process",
    "dpv:Profiling",
    "dpv:ProvideConsent",
    "dpv:Purpose",
    "dpv:Recipient",
    "dpv:RenewedConsentGiven",
    "dpv:ResearchAndDevelopment",
    "dpv:ServicePersonalisation",
    "dpv:Share",
    "dpv:SpecialCategoryPersonalData",
    "dpv:StorageDuration",
    "dpv:StorageLocation",
    "dpv:ThirdParty",
    "dpv:UntilEventDuration",
    "dpv:UntilTimeDuration",
    "dpv:WithdrawConsent",
    "dpv:AcademicResearch",
    "dpv:NonCommercialResearch",
    "dpv:CommercialResearch",
    "dpv:hasAddress",
    "dpv:hasAlgorithmicLogic",
    "dpv:hasApplicableLaw",
    "dpv:hasAuthority",
    "dpv:hasConsentControl",
    "dpv:hasConsentStatus",
    "dpv:hasContact",
    "dpv:hasDataController",
    "dpv:hasDataSource",
    "dpv:hasDataSubject",
    "dpv:hasDuration",
    "dpv:hasEntity",
    "dpv:hasIdentifier",
    "dpv:hasIndicationMethod",
    "dpv:hasJurisdiction",
    "dpv:hasLegalBasis",
    "dpv:hasLocation",
    "dpv:hasName",
    "dpv:hasNecessity",
    "dpv:hasNotice",
    "dpv:hasPersonalData",
    "dpv:hasProcess",
    "dpv:hasProcessing",
    "dpv:hasPurpose",
    "dpv:hasRecipient",
    "dpv:hasRecordOfActivity",
    "dpv:hasRight",
    "dpv:hasStorageCondition",
    "dpv:isExercisedAt",
    "dpv:isIndicatedAtTime",
    "dpv:isIndicatedBy",
    "eu-gdpr:A15",
    "eu-gdpr:A16",
    "eu-gdpr:A17",
    "eu-gdpr:A18",
    "eu-gdpr:A20",
    "eu-gdpr:A7-3",
    "eu-gdpr:A77",
    "eu-gdpr:A9-2-a",
    "eu-gdpr:GDPR",
    "pd:Emotion",
    "pd:FacialExpression",
    "pd:IndividualProfile",
    "pd:Location",
    "pd:Mood",
    "pd:Opinion",
    "pd:Picture",
    "pd:Social",
    "pd:Thought",
}


def event(seq: int, scope: Scope, state: State = State.GIVEN, **changes: Any) -> ConsentEvent:
    at = AT - timedelta(days=100 - seq)
    said = ConsentEvent(
        seq, scope, state, BUILT_IN.notice(), at, at, Recorder.PARTICIPANT, "signed by Eve Other"
    )
    return ConsentEvent(**{**{f: getattr(said, f) for f in said.__dataclass_fields__}, **changes})


EVENTS = (
    event(3, Scope.AFFECT_SERIES, notice=Notice("2025-01", "en", "0" * 64)),
    event(4, Scope.CONTEXT, recorder=Recorder.OPERATOR, expires_at=AT + timedelta(days=9)),
    event(7, Scope.AFFECT_SERIES, State.RENEWED),
    event(9, Scope.AFFECT_SERIES, recorder=Recorder.GUARDIAN),
    event(10, Scope.PROMPTS, State.REFUSED),
    event(12, Scope.CONTEXT, State.WITHDRAWN, recorder=Recorder.GUARDIAN),
)


def history(events: tuple[ConsentEvent, ...] = EVENTS, **changes: Any) -> History:
    parts: dict[str, Any] = {
        "principal": Principal("f" * 32, "ada"),
        "entries": [Entry(e, f"{e.seq:064x}") for e in events],
        "in_force": {e.scope: e for e in events if e.state.permits and e.scope is not Scope.CONTEXT},
        "texts": {"0" * 64: OLD_TEXT},
        "study": STUDY,
    }
    return History(**{**parts, **changes})


def file(document: dict[str, Any], key: Ed25519PrivateKey = KEY) -> str:
    return signed.written(signed.signed(document, Signer(key.public_key().public_bytes_raw(), key.sign)))


def words(value: Any) -> Iterator[str]:
    """Every key and text in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    elif isinstance(value, str):
        yield value


# An old text's own hash is not its key here, so receipts with it are for reading, not for verifying.
@pytest.fixture
def whole() -> dict[str, Any]:
    return receipt(history(EVENTS[1:]), AT)


@pytest.mark.parametrize(
    "path",
    [
        "dct:conformsTo",
        "dpv:hasIdentifier",
        "dct:created",
        "dpv:hasEntity.0.dpv:hasIdentifier",
        "dpv:hasEntity.0.dpv:hasName",
        "dpv:hasEntity.0.dpv:hasAddress",
        "dpv:hasEntity.0.dpv:hasContact",
        "dpv:hasEntity.1.dpv:hasIdentifier",
        "dpv:hasNotice.0.affect:sha256",
        *(
            f"dpv:hasRecordOfActivity.*.{name}"
            for name in (
                "dct:conformsTo",
                "dpv:hasIdentifier",
                "dpv:hasDataSubject",
                "dpv:hasDataController",
                "dpv:hasAuthority",
                "dpv:hasJurisdiction",
                "dpv:hasLegalBasis",
                "dct:language",
                "dpv:hasConsentControl.dpv:isExercisedAt",
                "dpv:hasRight.0.@type",
                "dpv:hasProcess.dpv:hasPurpose.0.dct:description",
                "dpv:hasProcess.dpv:hasPurpose.0.skos:broader",
                "dpv:hasProcess.dpv:hasPersonalData.skos:broader",
                "dpv:hasProcess.dpv:hasPersonalData.@type",
                "dpv:hasProcess.dpv:hasPersonalData.dpv:hasNecessity",
                "dpv:hasProcess.dpv:hasProcessing",
                "dpv:hasProcess.dpv:hasAlgorithmicLogic",
                "dpv:hasProcess.dpv:hasDataSource",
                "dpv:hasProcess.dpv:hasStorageCondition.0.dpv:hasLocation",
                "dpv:hasProcess.dpv:hasStorageCondition.1.dpv:hasDuration",
                "dpv:hasProcess.dpv:hasRecipient",
                "dpv:hasConsentStatus.*.@type",
                "dpv:hasConsentStatus.*.dpv:isIndicatedAtTime",
                "dpv:hasConsentStatus.*.dpv:hasDuration",
                "dpv:hasConsentStatus.*.dpv:isIndicatedBy",
                "dpv:hasConsentStatus.*.dpv:hasNotice",
            )
        ),
    ],
)
def test_every_mandatory_field_of_27560_and_of_its_gdpr_profile_is_there(
    whole: dict[str, Any], path: str
) -> None:
    found: list[Any] = [whole]
    for step in path.split("."):
        found = [
            inner
            for value in found
            for inner in (value if step == "*" else [value[int(step) if step.isdigit() else step]])
        ]
    assert found
    assert all(found), path


def test_every_scope_and_state_has_terms_and_no_other_word_of_the_vocabulary_is_used() -> None:
    everything = tuple(
        event(i, scope, state, recorder=recorder)
        for i, (scope, state, recorder) in enumerate(
            ((s, t, r) for s in Scope for t in State for r in Recorder), start=1
        )
    )
    used = {w for w in words(receipt(history(everything), AT)) if re.fullmatch(r"(dpv|pd|eu-gdpr):[\w-]+", w)}
    assert used - KNOWN == set()
    assert len(used) > 70
    assert {vocabulary.status(e) for e in everything} >= {"dpv:RenewedConsentGiven", "dpv:ConsentRevoked"}


def test_a_receipt_says_what_happened_in_order_and_what_stands() -> None:
    made = receipt(history(), AT)
    records = {r["affect:scope"]: r for r in made["dpv:hasRecordOfActivity"]}
    assert set(records) == {"affect_series", "context", "prompts"}
    series = records["affect_series"]["dpv:hasConsentStatus"]
    assert [e["affect:logRow"] for e in series] == [3, 7, 9]
    assert [e["@type"][0] for e in series] == [
        "dpv:ConsentGiven",
        "dpv:RenewedConsentGiven",
        "dpv:ConsentGiven",
    ]
    assert series[2]["dpv:isIndicatedBy"] == {"@id": "dpv:GuardianOfDataSubject"}
    assert [r["affect:inForce"] for r in records.values()] == [True, False, False]
    context = records["context"]
    assert (
        context["dpv:hasConsentStatus"][0]["dpv:hasDuration"]["rdf:value"]
        == (AT + timedelta(days=9)).isoformat()
    )
    assert context["dpv:hasProcess"]["dpv:hasStorageCondition"][1]["dpv:hasDuration"] == "P30D"
    assert "contexts" in context["dpv:hasProcess"]["dpv:hasPersonalData"]["affect:tables"]
    assert made["affect:study"]["id"] == "sleep-and-mood"
    shown = {n["affect:sha256"]: n["rdf:value"] for n in made["dpv:hasNotice"]}
    assert json.loads(shown["0" * 64]) == OLD_TEXT


def test_what_was_recorded_later_is_not_in_it_and_nothing_makes_no_receipt() -> None:
    earlier = receipt(history(), AT - timedelta(days=95))
    assert sum(1 for _ in events_of(earlier)) == 2
    with pytest.raises(NothingToShowError, match="ada has not chosen anything yet"):
        receipt(history(), AT - timedelta(days=365))


def test_the_same_history_makes_the_same_bytes_and_simulations_are_marked() -> None:
    assert file(receipt(history(), AT)) == file(receipt(history(), AT))
    assert receipt(history(), AT)["@id"] != receipt(history(), AT + timedelta(seconds=1))["@id"]
    simulated = receipt(history(principal=Principal("e" * 32, "sim", simulated=True)), AT)
    assert "SIMULATED" in simulated["affect:simulated"]


def test_evidence_is_not_in_it_because_it_may_name_others(whole: dict[str, Any]) -> None:
    assert "Eve Other" not in file(whole)


def test_a_whole_receipt_verifies_and_names_its_key(whole: dict[str, Any]) -> None:
    key = signed.fingerprint(KEY.public_key().public_bytes_raw())
    seen = verify(file(whole))
    assert isinstance(seen, Verified)
    assert (seen.key, seen.expected, seen.name, seen.events) == (key, False, "ada", 5)
    assert seen.in_force == ("affect_series",)
    grouped = " ".join(key[i : i + 4] for i in range(0, 64, 4)).upper()
    assert verify(file(whole), grouped).expected
    assert verify(json.dumps(json.loads(file(whole)))).key == key, "layout is not part of what is signed"


def change(path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def act(document: dict[str, Any]) -> None:
        *way, last = [int(s) if s.isdigit() else s for s in path.split("/")]
        value: Any = document
        for step in way:
            value = value[step]
        value[last] = to

    return act


def reorder(document: dict[str, Any]) -> None:
    document["dpv:hasRecordOfActivity"][0]["dpv:hasConsentStatus"].reverse()


def cut_event(document: dict[str, Any]) -> None:
    document["dpv:hasRecordOfActivity"][1]["dpv:hasConsentStatus"].pop(0)


def cut_record(document: dict[str, Any]) -> None:
    document["dpv:hasRecordOfActivity"].pop()


def cut_and_recount(document: dict[str, Any]) -> None:
    cut_record(document)
    document["affect:events"] = 4


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (reorder, "its events of affect_series stand in another order"),
        (cut_event, "event 1 of 5 is missing"),
        (cut_record, "event 4 of 5 is missing"),
        (cut_and_recount, "says that it holds 4 events, and holds 4|event 4 of 4 is missing"),
        (change("dct:created", "2027-01-01T00:00:00+00:00"), "was altered after it was signed"),
        (change("dpv:hasEntity/1/dpv:hasName", "bob"), "was altered after it was signed"),
        (change("dpv:hasNotice/0/rdf:value", "{}"), "was altered after it was signed"),
        (change("affect:events", "5"), "of another kind than ours"),
        (change("dpv:hasRecordOfActivity", {}), "is missing"),
        (change("dpv:hasRecordOfActivity", None), "of another kind than ours"),
        (change("dct:conformsTo", "https://example.org/other"), "neither a consent receipt"),
        (change("proof/signature", "AAAA"), "signature is not 64 bytes"),
        (change("proof/publicKey", "AAAA"), "publicKey is not 32 bytes"),
        (change("proof/fingerprint", "0" * 64), "was altered after it was signed"),
        (change("proof", None), "carries no signature"),
    ],
)
def test_a_forged_one_is_refused_in_one_line(
    whole: dict[str, Any], act: Callable[[dict[str, Any]], None], says: str
) -> None:
    document = json.loads(file(whole))
    act(document)
    with pytest.raises(ForgedError, match=says) as told:
        verify(json.dumps(document))
    assert "\n" not in str(told.value)


def test_another_key_is_told_from_an_altered_file(whole: dict[str, Any]) -> None:
    key = signed.fingerprint(KEY.public_key().public_bytes_raw())
    theirs = file(whole, OTHER_KEY)
    assert not verify(theirs).expected, "nobody can tell without the study's fingerprint"
    with pytest.raises(ForgedError, match=f"another key signed it: .*, not {key}"):
        verify(theirs, key)
    exchanged = json.loads(file(whole))
    exchanged["proof"] = {**json.loads(theirs)["proof"], "signature": exchanged["proof"]["signature"]}
    with pytest.raises(ForgedError, match="altered"):
        verify(json.dumps(exchanged))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"proof": 1}', "\x00", "[" * 100_000, '{"a": NaN}'])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(ForgedError):
        verify(text)


def test_a_name_twice_and_a_fraction_are_refused(whole: dict[str, Any]) -> None:
    twice = file(whole).replace('"affect:events": 5', '"affect:events": 5, "affect:events": 5')
    with pytest.raises(ForgedError, match="twice"):
        verify(twice)
    document = json.loads(file(whole))
    document["affect:events"] = 5.0
    with pytest.raises(ForgedError, match="altered"):
        verify(json.dumps(document))


TEXT = file(receipt(history(EVENTS[1:]), AT))


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_no_character_can_be_exchanged(at: int, letter: str) -> None:
    changed = TEXT[:at] + letter + TEXT[at + 1 :]
    try:
        same = json.loads(changed) == json.loads(TEXT)
    except ValueError:
        same = False
    if same:
        assert verify(changed)
    else:
        with pytest.raises(ForgedError):
            verify(changed)


@given(st.integers(0, len(TEXT.rstrip()) - 1))
def test_no_end_can_be_cut_off(length: int) -> None:
    with pytest.raises(ForgedError, match="cut"):
        verify(TEXT[:length])


@given(st.data())
def test_nothing_can_be_left_out(data: st.DataObject) -> None:
    document = json.loads(TEXT)
    before = copy.deepcopy(document)
    value: Any = document
    while isinstance(value, dict | list) and value:
        step = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        if not isinstance(value[step], dict | list) or not value[step] or data.draw(st.booleans()):
            del value[step]
            break
        value = value[step]
    if document != before:
        with pytest.raises(ForgedError):
            verify(json.dumps(document))
