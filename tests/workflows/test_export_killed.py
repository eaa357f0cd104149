"""An export that is killed, wherever: nothing looks whole that is not, and the same command goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import tracker
from tests.builders import NOW, installation
from tests.processes import finish, start
from tests.workflows.exported import bytes_of, fill, manifest, someone
from tests.workflows.killed import die_at
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.reading import NoExportError
from tracker.workflows import consenting
from tracker.workflows.export import ExportError, export_dataset, folder, journal, making
from tracker.workflows.export.streaming import Stream

ASKED: dict[str, Any] = {"formats": {"csv", "parquet", "openesm"}, "shape": "wide"}
NAMES = ("ada", "grace", "mary")


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    for name in NAMES:
        someone(opened, name)
    yield opened
    opened.close()


def _killed_at(step: int, url: str, place: Path, out: Path) -> None:
    """Export in this process, and kill it at a step: a line of the journal, a file, a folder, the name."""
    taken = die_at(
        step,
        (
            (journal.Journal, "_append"),
            (journal.Journal, "remove"),
            (Stream, "_estimates"),
            (Stream, "_participant"),
            (making, "_raters"),
            (folder, "write"),
            (folder, "publish"),
            (folder, "_sync"),
        ),
    )
    export_dataset(installation(url, place), out, NOW, **ASKED)
    (place / "steps").write_text(str(taken()))


def run(step: int, url: str, place: Path, out: Path) -> int | None:
    [code] = finish(start(_killed_at, step, url, place, out))
    return code


def registered(access: Access) -> list[str]:
    with access.database.read() as connection:
        return list(connection.execute(text("select id from exports")).scalars())


# 1 the journal's head; 2 to 10 three people, each while read, when read, when noted; 11 what is about all; 12 to 18 the
# descriptions and the manifest; 19 the journal's end; then the name.
@pytest.mark.parametrize("step", [1, 4, 9, 11, 18, 19, 20])
def test_killed_at_a_step_it_is_not_there_and_goes_on(
    lite: Access, sqlite_url: str, tmp_path: Path, step: int
) -> None:
    out = tmp_path / "out"
    assert run(step, sqlite_url, tmp_path, out) == -signal.SIGKILL
    assert not out.exists()
    for left in tmp_path.glob("out.partial-*"):
        if not (left / "manifest.json").exists():
            with pytest.raises(NoExportError, match=r"it has no manifest\.json"):
                tracker.read_export(left)
    before = {left.name for left in tmp_path.glob("out.partial-*")}
    reads: list[str] = []
    kept = Stream.run

    def counted(self: Stream, report: Callable[[float], None]) -> Any:
        reads.append(self._who.pseudonym)
        return kept(self, report)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "run", counted)
        result = export_dataset(lite, out, NOW, **ASKED)
    # Steps 4, 7 and 10 note that a person is done; once it is registered it is repeated by its id.
    done = min(3, max(0, (step - 2) // 3)) if step < 19 else None
    if done is not None:
        assert len(reads) == 3 - done
    if step > 1:
        assert before == {f"out.partial-{result.id[:12]}"}
    assert [p.name for p in tmp_path.glob("out*")] == ["out"]
    assert registered(lite) == [result.id]
    assert not (out / journal.NAME).exists()
    # A run that nobody interrupted says the same, bit for bit.
    again = export_dataset(lite, tmp_path / "again", NOW, again=result.id)
    assert bytes_of(again.folder) == bytes_of(out)
    assert tracker.read_export(out, "participants").height == 3


def test_the_steps_above_are_all_there_are(lite: Access, sqlite_url: str, tmp_path: Path) -> None:
    assert run(10_000, sqlite_url, tmp_path, tmp_path / "out") == 0
    folders = 1 + sum(1 for p in (tmp_path / "out").rglob("*") if p.is_dir())
    assert int((tmp_path / "steps").read_text()) == 1 + 9 + 1 + 7 + 1 + 1 + folders + 1


def interrupted(access: Access, out: Path, **asked: Any) -> None:
    """Ctrl-C when the first person is done."""

    def stop(done: float) -> None:
        if done > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_dataset(access, out, NOW, progress=stop, **asked)


def test_what_somebody_interrupts_waits_for_the_same_question_alone(lite: Access, tmp_path: Path) -> None:
    out = tmp_path / "out"
    interrupted(lite, out, **ASKED)
    [left] = tmp_path.glob("out.partial-*")
    begun = left.name.removeprefix("out.partial-")
    other = export_dataset(lite, out, NOW, formats={"csv"})
    assert not other.id.startswith(begun)
    assert [p.name for p in tmp_path.glob("out*")] == ["out"]
    interrupted(lite, tmp_path / "two", **ASKED)
    [left] = tmp_path.glob("two.partial-*")
    same = export_dataset(lite, tmp_path / "two", NOW, **ASKED)
    assert left.name == f"two.partial-{same.id[:12]}"


@pytest.mark.parametrize("scope", [Scope.EXPORT_PSEUDONYMOUS, Scope.CONTEXT])
def test_who_withdraws_meanwhile_is_in_nothing_that_goes_on(
    lite: Access, tmp_path: Path, scope: Scope
) -> None:
    out = tmp_path / "out"
    interrupted(lite, out, **ASKED)
    for name in NAMES[:2]:
        consenting.withdraw(lite, lite.person(name), [scope], NOW, recorder=Recorder.PARTICIPANT)
    result = export_dataset(lite, out, NOW, **ASKED)
    assert result.rows["contexts"] == 1
    assert result.participants == (3 if scope is Scope.CONTEXT else 1)
    assert len(list((out / "contexts").glob("participant=*"))) == 1
    assert len((out / "contexts.csv").read_text("utf-8").splitlines()) == 2
    assert set(manifest(out)["files"]) | {"manifest.json"} == set(bytes_of(out))


def test_rows_that_came_meanwhile_are_not_in_it(lite: Access, tmp_path: Path) -> None:
    out = tmp_path / "out"
    interrupted(lite, out, **ASKED)
    for name in NAMES:
        fill(lite, lite.person(name), NOW, source="b" * 64)
    assert export_dataset(lite, out, NOW, **ASKED).rows["observations"] == 45


@pytest.mark.parametrize("damage", ["part", "text", "journal"])
def test_what_was_damaged_meanwhile_is_made_anew(lite: Access, tmp_path: Path, damage: str) -> None:
    out = tmp_path / "out"
    interrupted(lite, out, **ASKED)
    [left] = tmp_path.glob("out.partial-*")
    if damage == "part":
        part = next((left / "observations").glob("*/*/rows.parquet"))
        part.write_bytes(part.read_bytes()[:-1] + b"x")
    elif damage == "text":
        os.truncate(left / "observations.csv", 10)
    else:
        (left / journal.NAME).write_text('{"export": "x"}\n')
    result = export_dataset(lite, out, NOW, **ASKED)
    again = export_dataset(lite, tmp_path / "again", NOW, again=result.id)
    assert bytes_of(again.folder) == bytes_of(out)


def test_two_runs_do_not_write_into_one_folder(lite: Access, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said: list[str] = []

    def another(done: float) -> None:
        if not said:
            said.append("")
            with pytest.raises(ExportError, match="is being written by another run") as refused:
                export_dataset(lite, out, NOW, **ASKED)
            said.append(str(refused.value))

    assert export_dataset(lite, out, NOW, progress=another, **ASKED).participants == 3
    assert len(said) == 2


def test_what_no_column_can_hold_is_one_line_that_names_it(lite: Access, tmp_path: Path) -> None:
    with lite.database.write() as connection:
        connection.execute(text("update observations set reason = 'tired' where reason is not null"))
    with pytest.raises(ExportError, match=r"observations\.reason cannot be coded: 'tired'"):
        export_dataset(lite, tmp_path / "out", NOW)
    assert list(tmp_path.glob("out*")) == []
