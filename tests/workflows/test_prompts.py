"""Whether a participant is asked now: consent, their own clock, their day, their learner, and what is kept."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from tests.builders import ALL, NOW, person
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope, Use
from tracker.domain.people import Person
from tracker.domain.series import Correction, Prompt
from tracker.learning.asking import AskingPolicy
from tracker.learning.choosing import Action
from tracker.learning.reasons import Reason
from tracker.personal.sureness import START, sureness, threshold_after
from tracker.store import drifts, tables
from tracker.store.asked import JudgedAnswer
from tracker.workflows import consenting, enrolment, feedback, prompts

BERLIN = ZoneInfo("Europe/Berlin")
AT_ONCE = AskingPolicy(warm_up_days=0, gap=timedelta(0), per_day=50, quiet_from=time(0), quiet_until=time(0))
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def ada(access: Access) -> Person:
    return person(access)


def kept(access: Access) -> list[tuple[str, str | None, bool]]:
    with access.database.read() as connection:
        columns = (tables.prompts.c.state, tables.prompts.c.reason, tables.prompts.c.random)
        return [tuple(row) for row in connection.execute(select(*columns).order_by(tables.prompts.c.id))]


def put(access: Access, who: Person, at: datetime, *, notified: bool = True) -> int:
    number = prompts.record(
        access, who, Prompt(at.isoformat(), at, at if notified else None, None, None, "open"), at
    )
    assert number is not None
    return number


@pytest.fixture
def known(access: Access, ada: Person) -> Person:
    """Somebody who wanted to be left alone whenever they were asked, for ten days."""
    for k in range(40):
        at = NOW - timedelta(days=10) + timedelta(hours=6 * k)
        number = put(access, ada, at)
        feedback.correct(access, ada, Correction(at, "leave_me_alone", None, 1.0), at, prompt=number)
    return ada


def test_a_question_is_kept_with_its_reason(access: Access, ada: Person) -> None:
    asked = prompts.ask_now(access, ada, NOW, 0.5)
    assert asked.decision.action is Action.ASK
    assert asked.decision.words == "First week: everything is asked, to get to know you."
    assert asked.prompt is not None
    assert kept(access) == [("notified", "warm_up", False)]
    again = prompts.ask_now(access, ada, NOW + timedelta(minutes=5), 0.5)
    assert (again.decision.because, again.prompt) == (Reason.JUST_ASKED, None)
    assert len(kept(access)) == 1


def test_nobody_is_asked_without_the_scope_or_during_a_pause(access: Access) -> None:
    silent = person(access, "bob", [scope for scope in ALL if scope is not Scope.PROMPTS])
    with pytest.raises(ConsentMissingError, match="prompts"):
        prompts.ask_now(access, silent, NOW, 0.5)
    paused = person(access, "cyd")
    enrolment.pause(access, paused, NOW)
    asked = prompts.ask_now(access, paused, NOW, 0.0)
    assert (asked.decision.action, asked.decision.because) == (Action.SILENT, Reason.PAUSED)
    assert kept(access) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_quiet_hours_budget_and_gap_hold_over_a_change_of_clocks(access: Access, zone: str) -> None:
    start = (
        datetime(2026, 3, 28, 12, tzinfo=UTC)
        if zone == "Europe/Berlin"
        else datetime(2026, 4, 3, 12, tzinfo=UTC)
    )
    who = person(access, "dst", zone=zone, now=start)
    policy = AskingPolicy(per_day=4, quiet_from=time(23, 30), quiet_until=time(2, 15), gap=timedelta(hours=2))
    rng = random.Random(3)
    asked = [
        at
        for at in (start + k * HALF_AN_HOUR for k in range(96))
        if prompts.ask_now(access, who, at, rng.random(), policy=policy).prompt is not None
    ]
    local = [at.astimezone(ZoneInfo(zone)) for at in asked]
    assert not any(at.time() >= time(23, 30) or at.time() < time(2, 15) for at in local)
    assert all(b - a >= policy.gap for a, b in pairwise(asked))
    days = [policy.day_began(at) for at in local]
    assert max(days.count(day) for day in days) <= 4
    assert days.count(sorted(set(days))[1]) == 4


def test_the_warm_up_counts_from_the_first_question(access: Access, ada: Person) -> None:
    late = NOW + timedelta(days=20)
    assert prompts.ask_now(access, ada, late, 0.5).decision.because is Reason.WARM_UP
    week = [prompts.ask_now(access, ada, late + timedelta(days=d), 0.5).decision.because for d in (6, 7)]
    assert week == [Reason.WARM_UP, Reason.UNSURE]


def test_questions_of_others_use_up_the_day_and_planned_ones_do_not(access: Access, ada: Person) -> None:
    policy = replace(AT_ONCE, per_day=2, quiet_from=time(22), quiet_until=time(8))
    put(access, ada, NOW + timedelta(hours=5), notified=False)
    put(access, ada, NOW - timedelta(hours=3))
    asked = prompts.ask_now(access, ada, NOW + timedelta(hours=1), 0.5, policy=policy)
    assert asked.decision.because is Reason.UNSURE
    later = prompts.ask_now(access, ada, NOW + timedelta(hours=6), 0.5, policy=policy)
    assert later.decision.because is Reason.BUDGET_SPENT


def test_a_clock_that_ran_ahead_does_not_buy_a_second_question(access: Access, ada: Person) -> None:
    put(access, ada, NOW + timedelta(minutes=3))
    assert prompts.ask_now(access, ada, NOW, 0.5).decision.because is Reason.JUST_ASKED


def test_a_confident_wish_to_be_left_alone_silences_all_but_the_random_share(
    access: Access, known: Person
) -> None:
    moment = NOW + timedelta(minutes=1)
    silent = prompts.ask_now(access, known, moment, 0.5, policy=AT_ONCE)
    assert silent.decision.because is Reason.YIELDING
    assert "looks like leave me alone" in silent.decision.words
    before = len(kept(access))
    drawn = prompts.ask_now(access, known, moment, 0.029, policy=AT_ONCE)
    assert drawn.decision.because is Reason.RANDOM
    assert kept(access)[before:] == [("notified", "random", True)]


def test_a_drift_doubles_the_random_share_for_three_days(access: Access, known: Person) -> None:
    with access.write(known.id, NOW) as unit:
        detail = {"before": 0.0, "after": 0.8, "answers": 6}
        permit = unit.permit(Use.LEARN)
        drifts.add(
            unit.connection,
            permit,
            known.subject,
            "leave_me_alone",
            at=NOW,
            kind="page_hinkley",
            detail=detail,
            now=NOW,
        )
        calm = sureness(unit, NOW, audits=0.03)
    assert calm.vigilant.audits == 2.0
    moment = NOW + timedelta(minutes=1)
    later = moment + timedelta(days=4)
    for at, because in ((moment, Reason.RANDOM), (later, Reason.YIELDING)):
        assert prompts.ask_now(access, known, at, 0.05, policy=AT_ONCE).decision.because is because


def test_without_leave_to_learn_nothing_is_known_and_it_asks(access: Access, known: Person) -> None:
    consenting.withdraw(access, known, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    asked = prompts.ask_now(access, known, NOW + timedelta(minutes=1), 0.5, policy=AT_ONCE)
    assert asked.decision.because is Reason.UNSURE
    with access.write(known.id, NOW + timedelta(minutes=1)) as unit:
        found = sureness(unit, NOW, audits=0.03)
    assert (found.alone, found.threshold) == (0.5, START)


def test_the_threshold_follows_the_answers_to_questions(access: Access, known: Person) -> None:
    with access.write(known.id, NOW) as unit:
        moved = sureness(unit, NOW, audits=0.03)
    assert moved.threshold != START
    assert 0.5 < moved.threshold <= 1.01
    assert 0.0 <= moved.novelty <= 1.0


def test_a_log_that_cannot_be_read_leaves_it_asking(access: Access, known: Person) -> None:
    with access.database.write() as connection:
        connection.execute(update(tables.learning_events).values(predicted={"no": "prediction"}))
    moment = NOW + timedelta(minutes=1)
    assert prompts.ask_now(access, known, moment, 0.5, policy=AT_ONCE).decision.because is Reason.UNSURE


def test_wrong_answers_raise_a_threshold_and_either_contradicts_none() -> None:
    def after(said: float, reason: Reason = Reason.UNSURE) -> float:
        return threshold_after([JudgedAnswer(0.93, said, {}, False, reason.value)] * 10, audits=0.03)

    assert after(0.0) > START
    assert after(1.0) == after(0.5) < after(0.0)
    assert after(0.0, Reason.WARM_UP) == after(1.0, Reason.WARM_UP)
    drawn = [JudgedAnswer(0.99, 1.0, {}, True, "random")]
    assert threshold_after(drawn, audits=0.03) < threshold_after(drawn, audits=1.0)
    assert threshold_after([], audits=0.0) == START
