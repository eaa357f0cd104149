"""Whoever of the staff reads a person's data leaves one entry first; where that cannot be written, nothing is read."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import NOW, person
from tests.invariants import held
from tests.invariants.conftest import Tell
from tests.invariants.test_01_append_only_log import flipped, unguard
from tests.lives import lived
from tracker.access import Access
from tracker.cli import consent
from tracker.domain.consent import ConsentError, Recorder, Scope
from tracker.domain.readers import Reader, Role
from tracker.store.database import DatabaseError, StatementError
from tracker.workflows import consenting, timeline

LATER = NOW + timedelta(minutes=1)


def test_one_entry_for_each_look_and_it_is_there_before(access: Access, figure: Tell) -> None:
    who, other = lived(access), person(access, "other")
    before = held.count(access, "access_events")
    shown = 0
    for n in range(1, 6):
        with timeline.looked_at(access, who, NOW, Reader(f"reader-{n}")) as (_, moments):
            assert held.count(access, "access_events") == before + n, (
                "the look was noted after the data were shown"
            )
            shown += len(list(moments))
    assert shown
    with access.read(who.id, NOW) as unit:
        assert [look.reader for look in access.looks(unit)][-5:] == [f"reader-{n}" for n in range(1, 6)]
    with access.read(other.id, NOW) as unit:
        assert access.looks(unit) == []
    assert access.audit() is None
    figure("5 looks, 5 entries, each before the first row was read")


def test_where_it_cannot_be_noted_nothing_is_read(access: Access) -> None:
    who = lived(access)
    with access.database.write() as connection:
        connection.execute(text("ALTER TABLE access_events RENAME TO broken"))
    seen: list[object] = []
    with (
        pytest.raises((DatabaseError, StatementError)),
        timeline.looked_at(access, who, NOW, Reader("operator")) as (_, moments),
    ):
        seen += list(moments)
    assert seen == []


def test_a_researcher_needs_the_participants_own_word(access: Access) -> None:
    who = person(access, scopes=set(Scope) - {Scope.SHARE_WITH_RESEARCHERS})
    by = Reader("grace", Role.RESEARCHER)
    with pytest.raises(ConsentError), timeline.looked_at(access, who, NOW, by):
        pass
    consenting.grant(
        access, who, [Scope.SHARE_WITH_RESEARCHERS], NOW, recorder=Recorder.OPERATOR, evidence="form 1"
    )
    with pytest.raises(ConsentError), timeline.looked_at(access, who, NOW, by):
        pass
    consenting.confirm(access, who, NOW)
    with timeline.looked_at(access, who, NOW, by) as (_, moments):
        list(moments)
    consenting.withdraw(access, who, [Scope.SHARE_WITH_RESEARCHERS], LATER, recorder=Recorder.PARTICIPANT)
    with pytest.raises(ConsentError), timeline.looked_at(access, who, LATER, by):
        pass


@pytest.mark.parametrize("statement", ["DELETE FROM access_events", "UPDATE access_events SET salt = sealed",
                                       "DELETE FROM access_log", "UPDATE access_log SET hash = 'x'"])  # fmt: skip
def test_the_list_is_append_only(access: Access, statement: str) -> None:
    lived(access)
    with pytest.raises(StatementError, match="append-only"), access.database.write() as connection:
        connection.execute(text(statement))


def test_every_flipped_byte_of_an_entry_is_found(access: Access) -> None:
    who = person(access)
    access.record_look(who.id, NOW, reader="operator", what="timeline")
    unguard(access, "access_events", "access_log")
    with access.database.read() as connection:
        sealed = bytes(connection.execute(text("SELECT sealed FROM access_events")).scalar_one())
    for broken in [*flipped(sealed)][::7]:
        with access.database.write() as connection:
            connection.execute(text("UPDATE access_events SET sealed = :b").bindparams(b=broken))
        assert access.audit() is not None
    with access.database.write() as connection:
        connection.execute(text("UPDATE access_events SET sealed = :b").bindparams(b=sealed))
    assert access.audit() is None


def test_every_command_that_shows_one_persons_data_goes_through_it() -> None:
    """A command of the operator that reads a series must do it through `looked_at`: found in the source."""
    folder = Path(timeline.__file__).parents[1] / "cli"
    read = re.compile(
        r"\b(?:timeline\.moments|series\.moments|write_bundle|stream_bundle|personal\.replay)\("
    )
    silent = []
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text("utf-8")
        if "benchmarks" in path.parts or path.name == "demo.py":
            continue
        if read.search(source) and "look" not in source:
            silent.append(path.name)
    assert silent == []


def test_a_command_that_writes_choices_tells_of_those_alone() -> None:
    """Whoever records one choice must not be shown the rest of them without a look: found in the source."""
    commands = [each for each in vars(consent).values() if inspect.isfunction(each)]
    telling = [each for each in commands if "standing.tell(" in inspect.getsource(each)]
    assert {each.__name__ for each in telling} == {"grant", "refuse", "withdraw", "confirm", "show"}
    for each in telling:
        source = inspect.getsource(each)
        assert ("only=" in source) != (each.__name__ == "show"), each.__name__
        assert each.__name__ not in ("show", "confirm") or "record_look(" in source
