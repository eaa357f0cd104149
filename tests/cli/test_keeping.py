"""Face crops and notes through the command line: kept where they may be, counted, and never printed."""

from __future__ import annotations

import io
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COVERS, STARTED, Cli

WORDS = "Nobody but me reads this, canary 51c0"


def allow(cli: Cli, who: str, scope: str) -> None:
    granted = cli("consent", "grant", who, scope, "--evidence", "form 7", "--covers-from", COVERS)
    assert granted.code == 0, granted.err


def rows(data_folder: Path, table: str) -> int:
    (database,) = (path for path in data_folder.glob("*.db") if "keys" not in path.name)
    with sqlite3.connect(database) as connection:
        count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return count


def type_in(monkeypatch: pytest.MonkeyPatch, written: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(written), "utf-8"))


def test_track_says_how_many_crops_it_kept(cli: Cli, ada: str, clip: Path, data_folder: Path) -> None:
    track = ("track", str(clip), "--participant", ada, "--started-at", STARTED, "--every", "0.5")
    assert cli(*track, "--json").json["crops"] == 0
    assert cli("erase", ada, "--scope", "affect_series", "--yes").code == 0
    allow(cli, ada, "affect_series")
    allow(cli, ada, "face_crops")
    assert cli(*track, "--no-crops", "--json").json["crops"] == rows(data_folder, "crops") == 0
    other = (*track[:-1], "0.3")
    first = cli(*other, "--json").json
    assert first["crops"] == rows(data_folder, "crops") > 0
    assert first["crops"] <= first["with_face"]
    again = cli(*other)
    assert "crops kept" in again.out
    assert rows(data_folder, "crops") == first["crops"]


def test_a_note_is_kept_and_printed_nowhere(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(cli, ada, "notes")
    correct = ("correct", ada, "--at", STARTED, "--emotion", "fear")
    said = cli(*correct, "--note", WORDS)
    assert "the note was sealed" in said.out
    type_in(monkeypatch, WORDS.encode())
    assert cli(*correct, "--note", "-", "--json").json["noted"]
    assert cli(*correct, "--json").json["noted"] is False
    assert rows(data_folder, "notes") == 2
    exported = cli("export", "--out", str(tmp_path / "out"))
    for ended in (said, exported, cli("timeline", ada), cli("timeline", ada, "--json"), cli("replay", ada)):
        assert WORDS not in ended.out + ended.err
    for path in (*data_folder.rglob("*"), *(tmp_path / "out").rglob("*")):
        assert path.is_dir() or WORDS[-12:].encode() not in path.read_bytes()


@pytest.mark.parametrize(
    ("note", "typed", "told"),
    [
        ("x" * 2001, b"", "has 2,001 characters; it may have 2,000"),
        (" ", b"", "the note is empty"),
        ("-", b"", "the note is empty"),
        ("-", b"caf\xe9", "U+DCE9"),
        ("-", b"x" * 9000, "it may have 2,000"),
        ("bell \a", b"", "U+0007"),
    ],
)
def test_what_is_no_note_is_refused_in_one_line(
    cli: Cli, ada: str, data_folder: Path, monkeypatch: pytest.MonkeyPatch, note: str, typed: bytes, told: str
) -> None:
    allow(cli, ada, "notes")
    type_in(monkeypatch, typed)
    done = cli("correct", ada, "--at", STARTED, "--emotion", "fear", "--note", note)
    assert done.code == 2
    assert told in done.line
    assert rows(data_folder, "corrections") == rows(data_folder, "notes") == 0


def test_a_note_without_its_grant_is_refused_and_how_to_get_it_is_said(
    cli: Cli, ada: str, data_folder: Path
) -> None:
    done = cli("correct", ada, "--at", STARTED, "--emotion", "fear", "--note", WORDS)
    assert done.code == 3
    assert "consent grant ada notes" in done.line
    assert rows(data_folder, "corrections") == rows(data_folder, "notes") == 0
