"""Whatever happens, in whatever order: one prompt for a slot, and no prompt with a history that cannot be.

Ticks, answers, restarts, journeys, pauses, withdrawals and changes of the study, as they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import installation, observed, person, store
from tests.processes import close, opened
from tests.workflows.scheduled import DAY, MINUTE, scheduled
from tests.workflows.test_prompting import DUE
from tracker.access import Access
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.prompting import LEGAL, OPEN, State, recorded_state
from tracker.domain.series import Correction, Prompt
from tracker.store import prompting as stored
from tracker.workflows import consenting, enrolment, feedback, prompting
from tracker.workflows.prompting import NoPromptError, PromptOverError

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Honolulu", "Pacific/Kiritimati")
FACE = '\n[[prompts]]\nid = "face"\nafter = "face_after_gap"\nunseen_minutes = 5\n'
ONE = DAY + FACE
OTHER = DAY.replace('"12:30"', '"10:00", "12:30", "20:00"') + FACE
GAP = timedelta(minutes=30)
ACTS = (
    *("tick", "tick", "tick", "tick", "start", "answer", "late answer", "dismiss", "move", "restart"),
    *("face", "face", "face", "pause", "resume", "withdraw", "grant", "study"),
)
_names = count()

Acts = list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Access]]:
    """One installation, opened anew at each restart; every history is a new person's."""
    folder = tmp_path_factory.mktemp("histories")
    held = [installation(f"sqlite:///{folder / 'affect.db'}", folder)]
    yield held
    close(held[0])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 240), st.integers(0, 9)), max_size=30))
def test_every_history_is_one_that_can_be(place: list[Access], acts: Acts) -> None:
    scheduled(place[0], ONE, DUE - timedelta(days=1))
    who = person(place[0], f"p{next(_names)}", now=DUE - timedelta(hours=6))
    now, before = DUE - timedelta(hours=4), dict[int, Prompt]()
    for act, minutes, which in acts:
        now += minutes * MINUTE
        _do(place, who, act, now, which)
        after = _prompts(place[0], who, now)
        assert before.keys() <= after.keys(), "no prompt goes by itself"
        for number, prompt in before.items():
            assert _leads_to(recorded_state(prompt), recorded_state(after[number])), (act, prompt)
            assert (prompt.slot, prompt.scheduled_at, prompt.notified_at, prompt.expires_at) == (
                after[number].slot,
                after[number].scheduled_at,
                after[number].notified_at,
                after[number].expires_at,
            )
        before = after
    _whole(place[0], who, now, before)


def _do(place: list[Access], who: Person, act: str, now: datetime, which: int) -> None:
    access = place[0]
    with suppress(PromptOverError, NoPromptError, ConsentError):
        match act:
            case "tick":
                prompting.tick(access, who, now)
            case "restart":
                url, folder = access.database.url.render_as_string(), access.keys.path.parent
                close(access)
                place[0] = opened(url, folder)
            case "move":
                prompting.move(access, who, ZONES[which % len(ZONES)], now)
            case "pause":
                enrolment.pause(access, who, now)
            case "resume":
                enrolment.resume(access, who, now)
            case "withdraw":
                consenting.withdraw(access, who, [Scope.PROMPTS], now, recorder=Recorder.PARTICIPANT)
            case "grant":
                consenting.grant(access, who, [Scope.PROMPTS], now, recorder=Recorder.PARTICIPANT)
            case "study":
                scheduled(access, OTHER if which % 2 else ONE, now)
            case "face":
                # Faces come whenever they come: near to other prompts, at night, in a pause.
                store(access, who, [observed(now)], now)
                prompting.tick(access, who, now)
            case _:
                _with_a_prompt(access, who, act, now, which)


def _with_a_prompt(access: Access, who: Person, act: str, now: datetime, which: int) -> None:
    numbers = sorted(_prompts(access, who, now))
    if not numbers:
        return
    number = numbers[-1 - which % min(len(numbers), 3)]
    match act:
        case "start":
            prompting.start(access, who, number, now)
        case "dismiss":
            prompting.dismiss(access, who, number, now)
        case "answer":
            feedback.correct(access, who, Correction(now, "leave_me_alone", None, 1.0), now, prompt=number)
        case "late answer":
            with access.write(who.id, now) as unit:
                prompting.complete(unit, number, now - which * 20 * MINUTE)


def _prompts(access: Access, who: Person, now: datetime) -> dict[int, Prompt]:
    far = timedelta(days=60)
    with access.read(who.id, now) as unit:
        rows = stored.between(unit.connection, who.subject, now - far, now + far)
        return {row.id: row.prompt for row in rows}


def _leads_to(before: State, after: State) -> bool:
    """Whether steps lead from one state to another."""
    reached, new = {before}, {before}
    while new:
        new = {to for state in new for to in LEGAL.get(state, {}).values()} - reached
        reached |= new
    return after in reached


def _whole(access: Access, who: Person, now: datetime, prompts: dict[int, Prompt]) -> None:
    far = timedelta(days=60)
    with access.read(who.id, now) as unit:
        rows = stored.between(unit.connection, who.subject, now - far, now + far)
        live = prompting.live(unit)
    assert len({row.prompt.slot for row in rows}) == len(rows)
    put = sorted((row for row in rows if row.prompt.notified_at is not None), key=lambda row: row.id)
    for row in put:
        prompt = row.prompt
        assert prompt.notified_at is not None
        assert prompt.expires_at is not None
        assert prompt.scheduled_at <= prompt.notified_at < prompt.expires_at
        local = prompt.notified_at.astimezone(ZoneInfo(row.zone))
        assert 8 <= local.hour < 22, "the quiet hours are those of where they were"
    times = [row.prompt.notified_at for row in put if row.prompt.notified_at is not None]
    assert all(b - a >= GAP for a, b in pairwise(times))
    assert all(row.prompt.reason for row in rows if recorded_state(row.prompt) is State.WITHHELD)
    assert live is None or recorded_state(prompts[live.prompt]) in OPEN
