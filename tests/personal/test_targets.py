"""Every target has a learner that is a pure function of what it has learned."""

import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.builders import NOW, installation, observed, person, store
from tests.personal.saying import (
    DAY,
    HOUR,
    MINUTE,
    OTHERS,
    PLACE,
    TARGETS,
    newest,
    replayed,
    said,
    talkative,
    word,
)
from tests.processes import close, finish, opened, start
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import NotCoveredError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.learning.kinds import LEAVE_ME_ALONE, VALENCE, TargetError
from tracker.store import learned, tables
from tracker.workflows import consenting, erasure, feedback

SAID_OF_CONTEXT = (
    "is:",
    "same:",
    "word:place",
    "word:activity",
    "word:company",
    "now:context",
    "lack:context",
)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def features(access: Access, who: Person, target: str) -> list[dict[str, float]]:
    with access.read(who.id, NOW) as unit:
        rows = learned.learned_since(unit.connection, who.subject, target, NOW - 60 * DAY)
    return [dict(row.features) for row in rows]


def test_live_equals_replay_for_every_target(access: Access) -> None:
    who = talkative(access)
    assert replayed(access, who) == dict.fromkeys(sorted(TARGETS), 12)


def test_a_learner_learns_what_it_is_told(access: Access) -> None:
    who = person(access, now=NOW - 9 * DAY)
    after = 0.0
    for i in range(20):
        at = NOW - 5 * DAY + i * HOUR
        done = said(access, who, Correction(at, LEAVE_ME_ALONE, None, 1.0), at + MINUTE)
        after = done.after
        assert done.source is personal.Source.SNAPSHOT
    assert after > 0.8
    mean, spread = said(access, who, Correction(NOW, VALENCE, None, -0.5), NOW + MINUTE).before
    assert (mean, spread > 0) == (0.0, True)


def test_either_contradicts_no_decision(access: Access) -> None:
    who = person(access, now=NOW - 9 * DAY)
    for i in range(20):
        at = NOW - 5 * DAY + i * HOUR
        done = said(access, who, Correction(at, LEAVE_ME_ALONE, None, 0.5), at + MINUTE)
    assert max(done.after, 1 - done.after) > 0.8


def test_words_weigh_by_who_said_them_and_how(access: Access) -> None:
    who = person(access)
    ways = [("participant", False), ("participant", True), ("expert-1", False), ("r17", False)]
    for i, (rater, shown) in enumerate(ways):
        at = NOW - (9 - i) * HOUR
        # With nothing learned no is expected to be as likely as yes; the second agrees with the first.
        feedback.correct(access, who, Correction(at, LEAVE_ME_ALONE, None, 1.0, rater, shown), at)
    with access.read(who.id, NOW) as unit:
        rows = learned.learned_since(unit.connection, who.subject, LEAVE_ME_ALONE, NOW - DAY)
    assert [row.weight for row in rows] == pytest.approx([1.0, 0.3, 0.7, 0.3])
    replayed(access, who)


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("leave_me_alone", -0.5),
        ("leave_me_alone", None),
        ("valence", 1.5),
        ("valence", float("nan")),
        ("stress", 0.5),
        ("number:", 0.5),
        ("number:" + "x" * 26, 0.5),
        ("emotion", 0.5),
    ],
)
def test_an_answer_that_is_none_is_refused_and_not_kept(
    access: Access, target: str, value: float | None
) -> None:
    who = person(access)
    with pytest.raises(TargetError):
        feedback.correct(access, who, Correction(NOW, target, None, value), NOW)
    with access.database.read() as connection:
        assert connection.execute(select(tables.corrections)).all() == []


def test_what_is_undone_leaves_the_learner(access: Access) -> None:
    never, undone = talkative(access, "never", days=2), talkative(access, "undone", days=2)
    at = NOW - 3 * HOUR
    for target in OTHERS:
        said(access, undone, Correction(at, target, None, 1.0), at)
        for who in (never, undone):
            said(access, who, Correction(at, target, None, 0.0), NOW)
    assert replayed(access, undone) == {"emotion": 6, **dict.fromkeys(sorted(OTHERS), 7)}
    with access.read(undone.id, NOW) as unit:
        rows = learned.learned_since(unit.connection, undone.subject, VALENCE, NOW - 9 * DAY)
    assert [row.ended_at is None for row in rows[-2:]] == [False, True]
    assert rows[-1].seen.past_from is not None


