"""No scope implies another: the whole truth table of the decision, and every writer on a real database."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.builders import NOW, leaning, observed, person, store
from tests.invariants import held
from tests.invariants.conftest import Tell
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import (
    SCOPES_OF,
    ConsentError,
    ConsentEvent,
    Notice,
    Permit,
    Recorder,
    Scope,
    State,
    Use,
)
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction, Prompt
from tracker.privacy.consent import decide
from tracker.workflows import feedback, prompts

S = Scope
NEEDED = {
    Use.STORE_SERIES: {S.AFFECT_SERIES},
    Use.CORRECT: {S.AFFECT_SERIES},
    Use.KEEP_CONTEXT: {S.AFFECT_SERIES, S.CONTEXT},
    Use.KEEP_CROPS: {S.AFFECT_SERIES, S.FACE_CROPS},
    Use.KEEP_VIDEO: {S.AFFECT_SERIES, S.RAW_VIDEO},
    Use.KEEP_NOTES: {S.AFFECT_SERIES, S.NOTES},
    Use.PROMPT: {S.PROMPTS},
    Use.LEARN: {S.AFFECT_SERIES, S.PERSONAL_LEARNING},
    Use.POOL: {S.AFFECT_SERIES, S.PERSONAL_LEARNING, S.POOLED_LEARNING},
    Use.RATE_CROPS: {S.FACE_CROPS, S.SHARE_WITH_RATERS},
    Use.RATE_VIDEO: {S.RAW_VIDEO, S.SHARE_WITH_RATERS},
    Use.LOOK: {S.SHARE_WITH_RESEARCHERS},
    Use.EXPORT: {S.EXPORT_PSEUDONYMOUS},
    Use.EXPORT_PUBLIC: {S.EXPORT_PUBLIC},
    Use.AGGREGATE: {S.AFFECT_SERIES},
}
"""DESIGN's table, written down a second time: a change of the code's own must be one here too."""

NOTICE = Notice("1", "en", "a" * 64)


def test_all_sets_of_scopes_and_all_uses(figure: Tell) -> None:
    assert set(NEEDED) == set(Use), "a new use needs its row in DESIGN's table, and here"
    assert {use: set(scopes) for use, scopes in SCOPES_OF.items()} == NEEDED
    given = {
        scope: ConsentEvent(n, scope, State.GIVEN, NOTICE, NOW, NOW, Recorder.PARTICIPANT)
        for n, scope in enumerate(Scope, start=1)
    }
    seen = 0
    for chosen in itertools.product([False, True], repeat=len(given)):
        events = [event for event, on in zip(given.values(), chosen, strict=True) if on]
        granted = {event.scope for event in events}
        for use, needed in NEEDED.items():
            assert isinstance(decide("p", events, use, NOW), Permit) is (needed <= granted), (use, granted)
            seen += 1
    figure(f"{seen:,} = 2^{len(given)} sets of scopes x {len(NEEDED)} uses")


def observe(access: Access, who: Person) -> None:
    store(access, who, [observed(NOW)])


def surround(access: Access, who: Person) -> None:
    feedback.add_context(access, who, Context(NOW, place="home"), NOW)


def say(access: Access, who: Person) -> None:
    feedback.correct(access, who, Correction(NOW, "emotion", leaning(Emotion.FEAR, 0.9)), NOW)


def ask(access: Access, who: Person) -> None:
    at = NOW - timedelta(minutes=1)
    number = prompts.record(access, who, Prompt("slot", at, at, at, at, "answered"), NOW)
    feedback.correct(access, who, Correction(at, "emotion", leaning(Emotion.FEAR, 0.9)), NOW, prompt=number)


WRITERS: dict[Callable[[Access, Person], None], dict[str, set[Scope]]] = {
    observe: {
        "observations": {S.AFFECT_SERIES},
        "estimates": {S.AFFECT_SERIES},
        "summaries": {S.AFFECT_SERIES},
    },
    surround: {"contexts": {S.AFFECT_SERIES, S.CONTEXT}},
    say: {
        "corrections": {S.AFFECT_SERIES},
        "learning_events": {S.AFFECT_SERIES, S.PERSONAL_LEARNING},
        "snapshots": {S.AFFECT_SERIES, S.PERSONAL_LEARNING},
    },
    ask: {
        "prompts": {S.PROMPTS},
        "corrections": {S.PROMPTS},
        "learning_events": {S.AFFECT_SERIES, S.PERSONAL_LEARNING, S.PROMPTS},
        "snapshots": {S.AFFECT_SERIES, S.PERSONAL_LEARNING, S.PROMPTS},
    },
}
"""Each way in, and which scopes must be in force for a row of each table that it writes."""

OURS = sorted({scope for tables in WRITERS.values() for scopes in tables.values() for scope in scopes})


@pytest.mark.parametrize("extra", [False, True], ids=["alone", "with all others"])
def test_every_writer_under_every_set_of_scopes(access: Access, extra: bool, figure: Tell) -> None:
    tried = 0
    others = set(Scope) - set(OURS) if extra else set()
    for chosen in itertools.product([False, True], repeat=len(OURS)):
        granted = {scope for scope, on in zip(OURS, chosen, strict=True) if on} | others
        for writer, tables in WRITERS.items():
            who = person(access, f"{writer.__name__} {tried}", sorted(granted))
            before = held.counts(access)
            try:
                writer(access, who)
            except ConsentError:
                assert held.counts(access) == before, (writer.__name__, granted)
            after = held.counts(access)
            for table in after:
                grown = after[table] > before[table]
                assert not grown or tables[table] <= granted, (writer.__name__, table, granted)
                if table in tables and tables[table] <= granted and table != "snapshots":
                    assert grown, (writer.__name__, table, granted)
            tried += 1
    figure(f"{tried} writes under {2 ** len(OURS)} sets of scopes")
