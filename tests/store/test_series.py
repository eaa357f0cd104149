import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, text

from tests.builders import NETWORK, NOW, installation, leaning, observed, person, store
from tests.lives import lived
from tests.processes import close
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import ConsentError, NotCoveredError, Use
from tracker.domain.people import Person
from tracker.domain.series import Correction, Estimate, Observed, Reason
from tracker.store import series, summaries, tables, timeline
from tracker.store.series import store_observed
from tracker.store.summaries import summarise_again
from tracker.workflows import feedback

START = NOW - timedelta(hours=3)
SECOND = "second@000000000000"


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


@pytest.fixture
def ada(access: Access) -> Person:
    return person(access)


def count(access: Access, who: Person) -> tuple[int, int]:
    with access.read(who.id, NOW) as unit:
        return series.count(unit.connection, who.subject)


def batch(n: int, **kwargs: object) -> list[Observed]:
    return [observed(START + timedelta(seconds=5 * i), **kwargs) for i in range(n)]  # type: ignore[arg-type]


def test_storing_again_adds_nothing(access: Access, ada: Person) -> None:
    first = store(access, ada, batch(10))
    assert (first.observations, first.estimates) == (10, 10)
    again = store(access, ada, batch(12))
    assert (again.observations, again.estimates) == (2, 2)
    assert count(access, ada) == (12, 12)


def test_a_second_network_adds_estimates_to_the_same_observations(access: Access, ada: Person) -> None:
    store(access, ada, batch(10))
    added = store(access, ada, batch(10, network=SECOND))
    assert (added.observations, added.estimates) == (0, 10)
    with access.read(ada.id, NOW) as unit:
        known = series.known(unit.connection, ada.subject, "a" * 64)
    assert {k.networks for k in known.values()} == {frozenset({NETWORK, SECOND})}


def test_a_batch_that_repeats_a_frame_stores_it_once(access: Access, ada: Person) -> None:
    twice = [observed(START, Emotion.FEAR), observed(START, Emotion.ANGER)]
    assert store(access, ada, twice).observations == 1
    with access.read(ada.id, NOW) as unit:
        (reading,) = timeline.readings(unit.connection, ada.subject, NETWORK, None, None)
    assert reading.machine == leaning(Emotion.FEAR)


def test_a_batch_is_of_one_source(access: Access, ada: Person) -> None:
    with pytest.raises(ValueError, match="one source"):
        store(access, ada, [observed(START), observed(START, source="b" * 64)])
    assert count(access, ada) == (0, 0)


def test_two_people_and_two_sources_share_presentation_times(access: Access, ada: Person) -> None:
    bob = person(access, "bob")
    for who in (ada, bob):
        for source in ("a" * 64, "b" * 64):
            assert store(access, who, batch(3, source=source)).observations == 3
    assert count(access, ada) == count(access, bob) == (6, 6)


def test_nothing_of_a_batch_is_stored_that_begins_before_the_grant(access: Access) -> None:
    who = person(access, "late", covers_from=START + timedelta(seconds=20))
    with pytest.raises(NotCoveredError, match="--covers-from"):
        store(access, who, batch(10))
    assert count(access, who) == (0, 0)
    assert store(access, who, batch(10)[4:]).observations == 6


def test_every_writer_demands_a_permit_for_its_own_use(access: Access, ada: Person) -> None:
    with access.write(ada.id, NOW) as unit:
        for use in set(Use) - {Use.STORE_SERIES}:
            with pytest.raises(ConsentError, match="does not allow"):
                store_observed(unit.connection, unit.permit(use), ada.subject, "UTC", batch(1), NOW)
        with pytest.raises(ConsentError, match="does not allow"):
            series.append_estimates(unit.connection, unit.permit(Use.CORRECT), NETWORK, 1, [], NOW)


def test_what_is_stored_comes_back(access: Access, ada: Person) -> None:
    row = observed(START, Emotion.DISGUST, pts_us=123_456)
    blurred = observed(START + timedelta(seconds=1), None, reason=Reason.BLURRED, pts_us=1_123_456)
    store(access, ada, [row, blurred])
    with access.read(ada.id, NOW) as unit:
        known = series.known(unit.connection, ada.subject, "a" * 64)
        assert series.span(unit.connection, ada.subject) == (START, START + timedelta(seconds=1))
        read = list(timeline.readings(unit.connection, ada.subject, NETWORK, None, None))
    assert known[123_456].box == row.observation.box
    assert known[1_123_456].reason is Reason.BLURRED
    assert [(r.at, r.reason, r.machine) for r in read] == [
        (START, None, leaning(Emotion.DISGUST)),
        (START + timedelta(seconds=1), Reason.BLURRED, None),
    ]


def test_the_nearest_observation_has_an_estimate(access: Access, ada: Person) -> None:
    store(access, ada, [observed(START), observed(START + timedelta(seconds=60), None)])
    with access.read(ada.id, NOW) as unit:
        near, far = START + timedelta(seconds=59), START - timedelta(minutes=3)
        found = series.nearest(unit.connection, ada.subject, near, timedelta(minutes=2))
        none = series.nearest(unit.connection, ada.subject, far, timedelta(minutes=2))
    assert found is not None
    assert found[1] == START
    assert none is None


