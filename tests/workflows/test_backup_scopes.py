"""A scope that was erased stays so whatever is brought back, and what was said afterwards is not taken for it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders import NOW, installation
from tests.lives import PLACE, lived
from tests.processes import close
from tests.workflows.test_backup import LATER, backed_up, counts, restored
from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.domain.people import Person
from tracker.domain.series import Context
from tracker.workflows import erasure, feedback
from tracker.workflows.erasure import ErasureIncompleteError, steps


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    made = installation(sqlite_url, tmp_path)
    yield made
    close(made)


def interrupted_erasing_a_scope(access: Access, who: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erase a scope until its keys are gone, and not its rows."""
    with monkeypatch.context() as patched:
        patched.setattr(steps, "STEPS", steps.STEPS[:2])
        with pytest.raises(ErasureIncompleteError):
            erasure.erase_scope(access, who, Scope.CONTEXT, LATER)


def test_a_backup_made_while_a_scope_was_being_erased_brings_none_of_it_back(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = lived(access)
    interrupted_erasing_a_scope(access, who, monkeypatch)
    file = backed_up(access, tmp_path, LATER + timedelta(seconds=1))
    erasure.resume(access, LATER + timedelta(seconds=2))
    told = restored(access, file, LATER + timedelta(seconds=3))
    assert told.erased > 0
    assert "contexts" not in counts(access, who)
    assert told.problem is None


def test_a_backup_made_between_two_erasures_of_one_instant_brings_neither_back(
    access: Access, tmp_path: Path
) -> None:
    who, other = lived(access, "ada"), lived(access, "grace")
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)
    file = backed_up(access, tmp_path, LATER + timedelta(seconds=30))  # the job's instant is when it began
    erasure.erase_scope(access, other, Scope.CONTEXT, LATER)
    told = restored(access, file, LATER + timedelta(hours=1))
    assert told.erased > 0
    assert "contexts" not in counts(access, who)
    assert "contexts" not in counts(access, other)


def says(access: Access, who: Person) -> None:
    feedback.add_context(access, who, Context(NOW, place=PLACE), LATER)


@pytest.mark.parametrize("clock", [timedelta(), timedelta(minutes=-5)])
def test_a_scope_erased_twice_is_erased_again_whatever_the_clock_says(
    access: Access, tmp_path: Path, clock: timedelta
) -> None:
    who = lived(access)
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)
    says(access, who)
    file = backed_up(access, tmp_path, LATER)
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER + clock)
    for again in range(2):
        assert restored(access, file, LATER + timedelta(hours=again)).erased > 0
        assert "contexts" not in counts(access, who)


def test_what_was_said_after_a_scope_was_erased_comes_back(access: Access, tmp_path: Path) -> None:
    who = lived(access)
    early = backed_up(access, tmp_path)
    erasure.erase_scope(access, who, Scope.CONTEXT, LATER)
    says(access, who)
    late = backed_up(access, tmp_path, LATER + timedelta(seconds=1))
    assert restored(access, early, LATER + timedelta(seconds=2)).erased > 0
    after = backed_up(access, tmp_path, LATER + timedelta(seconds=3))
    for file, rows in ((late, 1), (after, 0), (late, 1)):
        assert restored(access, file, LATER + timedelta(seconds=4)).erased == 0
        assert counts(access, who).get("contexts", 0) == rows


def test_with_the_database_lost_too_what_was_said_after_a_scope_was_erased_comes_back(
    lite: Access, tmp_path: Path
) -> None:
    who = lived(lite)
    early = backed_up(lite, tmp_path)
    erasure.erase_scope(lite, who, Scope.CONTEXT, LATER)
    says(lite, who)
    late = backed_up(lite, tmp_path, LATER + timedelta(seconds=1))
    for file, rows in ((early, 0), (late, 1)):
        close(lite)
        assert lite.database.path is not None
        lite.database.path.unlink()
        restored(lite, file, LATER + timedelta(seconds=2))
        assert counts(lite, who).get("contexts", 0) == rows


def test_an_erasure_that_was_interrupted_is_finished_after_a_restore_with_its_keys(
    access: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, other = lived(access, "ada"), lived(access, "grace")
    file = backed_up(access, tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(steps, "STEPS", steps.STEPS[:1])
        with pytest.raises(ErasureIncompleteError):
            erasure.erase_scope(access, who, Scope.NOTES, LATER)
        with pytest.raises(ErasureIncompleteError):
            erasure.erase_person(access, other, LATER)
    told = restored(access, file, LATER + timedelta(seconds=1))
    assert told.problem is None
    assert "notes" not in counts(access, who)
    assert counts(access, other) == {}
    assert access.keys.has(other.id), "a staged backup destroys no key"
    assert len(erasure.resume(access, LATER + timedelta(seconds=2))) == 2
    assert not access.keys.has(other.id)
    assert Scope.NOTES.value not in access.keys.purposes(who.id)
    assert access.audit() is None
    assert restored(access, file, LATER + timedelta(seconds=3)).erased > 0
    assert "notes" not in counts(access, who)
