"""When a person changes, their learner notices, says so, and forgets faster."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests import templates
from tests.builders import NOW, installation, leaning, person
from tests.personal.saying import DAY, HOUR, MINUTE, newest, replayed, said
from tests.processes import close
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE, VALENCE
from tracker.personal.drifting import newest_drift
from tracker.personal.log import FADED
from tracker.store import drifts, learned, tables
from tracker.workflows import consenting, erasure, feedback, retention, timeline

START = NOW - 20 * DAY
CHANGE = START + 10 * DAY


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def changed(access: Access, target: str = LEAVE_ME_ALONE) -> tuple[Person, datetime]:
    """Someone whose answer follows from where they are, and then the other way round, until that is noticed."""
    return templates.once(access, ("changed", target), lambda: _changed(access, target))


def _changed(access: Access, target: str) -> tuple[Person, datetime]:
    who, chance = person(access, now=START - DAY), random.Random(3)
    for i in range(140):
        at = START + i * 3 * HOUR
        home, turned = chance.random() < 0.5, at >= CHANGE
        feedback.add_context(access, who, Context(at - MINUTE, place="home" if home else "work"), at)
        yes = home is not turned
        correction = {
            LEAVE_ME_ALONE: Correction(at, target, None, float(yes)),
            VALENCE: Correction(at, target, None, 0.8 if yes else -0.8),
            EMOTION: Correction(at, target, leaning(Emotion.ANGER if yes else Emotion.HAPPINESS, 0.97)),
        }[target]
        said(access, who, correction, at + MINUTE)
        with access.read(who.id, at + MINUTE) as unit:
            if personal.drifted(unit, target):
                assert turned
                return who, at + MINUTE
    raise AssertionError("nobody noticed")


@pytest.mark.parametrize("target", [LEAVE_ME_ALONE, VALENCE, EMOTION])
def test_a_change_is_noticed_kept_and_answered(access: Access, target: str) -> None:
    who, noticed = changed(access, target)
    with access.read(who.id, noticed) as unit:
        (event,) = personal.drifted(unit, target)
        (state,) = timeline.learners(unit)
        (row,) = drifts.since(unit.connection, who.subject, START)
    assert CHANGE - DAY <= event.since <= CHANGE + 2 * DAY
    assert event.after > event.before
    assert (row.at, row.recorded_at, row.kind) == (event.since, noticed, "page_hinkley")
    # What was learned before weighs less: live and replayed agree on that.
    live = newest(access, who, target, noticed)
    assert (live.faded_before, live.rebased_at) == (event.since, noticed)
    replayed(access, who, noticed)
    day = f"{event.since.astimezone().day} "
    assert state.news[0].startswith(f"Since {day}")
    assert "what you said before that now counts a quarter" in state.news[0]


def test_after_it_the_learner_follows_sooner(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    who, noticed = changed(access)
    with access.read(who.id, noticed) as unit:
        seen = personal.look(unit, LEAVE_ME_ALONE, noticed)
        found = personal.load(unit, LEAVE_ME_ALONE)
    assert found is not None
    faded = found.learner.predict(seen.features)
    monkeypatch.setattr("tracker.personal.log.FADED", 1.0)
    with access.write(who.id, noticed) as unit:
        kept = personal.rebase(unit, LEAVE_ME_ALONE).learner.predict(seen.features)
    assert FADED < 1.0
    assert faded > kept


def test_it_is_not_noticed_twice_and_counts_for_thirty_days(access: Access) -> None:
    who, noticed = changed(access)
    for i in range(5):
        at = noticed + (i + 1) * 6 * HOUR
        said(access, who, Correction(at, LEAVE_ME_ALONE, None, 1.0), at)
    with access.read(who.id, noticed + 2 * DAY) as unit:
        assert len(personal.drifted(unit, LEAVE_ME_ALONE)) == 1
    replayed(access, who, noticed + 2 * DAY)
    late = noticed + 31 * DAY
    with access.write(who.id, late) as unit:
        assert personal.rebase(unit, LEAVE_ME_ALONE).snapshot.faded_before is None
    retention.run(access, late)
    replayed(access, who, late)


def test_steady_people_raise_nothing(access: Access) -> None:
    who = person(access, now=START - DAY)
    for i in range(40):
        at = START + i * 6 * HOUR
        said(access, who, Correction(at, LEAVE_ME_ALONE, None, float(i % 4 == 0)), at + MINUTE)
    with access.read(who.id, NOW) as unit:
        assert personal.drifted(unit, LEAVE_ME_ALONE) == []
        assert [line for state in timeline.learners(unit) for line in state.news] == []


@pytest.mark.parametrize("scope", [Scope.PERSONAL_LEARNING, Scope.AFFECT_SERIES])
def test_it_goes_with_the_learner(access: Access, scope: Scope) -> None:
    who, noticed = changed(access)
    consenting.withdraw(access, who, [scope], noticed + HOUR, recorder=Recorder.PARTICIPANT)
    with access.read(who.id, noticed + HOUR) as unit:
        assert timeline.learners(unit) == []
    erasure.erase_scope(access, who, scope, noticed + HOUR)
    with access.database.read() as connection:
        assert connection.execute(tables.drifts.select()).all() == []


def test_a_damaged_log_stops_no_correction(access: Access) -> None:
    who, noticed = changed(access)
    with access.database.write() as connection:
        events = tables.learning_events
        oldest = connection.execute(events.select().order_by(events.c.id).limit(1)).mappings().one()
        connection.execute(events.update().where(events.c.id == oldest["id"]).values(predicted={}))
    at = noticed + timedelta(hours=6)
    said(access, who, Correction(at, LEAVE_ME_ALONE, None, 1.0), at)
    with access.read(who.id, at) as unit:
        assert len(learned.judged(unit.connection, who.subject, LEAVE_ME_ALONE, after=noticed)) == 1


def test_only_the_newest_answer_tips_it() -> None:
    calm = [(-0.1, START + i * HOUR) for i in range(30)]
    wild = [(2.0, START + (30 + i) * HOUR) for i in range(6)]
    tipped = [newest_drift((calm + wild)[: i + 1]) is not None for i in range(36)]
    assert sum(tipped) == 1
    assert tipped.index(True) > 30
