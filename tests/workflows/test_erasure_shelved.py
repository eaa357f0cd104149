"""What waits in the web to be fetched is gone with the person: before the erasure is called done, not later."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOW, installation, observed, person, store
from tests.processes import close
from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.domain.readers import Reader, Role
from tracker.domain.stretches import Stretch
from tracker.store.waiting import Job, Waiting, folder_of
from tracker.workflows import erasure
from tracker.workflows.export import shelf as shelves
from tracker.workflows.export.run import export_dataset
from tracker.workflows.export.shelf import Shelf

ROSA = Reader("rosa", Role.RESEARCHER)
LOOKED = "exports that wait to be fetched"


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Access:
    made = installation(database_url, tmp_path)
    for name in ("ada", "bob"):
        store(made, person(made, name), [observed(NOW - timedelta(minutes=m)) for m in range(30)])
    return made


def waits(access: Access, *names: str) -> Shelf:
    """An export of these people that waits to be fetched."""
    shelf = Shelf(access, lambda: NOW)
    shelf.begin(ROSA, formats={"csv"}, participants=list(names))
    shelf.wait()
    (job, *_) = shelf.jobs()
    assert job.problem == ""
    return shelf


def archives(access: Access) -> list[Path]:
    folder = folder_of(access.keys.path)
    return [path for path in folder.rglob("*") if path.suffix in (".zip", ".csv")]


@pytest.mark.parametrize("what", [None, Scope.AFFECT_SERIES, Stretch(NOW - timedelta(hours=1), NOW)])
def test_what_waits_with_it_goes_and_what_waits_without_it_stays(
    access: Access, what: Scope | Stretch | None
) -> None:
    first = waits(access, "ada")
    first.close()
    both = waits(access, "bob")
    assert len(archives(access)) == 2
    who = access.person("ada")
    number = erasure.begun(access, who, what, NOW)
    assert len(archives(access)) == 2, "nothing is gone yet, so that the rest of this can fail"
    done = erasure.go_on(access, who, number, NOW)
    assert LOOKED in done.looked_at
    assert done.exports == 1
    assert len(archives(access)) == 1
    assert both.jobs()[0].export not in {None, ""}
    both.close()
    close(access)


def test_what_cannot_be_deleted_keeps_the_erasure_open(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(access, "ada").close()
    who = access.person("ada")
    with monkeypatch.context() as patched:
        patched.setattr(Waiting, "_delete", staticmethod(lambda path: None))
        with pytest.raises(erasure.ErasureIncompleteError, match="is still there"):
            erasure.erase_person(access, who, NOW)
    (done,) = erasure.resume(access, NOW)
    assert LOOKED in done.looked_at
    assert archives(access) == []
    close(access)


def test_a_disk_that_refuses_is_told(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    waits(access, "ada").close()

    def refuses(self: Waiting, job: str) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(Waiting, "remove", refuses)
        with pytest.raises(erasure.ErasureIncompleteError, match="Read-only file system"):
            erasure.erase_person(access, access.person("ada"), NOW)
    assert len(erasure.resume(access, NOW)) == 1
    assert archives(access) == []
    close(access)


def test_one_that_is_being_made_is_named_and_published_by_no_run(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, on = threading.Event(), threading.Event()

    def slow(*arguments: Any, **more: Any) -> Any:
        begun.set()
        assert on.wait(60)
        return export_dataset(*arguments, **more)

    monkeypatch.setattr(shelves, "export_dataset", slow)
    shelf = Shelf(access, lambda: NOW)
    shelf.begin(ROSA, formats={"csv"}, participants=["ada"])
    assert begun.wait(60)
    done = erasure.erase_person(access, access.person("ada"), NOW)
    assert [word for word in done.unseen if "being made" in word]
    on.set()
    shelf.wait()
    (job,) = shelf.jobs()
    assert job.problem
    assert archives(access) == []
    shelf.close()
    close(access)


def test_what_a_killed_process_left_goes_too(access: Access) -> None:
    folder = folder_of(access.keys.path)
    folder.mkdir()
    left = Waiting(folder)
    left.write(Job("a" * 32, "rosa", NOW))
    (folder / ("a" * 32)).mkdir()
    (folder / ("a" * 32) / "observations.csv").write_text("half of it")
    (folder / f"{'b' * 32}.zip").write_bytes(b"of none that is known")
    erasure.erase_person(access, access.person("ada"), NOW)
    assert archives(access) == []
    (job,) = left.every()
    assert "ask for it again" in job.problem
    close(access)


def test_where_nothing_was_ever_asked_for_no_folder_is_made(access: Access) -> None:
    done = erasure.erase_person(access, access.person("ada"), NOW)
    assert LOOKED not in done.looked_at
    assert not folder_of(access.keys.path).exists()
    close(access)
