"""What learners start from: fitted on who allows it, without whoever leaves."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests import templates
from tests.builders import NOW, installation, person
from tests.personal.saying import DAY, HOUR, MINUTE, newest, replayed, said, talkative
from tests.processes import close, die_at, finish, opened, start
from tests.workflows.exported import stored_instants
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import ConsentError, Recorder, Scope, Use
from tracker.domain.people import Person
from tracker.domain.series import Correction
from tracker.domain.stretches import Stretch
from tracker.jobs import Jobs
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE, VALENCE
from tracker.personal import Source, pooling
from tracker.store import priors, snapshots, tables
from tracker.workflows import consenting, erasure, hiding

SHORT = (EMOTION, LEAVE_ME_ALONE, VALENCE)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def contributors(
    access: Access, count: int = 6, targets: Iterable[str] = SHORT, days: int = 1
) -> list[Person]:
    """People with some corrections of each target, who allow that learners of others start from them."""
    chosen = tuple(targets)
    what = ("contributors", count, chosen, days)
    return templates.once(
        access,
        what,
        lambda: [talkative(access, f"person-{i}", chosen, days=days, seed=i) for i in range(count)],
    )


def standing(access: Access, target: str) -> priors.PriorRow | None:
    with access.database.read() as connection:
        return priors.standing(connection, target)


def given(
    access: Access, people: Iterable[Person], target: str, now: datetime = NOW
) -> list[pooling.Contribution]:
    found = []
    for who in people:
        with access.read(who.id, now) as unit:
            found += [
                pooling.contribution(unit, target, of, 999)
                for name, of in pooling.contributors(access, unit)
                if name == target
            ]
    return found


def load(access: Access, who: Person, target: str, now: datetime = NOW) -> personal.Personal:
    with access.read(who.id, now) as unit:
        found = personal.load(unit, target)
    assert found is not None
    return found


def renewed(access: Access, who: Person, now: datetime = NOW) -> None:
    with access.write(who.id, now) as unit:
        personal.renew_all(unit)


def withdrawn(access: Access, who: Person, scope: Scope = Scope.POOLED_LEARNING) -> None:
    consenting.withdraw(access, who, [scope], NOW + HOUR, recorder=Recorder.PARTICIPANT)


def test_fewer_than_five_people_make_no_prior(access: Access) -> None:
    contributors(access, 4)
    person(access, "silent")
    assert personal.refit(access, NOW) == 0
    assert all(standing(access, target) is None for target in SHORT)


def test_a_learner_starts_from_what_people_have_in_common(access: Access) -> None:
    for i in range(5):
        who = person(access, f"p{i}", now=NOW - 9 * DAY)
        for k in range(20):
            at = NOW - 5 * DAY + k * HOUR
            said(access, who, Correction(at, LEAVE_ME_ALONE, None, float(k % 4 > 0)), at + MINUTE)
    assert personal.refit(access, NOW) == 1
    new = person(access, "new", scopes=set(Scope) - {Scope.POOLED_LEARNING})
    done = said(access, new, Correction(NOW, LEAVE_ME_ALONE, None, 1.0), NOW)
    assert done.before == pytest.approx(0.75, abs=0.1)
    row = standing(access, LEAVE_ME_ALONE)
    assert row is not None
    assert (row.people, row.events) == (5, 100)
    assert newest(access, new, LEAVE_ME_ALONE).prior == row.id
    replayed(access, new)


def test_only_who_allows_it_is_in_a_prior_and_nobody_is_named_in_it(access: Access) -> None:
    people = contributors(access)
    withdrawn(access, people[0])
    personal.refit(access, NOW + HOUR)
    for target in SHORT:
        row = standing(access, target)
        assert row is not None
        with access.database.read() as connection:
            members = priors.members(connection, row.id)
        assert [m.subject for m in members] == sorted(p.subject for p in people[1:])
        assert row.people == 5
        assert not [p for p in people if p.subject in repr(row) or p.id in repr(row)]
        assert pooling.whole(row)


@pytest.mark.parametrize("target", SHORT)
def test_the_order_of_people_changes_no_bit(access: Access, target: str) -> None:
    people = contributors(access, 5)
    there, back = given(access, people, target), given(access, people[::-1], target)
    assert pooling.fit(target, there, NOW) == pooling.fit(target, back, NOW)


def test_nothing_new_makes_no_new_prior_and_something_does(access: Access) -> None:
    people = contributors(access, 5)
    assert personal.refit(access, NOW) == 3
    assert personal.refit(access, NOW + HOUR) == 0
    said(access, people[0], Correction(NOW, VALENCE, None, 0.5), NOW)
    before = newest(access, people[1], VALENCE)
    assert personal.refit(access, NOW + HOUR) == 1
    # The old one stands as long as a learner rests on it, and a rebase moves that on.
    for who in people:
        replayed(access, who)
    renewed(access, people[1], NOW + HOUR)
    after, row = newest(access, people[1], VALENCE), standing(access, VALENCE)
    assert row is not None
    assert (after.prior, after.prior != before.prior) == (row.id, True)


@pytest.mark.parametrize(
    "scope",
    [Scope.POOLED_LEARNING, Scope.PERSONAL_LEARNING, Scope.AFFECT_SERIES, Scope.CONTEXT, Scope.PROMPTS],
)
def test_whoever_leaves_retires_it_at_once(access: Access, scope: Scope) -> None:
    people = contributors(access)
    personal.refit(access, NOW)
    other = people[1]
    renewed(access, other)
    assert load(access, other, VALENCE).source is Source.SNAPSHOT
    withdrawn(access, people[0], scope)
    for target in SHORT:
        assert standing(access, target) is None
        found = load(access, other, target, NOW + HOUR)
        assert (found.source, found.learner.learned) == (Source.NETWORK, 0)
    # A new learner does not start from it either.
    renewed(access, other, NOW + HOUR)
    assert newest(access, other, VALENCE).prior == pooling.NO_PRIOR
    assert load(access, other, VALENCE).source is Source.SNAPSHOT


@pytest.mark.parametrize("scope", [Scope.FACE_CROPS, Scope.EXPORT_PSEUDONYMOUS, Scope.NOTES])
def test_other_scopes_leave_it_standing(access: Access, scope: Scope) -> None:
    people = contributors(access, 5, [VALENCE])
    personal.refit(access, NOW)
    withdrawn(access, people[0], scope)
    consenting.grant(access, people[0], [Scope.CONTEXT], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    assert standing(access, VALENCE) is not None


def test_a_grant_that_covers_less_retires_it_too(access: Access) -> None:
    people = contributors(access, 5, [VALENCE])
    personal.refit(access, NOW)
    consenting.grant(
        access,
        people[0],
        [Scope.POOLED_LEARNING],
        NOW + HOUR,
        recorder=Recorder.PARTICIPANT,
        covers_from=NOW - HOUR,
    )
    assert standing(access, VALENCE) is None


@pytest.mark.parametrize("how", ["withdrawal", "erasure", "scope"])
def test_afterwards_priors_and_learners_are_those_of_the_others(access: Access, how: str) -> None:
    people = contributors(access)
    personal.refit(access, NOW)
    for who in people:
        renewed(access, who)
    gone, others = people[0], people[1:]
    later = NOW + HOUR
    if how == "withdrawal":
        withdrawn(access, gone)
    elif how == "erasure":
        erasure.erase_person(access, gone, later)
    else:
        erasure.erase_scope(access, gone, Scope.PERSONAL_LEARNING, later)
    assert personal.clean(access, later) >= len(others) * len(SHORT)
    for target in SHORT:
        row = standing(access, target)
        assert row is not None
        without = pooling.fit(target, given(access, others, target, later), later)
        assert without is not None
        assert (row.id, row.parameters) == (without.id, without.parameters)
        for who in others:
            assert newest(access, who, target, later).prior == row.id
            assert load(access, who, target, later).source is Source.SNAPSHOT
    for who in others:
        replayed(access, who, later)
    with access.database.read() as connection:
        assert priors.retired(connection) == []
        named = set(connection.execute(select(tables.snapshots.c.prior)).scalars())
        members = connection.execute(select(tables.prior_members.c.subject)).scalars().all()
        ids = set(connection.execute(select(tables.priors.c.id)).scalars())
    assert named <= ids | {pooling.NO_PRIOR}
    assert gone.subject not in members
    assert personal.clean(access, later) == 0


def test_what_is_forgotten_is_forgotten_in_priors_too(access: Access) -> None:
    people = contributors(access, 5, [VALENCE])
    personal.refit(access, NOW)
    for who in people:
        renewed(access, who)
    assert personal.refit(access, NOW + 20 * DAY) == 0
    assert standing(access, VALENCE) is not None
    late = NOW + 31 * DAY
    assert personal.refit(access, late) == 0
    assert standing(access, VALENCE) is None
    personal.clean(access, late)
    for who in people:
        assert replayed(access, who, late) == {VALENCE: 0}


def test_who_leaves_while_it_is_fitted_is_not_in_it(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    people = contributors(access, 6, [VALENCE])
    fit = pooling.fit

    def leave(target: str, all_: list[pooling.Contribution], now: datetime) -> object:
        withdrawn(access, people[0])
        return fit(target, all_, now)

    monkeypatch.setattr(pooling, "fit", leave)
    assert personal.refit(access, NOW) == 0
    monkeypatch.undo()
    assert standing(access, VALENCE) is None
    assert personal.refit(access, NOW + HOUR) == 1


@pytest.mark.parametrize("hides", [True, False], ids=["hides", "erases"])
def test_who_hides_or_erases_while_it_is_fitted_is_not_in_it(
    access: Access, monkeypatch: pytest.MonkeyPatch, hides: bool
) -> None:
    people = contributors(access, 6, [VALENCE])
    everything, fit = Stretch(NOW - 40 * DAY, NOW + HOUR), pooling.fit

    def act(target: str, all_: list[pooling.Contribution], now: datetime) -> object:
        if hides:
            hiding.hide(access, people[0], everything, now)
        else:
            erasure.erase_stretch(access, people[0], everything, now)
        return fit(target, all_, now)

    monkeypatch.setattr(pooling, "fit", act)
    assert personal.refit(access, NOW + HOUR) == 0
    monkeypatch.undo()
    assert standing(access, VALENCE) is None
    assert personal.refit(access, NOW + 2 * HOUR) == 1
    row = standing(access, VALENCE)
    assert row is not None
    assert row.people == 5
    with access.database.read() as connection:
        assert people[0].subject not in {m.subject for m in priors.members(connection, row.id)}


def test_what_is_shown_again_is_in_the_next_prior(access: Access) -> None:
    people = contributors(access, 6, [VALENCE])
    answered = sorted(stored_instants(access, "corrections", people[0]))
    part = Stretch(answered[len(answered) // 2], NOW + HOUR)
    counts = []
    for hour in range(1, 6):
        now = NOW + hour * HOUR
        if hour == 2:
            hid = hiding.hide(access, people[0], part, now)
        if hour == 4:
            hiding.show_again(access, people[0], hid.number, now)
        personal.refit(access, now)
        row = standing(access, VALENCE)
        assert row is not None
        counts.append((row.people, row.events))
    whole, less = counts[0], counts[1]
    assert whole[0] == less[0] == 6
    assert less[1] < whole[1]
    assert counts == [whole, less, less, whole, whole]


def test_with_fewer_than_five_left_there_is_none(access: Access) -> None:
    people = contributors(access, 5, [VALENCE])
    personal.refit(access, NOW)
    for who in people:
        renewed(access, who)
    erasure.erase_person(access, people[0], NOW + HOUR)
    personal.clean(access, NOW + HOUR)
    for who in people[1:]:
        assert newest(access, who, VALENCE).prior == pooling.NO_PRIOR
        replayed(access, who, NOW + HOUR)


def test_the_jobs_fit_priors_and_clean_learners(access: Access) -> None:
    people = contributors(access)
    night = NOW + DAY
    ran = {r.job: r.outcome for r in Jobs(access, lambda: night, "here").run_once(night)}
    assert ran["priors"] == "3 priors fitted"
    assert ran["rebase"] == "18 learners rebased"
    assert all(newest(access, who, t).prior != pooling.NO_PRIOR for who in people for t in SHORT)
    done = erasure.erase_person(access, people[0], night)
    assert done.as_dict()["learners_clean"] is False
    assert "until" in done.sentences()[1]
    hour = night + HOUR
    ran = {r.job: r.outcome for r in Jobs(access, lambda: hour, "here").run_once(hour)}
    assert ran["retention"].endswith("15 learners made clean")
    for who in people[1:]:
        assert set(replayed(access, who, hour)) == set(SHORT)


def clean_and_die(url: str, folder: Path, point: int) -> None:
    access = opened(url, folder)
    die_at(access, point)
    personal.clean(access, NOW + HOUR)


def test_killed_while_cleaning_the_next_run_finishes_it(access: Access, tmp_path: Path) -> None:
    people = contributors(access, 6, [VALENCE])
    personal.refit(access, NOW)
    for who in people:
        renewed(access, who)
    withdrawn(access, people[0])
    url = access.database.url.render_as_string(hide_password=False)
    for point in range(1, 60):
        (code,) = finish(start(clean_and_die, url, tmp_path, point))
        for who in people[1:]:
            found = load(access, who, VALENCE, NOW + HOUR)
            live = newest(access, who, VALENCE)
            row = standing(access, VALENCE)
            clean = row is not None and live.prior == row.id
            assert found.source is (Source.SNAPSHOT if clean else Source.NETWORK)
        if code == 0:
            break
    assert code == 0
    for who in people[1:]:
        replayed(access, who, NOW + HOUR)
    with access.database.read() as connection:
        assert priors.retired(connection) == []


def test_the_store_takes_nobody_into_a_prior_without_their_permit(access: Access) -> None:
    who = person(access)
    member = priors.MemberRow(who.subject, NOW, None, None)
    row = priors.PriorRow("x" * 64, VALENCE, {}, 5, 5, NOW, None)
    with access.write(who.id, NOW) as unit:
        permit = unit.permit(Use.LEARN)
        with pytest.raises(ConsentError, match="does not allow pool"):
            priors.add(unit.connection, row, [(permit, member)])
    with access.database.read() as connection:
        assert snapshots.live(connection, who.subject) == {}
        assert connection.execute(select(tables.priors)).all() == []
