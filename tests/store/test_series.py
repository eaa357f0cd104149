import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select, text

from tests.builders import NETWORK, NOW, installation, leaning, observed, person, store
from tests.lives import lived
from tests.processes import close
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import ConsentError, NotCoveredError, Use
from tracker.domain.people import Person
from tracker.domain.series import Correction, Estimate, Observed, Reason
from tracker.store import series, summaries, tables, timeline
from tracker.store.rows import EMOTION_COLUMNS
from tracker.store.series import store_observed
from tracker.store.summaries import bucket_of, summarise_again
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
        (reading,) = timeline.readings(unit.connection, ada.subject, None, None)
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
        read = list(timeline.readings(unit.connection, ada.subject, None, None))
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
        stream = timeline.readings(unit.connection, ada.subject, None, None)
        assert len(list(stream)) == 5
        store_observed(
            unit.connection, unit.permit(Use.STORE_SERIES), ada.subject, "UTC", batch(5, source="c" * 64), NOW
        )
    assert count(access, ada) == (10, 10)


def read_by(network: str, o: Observed, said: Emotion) -> Observed:
    return Observed(o.observation, (Estimate(network, leaning(said, 0.4)),) if o.estimates else ())


def own_word(o: Observed, snapshot: int, said: Emotion) -> Observed:
    own = tuple(Estimate(e.network, leaning(said, 0.3), snapshot) for e in o.estimates)
    return Observed(o.observation, o.estimates + own)


def test_an_observation_has_the_word_of_the_network_that_read_it_last(access: Access, ada: Person) -> None:
    rows = batch(4)
    store(access, ada, [own_word(o, 7, Emotion.FEAR) for o in rows])
    store(access, ada, [read_by(SECOND, o, Emotion.ANGER) for o in rows[2:]])
    store(access, ada, rows)  # adds nothing, so the first network is no newer for it
    with access.read(ada.id, NOW) as unit:
        read = list(timeline.readings(unit.connection, ada.subject, None, None))
        assert [timeline.reading_of(unit.connection, r.observation) for r in read] == read
        assert timeline.reading_of(unit.connection, 10**9) is None
    old = (NETWORK, leaning(Emotion.SADNESS), leaning(Emotion.FEAR, 0.3))
    new = (SECOND, leaning(Emotion.ANGER, 0.4), None)
    assert [(r.network, r.machine, r.personal) for r in read] == [old, old, new, new]


def test_a_network_of_a_batch_is_newer_than_those_before_it_there(access: Access, ada: Person) -> None:
    (o,) = batch(1)
    both = (
        *o.estimates,
        Estimate(SECOND, leaning(Emotion.FEAR)),
        Estimate(SECOND, leaning(Emotion.ANGER), 3),
    )
    store(access, ada, [Observed(o.observation, both)])
    with access.read(ada.id, NOW) as unit:
        (reading,) = timeline.readings(unit.connection, ada.subject, None, None)
    assert (reading.network, reading.machine, reading.personal) == (
        SECOND,
        leaning(Emotion.FEAR),
        leaning(Emotion.ANGER),
    )
    assert_summaries_true(access, ada)


def test_the_newest_learner_speaks_over_the_newest_network(access: Access, ada: Person) -> None:
    (o,) = batch(1)
    store(access, ada, [own_word(o, 7, Emotion.FEAR)])
    store(access, ada, [own_word(read_by(SECOND, o, Emotion.ANGER), 8, Emotion.DISGUST)])
    with access.write(ada.id, NOW) as unit:
        (reading,) = timeline.readings(unit.connection, ada.subject, None, None)
        permit = unit.permit(Use.LEARN)
        later = leaning(Emotion.SURPRISE)
        words = [(reading.observation, START, later.probabilities)]
        series.append_estimates(unit.connection, permit, NETWORK, 9, words, NOW)
        assert list(timeline.readings(unit.connection, ada.subject, None, None)) == [reading]
        assert reading.personal == leaning(Emotion.DISGUST, 0.3)
        series.append_estimates(unit.connection, permit, SECOND, 10, words, NOW)
        (reading,) = timeline.readings(unit.connection, ada.subject, None, None)
    assert reading.personal == later


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
        query = timeline.readings_query(ada.subject, START, START + timedelta(minutes=5))
        told = plan(connection, query)
    assert "ix_observations_subject_at" in told
    # So few estimates PostgreSQL may well hash whole; with many it takes their index too.
    for whole_table in ("SCAN observations", "SCAN estimates", "Seq Scan on observations"):
        assert whole_table not in told


def summary_rows(connection: Connection, who: Person) -> dict[tuple[object, ...], tuple[float, ...]]:
    rows = connection.execute(select(tables.summaries).where(tables.summaries.c.subject == who.subject))
    return {tuple(r[1:3]): tuple(round(float(v), 9) for v in r[3:]) for r in rows}