def test_streaming_leaves_the_connection_as_it_was(access: Access, ada: Person) -> None:
    store(access, ada, batch(5))
    with access.write(ada.id, NOW) as unit:
        stream = timeline.readings(unit.connection, ada.subject, NETWORK, None, None)
        assert len(list(stream)) == 5
        store_observed(
            unit.connection, unit.permit(Use.STORE_SERIES), ada.subject, "UTC", batch(5, source="c" * 64), NOW
        )
    assert count(access, ada) == (10, 10)


def read_by(network: str, o: Observed) -> Observed:
    return Observed(o.observation, tuple(Estimate(network, e.distribution) for e in o.estimates))


def plan(connection: Connection, query: object) -> str:
    compiled = query.compile(  # type: ignore[attr-defined]
        connection.engine, compile_kwargs={"literal_binds": connection.dialect.name == "postgresql"}
    )
    if connection.dialect.name == "postgresql":
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}").scalars())
    values = tuple(compiled.construct_params().values())
    return "\n".join(str(r) for r in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values))


def test_a_timeline_is_read_through_its_indexes(access: Access, ada: Person) -> None:
    store(access, ada, batch(2000))
    store(access, person(access, "bob"), batch(2000))
    with access.database.write() as connection:
        connection.execute(text("ANALYZE"))
        query = timeline.readings_query(ada.subject, NETWORK, START, START + timedelta(minutes=5))
        told = plan(connection, query)
    assert "ix_observations_subject_at" in told
    # So few estimates PostgreSQL may well hash whole; with many it takes their index too.
    for whole_table in ("SCAN observations", "SCAN estimates", "Seq Scan on observations"):
        assert whole_table not in told


def summary_rows(connection: Connection, who: Person) -> dict[tuple[object, ...], tuple[float, ...]]:
    rows = connection.execute(select(tables.summaries).where(tables.summaries.c.subject == who.subject))
    return {tuple(r[1:3]): tuple(round(float(v), 9) for v in r[3:]) for r in rows}


def assert_summaries_true(access: Access, who: Person) -> None:
    with access.database.write() as connection:
        kept = summary_rows(connection, who)
        summarise_again(connection, who.subject)
        assert summary_rows(connection, who) == kept


def test_summaries_of_a_life_are_those_computed_again(access: Access) -> None:
    who = lived(access)
    with access.database.read() as connection:
        names = {key[1] for key in summary_rows(connection, who)}
    assert names == {f"machine:{NETWORK}", f"personal:{NETWORK}", "reason:no_face"}
    assert_summaries_true(access, who)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), n=st.integers(1, 60), cuts=st.integers(0, 5))
def test_however_rows_arrive_summaries_are_those_computed_again(
    sqlite_url: str, tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, cuts: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("case")
    access = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    who = person(access)
    rows = [
        observed(START + timedelta(seconds=chance.randrange(7200)), chance.choice([*Emotion, None]))
        for _ in range(n)
    ]
    edges = sorted(chance.randrange(n + 1) for _ in range(cuts))
    for first, last in zip([0, *edges], [*edges, n], strict=True):
        store(access, who, rows[first:last])
        if chance.random() < 0.5:
            store(access, who, [read_by(SECOND, o) for o in rows[first:last]])
        at = chance.choice(rows).observation.at
        said = leaning(chance.choice(list(Emotion)))
        feedback.correct(access, who, Correction(at, "emotion", said), NOW)
    with access.database.write() as connection:
        edge = START + timedelta(minutes=40)
        some = select(tables.observations.c.id).where(tables.observations.c.at < edge)
        connection.execute(delete(tables.learning_events))
        connection.execute(delete(tables.corrections))
        before = summary_rows(connection, who)
        summarise_again(connection, who.subject)
        assert summary_rows(connection, who) == before
        connection.execute(delete(tables.estimates).where(tables.estimates.c.observation.in_(some)))
        connection.execute(delete(tables.observations).where(tables.observations.c.id.in_(some)))
        summarise_again(connection, who.subject, START, edge)
        partly = summary_rows(connection, who)
        summarise_again(connection, who.subject)
        assert summary_rows(connection, who) == partly
        total = connection.execute(
            select(func.sum(tables.summaries.c.n)).where(tables.summaries.c.series == f"machine:{NETWORK}")
        ).scalar()
        left = connection.execute(
            select(func.count())
            .select_from(tables.estimates)
            .where(tables.estimates.c.snapshot == 0, tables.estimates.c.network == NETWORK)
        ).scalar_one()
    assert (total or 0) == left
    close(access)


def test_summaries_are_read_by_prefix_and_time(access: Access, ada: Person) -> None:
    store(access, ada, batch(300))
    with access.read(ada.id, NOW) as unit:
        found = summaries.read_summaries(
            unit.connection, ada.subject, START, START + timedelta(minutes=15), ["machine:%"]
        )
    assert [(at, n) for at, _, n, _ in found] == [(START, 180)]
