from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import NETWORK, NOW, leaning, observed, person, store
from tests.lives import lived
from tracker.access import Access
from tracker.domain.affect import Distribution, Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction, Moment, Observed, Reason
from tracker.workflows import consenting, feedback, timeline

SECOND = "second@000000000000"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def moments(
    access: Access, who: Person, start: datetime | None = None, end: datetime | None = None
) -> list[Moment]:
    with timeline.moments(access, who, NOW, start, end) as stream:
        return list(stream)


def page(access: Access, who: Person, start: datetime, end: datetime) -> timeline.Page:
    with access.read(who.id, NOW) as unit:
        return timeline.page(unit, start, end)


def test_an_empty_series_is_an_empty_timeline(access: Access) -> None:
    who = person(access)
    assert moments(access, who) == []
    empty = page(access, who, NOW - DAY, NOW)
    assert (empty.points, empty.gaps, empty.corrections, empty.network, empty.span) == (
        (),
        (),
        (),
        None,
        None,
    )


def test_moments_come_in_order_with_machine_personal_and_correction(access: Access) -> None:
    who = lived(access)
    told = moments(access, who)
    assert [m.at for m in told] == sorted(m.at for m in told)
    assert len(told) == 31
    assert [m.correction.top.value for m in told if m.correction] == ["fear", "surprise", "happiness"]
    gap = [m for m in told if m.reason is not None]
    assert [(m.reason, m.machine, m.personal) for m in gap] == [(Reason.NO_FACE, None, None)]
    assert all(m.machine == leaning(Emotion.SADNESS) for m in told if m.reason is None)
    assert sum(m.personal is not None for m in told) > 5


@pytest.mark.parametrize(("first", "last"), [(0, 120), (10, 50), (8, 8), (50, 10), (-60, 500)])
def test_a_stretch_holds_its_start_and_not_its_end(access: Access, first: int, last: int) -> None:
    who = lived(access)
    zero = NOW - 120 * MINUTE
    start, end = zero + first * MINUTE, zero + last * MINUTE
    everything = moments(access, who)
    assert moments(access, who, start, end) == [m for m in everything if start <= m.at < end]


def test_a_correction_without_an_observation_is_a_moment_of_its_own(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW - 50 * MINUTE), observed(NOW - 10 * MINUTE)])
    for minutes in (60, 30, 1):
        said = Correction(NOW - minutes * MINUTE, "emotion", leaning(Emotion.FEAR))
        feedback.correct(access, who, said, NOW)
    told = moments(access, who)
    assert [(NOW - m.at) / MINUTE for m in told] == [60, 50, 30, 10, 1]
    assert [m.correction is not None for m in told] == [True, False, True, False, True]


@pytest.mark.parametrize(("start", "end"), [(0, 60), (-60, 0)])
def test_a_correction_stays_with_its_observation_at_the_end_of_a_stretch(
    access: Access, start: int, end: int
) -> None:
    who = person(access)
    edge = NOW - 90 * MINUTE
    store(access, who, [observed(edge - timedelta(seconds=5)), observed(edge + timedelta(seconds=50))])
    for seconds in (5, -20):  # the first is nearest to what lies before the edge, the second too
        said = Correction(edge + timedelta(seconds=seconds), "emotion", leaning(Emotion.FEAR))
        feedback.correct(access, who, said, NOW)
    told = moments(access, who, edge + start * MINUTE, edge + end * MINUTE)
    assert [m.correction is not None for m in told] == [start < 0]


def test_the_newest_word_of_the_learner_is_shown(access: Access) -> None:
    who = person(access)
    store(access, who, [observed(NOW - MINUTE)])
    last: Distribution | None = None
    for emotion in (Emotion.ANGER, Emotion.FEAR, Emotion.FEAR):
        last = feedback.correct(access, who, Correction(NOW - MINUTE, "emotion", leaning(emotion)), NOW).after
    (moment,) = moments(access, who)
    assert moment.personal == last


