"""Past its retention a row is read by nobody, and gone after the next run; a coarse series keeps its sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.builders import NETWORK, NOW, installation, leaning, observed, person, store
from tests.lives import answered, lived
from tests.processes import close
from tests.workflows import archived, exported
from tracker import personal
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.consent import NotCoveredError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Context, Correction, Reason
from tracker.store import ageing, coarsening, compacting, tables
from tracker.store import studies as stored
from tracker.store.summaries import read_summaries
from tracker.study import DEFAULT, Study, parse
from tracker.study.parts import Coarsening, Resolution, Retention, Step
from tracker.workflows import consenting, feedback, retention, showing, timeline
from tracker.workflows.export import export_dataset

DAY = timedelta(days=1)
SAMPLED = ("observations", "estimates", "corrections", "contexts", "prompts", "drifts", "learning_events")


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(sqlite_url, tmp_path)
    yield made
    close(made)


def keep(access: Access, now: datetime = NOW, **days: int) -> Study:
    """Let a study govern that keeps scopes for so many days, under the built-in notice: nobody is asked again."""
    return govern(access, DEFAULT.model_copy(update={"retention": Retention(**days)}), now)


def coarse(access: Access, *steps: tuple[int, Resolution], now: datetime = NOW) -> Study:
    said = Coarsening(affect_series=tuple(Step(after_days=n, to=to) for n, to in steps))
    crops = Retention(face_crops=30)
    return govern(access, DEFAULT.model_copy(update={"coarsening": said, "retention": crops}), now)


def govern(access: Access, study: Study, now: datetime) -> Study:
    with access.database.write() as connection:
        stored.apply(connection, stored.StudyRow(study.sha256, study.document(), now, "test"))
    return study


def counts(access: Access) -> dict[str, int]:
    with access.database.read() as connection:
        return {
            name: connection.execute(
                select(func.count()).select_from(tables.metadata.tables[name])
            ).scalar_one()
            for name in SAMPLED
        }


def moments(access: Access, who: Person, now: datetime) -> list[Any]:
    with timeline.moments(access, who, now) as found:
        return list(found)


def page(access: Access, who: Person, now: datetime, days: int) -> timeline.Page:
    with access.read(who.id, now) as unit:
        return timeline.page(unit, NOW - days * DAY, NOW + DAY)


def test_without_a_retention_nothing_ages(access: Access) -> None:
    who = lived(access)
    before = counts(access)
    far = NOW + 29 * DAY
    retention.run(access, far)
    assert counts(access) == before
    assert len(moments(access, who, far)) > 30


@pytest.mark.parametrize("days", [1, 5])
def test_past_the_deadline_nothing_is_read_though_no_run_ever_came(access: Access, days: int) -> None:
    who = lived(access)
    keep(access, affect_series=5, context=5, prompts=5)
    before = counts(access)
    assert moments(access, who, NOW + DAY) != []
    late = NOW + 5 * DAY
    assert counts(access) == before
    assert moments(access, who, late) == []
    found = page(access, who, late, days)
    assert (found.points, found.gaps, found.corrections, found.span, found.network) == (
        (),
        (),
        (),
        None,
        None,
    )
    with access.read(who.id, late) as unit:
        assert timeline.learners(unit) == [] or all(s.drifted_at is None for s in timeline.learners(unit))


def test_the_next_run_erases_it_and_what_was_derived(access: Access) -> None:
    who, other = lived(access), lived(access, "other")
    keep(access, affect_series=5, context=5, prompts=5)
    young = NOW + 5 * DAY + timedelta(seconds=1)
    store(access, other, [observed(young, Emotion.FEAR, source="b" * 64)], young)
    gone = retention.run(access, young)
    assert gone["observations"] > 60
    left = counts(access)
    assert left == dict.fromkeys(SAMPLED, 0) | {"observations": 1, "estimates": 1}
    with access.read(who.id, young) as unit:
        replay = personal.replay(unit)
        assert replay is not None
        assert replay.equal
        assert replay.events == 0
    assert retention.run(access, young) == {}


def test_what_is_gone_is_gone_from_the_files(lite: Access) -> None:
    lived(lite)
    keep(lite, context=5)
    files = compacting.files_of(lite.database.path or Path())
    assert compacting.traces(files, [b"canary-place-7f3a"]) != []
    retention.run(lite, NOW + 5 * DAY)
    assert counts(lite)["contexts"] == 0
    assert compacting.traces(files, [b"canary-place-7f3a"]) == []


def test_each_scope_ages_by_itself(access: Access) -> None:
    who = lived(access)
    before = counts(access)
    keep(access, prompts=5)
    retention.run(access, NOW + 5 * DAY)
    after = counts(access)
    assert after["prompts"] == 0
    assert after["corrections"] == before["corrections"] - 2
    assert after["observations"] == before["observations"]
    assert after["contexts"] == before["contexts"]
    with access.read(who.id, NOW + 5 * DAY) as unit:
        replay = personal.replay(unit)
    assert replay is not None
    assert replay.equal


def test_the_learners_words_may_age_before_the_networks(access: Access) -> None:
    who = lived(access)
    keep(access, personal_learning=5)
    late = NOW + 5 * DAY
    assert all(m.personal is None for m in moments(access, who, late))
    assert any(m.machine is not None for m in moments(access, who, late))
    retention.run(access, late)
    with access.database.read() as connection:
        assert connection.execute(select(func.max(tables.estimates.c.snapshot))).scalar_one() == 0
        rows = read_summaries(connection, who.subject, NOW - DAY, NOW + DAY, ["machine", "personal"])
    assert {row[1] for row in rows} == {"machine"}


def test_what_is_past_already_is_not_taken_in(access: Access) -> None:
    who = person(access)
    keep(access, affect_series=5, context=5)
    with pytest.raises(NotCoveredError):
        store(access, who, [observed(NOW - 6 * DAY)])
    with pytest.raises(NotCoveredError):
        feedback.add_context(access, who, Context(NOW - 6 * DAY, place="home"), NOW)
    with pytest.raises(NotCoveredError):
        feedback.correct(access, who, Correction(NOW - 6 * DAY, "emotion", leaning(Emotion.FEAR, 0.9)), NOW)
    assert store(access, who, [observed(NOW - 4 * DAY)]).observations == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ages=st.lists(st.floats(0, 20), min_size=1, max_size=12, unique=True), days=st.integers(1, 20))
def test_every_row_is_read_before_its_deadline_and_none_after(
    lite: Access, ages: list[float], days: int
) -> None:
    who = person(lite, f"p{id(ages)}-{days}-{len(ages)}-{ages[0]:.5f}", now=NOW)
    instants = sorted({NOW - timedelta(seconds=int(a * 86_400)) for a in ages})
    keep(lite, affect_series=3_000)
    store(lite, who, [observed(at) for at in instants])
    keep(lite, affect_series=days)
    kept = [at for at in instants if at >= NOW - days * DAY]
    assert [m.at for m in moments(lite, who, NOW)] == kept
    with lite.write(who.id, NOW) as unit:
        ageing.delete_before(unit.connection, who.subject, who.id, unit.horizons())
        left = unit.connection.execute(
            select(tables.observations.c.at)
            .where(tables.observations.c.subject == who.subject)
            .order_by(tables.observations.c.at)
        )
        assert list(left.scalars()) == kept


# --- coarsening -----------------------------------------------------------------------------------------------------


def sampled(access: Access, who: Person) -> list[Any]:
    o, e = tables.observations.c, tables.estimates.c
    with access.database.read() as connection:
        return list(
            connection.execute(
                select(o.at, o.source, o.reason, o.samples, e.samples.label("n"), e.p_sadness)
                .outerjoin(tables.estimates, e.observation == o.id)
                .where(o.subject == who.subject)
                .order_by(o.at, o.source)
            )
        )


def test_an_old_series_is_kept_by_the_minute_then_by_the_hour(access: Access) -> None:
    who = person(access)
    start = (NOW - DAY).replace(minute=0, second=0, microsecond=0)
    batch = [observed(start + timedelta(seconds=s), Emotion.SADNESS) for s in range(0, 180, 20)]
    batch.append(observed(start + timedelta(seconds=30), None, reason=Reason.NO_FACE))
    store(access, who, batch)
    coarse(access, (30, Resolution.MINUTE), (60, Resolution.HOUR))
    later = NOW + 31 * DAY
    with access.read(who.id, later) as unit:
        before = timeline.page(unit, start, start + 3 * DAY)
        assert before.points
        assert before.gaps
    assert retention.run(access, later)["observations"] == 6
    rows = sampled(access, who)
    assert [(r.at, r.samples, r.n) for r in rows if r.reason is None] == [
        (start + timedelta(minutes=m), 3, 3) for m in range(3)
    ]
    assert [(r.at, r.samples, r.n) for r in rows if r.reason == "no_face"] == [(start, 1, None)]
    assert all(r.p_sadness == pytest.approx(0.65) for r in rows if r.reason is None)
    with access.read(who.id, later) as unit:
        after = timeline.page(unit, start, start + 3 * DAY)
        assert (after.points, after.gaps) == (before.points, before.gaps), "sums by quarter hour stay"
        assert sum(p.n for p in timeline.page(unit, start, start + DAY).points) == 9
    assert "observations" not in retention.run(access, later)
    retention.run(access, NOW + 61 * DAY)
    hours = sampled(access, who)
    assert sorted((r.at, r.reason, r.samples) for r in hours if r.reason is None) == [(start, None, 9)]
    assert [r.samples for r in hours if r.reason == "no_face"] == [1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seconds=st.lists(st.integers(0, 7_199), min_size=1, max_size=30, unique=True),
    shares=st.lists(st.floats(0.2, 0.9), min_size=30, max_size=30),
)
def test_the_mean_and_the_count_of_every_hour_stay(
    lite: Access, seconds: list[int], shares: list[float]
) -> None:
    who = person(lite, f"c{id(seconds)}-{len(seconds)}-{seconds[0]}-{shares[0]:.6f}")
    start = (NOW - DAY).replace(minute=0, second=0, microsecond=0)
    said = dict(zip(sorted(seconds), shares, strict=False))
    batch = []
    for s, p in said.items():
        row = observed(start + timedelta(seconds=s), Emotion.SADNESS)
        rest = (1 - p) / 7
        spread = Distribution.from_sequence([p if e is Emotion.SADNESS else rest for e in EMOTIONS])
        batch.append(type(row)(row.observation, (type(row.estimates[0])(NETWORK, spread),)))
    store(lite, who, batch)
    with lite.database.write() as connection:
        for to in ("minute", "hour"):
            coarsening.coarsen(connection, who.subject, NOW, to)
            assert coarsening.coarsen(connection, who.subject, NOW, to) == 0
    for row in sampled(lite, who):
        own = [
            p for s, p in said.items() if row.at <= start + timedelta(seconds=s) < row.at + timedelta(hours=1)
        ]
        assert row.samples == row.n == len(own)
        assert row.p_sadness == pytest.approx(sum(own) / len(own))


def test_learners_keep_working_over_a_coarse_series(access: Access) -> None:
    who = lived(access)
    at = NOW - timedelta(hours=1)
    answered(access, who, at, Emotion.FEAR)
    coarse(access, (30, Resolution.HOUR))
    with access.database.read() as connection:
        before = connection.execute(select(func.count()).select_from(tables.corrections)).scalar_one()
    later = NOW + 31 * DAY
    retention.run(access, later)
    with access.read(who.id, later) as unit:
        replay = personal.replay(unit)
        assert replay is not None
        assert replay.equal
    assert counts(access)["corrections"] == before
    new = feedback.correct(access, who, Correction(later, "emotion", leaning(Emotion.ANGER, 0.9)), later)
    assert new.correction


def test_a_series_ages_after_a_withdrawal_too(access: Access) -> None:
    who = lived(access)
    coarse(access, (30, Resolution.HOUR))
    consenting.withdraw(
        access,
        who,
        [Scope.AFFECT_SERIES],
        NOW,
        recorder=Recorder.PARTICIPANT,
        answer=consenting.Answer.KEEP,
    )
    assert retention.run(access, NOW + 31 * DAY)["observations"] > 20
    assert all(row.source.startswith(coarsening.COARSE) for row in sampled(access, who))


def test_what_is_coarse_already_is_not_counted_twice(access: Access) -> None:
    who = person(access)
    coarse(access, (30, Resolution.MINUTE))
    with pytest.raises(NotCoveredError):
        store(access, who, [observed(NOW - 31 * DAY)])


def test_the_example_ages_as_it_says(lite: Access) -> None:
    text = (Path(__file__).parents[2] / "docs" / "examples" / "diary.toml").read_text("utf-8")
    govern(lite, parse(text), NOW)
    with lite.database.write() as connection:
        from tracker.store import notices  # noqa: PLC0415

        notices.stand(connection, parse(text), NOW)
    who = person(lite)
    store(lite, who, [observed(NOW - timedelta(seconds=s)) for s in range(0, 600, 10)])
    retention.run(lite, NOW + 32 * DAY)
    assert len(sampled(lite, who)) == 11
    retention.run(lite, NOW + 93 * DAY)
    assert len(sampled(lite, who)) <= 2
    retention.run(lite, NOW + 366 * DAY)
    assert sampled(lite, who) == []


# --- every other way to read -----------------------------------------------------------------------------------------


def test_what_is_taken_along_holds_nothing_past_its_deadline(lite: Access) -> None:
    who = archived.whole(lite, "ada")
    keep(lite, affect_series=5, context=5, prompts=5)
    kept = archived.bundle(lite, who, NOW + DAY)
    late = archived.bundle(lite, who, NOW + 5 * DAY + DAY)
    for table in (*SAMPLED, "crops", "notes"):
        assert archived.rows(kept, table) != [], table
        assert archived.rows(late, table) == [], table
    assert any(name.startswith("pictures/") for name in kept)
    assert not any(name.startswith("pictures/") for name in late)
    assert [row["name"] for row in archived.rows(late, "participants")] == ["ada"]


def test_a_picture_and_a_note_are_shown_to_nobody_past_their_deadline(lite: Access) -> None:
    who = archived.whole(lite, "ada")
    with lite.database.read() as connection:
        o = tables.observations.c
        query = select(o.id, o.at).join(tables.crops, tables.crops.c.observation == o.id)
        observation, at = connection.execute(query.where(o.subject == who.subject)).first() or (0, NOW)
    assert showing.own_crop(lite, who, observation, NOW) is not None
    keep(lite, face_crops=5, notes=5)
    late = NOW + 6 * DAY
    assert showing.own_crop(lite, who, observation, late) is None
    kept = showing.own_moment(lite, who, observation, at, late)
    assert (kept.picture, kept.note) == (False, None)
    gone = retention.run(lite, late)
    assert gone["crops"] > 0
    assert gone["notes"] > 0
    assert counts(lite)["observations"] > 0


def test_a_dataset_holds_nothing_past_its_deadline_and_says_what_is_coarse(
    lite: Access, tmp_path: Path
) -> None:
    who = person(lite)
    old = [observed(NOW - 40 * DAY + timedelta(seconds=s)) for s in range(3)]
    store(lite, who, old)
    store(lite, who, [observed(NOW - DAY, source="b" * 64)])
    coarse(lite, (30, Resolution.MINUTE))
    retention.run(lite, NOW)
    export_dataset(lite, tmp_path / "coarse", NOW)
    assert [row["samples"] for row in exported.read(tmp_path / "coarse", "observations")] == [3, 1]
    assert [row["samples"] for row in exported.read(tmp_path / "coarse", "estimates")] == [3, 1]
    keep(lite, affect_series=30)
    result = export_dataset(lite, tmp_path / "kept", NOW)
    assert result.excluded_rows == {}, "what nobody may read is not counted either"
    assert [row["samples"] for row in exported.read(tmp_path / "kept", "observations")] == [1]


def test_a_long_series_is_made_coarser_in_steps(lite: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    who = person(lite)
    store(lite, who, [observed(NOW - timedelta(seconds=s)) for s in range(0, 600, 10)])
    coarse(lite, (30, Resolution.MINUTE), (60, Resolution.HOUR))
    monkeypatch.setattr(retention, "MOST", 7)
    written: list[str] = []
    write = lite.write

    def counted(participant: str, now: datetime) -> Any:
        written.append(participant)
        return write(participant, now)

    monkeypatch.setattr(lite, "write", counted)
    assert retention.run(lite, NOW + 61 * DAY)["observations"] >= 58
    assert sum(row.samples for row in sampled(lite, who)) == 60
    assert len(written) > 8
