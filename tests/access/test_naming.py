"""The digests of names under a new key: everybody is found all the while, and an old backup cannot be asked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import NOW, installation
from tests.processes import close, die_at, finish, opened, start
from tracker.access import Access
from tracker.access.naming import renew_name_digests
from tracker.domain.people import EnrolmentError, UnknownParticipantError
from tracker.store import tables

ZONE = "Europe/Berlin"


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(database_url, tmp_path)
    yield made
    close(made)


def digests(access: Access) -> dict[str, str]:
    with access.database.read() as connection:
        rows = connection.execute(select(tables.participants.c.id, tables.participants.c.name_digest))
        return {row.id: row.name_digest for row in rows}


def test_every_digest_is_another_and_everybody_is_found(access: Access) -> None:
    people = {name: access.admit(name, ZONE, NOW) for name in ("ada", "bob", "café")}
    before = digests(access)
    assert renew_name_digests(access) == 3
    after = digests(access)
    assert before.keys() == after.keys()
    assert set(before.values()).isdisjoint(after.values())
    for name, who in people.items():
        assert access.person(name) == who
    with pytest.raises(UnknownParticipantError):
        access.person("eve")


def test_the_key_store_of_afterwards_cannot_test_a_guess_on_a_backup_of_before(access: Access) -> None:
    ada = access.admit("ada", ZONE, NOW)
    in_the_backup = digests(access)[ada.id]
    assert in_the_backup in access.vault.digests("names", "ada"), "before, it can"
    renew_name_digests(access)
    assert in_the_backup not in access.vault.digests("names", "ada")
    assert len(access.keys.of("installation", "names")) == 1


def test_one_that_was_interrupted_is_finished_and_another_is_done(access: Access) -> None:
    ada = access.admit("ada", ZONE, NOW)
    access.vault.renew("installation", "names")
    second = access.vault.digest("names", "ada")
    assert digests(access)[ada.id] != second
    assert access.person("ada") == ada
    renew_name_digests(access)
    # Digests may have been made under the second key meanwhile, of names that are erased since: it goes too.
    assert second not in access.vault.digests("names", "ada")
    assert access.person("ada") == ada


def test_a_name_is_taken_under_either_key(access: Access) -> None:
    access.admit("ada", ZONE, NOW)
    access.vault.renew("installation", "names")
    with pytest.raises(EnrolmentError, match="enrolled already"):
        access.admit("ada", ZONE, NOW)
    access.admit("bob", ZONE, NOW)
    renew_name_digests(access)
    for name in ("ada", "bob"):
        with pytest.raises(EnrolmentError, match="enrolled already"):
            access.admit(name, ZONE, NOW)


def test_who_is_being_erased_keeps_the_digest_that_nobody_can_make(access: Access) -> None:
    ada, bob = access.admit("ada", ZONE, NOW), access.admit("bob", ZONE, NOW)
    before = digests(access)
    access.vault.destroy(ada.id)
    assert renew_name_digests(access) == 1
    assert digests(access)[ada.id] == before[ada.id]
    assert access.person("bob") == bob


def test_nobody_enrolled_is_no_obstacle(access: Access) -> None:
    assert renew_name_digests(access) == 0
    access.admit("ada", ZONE, NOW)
    assert access.person("ada").name == "ada"


def renew_and_die(url: str, folder: Path, point: int) -> None:
    access = opened(url, folder)
    die_at(access, point)
    renew_name_digests(access)
    (folder / "through").touch()


@pytest.mark.privacy
def test_killed_anywhere_everybody_is_found(access: Access, tmp_path: Path) -> None:
    people = {name: access.admit(name, ZONE, NOW) for name in ("ada", "bob")}
    url = access.database.url.render_as_string(hide_password=False)
    killed, point = 0, 1
    while not (tmp_path / "through").exists():
        (code,) = finish(start(renew_and_die, url, tmp_path, point))
        assert code in (0, -signal.SIGKILL), point
        killed += code == -signal.SIGKILL
        for name, who in people.items():
            assert access.person(name) == who, point
        point += 1
    assert killed > 3
    renew_name_digests(access)
    assert len(access.keys.of("installation", "names")) == 1
    assert {access.person(name) for name in people} == set(people.values())


def look_on(url: str, folder: Path) -> None:
    access = opened(url, folder)
    rounds = 0
    while not (folder / "stop").exists():
        assert access.person("ada").name == "ada"
        rounds += 1
    (folder / f"looked{os.getpid()}").write_text(str(rounds))


def enrol_on(url: str, folder: Path, other: str) -> None:
    """Enrol one name after the other, racing somebody who does the same."""
    access = opened(url, folder)
    n = 0
    while not (folder / "stop").exists():
        try:
            access.admit(f"p{n}", ZONE, NOW)
        except EnrolmentError:
            (folder / f"taken{n}{other}").touch()
        n += 1


def test_others_look_up_and_enrol_all_the_while(access: Access, tmp_path: Path) -> None:
    access.admit("ada", ZONE, NOW)
    url = access.database.url.render_as_string(hide_password=False)
    others = [start(look_on, url, tmp_path), *(start(enrol_on, url, tmp_path, who) for who in "ab")]
    ends = time.monotonic() + 6
    renewals = 0
    while time.monotonic() < ends:
        renew_name_digests(access)
        renewals += 1
    (tmp_path / "stop").touch()
    assert finish(*others) == [0, 0, 0]
    assert renewals >= 2
    names = [who.name for who in access.everyone()]
    assert len(names) == len(set(names)), "no name twice"
    assert {access.person(name).name for name in names} == set(names)
