"""Figures about everybody: of people who allow it and can pay, once for each question, and never overspent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import NOW, installation, observed, person, store
from tests.processes import close
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.series import Correction, Prompt
from tracker.privacy import aggregates as mechanisms
from tracker.privacy.budget import Budget, Charge
from tracker.store import tables
from tracker.workflows import consenting, erasure, feedback, prompts
from tracker.workflows.aggregates import (
    AggregateError,
    Query,
    TooFewError,
    query_for,
    release,
    releasing,
)
from tracker.workflows.aggregates.contributing import contribution
from tracker.workflows.budgets import account, ledger

DAY = timedelta(days=1)
RICH = Budget(epsilon=20.0)
"""So much that thirty people are enough, and nearly no noise is left: what is told can be compared."""

EPSILON = 10.0
SERIES = (Scope.AFFECT_SERIES,)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(sqlite_url, tmp_path)
    yield made
    close(made)


def cohort(
    access: Access, n: int, prefix: str = "p", emotion: Emotion = Emotion.SADNESS, **more: Any
) -> list[Person]:
    """People with eight observations yesterday morning each."""
    made = []
    for i in range(n):
        who = person(access, f"{prefix}{i}", SERIES, now=NOW - 3 * DAY, **more)
        store(access, who, [observed(NOW - DAY - i * timedelta(minutes=1), emotion) for i in range(8)])
        made.append(who)
    return made


def ask(**more: Any) -> Query:
    return query_for(NOW, more.pop("epsilon", EPSILON), **more)


def charged(access: Access) -> dict[str, list[float]]:
    """Subject by subject, what each release took."""
    with access.database.read() as connection:
        rows = connection.execute(
            select(tables.release_members.c.subject, tables.releases.c.epsilon).join(
                tables.releases, tables.release_members.c.release == tables.releases.c.id
            )
        ).all()
    found: dict[str, list[float]] = {}
    for subject, epsilon in rows:
        found.setdefault(subject, []).append(epsilon)
    return found


def test_figures_are_near_the_truth_and_charged_to_those_in_them(access: Access) -> None:
    people = cohort(access, 30)
    told = release(access, ask(figures=["emotions", "observations_per_day"]), RICH, NOW)
    assert told.charge == Charge(EPSILON, 5e-7)
    assert abs(told.result["people"]["about"] - 30) <= 10
    emotions, a_day = told.result["figures"]
    [row] = emotions["rows"]
    assert row["values"]["sadness"] == pytest.approx(0.65, abs=0.2)
    assert sum(row["values"].values()) == pytest.approx(1.0, abs=1e-4)
    [row] = a_day["rows"]
    assert row["values"]["mean"] == pytest.approx(8 / 28, abs=25)
    assert charged(access) == {who.subject: [EPSILON] for who in people}


def test_the_same_question_is_answered_once(access: Access) -> None:
    cohort(access, 30)
    first = release(access, ask(), RICH, NOW)
    cohort(access, 5, "late")
    again = release(access, ask(), RICH, NOW + timedelta(hours=1))
    assert again.repeated
    assert not first.repeated
    assert (again.id, again.at, again.result) == (first.id, first.at, first.result)
    assert all(epsilons == [EPSILON] for epsilons in charged(access).values())
    assert release(access, ask(epsilon=9.0), RICH, NOW).id != first.id


@pytest.mark.parametrize("n", [0, 1, 9])
def test_fewer_than_ten_people_are_told_nothing_of(
    lite: Access, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even with the luckiest noise; the words are the same for each number below ten."""
    monkeypatch.setattr(mechanisms, "noisy_count", lambda people, epsilon: 10_000)
    cohort(lite, n)
    with pytest.raises(TooFewError) as refused:
        release(lite, ask(), RICH, NOW)
    assert str(refused.value) == (
        "no figures: those who are in them and have budget left are fewer than 10 people, or too few for noise to hide "
        "one; take in more days, more people or a larger --epsilon. Having asked cost each of them epsilon 2.5; all "
        "that was asked so far costs 2.5 together, and each person has 20"
    )


