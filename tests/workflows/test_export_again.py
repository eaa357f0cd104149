"""An export repeats byte for byte; once somebody in it withdrew it is refused, and nobody is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.builders import ALL, NOW, installation, person
from tests.workflows.exported import DAY, bytes_of, fill, someone
from tracker.access import Access
from tracker.domain.consent import Recorder, Scope
from tracker.domain.people import Person
from tracker.store.keystore import KeyStore
from tracker.workflows import consenting
from tracker.workflows.export import (
    ExportError,
    UnknownExportError,
    WithdrawnError,
    export_dataset,
)

LATER = NOW + 5 * DAY


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.database.close()
    opened.keys.close()


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(sqlite_url, tmp_path)
    yield opened
    opened.database.close()
    opened.keys.close()


def test_the_same_bytes_again_whatever_was_added_since(access: Access, tmp_path: Path) -> None:
    ada = someone(access, "ada", tuple(s for s in ALL if s is not Scope.CONTEXT))
    someone(access, "grace", simulated=True)
    first = export_dataset(access, tmp_path / "first", NOW)
    # More of everything: rows, a second word on old moments, grants, and people, also at the same instant.
    consenting.grant(
        access, ada, [Scope.CONTEXT], NOW, recorder=Recorder.PARTICIPANT, covers_from=NOW - 9 * DAY
    )
    fill(access, ada, NOW, source="b" * 64)
    fill(access, ada, LATER, source="c" * 64)
    someone(access, "mary")
    again = export_dataset(access, tmp_path / "again", LATER, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    assert again == type(first)(
        **{f: getattr(first, f) for f in first.__slots__ if f != "folder"}, folder=again.folder
    )
    with access.database.read() as connection:
        assert connection.execute(text("select count(*) from exports")).scalar_one() == 1


def test_it_keeps_formats_participants_and_instant(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    someone(lite, "grace")
    first = export_dataset(lite, tmp_path / "first", LATER, participants=["ada"], at=NOW, formats={"csv"})
    again = export_dataset(lite, tmp_path / "again", LATER + DAY, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    assert again.participants == 1


def test_two_exports_in_a_row_are_not_the_same(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    one, two = (export_dataset(lite, tmp_path / n, NOW) for n in "ab")
    assert one.id != two.id
    assert one.manifest_sha256 != two.manifest_sha256


@pytest.mark.parametrize("scope", [Scope.EXPORT_PSEUDONYMOUS, Scope.AFFECT_SERIES, Scope.CONTEXT])
def test_a_withdrawal_refuses_it_and_names_nobody(access: Access, tmp_path: Path, scope: Scope) -> None:
    ada = someone(access, "ada")
    someone(access, "grace")
    first = export_dataset(access, tmp_path / "first", NOW)
    # The same instant: the log's order counts, not the clock.
    consenting.withdraw(access, ada, [scope], NOW, recorder=Recorder.PARTICIPANT)
    with pytest.raises(WithdrawnError, match="1 participant in it withdrew") as refused:
        export_dataset(access, tmp_path / "again", LATER, again=first.id)
    # As words: an export's number in hexadecimal holds "ada" now and then.
    assert not re.search(rf"\b(ada|grace|{ada.id})\b", str(refused.value))
    assert not (tmp_path / "again").exists()
    with access.database.read() as connection:
        assert connection.execute(text("select outdated_at from exports")).scalar_one() is not None
    assert export_dataset(access, tmp_path / "new", LATER).participants >= 1


def test_a_withdrawal_of_what_it_never_held_does_not(lite: Access, tmp_path: Path) -> None:
    ada = someone(lite, "ada")
    first = export_dataset(lite, tmp_path / "first", NOW)
    consenting.withdraw(lite, ada, [Scope.NOTES, Scope.FACE_CROPS], LATER, recorder=Recorder.PARTICIPANT)
    again = export_dataset(lite, tmp_path / "again", LATER, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)


def test_rows_that_are_gone_refuse_it(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    first = export_dataset(lite, tmp_path / "first", NOW)
    with lite.database.write() as connection:
        connection.execute(text("delete from contexts"))
    with pytest.raises(ExportError, match="cannot be repeated byte for byte"):
        export_dataset(lite, tmp_path / "again", LATER, again=first.id)
    assert list(tmp_path.glob("again*")) == []


def test_without_its_key_it_cannot_be_told_from_the_rows_who_was_who(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    first = export_dataset(lite, tmp_path / "first", NOW)
    keys: KeyStore = lite.keys
    with keys._database.write() as connection:
        connection.execute(text("delete from wrapped_keys where purpose like 'export|%'"))
    with pytest.raises(ExportError, match="cannot be repeated"):
        export_dataset(lite, tmp_path / "again", LATER, again=first.id)


def test_an_unknown_id_and_contradicting_options_are_refused(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    with pytest.raises(UnknownExportError, match="'no-such-id'"):
        export_dataset(lite, tmp_path / "out", NOW, again="no-such-id")
    for more in ({"participants": ["ada"]}, {"at": NOW}, {"formats": {"csv"}}):
        with pytest.raises(ExportError, match="repeated as it was"):
            export_dataset(lite, tmp_path / "out", NOW, again="x", **more)  # type: ignore[arg-type]
    with pytest.raises(ExportError, match="formats are parquet, csv and openesm, not xlsx"):
        export_dataset(lite, tmp_path / "out", NOW, formats={"xlsx"})


def during(access: Access, act: Callable[[], object]) -> Callable[[float], None]:
    """Progress that does something once, in the middle of an export."""
    waiting = [act]

    def report(done: float) -> None:
        if waiting and done >= 0.5:
            waiting.pop()()

    return report


@pytest.mark.parametrize("scope", [Scope.EXPORT_PSEUDONYMOUS, Scope.CONTEXT])
def test_a_withdrawal_while_it_runs_makes_it_begin_anew_without_them(
    access: Access, tmp_path: Path, scope: Scope
) -> None:
    people = [someone(access, name) for name in ("ada", "grace", "mary")]

    def withdraw() -> None:
        for who in people[:2]:
            consenting.withdraw(access, who, [scope], NOW + DAY, recorder=Recorder.PARTICIPANT)

    result = export_dataset(access, tmp_path / "out", NOW, progress=during(access, withdraw))
    if scope is Scope.CONTEXT:
        assert (result.participants, result.rows["contexts"]) == (3, 1)
    else:
        assert (result.participants, result.rows["observations"]) == (1, 15)
    with access.database.read() as connection:
        kept = connection.execute(text("select count(*), max(outdated_at) from exports")).one()
    assert tuple(kept) == (1, None)


def test_rows_that_come_while_it_runs_are_not_in_it_nor_in_its_repetition(
    access: Access, tmp_path: Path
) -> None:
    ada, grace = someone(access, "ada"), someone(access, "grace")

    def add() -> None:
        for who in (ada, grace):
            fill(access, who, NOW, source="b" * 64)

    first = export_dataset(access, tmp_path / "out", NOW, progress=during(access, add))
    assert first.rows["observations"] == 30
    again = export_dataset(access, tmp_path / "again", NOW, again=first.id)
    assert bytes_of(again.folder) == bytes_of(first.folder)


def test_consent_that_keeps_changing_ends_in_one_line(lite: Access, tmp_path: Path) -> None:
    ada = someone(lite, "ada")
    left = [Scope.CONTEXT, Scope.PERSONAL_LEARNING, Scope.PROMPTS]

    def withdraw(done: float) -> None:
        if done == 0.5:
            consenting.withdraw(lite, ada, [left.pop()], NOW, recorder=Recorder.PARTICIPANT)

    with pytest.raises(ExportError, match="consent changed 3 times"):
        export_dataset(lite, tmp_path / "out", NOW, progress=withdraw)
    assert list(tmp_path.glob("out*")) == []


def test_erased_members_count_as_withdrawn(lite: Access, tmp_path: Path) -> None:
    someone(lite, "ada")
    first = export_dataset(lite, tmp_path / "first", NOW)
    newcomer: Person = person(lite, "newcomer")
    with lite.database.write() as connection:
        connection.execute(text("update export_members set participant = :p"), {"p": newcomer.id})
        connection.execute(text("delete from export_members"))
    with pytest.raises(WithdrawnError, match="1 participant"):
        export_dataset(lite, tmp_path / "again", LATER, again=first.id)