@pytest.mark.parametrize("scope", [Scope.CONTEXT, Scope.PROMPTS])
def test_what_is_withdrawn_leaves_every_learner_and_comes_back(access: Access, scope: Scope) -> None:
    who = talkative(access)
    before = {target: newest(access, who, target).parameters for target in TARGETS}
    assert all(PLACE in repr(before[target]) for target in TARGETS)
    consenting.withdraw(access, who, [scope], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    for target in TARGETS:
        row = newest(access, who, target)
        assert row.rebased_at == NOW + HOUR
        assert (PLACE in repr(row.parameters)) == (scope is Scope.PROMPTS)
    assert set(replayed(access, who).values()) == {12 if scope is Scope.CONTEXT else 9}
    consenting.grant(
        access, who, [scope], NOW + HOUR, recorder=Recorder.PARTICIPANT, covers_from=NOW - 30 * DAY
    )
    assert {target: newest(access, who, target).parameters for target in TARGETS} == before


def test_a_learner_that_a_new_grant_covers_in_part_holds_no_more(access: Access) -> None:
    who = talkative(access)
    consenting.withdraw(access, who, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    half = NOW - 2 * DAY
    consenting.grant(
        access, who, [Scope.PERSONAL_LEARNING], NOW + HOUR, recorder=Recorder.PARTICIPANT, covers_from=half
    )
    # The first moment covered was looked at from minutes before.
    held = replayed(access, who)
    assert {held[target] for target in OTHERS} == {5}
    for target in OTHERS:
        with access.read(who.id, NOW + HOUR) as unit:
            again = personal.look(unit, target, half + HOUR)
        assert again.past_from is None


@pytest.mark.parametrize("scope", [Scope.CONTEXT, Scope.PROMPTS])
def test_what_is_erased_is_gone_from_rows_and_learners(access: Access, scope: Scope) -> None:
    who = talkative(access)
    consenting.withdraw(access, who, [scope], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    withdrawn = {target: newest(access, who, target).parameters for target in TARGETS}
    erasure.erase_scope(access, who, scope, NOW + HOUR)
    assert {target: newest(access, who, target).parameters for target in TARGETS} == withdrawn
    replayed(access, who)
    with access.database.read() as connection:
        kept = repr(connection.execute(tables.learning_events.select()).all())
        answers = connection.execute(select(tables.learning_events.c.prompts_from)).scalars().all()
    assert (PLACE in kept) == (scope is Scope.PROMPTS)
    if scope is Scope.PROMPTS:
        assert set(answers) == {None}
    # And it stays as it is when more is learned on top of it.
    for target in OTHERS:
        said(access, who, word(target, NOW + 2 * HOUR, random.Random(1)), NOW + 3 * HOUR)
    replayed(access, who)


def test_both_context_and_past_can_go(access: Access) -> None:
    who = talkative(access)
    for scope in (Scope.CONTEXT, Scope.PROMPTS):
        consenting.withdraw(access, who, [scope], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    withdrawn = {target: newest(access, who, target).parameters for target in TARGETS}
    for scope in (Scope.PROMPTS, Scope.CONTEXT):
        erasure.erase_scope(access, who, scope, NOW + HOUR)
    assert {target: newest(access, who, target).parameters for target in TARGETS} == withdrawn
    for target in OTHERS:
        seen = features(access, who, target)
        assert not [name for f in seen for name in f if name.startswith(SAID_OF_CONTEXT)]
        # All but the first lie after an answer to a prompt, and so know of no past any more.
        assert not [name for f in seen[2:] for name in f if name.startswith(("off:", "told:last"))]


def test_a_rebase_keeps_what_stands(access: Access) -> None:
    who = talkative(access)
    before = {target: newest(access, who, target).parameters for target in TARGETS}
    with access.write(who.id, NOW + DAY) as unit:
        assert {p.target for p in personal.renew_all(unit)} == set(TARGETS)
    assert {target: newest(access, who, target).parameters for target in TARGETS} == before
    replayed(access, who)


def replay_elsewhere(url: str, folder: Path, name: str) -> None:
    access = opened(url, folder)
    assert len(replayed(access, access.person(name))) == len(TARGETS)


def test_another_process_replays_the_same_bits(access: Access, tmp_path: Path) -> None:
    who = talkative(access, days=2)
    url = access.database.url.render_as_string(hide_password=False)
    assert finish(start(replay_elsewhere, url, tmp_path, who.name)) == [0]


def test_both_databases_hold_the_same_learners(sqlite_url: str, postgres_url: str, tmp_path: Path) -> None:
    digests = []
    for url, folder in ((sqlite_url, tmp_path / "a"), (postgres_url, tmp_path / "b")):
        folder.mkdir()
        access = installation(url, folder)
        who = talkative(access, days=2)
        digests.append({target: newest(access, who, target).sha256 for target in TARGETS})
        close(access)
    assert digests[0] == digests[1]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_every_replay_equals_the_live_learner(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("case")
    access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    who = person(access)
    now = NOW
    store(access, who, [observed(NOW - i * HOUR) for i in range(20)], now)
    targets = ("leave_me_alone", "valence")
    for _ in range(14):
        now += timedelta(hours=chance.randrange(60))
        at = chance.choice([NOW - chance.randrange(20) * HOUR, now])
        with access.read(who.id, now) as unit:
            granted = set(unit.grants())
        what = chance.randrange(7)
        if what <= 3:
            with suppress(NotCoveredError):
                prompted = chance.random() < 0.4 and Scope.PROMPTS in granted
                said(access, who, word(chance.choice(targets), at, chance), now, prompted=prompted)
        elif what == 4 and Scope.CONTEXT in granted:
            with suppress(NotCoveredError):
                feedback.add_context(access, who, Context(at, place=chance.choice("ab")), now)
        elif what == 5:
            scope = chance.choice([Scope.CONTEXT, Scope.PROMPTS, Scope.PERSONAL_LEARNING])
            if scope in granted:
                consenting.withdraw(access, who, [scope], now, recorder=Recorder.PARTICIPANT)
                if chance.random() < 0.3:
                    erasure.erase_scope(access, who, scope, now)
            else:
                early = NOW - chance.choice([9 * DAY, chance.randrange(20) * HOUR])
                consenting.grant(access, who, [scope], now, recorder=Recorder.PARTICIPANT, covers_from=early)
        elif Scope.PERSONAL_LEARNING in granted:
            with access.write(who.id, now) as unit:
                personal.renew_all(unit)
        replayed(access, who, now)
    close(access)
