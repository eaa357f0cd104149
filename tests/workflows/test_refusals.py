"""A refusal names the real reason, one at a time, and what to do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import NOW, observed, person, store
from tests.workflows.test_studies import MONTH, version
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, NotCoveredError, Recorder, Refusal, Scope, Use, Why
from tracker.domain.people import Person
from tracker.study.parts import ConsentRules, Purpose, Retention
from tracker.workflows import consenting, studies

DAY = timedelta(days=1)
SERIES = [Scope.AFFECT_SERIES]


def told(access: Access, who: Person, days: int = 0) -> str:
    with pytest.raises(ConsentMissingError) as refused:
        store(access, who, [observed(NOW)], NOW + days * DAY)
    return str(refused.value)


def test_what_was_never_granted(access: Access) -> None:
    assert "ada has not granted affect_series" in told(access, person(access, scopes=()))


def test_a_new_notice_has_to_be_seen_first(access: Access) -> None:
    studies.apply(access, MONTH, "ops", NOW)
    who = person(access)
    other = version(MONTH, "2", purposes=(Purpose(text="To sell it."),))
    studies.apply(access, other, "ops", NOW)
    sentence = told(access, who)
    assert "the notice has changed since ada granted affect_series" in sentence
    assert "must see the new notice first" in sentence
    assert "has not granted" not in sentence


def test_a_grant_whose_time_is_over(access: Access) -> None:
    studies.apply(access, version(MONTH, "2", consent=ConsentRules(expires_after_days=30)), "ops", NOW)
    assert "the time for which ada granted affect_series is over" in told(access, person(access), 30)


def test_what_was_withdrawn(access: Access) -> None:
    who = person(access)
    consenting.withdraw(access, who, SERIES, NOW, recorder=Recorder.PARTICIPANT)
    assert "affect_series was refused or withdrawn, or has ended, for ada" in told(access, who)


def test_what_waits_for_a_guardian(access: Access) -> None:
    studies.apply(access, version(MONTH, "2", consent=ConsentRules(guardians=True)), "ops", NOW)
    sentence = told(access, person(access))
    assert "affect_series of ada waits for a guardian" in sentence
    assert "consent grant ada affect_series --guardian --evidence TEXT" in sentence


def test_each_reason_has_its_own_scopes_and_a_name_is_quoted() -> None:
    why = {Scope.AFFECT_SERIES: Why.EXPIRED, Scope.CONTEXT: Why.NEVER}
    sentence = Refusal("p", Use.KEEP_CONTEXT, tuple(why), why=why).sentence("ada b")
    assert "the time for which ada b granted affect_series is over" in sentence
    assert "ada b has not granted context; nothing was stored" in sentence
    assert "consent grant 'ada b' context --evidence TEXT" in sentence


def test_before_the_grant_the_grant_is_named_and_before_what_is_kept_the_study(access: Access) -> None:
    who = person(access, covers_from=NOW - 5 * DAY)
    with pytest.raises(NotCoveredError) as early:
        store(access, who, [observed(NOW - 9 * DAY + timedelta(seconds=31))])
    sentence = str(early.value)
    assert sentence.startswith(
        "2026-03-11T12:00Z lies before 2026-03-15T12:00Z, when the grant of affect_series"
    )
    assert "consent grant P affect_series --covers-from 2026-03-11T12:00Z --evidence TEXT" in sentence
    assert "study" not in sentence
    studies.apply(access, version(MONTH, "2", retention=Retention(affect_series=7)), "ops", NOW)
    consenting.grant(access, who, SERIES, NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(NotCoveredError, match="from when on the study takes in such data") as old:
        store(access, who, [observed(NOW - 9 * DAY)])
    assert "--covers-from" not in str(old.value)
    with pytest.raises(NotCoveredError, match="when the grant") as close_by:
        store(access, who, [observed(NOW - 5 * DAY - timedelta(seconds=1))])
    assert "11:59Z lies before 2026-03-20T12:00Z" in str(close_by.value)
