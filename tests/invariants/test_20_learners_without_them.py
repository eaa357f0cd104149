"""After an erasure priors and learners are those of a world in which the person never took part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import NOW, person
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.personal.saying import HOUR, talkative
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE, VALENCE
from tracker.store import tables
from tracker.workflows import consenting, erasure

TARGETS = (EMOTION, LEAVE_ME_ALONE, VALENCE)
OTHERS = 5
LATER = NOW + HOUR


def others(access: Access) -> None:
    for i in range(OTHERS):
        talkative(access, f"person-{i}", TARGETS, days=1, seed=i)


def priors(access: Access) -> dict[str, tuple[int, int, Any]]:
    """The standing priors: people, events and parameters, by target."""
    c = tables.priors.c
    with access.database.read() as connection:
        rows = connection.execute(
            select(c.target, c.people, c.events, c.parameters)
            .where(c.retired_at.is_(None))
            .order_by(c.fitted_at)
        )
        return {row.target: (row.people, row.events, row.parameters) for row in rows}


def learners(access: Access) -> dict[tuple[str, str], Any]:
    """The parameters of everybody's newest learner, by name and target."""
    found = {}
    for who in access.everyone():
        with access.read(who.id, LATER) as unit:
            for target in personal.live(unit):
                loaded = personal.load(unit, target)
                assert loaded is not None
                found[who.name, target] = (loaded.source, loaded.snapshot.parameters, loaded.snapshot.prior)
    return found


def renewed(access: Access) -> None:
    for who in access.everyone():
        with access.write(who.id, LATER) as unit:
            personal.renew_all(unit)


@pytest.mark.parametrize("leaves", ["erased", "withdrawn"])
def test_priors_and_learners_are_those_without_the_person(access: Access, leaves: str, figure: Tell) -> None:
    others(access)
    assert personal.refit(access, LATER) == len(TARGETS)
    renewed(access)
    before, learned = priors(access), learners(access)

    who = talkative(access, "canary-leaver", TARGETS, days=1, seed=99)
    # A second later, so that it is the newest and everybody's learner starts from it.
    assert personal.refit(access, LATER + timedelta(seconds=1)) == len(TARGETS)
    renewed(access)
    with_them, learned_with_them = priors(access), learners(access)
    assert all(with_them[target] != before[target] for target in TARGETS)
    assert any(learned_with_them[key] != learned[key] for key in learned), "nobody's learner had changed"

    if leaves == "erased":
        erasure.erase_person(access, who, LATER)
    else:
        consenting.withdraw(access, who, [Scope.POOLED_LEARNING], LATER, recorder=Recorder.PARTICIPANT)
    # What they were in stands not a moment longer; what was fitted before they came may.
    assert all(told != with_them[target] for target, told in priors(access).items())
    personal.clean(access, LATER)
    assert priors(access) == before
    assert {key: learners(access)[key] for key in learned} == learned
    with access.database.read() as connection:
        mine = tables.prior_members.c.subject == who.subject
        assert connection.execute(select(tables.prior_members).where(mine)).all() == []
    figure(
        f"{len(TARGETS)} priors of {OTHERS} people and {len(learned)} learners as before they came, bit for bit"
    )


def test_no_learner_or_prior_holds_their_words(access: Access) -> None:
    others(access)
    who = talkative(access, "canary-leaver", TARGETS, days=1, seed=99)
    personal.refit(access, NOW)
    bystander = person(access, "bystander")
    erasure.erase_person(access, who, LATER)
    personal.clean(access, LATER)
    needles = {"subject": who.subject.encode(), "participant": who.id.encode()}
    files = held.database_bytes(access)
    assert [hit for name, some in files.items() for hit in search(name, some, needles)] == []
    assert access.person("bystander").id == bystander.id