def test_the_page_of_a_day_and_that_of_a_month_tell_the_same(access: Access) -> None:
    who = lived(access)
    start, end = NOW - 2 * DAY, NOW
    fine, coarse = page(access, who, start, end), page(access, who, start - 28 * DAY, end)
    assert (fine.step, coarse.step) == (MINUTE, timedelta(minutes=15))
    assert sum(p.n for p in fine.points) == sum(p.n for p in coarse.points) == 30
    assert sum(g.n for g in fine.gaps) == sum(g.n for g in coarse.gaps) == 1
    assert fine.corrections == coarse.corrections
    for series in ("machine", "personal"):
        mean = [
            [
                sum(getattr(p, series).probabilities[i] for p in points if getattr(p, series))
                / sum(1 for p in points if getattr(p, series))
                for i in range(8)
            ]
            for points in (fine.points, coarse.points)
        ]
        # Means of means weigh buckets alike, so only the shape is the same.
        assert mean[0] == pytest.approx(mean[1], abs=0.2)
    assert fine.network == NETWORK
    assert fine.span is not None
    assert fine.span[0] == NOW - 120 * MINUTE


def test_a_point_is_the_mean_of_its_stretch(access: Access) -> None:
    who = person(access)
    at = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    store(access, who, [observed(at, Emotion.ANGER), observed(at + timedelta(seconds=59), Emotion.FEAR)])
    for start in (at - DAY, at - 20 * DAY):
        (point,) = page(access, who, start, at + DAY).points
        assert (point.at, point.n, point.personal) == (at, 2, None) or point.personal is not None
        assert point.machine is not None
        assert point.machine[Emotion.ANGER] == pytest.approx(0.35, abs=0.01)
        assert point.machine[Emotion.FEAR] == pytest.approx(point.machine[Emotion.ANGER])


def test_after_a_withdrawal_the_participant_still_sees_what_there_is(access: Access) -> None:
    who = lived(access)
    before = moments(access, who)
    consenting.withdraw(access, who, list(Scope), NOW, recorder=Recorder.PARTICIPANT)
    assert moments(access, who) == before


def test_nobody_sees_anybody_elses_moments(access: Access) -> None:
    lived(access)
    assert moments(access, person(access, "bob")) == []


def minutes(n: int, emotion: Emotion, network: str, first: int = 0) -> list[Observed]:
    return [observed(NOW - (60 - i) * MINUTE, emotion, network=network) for i in range(first, first + n)]


def test_moments_read_by_another_network_stay_in_sight(access: Access) -> None:
    who = person(access)
    store(access, who, minutes(10, Emotion.FEAR, NETWORK))
    store(access, who, minutes(1, Emotion.ANGER, SECOND, first=10))
    old, new = leaning(Emotion.FEAR), leaning(Emotion.ANGER)
    assert [m.machine for m in moments(access, who)] == [old] * 10 + [new]
    for start in (NOW - DAY, NOW - 20 * DAY):
        shown = page(access, who, start, NOW)
        assert sum(p.n for p in shown.points) == 11
        assert shown.network == SECOND


def test_a_moment_that_two_networks_read_counts_once_and_with_the_newer_word(access: Access) -> None:
    who = person(access)
    store(access, who, minutes(10, Emotion.FEAR, NETWORK))
    store(access, who, minutes(4, Emotion.ANGER, SECOND))
    old, new = leaning(Emotion.FEAR), leaning(Emotion.ANGER)
    assert [m.machine for m in moments(access, who)] == [new] * 4 + [old] * 6
    (coarse,) = page(access, who, NOW - 20 * DAY, NOW).points
    fine = page(access, who, NOW - DAY, NOW).points
    assert coarse.n == sum(p.n for p in fine) == 10
    assert coarse.machine is not None
    assert coarse.machine.probabilities == pytest.approx(
        [(4 * a + 6 * b) / 10 for a, b in zip(new.probabilities, old.probabilities, strict=True)]
    )


def test_a_correction_of_a_moment_of_another_network_learns_with_its_reading(access: Access) -> None:
    who = person(access)
    store(access, who, minutes(5, Emotion.FEAR, NETWORK))
    store(access, who, minutes(5, Emotion.ANGER, SECOND, first=5))
    at = NOW - 58 * MINUTE
    done = feedback.correct(access, who, Correction(at, "emotion", leaning(Emotion.HAPPINESS)), NOW)
    assert done.machine == leaning(Emotion.FEAR)
    # Around it everything is read again, each moment over the network that it has.
    assert all(m.personal is not None for m in moments(access, who))
    (told,) = [m for m in moments(access, who) if m.at == at]
    assert told.personal == done.after
    shown = page(access, who, NOW - 20 * DAY, NOW).points
    assert [p.personal is not None for p in shown] == [True]
