import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.builders import NOW, installation, leaning, observed, person, store
from tests.lives import PLACE, answered, lived
from tests.processes import close, finish, opened, start
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import NotCoveredError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.learning.features import ContextAt
from tracker.store import learned, snapshots, tables, timeline
from tracker.workflows import consenting
from tracker.workflows import feedback as correcting

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def assert_replay_equal(access: Access, who: Person) -> personal.Replay:
    with access.read(who.id, NOW) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal
    return replay


def said(access: Access, who: Person, hour: int, emotion: Emotion, after: timedelta = HOUR) -> int:
    at = NOW + hour * HOUR
    return correcting.correct(
        access, who, Correction(at, "emotion", leaning(emotion, 0.9)), at + after
    ).correction


def newest(access: Access, who: Person) -> snapshots.SnapshotRow:
    with access.read(who.id, NOW) as unit:
        row = snapshots.latest(unit.connection, who.subject, "emotion")
    assert row is not None
    return row


def test_a_replay_equals_the_live_learner_bit_for_bit(access: Access) -> None:
    who = lived(access)
    assert assert_replay_equal(access, who).events == 3


@pytest.mark.parametrize("scope", [Scope.CONTEXT, Scope.PROMPTS])
def test_what_is_withdrawn_leaves_the_learner(access: Access, scope: Scope) -> None:
    who = lived(access)
    before = newest(access, who)
    consenting.withdraw(access, who, [scope], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    after = newest(access, who)
    assert after.rebased_at == NOW + HOUR
    assert after.sha256 != before.sha256
    if scope is Scope.CONTEXT:
        assert PLACE in repr(before.parameters)
        assert PLACE not in repr(after.parameters)
    assert assert_replay_equal(access, who).events == {Scope.CONTEXT: 3, Scope.PROMPTS: 1}[scope]


def test_a_learner_that_stood_still_does_not_come_back_as_it_was(access: Access) -> None:
    who = lived(access)
    consenting.withdraw(access, who, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    assert PLACE in repr(newest(access, who).parameters)  # kept, and used by nobody
    with access.read(who.id, NOW + HOUR) as unit:
        assert personal.load(unit) is None
    granted(access, who, Scope.PERSONAL_LEARNING, NOW + 2 * HOUR, NOW - DAY)
    assert PLACE not in repr(newest(access, who).parameters)
    assert assert_replay_equal(access, who).events == 3


def test_what_a_new_grant_does_not_cover_is_not_learned_again(access: Access) -> None:
    who = lived(access)
    consenting.withdraw(access, who, [Scope.PERSONAL_LEARNING], NOW, recorder=Recorder.PARTICIPANT)
    granted(access, who, Scope.PERSONAL_LEARNING, NOW + HOUR)
    assert newest(access, who).learn_since == NOW + HOUR
    assert assert_replay_equal(access, who).events == 0
    # Corrections of lived: minutes 12, 36 and (an answer) 80, of the two hours before NOW.
    granted(access, who, Scope.PERSONAL_LEARNING, NOW + HOUR, NOW - 2 * HOUR + timedelta(minutes=36))
    assert assert_replay_equal(access, who).events == 2


def test_a_context_comes_back_as_far_as_a_new_grant_covers_it(access: Access) -> None:
    who = lived(access)
    said_at = NOW - 2 * HOUR
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT)
    # The moments corrected lie after this instant, the context that surrounded them before it.
    granted(access, who, Scope.CONTEXT, NOW + HOUR, said_at + timedelta(microseconds=1))
    assert PLACE not in repr(newest(access, who).parameters)
    assert_replay_equal(access, who)
    with access.read(who.id, NOW + HOUR) as unit:
        learner = personal.load(unit)
    assert learner is not None
    at = said_at + timedelta(minutes=12)
    seen = learner.features(None, at, ZoneInfo("UTC"), ContextAt(PLACE, age_s=720.0))
    assert f"place={PLACE}" not in seen
    granted(access, who, Scope.CONTEXT, NOW + HOUR, said_at)
    assert PLACE in repr(newest(access, who).parameters)
    assert assert_replay_equal(access, who).events == 3


def granted(
    access: Access, who: Person, scope: Scope, now: datetime, covers_from: datetime | None = None
) -> None:
    consenting.grant(access, who, [scope], now, recorder=Recorder.PARTICIPANT, covers_from=covers_from)


def test_answers_to_prompts_come_back_as_far_as_a_new_grant_covers_them(access: Access) -> None:
    who = lived(access)
    consenting.withdraw(access, who, [Scope.PROMPTS], NOW, recorder=Recorder.PARTICIPANT)
    again = NOW + HOUR
    # Answers of lived: about minutes 36 and 80 of the two hours before NOW.
    for covers_from, events in ((None, 1), (NOW - HOUR, 2), (NOW - DAY, 3)):
        granted(access, who, Scope.PROMPTS, again, covers_from)
        assert assert_replay_equal(access, who).events == events
    answered(access, who, NOW - timedelta(minutes=3), Emotion.DISGUST, again)
    assert assert_replay_equal(access, who).events == 4


def test_a_second_word_takes_the_first_out_of_the_learner(access: Access) -> None:
    ada, bob = person(access, "ada"), person(access, "bob")
    for who in (ada, bob):
        store(access, who, [observed(NOW + i * HOUR) for i in range(3)], NOW + 3 * HOUR)
    said(access, ada, 0, Emotion.ANGER)
    said(access, ada, 0, Emotion.FEAR)
    said(access, bob, 0, Emotion.FEAR)
    with access.read(ada.id, NOW) as unit:
        mine = snapshots.latest(unit.connection, ada.subject, "emotion")
        other = snapshots.latest(unit.connection, bob.subject, "emotion")
    assert mine is not None
    assert other is not None
    assert mine.parameters == other.parameters
    assert_replay_equal(access, ada)


def test_a_rebase_that_runs_behind_another_clock_does_not_bring_back_what_was_undone(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW + i * HOUR) for i in range(3)], NOW + 3 * HOUR)
    said(access, who, 0, Emotion.ANGER, timedelta(hours=5))
    said(access, who, 0, Emotion.FEAR, timedelta(hours=5))
    with access.write(who.id, NOW + 4 * HOUR) as unit:
        personal.rebase(unit)
    assert assert_replay_equal(access, who).events == 1