def test_a_few_more_than_ten_are_told_nothing_of_and_pay_for_the_count_alone(access: Access) -> None:
    cohort(access, 11)
    query = ask(epsilon=0.4)
    for _ in range(3):  # noise of scale 10 against a threshold of 152
        with pytest.raises(TooFewError):
            release(access, query, RICH, NOW)
    assert [e for paid in charged(access).values() for e in paid] == [0.1] * 11
    assert [row.result for row in ledger(access, RICH).releases] == [{"refused": True}]


def test_whoever_has_spent_their_budget_is_left_out(access: Access) -> None:
    old = cohort(access, 30)
    release(access, ask(), RICH, NOW)
    release(access, ask(first=date(2026, 3, 10)), RICH, NOW)
    with pytest.raises(TooFewError, match=r"costs 22\.5 together, and each person has 20"):
        release(access, ask(first=date(2026, 3, 11)), RICH, NOW)
    new = cohort(access, 30, "new", Emotion.FEAR)
    told = release(access, ask(first=date(2026, 3, 12), figures=["emotions"]), RICH, NOW)
    assert told.result["figures"][0]["rows"][0]["values"]["fear"] == pytest.approx(0.65, abs=0.2)
    paid = charged(access)
    assert [paid[who.subject] for who in old] == [[EPSILON] * 2] * 30
    assert [paid[who.subject] for who in new] == [[EPSILON]] * 30
    with access.read(old[0].id, NOW) as unit:
        mine = account(unit)
    assert (mine.releases, mine.spent, mine.used) == (2, Charge(20.0, 1e-6), 1.0)
    assert mine.as_json()["epsilon_left"] == 0.0  # the study in force allows less by now


def test_another_study_begins_no_budget_anew(access: Access) -> None:
    people = cohort(access, 30)
    whole = Budget(epsilon=EPSILON)
    assert not release(access, ask(), whole, NOW, study="one").repeated
    with pytest.raises(TooFewError):
        release(access, ask(), whole, NOW, study="two")
    assert charged(access) == {who.subject: [EPSILON] for who in people}
    assert ledger(access, whole).left.epsilon == 0.0
    with access.read(people[0].id, NOW) as unit:
        assert account(unit).spent.epsilon == EPSILON


