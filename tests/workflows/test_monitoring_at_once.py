"""What researchers see of many people is read at once, and is what reading them one by one would tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.builders import ALL, NOW, installation, person
from tracker.access import Access, Unit
from tracker.domain.consent import NotCoveredError, Recorder, Scope
from tracker.domain.people import Person
from tracker.domain.readers import Reader, Role
from tracker.domain.series import Prompt
from tracker.domain.stretches import Stretch
from tracker.privacy.keys import KeyUnavailableError
from tracker.study import DEFAULT
from tracker.study.parts import Retention
from tracker.workflows import consenting, erasure, hiding, monitoring, prompting, prompts, studies

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FATES = ("completed", "expired", "withheld", "notified")
READER = Reader("member 1", Role.RESEARCHER)


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


def asked(access: Access, who: Person, n: int, hours: int) -> None:
    at = NOW - hours * HOUR
    over = at + HOUR / 2
    fate = FATES[n % 4]
    put = None if fate == "withheld" else at
    done = at + HOUR / 4 if fate == "completed" else None
    ended = None if fate == "notified" else done or over
    one = Prompt(f"day:{n}", at, put, None, done, fate, expires_at=over, ended_at=ended)
    with suppress(NotCoveredError):  # nobody is asked anything from before what they allow
        prompts.record(access, who, one, NOW)


def cohort(access: Access) -> list[Person]:
    """People who differ in all that counts: zone, what they hide, since when, what they ended, and who is gone."""
    study = DEFAULT.model_copy(update={"id": "short", "retention": Retention(prompts=5)})
    assert studies.apply(access, study, "ops", NOW - 40 * DAY)
    made = [
        person(access, "ada"),
        person(access, "ben", zone="Pacific/Auckland"),
        person(access, "cora", covers_from=NOW - 2 * DAY),
        person(access, "dora", [s for s in ALL if s is not Scope.PROMPTS]),
        person(access, "eve"),
        person(access, "finn"),
        # Whose last choice a machine with a fast clock recorded: their rows age by that clock.
        person(access, "gil", now=NOW + 2 * DAY, covers_from=NOW - 60 * DAY),
    ]
    for who in made:
        if who.name != "dora":
            for n, hours in enumerate((1, 3, 11, 30, 47, 60, 95, 119)):
                asked(access, who, n, hours)
    hiding.hide(access, made[0], Stretch(NOW - 4 * HOUR, NOW - 2 * HOUR), NOW)
    hiding.hide(access, made[0], Stretch(NOW - 61 * HOUR, NOW - 59 * HOUR), NOW)
    gone = [Scope.SHARE_WITH_RESEARCHERS]
    consenting.withdraw(access, made[4], gone, NOW, recorder=Recorder.PARTICIPANT)
    erasure.erase_person(access, made[5], NOW)
    return made


def bare(unit: Unit) -> dict[str, Any]:
    """A unit without its transaction."""
    return {
        name: getattr(unit, name) for name in ("person", "now", "events", "rules", "grants_held", "study")
    }


def test_units_read_at_once_are_those_read_one_by_one(access: Access) -> None:
    made = [who for who in cohort(access) if who.name != "finn"]
    with access.read_all(NOW) as units:
        found = {unit.person.name: bare(unit) for unit in units}
    assert set(found) == {who.name for who in made}
    for who in made:
        with access.read(who.id, NOW) as unit:
            assert found[who.name] == bare(unit)
    with access.read_all(NOW, {made[0].id, "nobody"}) as units:
        assert [unit.person.name for unit in units] == ["ada"]


def test_who_shares_and_what_they_were_asked_is_what_each_of_them_tells(access: Access) -> None:
    cohort(access)
    shared = monitoring.sharing(access, NOW)
    assert {who.person.name for who in shared} == {"ada", "ben", "cora", "dora", "gil"}
    assert all(monitoring.find(access, who.person.id, NOW) == who for who in shared)
    whom = [who for who in shared if who.prompts]
    with monitoring.looked_at_each(access, READER, whom, NOW, "prompts") as seen:
        assert [who for who, _ in seen] == whom
        each = prompting.complied_each([unit for _, unit in seen], Role.RESEARCHER, 7)
    counted = {
        who.person.name: sum(a.put + a.withheld for a in days.values())
        for who, days in zip(whom, each, strict=True)
    }
    assert counted["ada"] == counted["ben"] - 2, "of what she hides nothing is told"
    assert counted["cora"] < counted["ben"]
    assert counted["gil"] < counted["ben"], "by their clock some of it is past its time"
    for who, days in zip(whom, each, strict=True):
        with access.read(who.person.id, NOW) as unit:
            assert prompting.complied(unit, Role.RESEARCHER, 7) == days, who.person.name


def test_of_nobody_nothing_is_asked(access: Access) -> None:
    assert monitoring.sharing(access, NOW) == []
    assert prompting.complied_each([], Role.RESEARCHER, 7) == []
    with monitoring.looked_at_each(access, READER, [], NOW, "prompts") as seen:
        assert seen == []


@contextmanager
def statements(access: Access) -> Iterator[list[str]]:
    """The statements that both databases are given."""
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        said.append(statement)

    engines = [access.database.engine, access.keys._database.engine]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_six_people_take_no_more_queries_than_two(access: Access) -> None:
    def taken() -> int:
        with statements(access) as said:
            assert monitoring.sharing(access, NOW)
            with access.read_all(NOW) as units:
                prompting.complied_each(units, Role.RESEARCHER, 7)
        return len(said)

    for name in ("ada", "ben"):
        asked(access, person(access, name), 0, 3)
    few = taken()
    for name in ("cora", "dora", "eve", "finn"):
        asked(access, person(access, name), 0, 3)
    assert taken() == few


def test_keys_that_are_gone_without_an_erasure_are_told_of(access: Access) -> None:
    access.vault.destroy(person(access, "ada").id)
    with pytest.raises(KeyUnavailableError, match="key store"), access.read_all(NOW):
        pass


def test_who_is_erased_while_many_are_read_is_left_out(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their row is in the snapshot still and their tombstone is not yet, but their key is gone."""
    ada, ben = person(access, "ada"), person(access, "ben")
    openers = access.vault.openers

    def erased_just_before(owners: Any, purpose: str) -> Any:
        erasure.begun(access, ada, None, NOW)  # a tombstone first, then the keys
        access.vault.destroy(ada.id)
        return openers(owners, purpose)

    monkeypatch.setattr(access.vault, "openers", erased_just_before)
    with access.read_all(NOW) as units:
        assert [unit.person.id for unit in units] == [ben.id]