def by_hand(connection: Connection, who: Person) -> dict[tuple[object, ...], tuple[float, ...]]:
    """The summaries as the rows give them, counted without any code that keeps them."""
    seen, said = tables.observations, tables.estimates
    columns = [said.c[name] for name in EMOTION_COLUMNS]
    found: dict[tuple[object, ...], list[float]] = {}

    def count(at: datetime, name: str, values: Sequence[float] = (0.0,) * 8) -> None:
        entry = found.setdefault((bucket_of(at), name), [0.0] * 9)
        entry[:] = [a + b for a, b in zip(entry, (1.0, *values), strict=True)]

    for o in connection.execute(select(seen).where(seen.c.subject == who.subject)).all():
        if o.reason:
            count(o.at, f"reason:{o.reason}")
        words = select(said.c.network, *columns).where(said.c.observation == o.id)
        machine = words.where(said.c.snapshot == 0).order_by(said.c.id.desc()).limit(1)
        if newest := connection.execute(machine).one_or_none():
            count(o.at, "machine", newest[1:])
            own = words.where(said.c.snapshot > 0, said.c.network == newest[0])
            if mine := connection.execute(own.order_by(said.c.snapshot.desc()).limit(1)).one_or_none():
                count(o.at, "personal", mine[1:])
    return {key: tuple(round(float(v), 9) for v in entry) for key, entry in found.items()}


def assert_summaries_true(access: Access, who: Person) -> None:
    with access.database.write() as connection:
        kept = summary_rows(connection, who)
        assert by_hand(connection, who) == kept
        summarise_again(connection, who.subject)
        assert summary_rows(connection, who) == kept


def test_every_observation_counts_once_however_many_networks_read_it(access: Access, ada: Person) -> None:
    rows = batch(300)
    store(access, ada, [own_word(o, 7, Emotion.FEAR) for o in rows])
    store(access, ada, [read_by(SECOND, o, Emotion.ANGER) for o in rows[150:]])
    names = ["machine", "personal"]
    with access.read(ada.id, NOW) as unit:
        found = summaries.read_summaries(unit.connection, ada.subject, START, NOW, names)
    quarter = summaries.BUCKET
    assert {(at, name): n for at, name, n, _ in found} == {
        (START, "machine"): 180,
        (START, "personal"): 150,
        (START + quarter, "machine"): 120,
    }
    for _, _, n, sums in found:
        assert sum(sums) == pytest.approx(n)
    assert_summaries_true(access, ada)


def test_a_second_network_moves_nothing_of_other_quarter_hours(access: Access, ada: Person) -> None:
    rows = batch(600)
    store(access, ada, rows)
    store(access, ada, [read_by(SECOND, o, Emotion.ANGER) for o in rows[200:210]])
    assert_summaries_true(access, ada)


def test_summaries_of_a_life_are_those_computed_again(access: Access) -> None:
    who = lived(access)
    with access.database.read() as connection:
        names = {key[1] for key in summary_rows(connection, who)}
    assert names == {"machine", "personal", "reason:no_face"}
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
    emotions = list(Emotion)
    for step, (first, last) in enumerate(zip([0, *edges], [*edges, n], strict=True), start=1):
        store(access, who, [own_word(o, 1000 + step, chance.choice(emotions)) for o in rows[first:last]])
        if chance.random() < 0.7:
            again = [read_by(SECOND, o, chance.choice(emotions)) for o in rows if chance.random() < 0.5]
            if chance.random() < 0.5:
                again = [own_word(o, 2000 + step, chance.choice(emotions)) for o in again]
            store(access, who, again)
        at = chance.choice(rows).observation.at
        said = leaning(chance.choice(emotions))
        feedback.correct(access, who, Correction(at, "emotion", said), NOW)
    assert_summaries_true(access, who)
    with access.database.write() as connection:
        edge = START + timedelta(minutes=40)
        some = select(tables.observations.c.id).where(tables.observations.c.at < edge)
        connection.execute(delete(tables.learning_events))
        connection.execute(delete(tables.corrections))
        connection.execute(delete(tables.estimates).where(tables.estimates.c.observation.in_(some)))
        connection.execute(delete(tables.observations).where(tables.observations.c.id.in_(some)))
        summarise_again(connection, who.subject, START, edge)
    assert_summaries_true(access, who)
    close(access)


def test_summaries_are_read_by_name_and_time(access: Access, ada: Person) -> None:
    store(access, ada, batch(300))
    with access.read(ada.id, NOW) as unit:
        found = summaries.read_summaries(
            unit.connection, ada.subject, START, START + timedelta(minutes=15), ["machine"]
        )
    assert [(at, n) for at, _, n, _ in found] == [(START, 180)]