def test_an_untrained_learner_says_what_the_network_says(access: Access) -> None:
    who = person(access)
    with access.write(who.id, NOW) as unit:
        learner = personal.current(unit)
        assert learner is not None
        heard = leaning(Emotion.DISGUST, 0.7)
        seen = learner.features(heard, NOW, ZoneInfo("UTC"), None)
        for p, q in zip(learner.learner.predict(seen).probabilities, heard.probabilities, strict=True):
            assert abs(p - q) < 1e-6


def test_a_replay_looks_at_the_parameters_that_are_live(access: Access) -> None:
    who = lived(access)
    row = newest(access, who)
    weights = row.parameters["weights"]
    altered = row.parameters | {"weights": weights | {"anger": weights["anger"] | {"read": 4.0}}}
    with access.database.write() as connection:
        mine = tables.snapshots.c.id == row.id
        connection.execute(update(tables.snapshots).where(mine).values(parameters=altered))
    with access.read(who.id, NOW) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert not replay.equal


def test_a_snapshot_that_cannot_be_read_is_learned_again(access: Access) -> None:
    who = lived(access)
    whole = newest(access, who).parameters
    with access.database.write() as connection:
        connection.execute(update(tables.snapshots).values(parameters={"format": "of next year"}))
    with access.read(who.id, NOW) as unit:
        learner = personal.load(unit)
    assert learner is not None
    assert learner.learner.snapshot() == whole