def test_two_releases_at_once_cannot_overspend(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read everybody's part before either charges: each costs more than half, so one of them finds nobody."""
    people = cohort(access, 30)
    meet = threading.Barrier(2)
    read = releasing._parts

    def together(*arguments: Any) -> Any:
        parts = read(*arguments)
        meet.wait(60)
        return parts

    monkeypatch.setattr(releasing, "_parts", together)
    ended: list[str] = []

    def run(epsilon: float) -> None:
        try:
            release(access, ask(epsilon=epsilon), RICH, NOW)
            ended.append("told")
        except TooFewError:
            ended.append("refused")

    threads = [threading.Thread(target=run, args=(epsilon,)) for epsilon in (12.0, 13.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(ended) == ["refused", "told"]
    assert {len(charged(access)[who.subject]) for who in people} == {1}


def test_the_same_question_twice_at_once_is_answered_and_paid_once(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort(access, 30)
    meet = threading.Barrier(2)
    read = releasing._parts

    def together(*arguments: Any) -> Any:
        parts = read(*arguments)
        meet.wait(60)
        return parts

    monkeypatch.setattr(releasing, "_parts", together)
    told: list[Any] = []
    threads = [
        threading.Thread(target=lambda: told.append(release(access, ask(), RICH, NOW))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert told[0].result == told[1].result
    assert sorted(t.repeated for t in told) == [False, True]
    assert all(paid == [EPSILON] for paid in charged(access).values())


def test_withdrawn_people_are_not_in_it_and_simulated_ones_only_among_themselves(lite: Access) -> None:
    people = cohort(lite, 30)
    cohort(lite, 30, "sim", Emotion.FEAR, simulated=True)
    for who in people[:5]:
        consenting.withdraw(lite, who, SERIES, NOW, recorder=Recorder.PARTICIPANT)
    told = release(lite, ask(figures=["emotions"]), RICH, NOW)
    assert set(charged(lite)) == {who.subject for who in people[5:]}
    assert told.result["figures"][0]["rows"][0]["values"]["sadness"] > 0.4
    made_up = release(lite, ask(figures=["emotions"], simulated=True), RICH, NOW)
    assert made_up.result["figures"][0]["rows"][0]["values"]["fear"] > 0.4
    assert made_up.query.simulated


def test_a_withdrawal_while_figures_are_made_leaves_that_person_out(
    lite: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = cohort(lite, 30)
    read = releasing._parts

    def withdrawn_meanwhile(*arguments: Any) -> Any:
        parts = read(*arguments)
        consenting.withdraw(lite, people[0], SERIES, NOW, recorder=Recorder.PARTICIPANT)
        return parts

    monkeypatch.setattr(releasing, "_parts", withdrawn_meanwhile)
    release(lite, ask(), RICH, NOW)
    assert set(charged(lite)) == {who.subject for who in people[1:]}


def test_an_erasure_while_figures_are_made_begins_them_anew(
    lite: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = cohort(lite, 30)
    read, erased = releasing._parts, []

    def erased_meanwhile(*arguments: Any) -> Any:
        parts = read(*arguments)
        if not erased:
            erased.append(erasure.erase_person(lite, people[0], NOW))
        return parts

    monkeypatch.setattr(releasing, "_parts", erased_meanwhile)
    release(lite, ask(), RICH, NOW)
    assert set(charged(lite)) == {who.subject for who in people[1:]}


def test_an_erased_person_leaves_the_accounts_and_the_release_stays(access: Access) -> None:
    people = cohort(access, 30)
    told = release(access, ask(), RICH, NOW)
    erasure.erase_person(access, people[0], NOW)
    assert people[0].subject not in charged(access)
    assert release(access, ask(), RICH, NOW).result == told.result


def test_nothing_told_or_stored_of_it_is_the_exact_number(
    lite: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the noise made of the count is all that is told and kept; the accounts alone know how many there were."""
    cohort(lite, 30)
    monkeypatch.setattr(mechanisms, "noisy_count", lambda people, epsilon: people + 13)
    told = release(lite, ask(figures=[]), RICH, NOW)
    assert told.result == {"refused": False, "people": {"about": 43, "margin_95": 1}, "figures": []}
    [row] = ledger(lite, RICH).releases
    assert row.result == told.result
    assert "30" not in json.dumps([row.query, row.result])


# What one person gives.


def given(access: Access, who: Person, **more: Any) -> dict[str, Any]:
    with access.read(who.id, NOW) as unit:
        part = contribution(unit, ask(**more))
    assert part is not None
    return part.tables


def test_a_person_with_much_and_one_with_little_give_the_same_amount(lite: Access) -> None:
    """However many rows somebody has, each row of what they give sums to at most one."""
    busy, seldom = person(lite, "busy", SERIES), person(lite, "seldom", SERIES)
    minutes = [NOW - DAY - i * timedelta(minutes=1) for i in range(1000)]
    store(lite, busy, [observed(at, Emotion.ANGER) for at in minutes])
    store(lite, seldom, [observed(NOW - DAY, Emotion.FEAR)])
    names = ["emotions", "emotions_by_part_of_day", "emotions_by_weekday", "observations_per_day"]
    for who in (busy, seldom):
        for table in given(lite, who, figures=names, most_per_day=30).values():
            sums = table.sum(axis=1)
            assert all(s == pytest.approx(1.0) or s == 0.0 for s in sums)
    assert (
        given(lite, busy, figures=["observations_per_day"], most_per_day=30)["observations_per_day"][0, 0]
        == 1.0
    )


def test_parts_of_the_day_are_the_participants_own(lite: Access) -> None:
    at = datetime(2026, 3, 18, 23, 30, tzinfo=UTC)  # Thursday 05:00 in Kolkata, Wednesday 18:30 in New York
    names = ["emotions_by_part_of_day", "emotions_by_weekday"]
    for zone, part, weekday in (("Asia/Kolkata", 0, 3), ("America/New_York", 3, 2)):
        who = person(lite, zone.replace("/", " "), SERIES, zone=zone)
        store(lite, who, [observed(at)])
        tables_ = given(lite, who, figures=names)
        assert [row.any() for row in tables_["emotions_by_part_of_day"]] == [i == part for i in range(4)]
        assert [row.any() for row in tables_["emotions_by_weekday"]] == [i == weekday for i in range(7)]


def test_what_a_grant_does_not_cover_is_not_counted(lite: Access) -> None:
    who = person(lite, "ada", SERIES)
    store(lite, who, [observed(NOW - 3 * DAY, Emotion.ANGER), observed(NOW - DAY, Emotion.FEAR)])
    consenting.withdraw(lite, who, SERIES, NOW, recorder=Recorder.PARTICIPANT)
    consenting.grant(lite, who, SERIES, NOW, recorder=Recorder.PARTICIPANT, covers_from=NOW - 2 * DAY)
    emotions = given(lite, who, figures=["emotions"])["emotions"][0]
    assert emotions[list(Emotion).index(Emotion.FEAR)] == pytest.approx(0.65)


def test_answers_to_prompts_count_only_while_prompts_are_granted(lite: Access) -> None:
    who = person(lite, "ada", (Scope.AFFECT_SERIES, Scope.PROMPTS))
    at = NOW - DAY
    number = prompts.record(lite, who, Prompt("morning", at, at, at, None, "open"), NOW)
    feedback.correct(lite, who, Correction(at, "leave_me_alone", None, 1.0), NOW, prompt=number)
    feedback.correct(lite, who, Correction(at - DAY, "leave_me_alone", None, 0.0), NOW)
    feedback.correct(lite, who, Correction(at - 2 * DAY, "valence", None, 1.0), NOW)
    feedback.correct(lite, who, Correction(at - 2 * DAY, "valence", None, -0.5), NOW)  # thought better of it
    figures = ["leave_me_alone", "valence"]
    told = given(lite, who, figures=figures)
    assert told["leave_me_alone"].tolist() == [[0.5, 0.5]]
    assert told["valence"].tolist() == [[0.25, 0.75]]
    consenting.withdraw(lite, who, [Scope.PROMPTS], NOW, recorder=Recorder.PARTICIPANT)
    assert given(lite, who, figures=figures)["leave_me_alone"].tolist() == [[0.0, 1.0]]


def test_who_has_nothing_in_those_days_is_not_in_it(lite: Access) -> None:
    cohort(lite, 30)
    idle = person(lite, "idle", SERIES)
    release(lite, ask(), RICH, NOW)
    assert idle.subject not in charged(lite)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            {"last": date(2026, 3, 20)},
            "2026-03-20 is not over yet; the last day of figures is at most 2026-03-19",
        ),
        ({"first": date(2026, 3, 19), "last": date(2026, 3, 1)}, "comes after the last"),
        ({"figures": ["mood"]}, "there is no figure 'mood'"),
        ({"most_per_day": 0}, "not 0"),
    ],
)
def test_bad_questions_say_what_is_wrong(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(AggregateError, match=told):
        ask(**asked)


def test_the_default_is_four_whole_weeks_up_to_yesterday() -> None:
    query = ask()
    assert (query.first, query.last, query.days) == (date(2026, 2, 20), date(2026, 3, 19), 28)
    assert (query.start, query.end) == (
        datetime(2026, 2, 20, tzinfo=UTC),
        datetime(2026, 3, 20, tzinfo=UTC),
    )
