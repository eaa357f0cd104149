"""Questions keep to a participant's night, budget and gap over every change of clocks of every zone; one for a slot."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones
from zoneinfo._zoneinfo import ZoneInfo as PureZone  # the one that shows its transitions

import pytest

from tests.builders import NOW, person
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.processes import CONTEXT, close, opened
from tracker import jobs
from tracker.access import Access
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.schedules import Plan, Schedule, Slot, Window, slots
from tracker.domain.series import Prompt
from tracker.learning.asking import AskingPolicy, Today, decide
from tracker.learning.choosing import Action
from tracker.workflows import consenting, enrolment, prompts

STEP = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
POLICY = AskingPolicy()
SINCE, UNTIL = datetime(1990, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)


@cache
def transitions() -> tuple[tuple[str, datetime], ...]:
    """Every change of clocks that differs from every other in when, or in what clocks show before and after."""
    found: dict[tuple[datetime, timedelta | None, timedelta | None], str] = {}
    for key in sorted(available_timezones()):
        if key in ("localtime", "Factory") or key.startswith(("posix/", "right/")):
            continue
        zone = ZoneInfo(key)
        for second in PureZone.no_cache(key)._trans_utc:  # type: ignore[attr-defined]
            at = datetime.fromtimestamp(second, UTC) if abs(second) < 2**35 else SINCE - HOUR
            if SINCE <= at < UNTIL:
                before, after = ((at + step).astimezone(zone).utcoffset() for step in (-HOUR, HOUR))
                found.setdefault((at, before, after), key)
    return tuple((key, at) for (at, _, _), key in found.items())


def day_of(key: str, around: datetime) -> Iterator[datetime]:
    """Every half hour of the two days around a change of clocks."""
    start = around - 20 * HOUR
    return (start + n * STEP for n in range(84))


def test_night_budget_and_gap_over_every_change_of_clocks(figure: Tell) -> None:
    """Whoever is always unsure is asked as often as may be, and never more, and never at night."""
    asked = 0
    for key, around in transitions():
        zone = ZoneInfo(key)
        put: list[datetime] = []
        for now in day_of(key, around):
            local = now.astimezone(zone)
            began = POLICY.day_began(local)
            today = Today(
                day=1,
                hour=local.hour + local.minute / 60 + local.second / 3600,
                asked=sum(POLICY.day_began(at.astimezone(zone)) >= began for at in put),
                since_last=now - put[-1] if put else None,
            )
            if decide(POLICY, today, alone=0.5, threshold=0.9, u=0.999).action is not Action.ASK:
                continue
            assert POLICY.quiet_until <= local.time() < POLICY.quiet_from, (key, now)
            assert not put or now - put[-1] >= POLICY.gap, (key, now)
            put.append(now)
        # A day of the budget is one by the clock on the wall, whichever of its hours came twice.
        days = [POLICY.day_began(at.astimezone(zone)).date() for at in put]
        assert all(days.count(day) <= POLICY.per_day for day in set(days)), key
        asked += len(put)
    assert len(transitions()) > 1000
    figure(
        f"{len(transitions()):,} changes of clocks of {len(available_timezones())} zones, {asked:,} questions"
    )


def _shift(key: str, around: datetime) -> timedelta:
    """By how much the clocks were set."""
    before, after = ((around + step).astimezone(ZoneInfo(key)).utcoffset() for step in (-HOUR, HOUR))
    assert before is not None
    assert after is not None
    return after - before


def test_every_night_has_one_slot_over_every_change_of_clocks(figure: Tell) -> None:
    for key, around in transitions():
        # A clock that is set back over the end of the night names a night again that was run: its lease is finished.
        days = sorted({datetime.fromisoformat(jobs._night(now, key)) for now in day_of(key, around)})
        steps = {after - before for before, after in itertools.pairwise(days)}
        # None is left out, but where the calendar leaves out a whole day.
        assert steps <= {timedelta(days=1), timedelta(days=2)}, (key, around, steps)
        skips = timedelta(days=2) in steps
        assert not skips or abs(_shift(key, around)) >= timedelta(hours=20), (key, around)
    figure(f"{len(transitions()):,} nights' slots, none left out")


QUARTERS = tuple(15 + 45 * n for n in range(10))
"""Fixed times through the night, when clocks change: 0:15, 1:00 … 7:00."""

PLANS = (
    # A day as a study has it, and one that lies where clocks change, with its quiet hours at noon.
    Plan(
        "day",
        (
            Schedule("fixed", times=(9 * 60, 21 * 60 + 30)),
            Schedule("random", windows=(Window(600, 720, 2), Window(1080, 1200)), apart=45 * MINUTE),
        ),
        gap=30 * MINUTE,
    ),
    Plan(
        "night",
        (
            Schedule("fixed", times=QUARTERS),
            Schedule("random", windows=(Window(0, 240, 3), Window(1380, 1440))),
        ),
        quiet_from=12 * 60,
        quiet_until=13 * 60,
        gap=20 * MINUTE,
    ),
    # Quiet hours that end and begin in hours that are left out, or come twice.
    Plan(
        "edge",
        (Schedule("fixed", times=(150, 1350)), Schedule("random", windows=(Window(150, 240, 2),))),
        quiet_from=23 * 60,
        quiet_until=2 * 60 + 30,
        gap=25 * MINUTE,
    ),
)


def test_scheduled_slots_over_every_change_of_clocks(figure: Tell) -> None:
    """Of each day around each change: all slots are there, each once, and each that is put may be."""
    kept = lost = 0
    for key, around in transitions():
        zone = ZoneInfo(key)
        first = around.astimezone(zone).date() - timedelta(days=1)
        for plan in PLANS:
            found = [s for n in range(3) for s in slots(plan, "ada", first + timedelta(days=n), key)]
            assert len({slot.name for slot in found}) == len(found), (key, around)
            assert len(found) == 3 * _wanted(plan), "none is lost without a reason"
            for n in range(3):
                today = [s for s in found if s.day == first + timedelta(days=n)]
                put = [s for s in today if s.lost is None]
                assert all(b.at - a.at >= plan.gap for a, b in itertools.pairwise(put)), (key, around)
                kept, lost = kept + len(put), lost + len(today) - len(put)
                for slot in put:
                    assert _may_be(plan, slot, zone), (key, around, slot)
    figure(
        f"{len(transitions()):,} changes of clocks, {kept:,} slots of schedules, {lost:,} lost with a reason"
    )
    assert kept > 50_000


def _wanted(plan: Plan) -> int:
    return sum(len(s.times) + sum(w.prompts for w in s.windows) for s in plan.schedules)


def _may_be(plan: Plan, slot: Slot, zone: ZoneInfo) -> bool:
    """Whether its wall time exists, is what the study says, is not in the quiet hours, and leaves time to answer."""
    local = slot.at.astimezone(zone)
    minute, number = local.hour * 60 + local.minute, int(slot.name.rpartition(":")[2])
    schedule = plan.schedule(slot.schedule)
    assert schedule is not None
    if local.date() != slot.day or plan.quiet(local) or slot.expires_at <= slot.at:
        return False
    if schedule.windows:
        return any(w.opens <= minute < w.closes for w in schedule.windows)
    said = schedule.times[number]
    if minute == said:
        return True
    # What is left out falls on the first minute after: there the clock jumps over what was said.
    before = (slot.at - MINUTE).astimezone(zone)
    return before.hour * 60 + before.minute < said < minute or before.date() < local.date()


def drawn() -> list[Slot]:
    """Random slots of some days; for another process, whose hashes and draws have another seed."""
    days = (datetime(2026, 3, 20).date() + timedelta(days=n) for n in range(20))
    return [s for day in days for plan in PLANS for s in slots(plan, "ada", day, "Europe/Berlin")]


def test_every_process_draws_the_same_slots() -> None:
    """So a restart moves none, and two processes put the same one."""
    with CONTEXT.Pool(1) as pool:
        assert pool.apply(drawn) == drawn()


SOME = 12
"""How many changes are gone through with real rows; the rule itself is looked at over all of them above."""


def test_with_real_rows_around_some_changes(access: Access) -> None:
    chosen = transitions()[:: max(1, len(transitions()) // SOME)][:SOME]
    for n, (key, around) in enumerate(chosen):
        who = person(access, f"p{n}", now=around - 48 * HOUR, zone=key)
        put = []
        for now in list(day_of(key, around))[::2]:
            done = prompts.ask_now(access, who, now, 0.999)
            if done.prompt is not None:
                put.append(now)
        zone = ZoneInfo(key)
        assert all(POLICY.quiet_until <= at.astimezone(zone).time() < POLICY.quiet_from for at in put), key
        assert all(b - a >= POLICY.gap for a, b in itertools.pairwise(put)), key
        days = [POLICY.day_began(at.astimezone(zone)).date() for at in put]
        assert all(days.count(day) <= POLICY.per_day for day in days), key
    assert held.count(access, "prompts") > 0


def test_one_question_for_a_slot_whoever_puts_it(
    access: Access, tmp_path_factory: pytest.TempPathFactory
) -> None:
    who = person(access, "ada")
    url = access.database.url.render_as_string(hide_password=False)
    there = [opened(url, access.keys.path.parent) for _ in range(4)]
    meet, ids = threading.Barrier(4), list[int | None]()

    def put(mine: Access) -> None:
        meet.wait(30)
        slot = Prompt("slot-1", NOW, NOW, None, None, "open")
        ids.append(prompts.record(mine, who, slot, NOW))

    threads = [threading.Thread(target=put, args=(mine,)) for mine in there]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(i is not None for i in ids) == [False, False, False, True]
    assert held.count(access, "prompts") == 1
    for mine in there:
        close(mine)


@pytest.mark.parametrize("how", ["withdrawn", "paused"])
def test_none_after_a_withdrawal_or_in_a_pause(access: Access, how: str) -> None:
    who = person(access, "ada", now=NOW - 24 * HOUR)
    if how == "withdrawn":
        consenting.withdraw(access, who, [Scope.PROMPTS], NOW - HOUR, recorder=Recorder.PARTICIPANT)
    else:
        enrolment.pause(access, who, NOW - HOUR)
    for n in range(48):
        now = NOW + n * STEP
        if how == "withdrawn":
            with pytest.raises(ConsentError):
                prompts.ask_now(access, who, now, 0.0)
        else:
            assert prompts.ask_now(access, who, now, 0.0).prompt is None
    assert held.count(access, "prompts") == 0
