"""After an erasure priors and learners are those of a world in which the person never took part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import NOW, installation, person
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.personal.saying import HOUR, talkative
from tests.processes import close
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.learning.kinds import EMOTION, LEAVE_ME_ALONE, VALENCE
from tracker.store import tables
from tracker.workflows import consenting, erasure

TARGETS = (EMOTION, LEAVE_ME_ALONE, VALENCE)
OTHERS = 5


def others(access: Access) -> None:
    for i in range(OTHERS):
        talkative(access, f"person-{i}", TARGETS, days=1, seed=i)


def priors(access: Access) -> dict[str, tuple[int, int, Any]]:
    """The standing priors: people, events and parameters, by target."""
    c = tables.priors.c
    with access.database.read() as connection:
        rows = connection.execute(
            select(c.target, c.people, c.events, c.parameters).where(c.retired_at.is_(None))
        )
        return {row.target: (row.people, row.events, row.parameters) for row in rows}


def learners(access: Access) -> dict[tuple[str, str], Any]:
    """The parameters of everybody's newest learner, by name and target."""
    found = {}
    for who in access.everyone():
        with access.read(who.id, NOW + 2 * HOUR) as unit:
            for target in personal.live(unit):
                loaded = personal.load(unit, target)
                assert loaded is not None
                found[who.name, target] = (loaded.source, loaded.snapshot.parameters, loaded.snapshot.prior)
    return found


@pytest.mark.parametrize("leaves", ["erased", "withdrawn"])
def test_priors_and_learners_are_those_without_the_person(
    access: Access, tmp_path: Path, leaves: str, figure: Tell
) -> None:
    others(access)
    who = talkative(access, "canary-leaver", TARGETS, days=1, seed=99)
    assert personal.refit(access, NOW) == len(TARGETS)
    with_them = priors(access)
    for other in access.everyone():
        with access.write(other.id, NOW) as unit:
            personal.renew_all(unit)
    if leaves == "erased":
        erasure.erase_person(access, who, NOW + HOUR)
    else:
        consenting.withdraw(access, who, [Scope.POOLED_LEARNING], NOW + HOUR, recorder=Recorder.PARTICIPANT)
    assert priors(access) == {}, "what they were in must not stand a moment longer"
    personal.clean(access, NOW + HOUR)

    folder = tmp_path / "never"
    folder.mkdir()
    never = installation(f"sqlite:///{folder / 'affect.db'}", folder)
    others(never)
    personal.refit(never, NOW + HOUR)
    for other in never.everyone():
        with never.write(other.id, NOW + HOUR) as unit:
            personal.renew_all(unit)
    assert priors(access) == priors(never)
    assert priors(access) != with_them
    mine, theirs = learners(access), learners(never)
    for key, (_, parameters, _) in theirs.items():
        assert mine[key][1] == parameters, key
    with access.database.read() as connection:
        left = connection.execute(
            select(tables.prior_members).where(tables.prior_members.c.subject == who.subject)
        )
        assert left.all() == []
    close(never)
    figure(
        f"{len(TARGETS)} priors of {OTHERS} people and {len(theirs)} learners equal bit for bit those never touched"
    )


def test_no_learner_or_prior_holds_their_words(access: Access) -> None:
    others(access)
    who = talkative(access, "canary-leaver", TARGETS, days=1, seed=99)
    personal.refit(access, NOW)
    bystander = person(access, "bystander")
    erasure.erase_person(access, who, NOW + HOUR)
    personal.clean(access, NOW + HOUR)
    needles = {"subject": who.subject.encode(), "participant": who.id.encode()}
    files = held.database_bytes(access)
    assert [hit for name, some in files.items() for hit in search(name, some, needles)] == []
    assert access.person("bystander").id == bystander.id
