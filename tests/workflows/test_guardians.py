"""A guardian's word: needed beside the participant's where the study says so, and never in its place."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.builders import NOW, observed, person, store
from tracker.access import Access
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.people import Person
from tracker.study import DEFAULT
from tracker.workflows import consenting, studies

SERIES = Scope.AFFECT_SERIES


def at(hour: int) -> datetime:
    return NOW + timedelta(hours=hour)


def ruled(access: Access, version: str, guardians: bool, now: datetime) -> None:
    consent = DEFAULT.consent.model_copy(update={"guardians": guardians})
    studies.apply(access, DEFAULT.model_copy(update={"version": version, "consent": consent}), "me", now)


def grant(access: Access, who: Person, recorder: Recorder, now: datetime) -> None:
    evidence = "" if recorder is Recorder.PARTICIPANT else "signed form"
    consenting.grant(access, who, [SERIES], now, recorder=recorder, evidence=evidence)


def stands(access: Access, who: Person, now: datetime) -> bool:
    """Whether the series may be stored: by the decision, and by the table that triggers look at, alike."""
    with access.write(who.id, now) as unit:
        assert (SERIES in unit.grants()) == (SERIES in unit.grants_held)
        return SERIES in unit.grants()


@pytest.mark.parametrize("first", [Recorder.PARTICIPANT, Recorder.GUARDIAN])
def test_both_must_agree_in_either_order_and_either_ends_it(access: Access, first: Recorder) -> None:
    ruled(access, "2", True, at(0))
    who = person(access, scopes=[])
    second = Recorder.GUARDIAN if first is Recorder.PARTICIPANT else Recorder.PARTICIPANT
    grant(access, who, first, at(1))
    assert not stands(access, who, at(1))
    with pytest.raises(ConsentError):
        store(access, who, [observed(at(1))], at(1))
    grant(access, who, second, at(2))
    assert stands(access, who, at(2))
    assert store(access, who, [observed(at(2))], at(2)).observations == 1
    evidence = "" if first is Recorder.PARTICIPANT else "a letter"
    consenting.withdraw(access, who, [SERIES], at(3), recorder=first, evidence=evidence)
    assert not stands(access, who, at(3))
    assert access.audit() is None


def test_a_guardian_does_not_bring_back_what_the_participant_withdrew(access: Access) -> None:
    ruled(access, "2", True, at(0))
    who = person(access, scopes=[])
    grant(access, who, Recorder.PARTICIPANT, at(1))
    grant(access, who, Recorder.GUARDIAN, at(2))
    consenting.withdraw(access, who, [SERIES], at(3), recorder=Recorder.PARTICIPANT)
    grant(access, who, Recorder.GUARDIAN, at(4))
    assert not stands(access, who, at(4))
    # Nor once the study asks for guardians no more.
    ruled(access, "3", False, at(5))
    assert not stands(access, who, at(6))
    assert access.audit() is None


def test_what_a_guardian_ended_stays_ended_when_guardians_are_asked_no_more(access: Access) -> None:
    ruled(access, "2", True, at(0))
    who = person(access, scopes=[])
    grant(access, who, Recorder.PARTICIPANT, at(1))
    grant(access, who, Recorder.GUARDIAN, at(2))
    consenting.withdraw(access, who, [SERIES], at(3), recorder=Recorder.GUARDIAN, evidence="a letter")
    ruled(access, "3", False, at(4))
    assert not stands(access, who, at(5))
    grant(access, who, Recorder.PARTICIPANT, at(6))
    assert stands(access, who, at(6))
