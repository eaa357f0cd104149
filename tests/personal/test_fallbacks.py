"""What cannot be read is answered for by the next best, and said."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text, update

from tests.builders import NOW, installation, observed, store
from tests.personal.saying import DAY, HOUR, TARGETS, newest, replayed, said, talkative, word
from tests.personal.test_priors import contributors
from tests.processes import close
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.jobs import Jobs
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE
from tracker.personal import Source
from tracker.store import learned, priors, tables
from tracker.workflows import consenting, ingest, timeline

SHORT = (EMOTION, LEAVE_ME_ALONE, "valence")


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def damage_snapshots(access: Access, parameters: object) -> None:
    with access.database.write() as connection:
        connection.execute(update(tables.snapshots).values(parameters=parameters))


def damage_events(access: Access, who: Person, target: str, **values: object) -> None:
    with access.read(who.id, NOW) as unit:
        rows = learned.learned_since(unit.connection, who.subject, target, NOW - 30 * DAY)
    with access.database.write() as connection:
        mine = tables.learning_events.c.id == rows[1].id
        connection.execute(update(tables.learning_events).where(mine).values(**values))


def source(access: Access, who: Person, target: str) -> Source:
    with access.read(who.id, NOW) as unit:
        found = personal.load(unit, target)
    assert found is not None
    return found.source


def altered(access: Access, who: Person, target: str) -> dict[str, object]:
    return newest(access, who, target).parameters | {"learned": 7}


@pytest.mark.parametrize("target", SHORT)
def test_what_can_be_read_answers_itself(access: Access, target: str) -> None:
    assert source(access, talkative(access, targets=SHORT, days=1), target) is Source.SNAPSHOT


@pytest.mark.parametrize("target", SHORT)
@pytest.mark.parametrize("how", ["next year's", "altered", "emptied", "a list"])
def test_an_unreadable_snapshot_is_replayed(access: Access, target: str, how: str) -> None:
    who = talkative(access, targets=SHORT, days=1)
    whole = newest(access, who, target).sha256
    damage_snapshots(
        access,
        {
            "next year's": {"format": "of next year"},
            "altered": altered(access, who, target),
            "emptied": {},
            "a list": [1, 2],
        }[how],
    )
    with access.read(who.id, NOW) as unit:
        found = personal.load(unit, target)
    assert found is not None
    assert found.source is Source.REPLAY
    assert personal.digest(found.learner.snapshot()) == whole


def test_a_snapshot_that_is_no_json_is_replayed(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    who = talkative(access, targets=SHORT, days=1)
    with access.database.write() as connection:
        connection.execute(text("UPDATE snapshots SET parameters = substr(parameters, 1, 40)"))
    assert [source(access, who, target) for target in SHORT] == [Source.REPLAY] * 3
    with access.database.write() as connection:
        connection.execute(text("UPDATE learning_events SET features = substr(features, 1, 9)"))
    assert [source(access, who, target) for target in SHORT] == [Source.NETWORK] * 3
    close(access)


DAMAGE: list[dict[str, object]] = [
    {"features": {"now:p": "much"}},
    {"features": [1, 2]},
    {"weight": 4.0},
]


def test_what_was_foretold_is_not_needed_to_learn_again(access: Access) -> None:
    who = talkative(access, targets=SHORT, days=1)
    before = {target: newest(access, who, target).sha256 for target in SHORT}
    damage_snapshots(access, {})
    for target in SHORT:
        damage_events(access, who, target, predicted={"no": "list"})
    with access.read(who.id, NOW) as unit:
        found = {target: personal.load(unit, target) for target in SHORT}
    again = {target: personal.digest(f.learner.snapshot()) for target, f in found.items() if f is not None}
    assert again == before


@pytest.mark.parametrize("target", SHORT)
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda d: repr(*d.values()))
def test_without_its_corrections_the_prior_answers_and_without_that_the_network(
    access: Access, target: str, damage: dict[str, object]
) -> None:
    who, *_ = contributors(access, 5, targets=SHORT)
    personal.refit(access, NOW)
    with access.write(who.id, NOW) as unit:
        personal.renew_all(unit)
    damage_snapshots(access, {})
    damage_events(access, who, target, **damage)
    with access.read(who.id, NOW) as unit:
        found, row = personal.load(unit, target), priors.standing(unit.connection, target)
        replay = personal.replay(unit, target)
        (state,) = [s for s in timeline.learners(unit) if s.target == target]
    assert found is not None
    assert row is not None
    assert (found.source, found.learner.learned) == (Source.PRIOR, 0)
    assert replay is not None
    assert not replay.equal
    assert replay.problem
    assert "cannot be read" in state.news[0]
    # Nothing is learned on top of what cannot be replayed; the word itself is kept.
    done = said(access, who, word(target, NOW - HOUR / 2, random.Random(1)), NOW)
    assert (done.before, done.source) == (None, Source.PRIOR)
    with access.database.write() as connection:
        connection.execute(update(tables.priors).values(parameters={"format": "of next year"}))
    assert source(access, who, target) is Source.NETWORK


def test_the_network_alone_is_stored_where_the_own_learner_cannot_be_read(access: Access) -> None:
    who = talkative(access, targets=SHORT, days=1)
    damage_snapshots(access, {})
    damage_events(access, who, EMOTION, weight=4.0)
    store_by_ingest(access, who)
    with access.read(who.id, NOW) as unit:
        (moment,) = timeline.moments_in(unit, NOW, None)
    assert (moment.machine is None, moment.personal) == (False, None)


def store_by_ingest(access: Access, who: Person) -> None:
    with access.write(who.id, NOW) as unit:
        ingest.store(unit, unit.capture_permit(), [observed(NOW, source="b" * 64)], NOW)


@pytest.mark.parametrize("situation", [None, {}, {"day": 1}, [1]], ids=repr)
def test_a_past_that_cannot_be_read_stops_no_correction(access: Access, situation: object) -> None:
    who = talkative(access, targets=SHORT, days=1)
    damage_events(access, who, LEAVE_ME_ALONE, situation=situation)
    done = said(access, who, Correction(NOW, LEAVE_ME_ALONE, None, 1.0), NOW)
    assert (done.correction > 0, done.before, done.source) == (True, None, Source.NETWORK)


def test_nobody_waits_for_a_learner_that_cannot_be_read(access: Access) -> None:
    damaged, whole = talkative(access, "damaged", SHORT, days=1), talkative(access, "whole", SHORT, days=1)
    damage_events(access, damaged, LEAVE_ME_ALONE, weight=4.0)
    night = NOW + DAY
    ran = {r.job: r.outcome for r in Jobs(access, lambda: night, "here").run_once(night)}
    assert ran["rebase"] == "5 learners rebased, 1 could not be"
    assert newest(access, whole, LEAVE_ME_ALONE).rebased_at == night
    # Its last state can still be read, so it still answers.
    assert source(access, damaged, LEAVE_ME_ALONE) is Source.SNAPSHOT


def test_consent_can_be_withdrawn_although_a_learner_cannot_be_read(access: Access) -> None:
    who = talkative(access, targets=SHORT, days=1)
    damage_events(access, who, LEAVE_ME_ALONE, weight=4.0)
    consenting.withdraw(access, who, [Scope.CONTEXT], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    assert sorted(replayed(access, who)) == ["emotion", "valence"]
    store(access, who, [observed(NOW + HOUR)], NOW + HOUR)
    done = said(access, who, Correction(NOW + HOUR, LEAVE_ME_ALONE, None, 1.0), NOW + HOUR)
    assert (done.before, done.source) == (None, Source.NETWORK)


def test_every_source_is_said_in_words() -> None:
    assert len({s.sentence for s in Source}) == len(Source)
    assert [s for s in Source if s.own] == [Source.SNAPSHOT, Source.REPLAY]
    assert len(TARGETS) == 6
