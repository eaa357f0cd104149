from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.builders import NOW
from tests.processes import finish, opened, start
from tracker.access import Access, Unit
from tracker.domain.instants import InstantError
from tracker.domain.people import EnrolmentError, Person, UnknownParticipantError
from tracker.store import tables
from tracker.workflows import enrolment


def test_who_is_enrolled_is_found_by_name_and_zone_and_marks_are_kept(access: Access) -> None:
    made = enrolment.enrol(access, "Ada Ümläut", "Asia/Kolkata", NOW, simulated=True).person
    found = access.person("Ada Ümläut")
    assert found == made
    assert (found.zone, found.simulated, found.enrolled_at) == ("Asia/Kolkata", True, NOW)
    assert access.everyone() == [made]


def test_nobody_else_is_found(access: Access) -> None:
    enrolment.enrol(access, "ada", "UTC", NOW)
    for name in ("Ada", "ada ", "bob", ""):
        with pytest.raises(UnknownParticipantError, match="affect-tracker enrol"):
            access.person(name)


@pytest.mark.parametrize("name", ["", " ada", "a/b", "a\nb", "x" * 65, "\x00"])
def test_a_name_that_cannot_be_used_is_refused(access: Access, name: str) -> None:
    with pytest.raises(EnrolmentError, match="cannot be a name"):
        enrolment.enrol(access, name, "UTC", NOW)
    assert access.everyone() == []


@pytest.mark.parametrize("zone", ["Berlin", " ", "Europe/", "../etc/passwd", "GMT+25"])
def test_a_zone_that_does_not_exist_is_refused(access: Access, zone: str) -> None:
    with pytest.raises(InstantError, match="no IANA time zone"):
        enrolment.enrol(access, "ada", zone, NOW)


def test_a_name_is_taken_once(access: Access) -> None:
    first = enrolment.enrol(access, "ada", "UTC", NOW)
    with pytest.raises(EnrolmentError, match="enrolled already"):
        enrolment.enrol(access, "ada", "UTC", NOW)
    assert access.everyone() == [first.person]
    with access.database.read() as connection:
        assert connection.execute(select(tables.subjects.c.id)).scalars().all() == [first.person.subject]
    assert access.keys.owners("identity") == {first.person.id}


def test_who_cannot_be_enrolled_with_what_belongs_to_them_leaves_nothing(access: Access) -> None:
    def refuse(unit: Unit) -> None:
        assert unit.person.name == "ada"
        raise OSError("the file is gone")

    with pytest.raises(OSError, match="gone"):
        access.admit("ada", "UTC", NOW, within=refuse)
    assert access.everyone() == []
    assert access.keys.owners("identity") == set()
    assert access.audit() is None


def enrol_ada(url: str, folder: Path, n: int) -> None:
    access = opened(url, folder)
    try:
        enrolment.enrol(access, "ada", "UTC", NOW)
    except EnrolmentError:
        (folder / f"taken{n}").touch()


def test_many_processes_enrol_one_name_once(access: Access, tmp_path: Path) -> None:
    url = access.database.url.render_as_string(hide_password=False)
    assert finish(*[start(enrol_ada, url, tmp_path, n) for n in range(4)]) == [0] * 4
    assert len(list(tmp_path.glob("taken*"))) == 3
    assert [p.name for p in access.everyone()] == ["ada"]


def used(access: Access, who: Person, code: str, at: datetime) -> None:
    with access.write(who.id, at) as unit:
        enrolment.use_code(unit, code)


def test_a_code_works_once(access: Access) -> None:
    made = enrolment.enrol(access, "ada", "UTC", NOW)
    used(access, made.person, made.code.lower().replace("-", " "), NOW)
    with pytest.raises(EnrolmentError, match="affect-tracker code"):
        used(access, made.person, made.code, NOW)


def test_a_wrong_a_replaced_and_an_old_code_do_not_work(access: Access) -> None:
    made = enrolment.enrol(access, "ada", "UTC", NOW)
    new = enrolment.renew_code(access, made.person, NOW)
    late = NOW + enrolment.CODE_HOLDS + timedelta(seconds=1)
    for code, at in (("ABCD-EFGH-JKLM", NOW), (made.code, NOW), ("", NOW), (new, late)):
        with pytest.raises(EnrolmentError, match="that code"):
            used(access, made.person, code, at)
    used(access, made.person, new, NOW + enrolment.CODE_HOLDS)


def test_a_code_belongs_to_one_person(access: Access) -> None:
    ada, bob = (enrolment.enrol(access, name, "UTC", NOW) for name in ("ada", "bob"))
    with pytest.raises(EnrolmentError):
        used(access, bob.person, ada.code, NOW)


def test_a_code_is_stored_hashed(access: Access) -> None:
    code = enrolment.enrol(access, "ada", "UTC", NOW).code
    with access.database.read() as connection:
        stored = repr(connection.execute(select(tables.accounts)).all())
    assert code not in stored
    assert code.replace("-", "") not in stored


def test_a_second_pause_keeps_the_first_instant(access: Access) -> None:
    who = enrolment.enrol(access, "ada", "UTC", NOW).person
    enrolment.pause(access, who, NOW)
    enrolment.pause(access, who, NOW + timedelta(hours=1))
    assert access.person("ada").paused_at == NOW
    enrolment.resume(access, who, NOW + timedelta(hours=2))
    assert access.person("ada").paused_at is None
