"""Changing a running study: what is told beforehand is what happens, and a death half way leaves the old or the new."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.builders import NOW, member, observed, person, store
from tests.invariants import held
from tests.processes import finish, opened, start
from tracker.access import Access
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope, Use
from tracker.domain.instants import InstantError
from tracker.domain.members import Role
from tracker.domain.people import Person
from tracker.domain.raters import RaterScope, rater_notice
from tracker.store import notices, raters
from tracker.store.raters import RaterConsent
from tracker.study import DEFAULT, NetworkNotNamedError, ScopeNotAskedError, Study, notice_hashes, parse
from tracker.study.asking import AtRandom, Prompts
from tracker.study.parts import Retention
from tracker.study.ready import Ready, text_of
from tracker.workflows import consenting, enrolment, prompting, studies
from tracker.workflows.ingest import storing

DAY = timedelta(days=1)
ASKING = DEFAULT.model_copy(
    update={
        "id": "month",
        "version": "1",
        "prompts": (
            Prompts(id="day", windows=(AtRandom(opens="09:00", closes="12:00", prompts=2),)),
            Prompts(id="evening", at=("21:00",)),
        ),
    }
)


def version(study: Study, number: str, **changes: Any) -> Study:
    return study.model_copy(update={"version": number, **changes})


def ahead(access: Access, who: Person) -> set[tuple[str, Any]]:
    with access.read(who.id, NOW) as unit:
        return {(a.slot.name, a.slot.at) for a in prompting.upcoming(unit, NOW + studies.AHEAD)}


def test_prompts_that_fall_away_and_come_are_told_of_whom_and_so_it_is(access: Access) -> None:
    studies.apply(access, ASKING, "ops", NOW - DAY)
    ada, bob = person(access, "ada"), person(access, "bob", scopes=(Scope.AFFECT_SERIES,))
    # The notice says nothing of prompts: the same texts, so nobody is asked again.
    moved = version(ASKING, "2", prompts=(ASKING.prompts[0], Prompts(id="evening", at=("20:00", "21:30"))))
    found = studies.preview(access, moved, NOW)
    before = ahead(access, ada)
    assert found.people == 0
    assert found.takes_away
    assert studies.apply(access, moved, "ops", NOW)
    after = ahead(access, ada)
    assert (found.dropped, found.added, found.dropped_of) == (len(before - after), len(after - before), 1)
    assert found.dropped >= 7
    assert found.added >= 14
    assert ahead(access, bob) == set()
    assert f"{found.dropped} prompts of 1 participant in the next 7 days fall away" in found.sentences()


def test_whoever_is_asked_again_is_named(access: Access) -> None:
    studies.apply(access, ASKING, "ops", NOW - DAY)
    for name in ("ada", "bob"):
        person(access, name)
    found = studies.preview(access, version(ASKING, "2", title="Another"), NOW)
    assert sorted(found.names) == ["ada", "bob"]
    assert found.people == 2


def test_raters_agree_again_when_their_notice_names_another_contact(access: Access) -> None:
    studies.apply(access, ASKING, "ops", NOW - DAY)
    rater = member(access, "rita", Role.RATER, now=NOW)
    with access.database.write() as connection:
        text = rater_notice(ASKING.help_contact).sha256
        for scope in RaterScope:
            raters.record(connection, rater.id, RaterConsent(scope.value, "given", text, NOW))
    same = studies.preview(access, version(ASKING, "2", jurisdiction="DE"), NOW)
    assert same.raters == 0
    other = studies.preview(access, version(ASKING, "2", help_contact="Dr. Other"), NOW)
    assert other.raters == 1
    assert "1 rater must agree to the raters' notice again" in other.sentences()


def test_roles_hang_on_the_study_and_another_has_none(access: Access) -> None:
    member(access, "rita", Role.RATER, now=NOW)  # of the built-in study
    found = studies.preview(access, ASKING, NOW)
    assert found.roleless == 1
    assert any("affect-tracker invite" in line for line in found.sentences())
    assert studies.preview(access, DEFAULT.model_copy(update={"version": "2"}), NOW).roleless == 0


def test_what_is_not_asked_for_cannot_be_granted_and_what_was_is_named_as_lost(access: Access) -> None:
    who = person(access)
    narrow = DEFAULT.model_copy(
        update={"id": "narrow", "version": "1", "scopes": (Scope.AFFECT_SERIES, Scope.CONTEXT)}
    )
    assert studies.preview(access, narrow, NOW).people == 1
    studies.apply(access, narrow, "ops", NOW)
    grant(access, who, Scope.AFFECT_SERIES)
    with pytest.raises(ScopeNotAskedError, match="does not ask for notes, so it cannot be granted"):
        grant(access, who, Scope.NOTES)
    with access.read(who.id, NOW) as unit:
        assert set(unit.grants()) == {Scope.AFFECT_SERIES}


def grant(access: Access, who: Person, scope: Scope) -> None:
    consenting.grant(access, who, [scope], NOW, recorder=Recorder.PARTICIPANT)


def test_only_networks_that_the_study_names_are_stored(access: Access) -> None:
    who = person(access)
    named = DEFAULT.model_copy(update={"version": "2", "networks": ("large",)})
    studies.apply(access, named, "ops", NOW)
    with (
        access.write(who.id, NOW) as unit,
        pytest.raises(NetworkNotNamedError, match="reads faces with large, not with"),
    ):
        storing.store(
            unit, unit.permit(Use.STORE_SERIES), [observed(NOW - timedelta(minutes=1), Emotion.FEAR)], NOW
        )
    assert held.count(access, "observations") == 0


def test_whoever_is_enrolled_without_a_zone_lives_in_the_studys(access: Access) -> None:
    with pytest.raises(InstantError, match="names no time zone; say theirs"):
        enrolment.enrol(access, "ada", None, NOW)
    studies.apply(access, version(ASKING, "2", zone="Asia/Tokyo"), "ops", NOW)
    assert enrolment.enrol(access, "ada", None, NOW).person.zone == "Asia/Tokyo"
    assert enrolment.enrol(access, "bob", "UTC", NOW).person.zone == "UTC"


@pytest.mark.parametrize("ready", Ready)
def test_a_ready_study_governs_a_running_installation(access: Access, ready: Ready) -> None:
    study = parse(text_of(ready), f"{ready}.yaml")
    who = person(access)
    assert studies.preview(access, study, NOW).takes_away
    assert studies.apply(access, study, "ops", NOW)
    assert studies.in_force(access) == study
    consenting.grant(access, who, study.scopes, NOW, recorder=Recorder.PARTICIPANT)
    with access.read(who.id, NOW) as unit:
        assert set(unit.grants()) == set(study.scopes)
        assert (unit.allowed(Use.PROMPT) is not None) == bool(study.prompts)


NEW = version(ASKING, "2", title="Another", retention=Retention(affect_series=30))


def apply_and_die(url: str, folder: Path, statement: int) -> None:
    access, passed = opened(url, folder), 0

    def count(*_: Any) -> None:
        nonlocal passed
        passed += 1
        if passed == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    for engine in (access.database.engine, access.keys._database.engine):
        event.listen(engine, "before_cursor_execute", count)
        event.listen(engine, "commit", count)
    studies.apply(access, NEW, "ops", NOW)
    assert passed >= 50, "most of these points lie within it"
    os._exit(7)


def one_of_them_governs(access: Access) -> Study:
    study = studies.in_force(access)
    assert study in (ASKING, NEW)
    with access.database.read() as connection:
        assert notices.valid(connection, NOW) == notice_hashes(study), "notices and study are of one version"
    for who in access.everyone():
        with access.read(who.id, NOW) as unit:
            assert bool(unit.grants()) == (study == ASKING), "the new text was agreed to by nobody yet"
    assert access.audit() is None
    return study


@pytest.mark.parametrize("point", [12, 40, 47, 50, 53, 54, 55, 56, 10**9])  # of 56 statements and commits
def test_killed_anywhere_the_old_or_the_new_study_governs_whole(
    access: Access, tmp_path: Path, point: int
) -> None:
    studies.apply(access, ASKING, "ops", NOW - DAY)
    for name in ("ada", "bob"):
        who = person(access, name)
        store(access, who, [observed(NOW - 40 * DAY)], NOW)
    url = access.database.url.render_as_string(hide_password=False)
    (ended,) = finish(start(apply_and_die, url, tmp_path, point))
    assert ended in (-signal.SIGKILL, 7)
    study = one_of_them_governs(access)
    assert studies.apply(access, NEW, "ops", NOW) == (study == ASKING), "the same command again finishes it"
    assert one_of_them_governs(access) == NEW
