"""Prompts by schedule: put at their time, recalled, answered in time or not at all, or withheld; once each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from tests.builders import ALL, NOW, observed, person, store
from tests.study.test_reading import least
from tests.workflows.scheduled import DAY, MINUTE, scheduled, states, ticks
from tracker.access import Access
from tracker.domain.consent import ConsentMissingError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.prompting import State
from tracker.domain.series import Correction, Prompt
from tracker.store import studies, tables
from tracker.study import StudyClosedError
from tracker.workflows import consenting, enrolment, feedback, prompting, prompts
from tracker.workflows.prompting import NoPromptError, PromptOverError, Ticked

HOUR = timedelta(hours=1)
# 20 March 2026 is a Friday; NOW is 13:00 in Berlin, so noon's prompt is of 11:30 UTC.
DUE = datetime(2026, 3, 20, 11, 30, tzinfo=UTC)
NOON = "noon:2026-03-20:0"
ENDS = DUE + HOUR
ENROLLED = DUE - timedelta(hours=13, minutes=30)


@pytest.fixture
def ada(access: Access) -> Person:
    scheduled(access)
    return person(access, now=ENROLLED)


def put(access: Access, who: Person, now: datetime = DUE) -> int:
    assert prompting.tick(access, who, now).put == 1
    with access.read(who.id, now) as unit:
        found = prompting.live(unit)
    assert found is not None
    return found.prompt


def said(at: datetime, value: float = 1.0) -> Correction:
    return Correction(at, "leave_me_alone", None, value)


def live(access: Access, who: Person, now: datetime) -> prompting.Live | None:
    with access.read(who.id, now) as unit:
        return prompting.live(unit)


def past(access: Access, who: Person, now: datetime) -> dict[str, prompting.Past]:
    with access.read(who.id, now) as unit:
        return {
            one.slot: one for one in prompting.history(unit, DUE - timedelta(days=2), DUE + timedelta(days=2))
        }


def test_a_prompt_is_put_once_recalled_and_over(access: Access, ada: Person) -> None:
    assert ticks(access, ada, DUE - 5 * MINUTE, DUE) == Ticked()
    assert live(access, ada, DUE - MINUTE) is None
    number = put(access, ada)
    shown = live(access, ada, DUE + 2 * MINUTE)
    assert shown is not None
    assert (shown.prompt, shown.slot, shown.schedule, shown.started) == (number, NOON, "noon", False)
    assert (shown.left, shown.ends_at) == (58 * MINUTE, ENDS)
    assert shown.asks == ("emotion", "leave_me_alone")
    done = ticks(access, ada, DUE + MINUTE, ENDS)
    assert (done.put, done.reminded, done.expired) == (0, 2, 0)
    assert past(access, ada, ENDS - MINUTE)[NOON].reminded_at == DUE + 20 * MINUTE
    # Over at its instant, whether or not a job has written it down.
    assert live(access, ada, ENDS) is None
    assert past(access, ada, ENDS)[NOON].state is State.EXPIRED
    assert states(access, ada)[NOON] == ("reminded", None)
    assert prompting.tick(access, ada, ENDS + MINUTE) == Ticked(expired=1)
    assert states(access, ada)[NOON] == ("expired", None)


def test_an_answer_completes_its_prompt_and_is_stored_with_it(access: Access, ada: Person) -> None:
    number = put(access, ada)
    opened = prompting.start(access, ada, number, DUE + MINUTE)
    assert opened.started
    assert prompting.start(access, ada, number, DUE + 2 * MINUTE).ends_at == opened.ends_at
    feedback.correct(access, ada, said(DUE + 3 * MINUTE), DUE + 3 * MINUTE, prompt=number)
    # A second word of the same answer, and a first one put right.
    later = DUE + 4 * MINUTE
    feedback.correct(access, ada, Correction(later, "valence", None, 0.5), later, prompt=number)
    feedback.correct(access, ada, said(DUE + 3 * MINUTE, 0.0), ENDS + 3 * HOUR, prompt=number)
    one = past(access, ada, ENDS)[NOON]
    assert (one.state, one.started_at, one.completed_at) == (
        State.COMPLETED,
        DUE + MINUTE,
        DUE + 3 * MINUTE,
    )
    assert live(access, ada, DUE + 5 * MINUTE) is None
    assert ticks(access, ada, DUE + 5 * MINUTE, ENDS + 5 * MINUTE, 5 * MINUTE) == Ticked()


def test_what_comes_too_late_is_refused_and_leaves_nothing(access: Access, ada: Person) -> None:
    number = put(access, ada)
    for _ in range(2):  # before and after it is written down
        with pytest.raises(PromptOverError, match="this question is expired"):
            feedback.correct(access, ada, said(ENDS), ENDS, prompt=number)
        with pytest.raises(PromptOverError):
            feedback.demand_correcting(access, ada, said(ENDS), ENDS, prompt=number)
        with pytest.raises(PromptOverError):
            prompting.start(access, ada, number, ENDS)
        with pytest.raises(PromptOverError):
            prompting.dismiss(access, ada, number, ENDS)
        prompting.tick(access, ada, ENDS + MINUTE)
    with access.database.read() as connection:
        assert connection.execute(select(tables.corrections)).all() == []


def test_who_began_in_time_may_finish(access: Access, ada: Person) -> None:
    number = put(access, ada)
    prompting.start(access, ada, number, ENDS - MINUTE)
    assert prompting.tick(access, ada, ENDS + 5 * MINUTE) == Ticked()
    feedback.correct(access, ada, said(ENDS), ENDS + 5 * MINUTE, prompt=number)
    assert states(access, ada)[NOON] == ("completed", None)


def test_an_answer_given_offline_in_time_counts_when_it_is_delivered(access: Access, ada: Person) -> None:
    number = put(access, ada)
    prompting.tick(access, ada, ENDS + HOUR)
    assert states(access, ada)[NOON] == ("expired", None)
    for given, delivered in ((ENDS + MINUTE, ENDS + HOUR), (DUE + MINUTE, DUE + timedelta(days=3))):
        with access.write(ada.id, delivered) as unit, pytest.raises(PromptOverError):
            prompting.complete(unit, number, given)
    with access.write(ada.id, ENDS + 2 * HOUR) as unit:
        assert prompting.complete(unit, number, DUE + MINUTE)
        assert not prompting.complete(unit, number, DUE + MINUTE)
    assert past(access, ada, ENDS + 2 * HOUR)[NOON].completed_at == DUE + MINUTE


def test_a_clock_that_runs_behind_answers_no_question_before_it_was_put(access: Access, ada: Person) -> None:
    number = put(access, ada)
    with access.write(ada.id, DUE + MINUTE) as unit:
        prompting.complete(unit, number, DUE - HOUR)
    assert past(access, ada, ENDS)[NOON].completed_at == DUE


def test_put_away_is_over_for_good(access: Access, ada: Person) -> None:
    number = put(access, ada)
    prompting.dismiss(access, ada, number, DUE + MINUTE)
    prompting.dismiss(access, ada, number, DUE + MINUTE)
    assert live(access, ada, DUE + MINUTE) is None
    one = past(access, ada, ENDS)[NOON]
    assert (one.state, one.words) == (State.CANCELLED, "You put it away.")
    with pytest.raises(PromptOverError, match="cancelled"):
        feedback.correct(access, ada, said(DUE), DUE + 2 * MINUTE, prompt=number)


def test_another_persons_prompt_is_none(access: Access, ada: Person) -> None:
    number, bob = put(access, ada), person(access, "bob", now=ENROLLED)
    for act in (prompting.start, prompting.dismiss):
        with pytest.raises(NoPromptError):
            act(access, bob, number, DUE)
    with access.write(bob.id, DUE) as unit, pytest.raises(NoPromptError):
        prompting.complete(unit, number)
    assert states(access, ada)[NOON] == ("notified", None)


def test_random_ones_come_at_their_time_within_their_window(access: Access, ada: Person) -> None:
    with access.read(ada.id, NOW) as unit:
        ahead = prompting.upcoming(unit, NOW + 10 * HOUR)
    assert [(a.slot.schedule, a.random) for a in ahead] == [("day", True), ("day", True)]
    done = ticks(access, ada, NOW, NOW + 10 * HOUR, 5 * MINUTE)
    assert done.put == 2
    rows = past(access, ada, NOW + 10 * HOUR)
    for slot in (a.slot for a in ahead):
        notified = rows[slot.name].notified_at
        assert notified is not None
        assert slot.at <= notified < slot.at + 5 * MINUTE
        assert 14 <= (slot.at + HOUR).hour < 18  # Berlin is an hour ahead
    with access.read(ada.id, NOW + 10 * HOUR) as unit:
        assert prompting.upcoming(unit, NOW + 11 * HOUR) == []


@pytest.mark.parametrize(
    ("late", "state"), [(29 * MINUTE, "notified"), (30 * MINUTE, "withheld"), (5 * HOUR, "withheld")]
)
def test_what_was_due_while_nothing_ran_is_put_late_or_written_down(
    access: Access, ada: Person, late: timedelta, state: str
) -> None:
    prompting.tick(access, ada, DUE + late)
    assert states(access, ada)[NOON] == (state, "late" if state == "withheld" else None)
    if state == "notified":
        found = live(access, ada, DUE + late)
        assert found is not None
        assert found.ends_at == ENDS, "late, it has no more time than it would have had"


def test_days_without_a_run_are_all_written_down(access: Access, ada: Person) -> None:
    prompting.tick(access, ada, DUE + timedelta(days=3))
    lost = (f"{slot}:{n}" for d in (20, 21, 22) for slot, n in _of_day(d))
    assert states(access, ada) == {
        **dict.fromkeys(lost, ("withheld", "late")),
        "noon:2026-03-23:0": ("notified", None),
    }


def _of_day(day: int) -> list[tuple[str, int]]:
    return [(f"noon:2026-03-{day}", 0), (f"day:2026-03-{day}", 0), (f"day:2026-03-{day}", 1)]


def test_nothing_is_put_in_a_pause_and_a_prompt_waits_through_one(access: Access, ada: Person) -> None:
    enrolment.pause(access, ada, DUE - MINUTE)
    prompting.tick(access, ada, DUE)
    assert states(access, ada)[NOON] == ("withheld", "paused")
    enrolment.resume(access, ada, DUE + MINUTE)
    day_after = DUE + timedelta(days=1)
    ticks(access, ada, DUE + MINUTE, day_after, 10 * MINUTE)
    number = put(access, ada, day_after)
    enrolment.pause(access, ada, day_after + MINUTE)
    assert live(access, ada, day_after + 2 * MINUTE) is None
    assert ticks(access, ada, day_after + MINUTE, day_after + 30 * MINUTE) == Ticked()
    enrolment.resume(access, ada, day_after + 30 * MINUTE)
    found = live(access, ada, day_after + 30 * MINUTE)
    assert found is not None
    assert found.prompt == number


def test_gap_and_budget_count_whoever_asked(access: Access) -> None:
    scheduled(access, DAY.replace("gap_minutes = 30", "gap_minutes = 30\nper_day = 3"))
    ada, bob = (person(access, name, now=ENROLLED) for name in ("ada", "bob"))
    prompts.record(access, ada, Prompt("x", DUE, DUE - 29 * MINUTE, None, None, "open"), DUE)
    for n in range(3):
        at = DUE - (2 + n) * HOUR
        prompts.record(access, bob, Prompt(f"x{n}", at, at, None, None, "open"), DUE)
    for who in (ada, bob):
        prompting.tick(access, who, DUE)
    assert states(access, ada)[NOON] == ("withheld", "just_asked")
    assert states(access, bob)[NOON] == ("withheld", "budget_spent")


def test_without_the_scope_nothing_is_written_and_nothing_shown(access: Access) -> None:
    scheduled(access)
    bob = person(access, "bob", [s for s in ALL if s is not Scope.PROMPTS], now=ENROLLED)
    assert ticks(access, bob, DUE, ENDS, 5 * MINUTE) == Ticked()
    assert states(access, bob) == {}
    with access.read(bob.id, DUE) as unit:
        assert prompting.live(unit) is None
        assert prompting.upcoming(unit, ENDS + 5 * HOUR) == []


def test_a_withdrawal_ends_a_prompt_at_once_and_a_new_grant_asks_nothing_of_before(
    access: Access, ada: Person
) -> None:
    number = put(access, ada)
    consenting.withdraw(access, ada, [Scope.PROMPTS], DUE + MINUTE, recorder=Recorder.PARTICIPANT)
    assert live(access, ada, DUE + 2 * MINUTE) is None
    for act in (prompting.start, prompting.dismiss):
        with pytest.raises(ConsentMissingError):
            act(access, ada, number, DUE + 2 * MINUTE)
    assert ticks(access, ada, DUE + 2 * MINUTE, DUE + 9 * HOUR, 30 * MINUTE) == Ticked()
    assert past(access, ada, DUE + 9 * HOUR)[NOON].state is State.EXPIRED, "what was asked is theirs to see"
    again = DUE + 9 * HOUR
    consenting.grant(access, ada, [Scope.PROMPTS], again, recorder=Recorder.PARTICIPANT)
    prompting.tick(access, ada, again + MINUTE)
    assert set(states(access, ada)) == {NOON}


def test_a_closed_study_asks_nothing(access: Access, ada: Person) -> None:
    number = put(access, ada)
    study = scheduled(access, now=DUE + MINUTE)
    with access.database.write() as connection:
        closed = study.closing()
        studies.apply(
            connection, studies.StudyRow(closed.sha256, closed.document(), DUE + 2 * MINUTE, "test")
        )
    assert live(access, ada, DUE + 3 * MINUTE) is None
    assert ticks(access, ada, DUE + 3 * MINUTE, DUE + 9 * HOUR, HOUR) == Ticked()
    with pytest.raises(StudyClosedError):
        prompting.start(access, ada, number, DUE + 3 * MINUTE)


def test_a_study_that_asks_otherwise_takes_back_what_it_does_not_ask_any_more(
    access: Access, ada: Person
) -> None:
    number = put(access, ada)
    by_hand = prompts.record(access, ada, Prompt("2026-03-20T11:31:00", DUE, DUE, None, None, "open"), DUE)
    scheduled(access, DAY.replace('id = "noon"', 'id = "midday"'), DUE + MINUTE)
    assert prompting.tick(access, ada, DUE + 2 * MINUTE) == Ticked(cancelled=1)
    assert states(access, ada)[NOON] == ("cancelled", "study_changed")
    found = live(access, ada, DUE + 2 * MINUTE)
    assert found is not None
    assert (found.prompt, found.prompt != number, found.schedule) == (by_hand, True, "")


def test_a_prompt_by_hand_and_a_scheduled_one_wait_side_by_side(access: Access, ada: Person) -> None:
    asked = prompts.ask_now(access, ada, DUE - 35 * MINUTE, 0.5).prompt
    number = prompting.tick(access, ada, DUE)
    assert number.put == 1
    first = live(access, ada, DUE + MINUTE)
    assert first is not None
    assert first.prompt == asked, "the one that ends first is asked first"
    assert first.why.startswith("In the first days")
    prompting.dismiss(access, ada, first.prompt, DUE + MINUTE)
    second = live(access, ada, DUE + MINUTE)
    assert second is not None
    assert second.slot == NOON


# --- the wish to be left alone ------------------------------------------------------------


@pytest.fixture
def known(access: Access) -> Person:
    """Somebody who wanted to be left alone whenever they were asked, for ten days; none is asked by chance."""
    scheduled(access, DAY.replace("gap_minutes = 30", "gap_minutes = 30\nthrough_silence = 0"))
    who = person(access, now=NOW - timedelta(days=12))
    for k in range(40):
        at = DUE - timedelta(days=10) + timedelta(hours=6 * k)
        number = prompts.record(access, who, Prompt(at.isoformat(), at, at, None, None, "open"), at)
        feedback.correct(access, who, said(at), at, prompt=number)
    return who


def test_prompts_yield_to_a_confident_wish_and_say_so(access: Access, known: Person) -> None:
    prompting.tick(access, known, DUE)
    assert states(access, known)[NOON] == ("withheld", "yielding")
    assert past(access, known, DUE)[NOON].words == "It looked like you would rather be left alone."


def test_a_schedule_may_not_yield_and_some_are_asked_through_silence(access: Access, known: Person) -> None:
    ticks(access, known, DUE, DUE + 6 * HOUR, 5 * MINUTE)
    today = [states(access, known)[f"day:2026-03-20:{n}"] for n in (0, 1)]
    assert {state for state, _ in today} <= {"notified", "expired"}
    always = "gap_minutes = 30\nthrough_silence = 1"
    scheduled(access, DAY.replace("gap_minutes = 30", always), DUE + 6 * HOUR)
    tomorrow = DUE + timedelta(days=1)
    prompting.tick(access, known, tomorrow)
    assert states(access, known)["noon:2026-03-21:0"] == ("notified", "random")
    with access.database.read() as connection:
        p = tables.prompts.c
        query = select(p.random).where(p.slot == "noon:2026-03-21:0")
        assert connection.execute(query).scalar_one() is True


def test_in_the_first_days_and_without_a_learner_nothing_yields(access: Access, known: Person) -> None:
    scheduled(access, DAY.replace("gap_minutes = 30", "gap_minutes = 30\nwarm_up_days = 60"), DUE - HOUR)
    prompting.tick(access, known, DUE)
    assert states(access, known)[NOON] == ("notified", None)
    scheduled(access, DAY, DUE + MINUTE)
    consenting.withdraw(
        access, known, [Scope.PERSONAL_LEARNING], DUE + 2 * MINUTE, recorder=Recorder.PARTICIPANT
    )
    prompting.tick(access, known, DUE + timedelta(days=1))
    assert states(access, known)["noon:2026-03-21:0"] == ("notified", None)


# --- after events ------------------------------------------------------------

FACE = '[asking]\ngap_minutes = 30\n[[prompts]]\nid = "face"\nafter = "face_after_gap"\nexpires_after_minutes = 20\n'


def test_a_face_after_a_gap_is_asked_about_once(access: Access) -> None:
    scheduled(access, FACE)
    who = person(access, now=ENROLLED)
    assert prompting.tick(access, who, NOW) == Ticked()
    store(access, who, [observed(NOW + n * MINUTE) for n in range(3)], NOW + 3 * MINUTE)
    assert ticks(access, who, NOW + 3 * MINUTE, NOW + 9 * MINUTE).put == 1
    assert list(states(access, who)) == ["face@20260320T120000Z"]
    # It goes on being seen, then for less than an hour it is not, then for more.
    for start in (NOW + 40 * MINUTE, NOW + 2 * HOUR):
        store(access, who, [observed(start)], start + MINUTE)
        ticks(access, who, start + MINUTE, start + 5 * MINUTE)
    assert list(states(access, who)) == ["face@20260320T120000Z", "face@20260320T140000Z"]


def test_a_face_of_long_ago_or_none_asks_nothing(access: Access) -> None:
    scheduled(access, FACE)
    who = person(access, now=ENROLLED)
    store(access, who, [observed(NOW - 20 * MINUTE), observed(NOW - MINUTE, None)], NOW)
    assert ticks(access, who, NOW, NOW + 5 * MINUTE) == Ticked()
    blind = person(
        access, "bob", [s for s in ALL if s is not Scope.AFFECT_SERIES], now=NOW - timedelta(days=1)
    )
    assert prompting.tick(access, blind, NOW) == Ticked()


def test_an_unsure_learner_asks_within_its_budget_and_the_same_after_a_restart(access: Access) -> None:
    unsure = (
        '[asking]\nunsure_per_day = 4\naudits = 0\n[[prompts]]\nid = "unsure"\nafter = "learner_unsure"\n'
    )
    scheduled(access, unsure)
    who = person(access, now=ENROLLED)
    morning = datetime(2026, 3, 20, 6, tzinfo=UTC)
    done = ticks(access, who, morning, morning + 16 * HOUR, 10 * MINUTE)
    assert done.put == 4
    assert done.withheld == 0
    assert {reason for _, reason in states(access, who).values()} == {"warm_up"}
    before = states(access, who)
    assert ticks(access, who, morning, morning + 16 * HOUR, 10 * MINUTE).put == 0
    assert states(access, who).keys() == before.keys()


# --- where the participant is ------------------------------------------------------------


def test_who_flies_west_meets_no_slot_twice(access: Access, ada: Person) -> None:
    put(access, ada)
    prompting.move(access, ada, "America/New_York", DUE + 2 * HOUR)
    ticks(access, ada, DUE + 2 * HOUR, DUE + 12 * HOUR, 5 * MINUTE)
    rows = states(access, ada)
    assert list(rows) == [NOON, "day:2026-03-20:0", "day:2026-03-20:1"]
    with access.read(ada.id, DUE + 12 * HOUR) as unit:
        there = {one.slot: one.zone for one in prompting.history(unit, DUE, DUE + 12 * HOUR)}
        assert there[NOON] == "Europe/Berlin"
        assert there["day:2026-03-20:0"] == "America/New_York"
        assert [zone for _, zone in prompting.zones(unit)] == ["Europe/Berlin", "America/New_York"]


def test_who_flies_east_is_told_what_their_day_has_lost(access: Access, ada: Person) -> None:
    before = DUE - HOUR
    assert prompting.move(access, ada, "Asia/Tokyo", before).noted
    prompting.tick(access, ada, before + MINUTE)
    # It is half past seven in the evening there.
    lost = (NOON, "day:2026-03-20:0", "day:2026-03-20:1")
    assert states(access, ada) == dict.fromkeys(lost, ("withheld", "zone_changed"))


def test_over_the_date_line_no_day_is_asked_twice(access: Access, ada: Person) -> None:
    ticks(access, ada, DUE - 6 * HOUR, DUE + 30 * HOUR, 20 * MINUTE)
    seen = states(access, ada)
    prompting.move(access, ada, "Pacific/Honolulu", DUE + 30 * HOUR)
    # It is half past seven of the same day there, so all of it was asked already.
    assert ticks(access, ada, DUE + 30 * HOUR, DUE + 54 * HOUR, 20 * MINUTE).put == 0
    assert seen.keys() == states(access, ada).keys()
    # Until half past six in the evening there: the window of the last one closes at six.
    assert ticks(access, ada, DUE + 54 * HOUR, DUE + 65 * HOUR, 20 * MINUTE).put == 3
    with access.database.read() as connection:
        p = tables.prompts.c
        put_at = sorted(at for at in connection.execute(select(p.notified_at)).scalars() if at is not None)
    assert all(b - a >= 30 * MINUTE for a, b in pairwise(put_at))


def test_without_the_scope_a_zone_is_set_and_no_history_kept(access: Access) -> None:
    who = person(access, "bob", [Scope.AFFECT_SERIES])
    assert prompting.move(access, who, "Asia/Tokyo", NOW) == prompting.Moved(
        "Europe/Berlin", "Asia/Tokyo", noted=False
    )
    assert access.person("bob").zone == "Asia/Tokyo"
    with access.read(who.id, NOW) as unit:
        assert prompting.zones(unit) == []
    assert not prompting.move(access, replace(who, zone="Asia/Tokyo"), "Asia/Tokyo", NOW).noted


def test_a_month_of_a_study_needs_nobody() -> None:
    found = prompting.month(least(DAY), "Europe/Berlin", date(2026, 3, 1), 30)
    assert len(found) == 90
    assert found == prompting.month(least(DAY), "Europe/Berlin", date(2026, 3, 1), 30)