def test_predictions_were_made_before_the_answer_was_known(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW + i * HOUR) for i in range(4)], NOW + 4 * HOUR)
    befores = []
    for hour, emotion in enumerate((Emotion.ANGER, Emotion.ANGER, Emotion.FEAR)):
        at = NOW + hour * HOUR
        done = correcting.correct(access, who, Correction(at, "emotion", leaning(emotion)), NOW + 5 * HOUR)
        befores.append(done.before)
    with access.read(who.id, NOW) as unit:
        events = learned.learned_since(unit.connection, who.subject, "emotion", NOW)
    assert [e.predicted for e in events] == befores
    assert {e.machine for e in events} == {leaning(Emotion.SADNESS)}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_a_replay_equals_the_live_learner(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("case")
    access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    who = person(access)
    now = NOW
    store(access, who, [observed(NOW - i * HOUR) for i in range(20)], now)
    for _ in range(12):
        now += timedelta(hours=chance.randrange(80))
        at = NOW - chance.randrange(20) * HOUR
        what = chance.randrange(6)
        with access.read(who.id, now) as unit:
            granted = set(unit.grants())
        if what <= 2:
            emotion = chance.choice(list(Emotion))
            correcting.correct(access, who, Correction(at, "emotion", leaning(emotion)), now)
        elif what == 3 and Scope.CONTEXT in granted:
            with suppress(NotCoveredError):
                correcting.add_context(access, who, Context(at, place=chance.choice("ab")), now)
        elif what == 4:
            scope = chance.choice([Scope.CONTEXT, Scope.PROMPTS, Scope.PERSONAL_LEARNING])
            if scope in granted:
                consenting.withdraw(access, who, [scope], now, recorder=Recorder.PARTICIPANT)
            else:
                early = NOW - chance.choice([timedelta(days=9), chance.randrange(20) * HOUR])
                consenting.grant(access, who, [scope], now, recorder=Recorder.PARTICIPANT, covers_from=early)
        elif Scope.PERSONAL_LEARNING in granted:
            with access.write(who.id, now) as unit:
                personal.rebase(unit)
        with access.read(who.id, now) as unit:
            replay = personal.replay(unit)
        assert replay is None or replay.equal
    close(access)


def replay_elsewhere(url: str, folder: Path, name: str) -> None:
    access = opened(url, folder)
    who = access.person(name)
    with access.write(who.id, NOW) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal


def test_another_process_replays_the_same_bits(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    url = access.database.url.render_as_string(hide_password=False)
    assert finish(start(replay_elsewhere, url, tmp_path, who.name)) == [0]


def test_a_learner_belongs_to_one_person(access: Access) -> None:
    ada, bob = lived(access, "ada"), person(access, "bob")
    store(access, bob, [observed(NOW)])
    with access.write(bob.id, NOW) as unit:
        learner = personal.current(unit)
    assert learner is not None
    assert learner.learner.learned == 0
    assert newest(access, ada).parameters != learner.snapshot.parameters


def test_the_moments_around_a_correction_are_read_again(access: Access) -> None:
    who = person(access)
    at = [NOW + timedelta(minutes=m) for m in (0, 5, 14, 40)]
    store(access, who, [observed(a) for a in at], NOW + HOUR)
    correcting.correct(access, who, Correction(at[0], "emotion", leaning(Emotion.ANGER, 1.0)), NOW + HOUR)
    with access.read(who.id, NOW) as unit:
        read = list(timeline.readings(unit.connection, who.subject, None, None))
    own = [r.personal for r in read]
    assert all(o is not None and o[Emotion.ANGER] > leaning(Emotion.SADNESS)[Emotion.ANGER] for o in own[:3])
    assert own[3] is None
    with access.database.read() as connection:
        first = connection.execute(select(tables.estimates).where(tables.estimates.c.snapshot == 0)).all()
    assert len(first) == 4
