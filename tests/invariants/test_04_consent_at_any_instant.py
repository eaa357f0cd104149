"""Consent at any past instant, computed again from the log, is what was in force when something was written then."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, observed, person, store
from tests.invariants.conftest import Tell
from tests.invariants.ruling import ruled
from tracker.access import Access
from tracker.domain.consent import ConsentError, Permit, Recorder, Rules, Scope, Use
from tracker.domain.people import Person
from tracker.domain.series import Context
from tracker.privacy.consent import decide
from tracker.workflows import consenting, feedback

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LASTS = 3
SCOPES = (Scope.AFFECT_SERIES, Scope.CONTEXT)

Step = tuple[str, tuple[Scope, ...], int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "withdraw", "refuse", "operator", "confirm", "wait"]),
        st.sampled_from([(Scope.AFFECT_SERIES,), (Scope.CONTEXT,), SCOPES]),
        st.integers(1, 40),
    ),
    min_size=2,
    max_size=12,
)


@dataclass(frozen=True)
class Written:
    """What was tried at an instant, and whether it was let through."""

    at: datetime
    use: Use
    stored: bool


def tried(access: Access, who: Person, at: datetime) -> list[Written]:
    """Try to write under each use, as everything else does."""

    def series() -> None:
        store(access, who, [observed(at, source=secrets.token_hex(32))], at)

    def context() -> None:
        feedback.add_context(access, who, Context(at, place="home"), at)

    return [
        Written(at, use, _succeeds(write))
        for use, write in ((Use.STORE_SERIES, series), (Use.KEEP_CONTEXT, context))
    ]


def _succeeds(write: Callable[[], None]) -> bool:
    try:
        write()
    except ConsentError:
        return False
    return True


def test_every_write_was_as_the_log_says_now(access: Access, figure: Tell) -> None:
    ruled(access, NOW - 100 * DAY, consent={"expires_after_days": LASTS})
    examples = writes = 0

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(STEPS)
    def holds(steps: list[Step]) -> None:
        nonlocal examples, writes
        who = person(access, secrets.token_hex(8), [], now=NOW)
        now, written = NOW, [*tried(access, who, NOW)]
        model: dict[Scope, datetime | None] = {}
        for kind, scopes, hours in steps:
            now += hours * HOUR
            _act(access, who, kind, scopes, now, model)
            written += tried(access, who, now + timedelta(minutes=1))
            for use, needed in ((Use.STORE_SERIES, SCOPES[:1]), (Use.KEEP_CONTEXT, SCOPES)):
                allowed = all(_holds(model.get(s), now + timedelta(minutes=1)) for s in needed)
                assert [w.stored for w in written[-2:] if w.use is use] == [allowed], (kind, scopes)
        with access.read(who.id, now + 100 * DAY) as unit:
            events = unit.events
        for w in written:
            again = decide(who.id, events, w.use, w.at, Rules(lasts_days=LASTS))
            assert isinstance(again, Permit) is w.stored, (w, steps)
        examples += 1
        writes += len(written)

    holds()
    figure(f"{examples} histories, {writes} writes recomputed from the log")


def _act(
    access: Access,
    who: Person,
    kind: str,
    scopes: tuple[Scope, ...],
    now: datetime,
    model: dict[Scope, datetime | None],
) -> None:
    """Do it, and in the model too: until when each scope holds."""
    ends = now + LASTS * DAY
    match kind:
        case "grant":
            consenting.grant(access, who, scopes, now, recorder=Recorder.PARTICIPANT)
            model.update(dict.fromkeys(scopes, ends))
        case "operator":
            consenting.grant(access, who, scopes, now, recorder=Recorder.OPERATOR, evidence="form 1")
            model.update(dict.fromkeys(scopes, ends))
        case "confirm":
            for event in consenting.confirm(access, who, now):
                model[event.scope] = ends
        case "withdraw" | "refuse":
            end = consenting.withdraw if kind == "withdraw" else consenting.refuse
            end(access, who, scopes, now, recorder=Recorder.PARTICIPANT)
            model.update(dict.fromkeys(scopes, None))


def _holds(until: datetime | None, at: datetime) -> bool:
    return until is not None and at < until
