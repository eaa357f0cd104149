"""``erase``, ``backup`` and ``restore`` as a user types them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tracker.cli.installation import opened
from tracker.privacy import signed
from tracker.settings import load
from tracker.store import tombstones
from tracker.workflows import erasure

AT = "2026-03-02T09:00:00+01:00"


def said(cli: Cli, who: str = "ada") -> None:
    assert cli("context", "add", who, "--at", AT, "--place", "canary-place-7f3a").code == 0


def test_both_stages_and_a_certificate(cli: Cli, ada: str, data_folder: Path, tmp_path: Path) -> None:
    said(cli)
    file = tmp_path / "certificate.json"
    ended = cli("erase", ada, "--yes", "--certificate", str(file))
    assert ended.code == 0, ended.err
    assert "1. Data gone, " in ended.out
    assert "2. Learners clean, " in ended.out
    assert "Looked at: rows and keys; database: the file" in ended.out
    assert "Out of reach from here: exports that were handed out" in ended.out
    document = signed.read(file.read_text("utf-8"))
    signed.require_signature(document)
    assert document["rows"]["contexts"] == 1
    assert "ada" not in file.read_text("utf-8")
    assert cli("erase", ada, "--yes").code == 4
    for path in data_folder.iterdir():
        if path.is_file():
            assert b"canary-place-7f3a" not in path.read_bytes()


@pytest.mark.parametrize("place", ["there.json", "no/such/folder.json"])
def test_where_no_certificate_can_be_written_nothing_is_erased(
    cli: Cli, ada: str, tmp_path: Path, place: str
) -> None:
    (tmp_path / "there.json").write_text("an older one")
    ended = cli("erase", ada, "--yes", "--certificate", str(tmp_path / place))
    assert ended.code == 2
    assert "nothing was erased" in ended.line
    assert cli("consent", "show", ada).code == 0


def test_one_scope_as_json(cli: Cli, ada: str) -> None:
    said(cli)
    told = cli("erase", ada, "--scope", "context", "--yes", "--json").json
    assert told["scope"] == "context"
    assert told["rows"] == {"contexts": 1}
    assert told["data_gone"] is True
    assert told["learners_clean"] is True
    assert told["not_looked_at"] == []
    assert cli("erase", ada, "--scope", "context", "--yes", "--json").json["rows"] == {}


def test_the_same_command_finishes_what_was_interrupted(
    cli: Cli, ada: str, data_folder: Path, tmp_path: Path
) -> None:
    said(cli)
    settings = load({"AFFECT_DATA_FOLDER": str(data_folder)})

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(erasure.steps, "STEPS", (*erasure.STEPS[:3], stop))
        assert cli("erase", ada, "--yes").code == 130
    file = tmp_path / "certificate.json"
    ended = cli("erase", ada, "--yes", "--certificate", str(file))
    assert ended.code == 0
    assert "finished an erasure that had been interrupted" in ended.err
    assert json.loads(file.read_text("utf-8"))["rows"]["contexts"] == 1
    access = opened(settings)
    with access.database.read() as connection:
        assert [t.step for t in tombstones.every(connection)] == [tombstones.Step.DONE]
    access.close()


def test_there_and_back(cli: Cli, ada: str, data_folder: Path, tmp_path: Path) -> None:
    said(cli)
    assert cli("enrol", "grace", "--zone", "UTC").code == 0
    file = tmp_path / "monday.db"
    ended = cli("backup", str(file))
    assert ended.code == 0, ended.err
    assert ended.out.strip() == str(file)
    assert "The key store is not in it" in ended.err
    told = cli("backup", str(tmp_path), "--json").json
    assert Path(told["file"]).parent == tmp_path
    assert told["rows"]["contexts"] == 1
    assert cli("backup", str(file)).code == 5
    assert cli("erase", ada, "--yes").code == 0
    ended = cli("restore", str(file), "--yes")
    assert ended.code == 0, ended.err
    assert "erased again" in ended.out
    assert cli("timeline", ada).code == 4
    assert cli("consent", "show", "grace").code == 0
    assert cli("consent", "audit").code == 0
    assert cli("doctor").code in (0, 7)


def test_into_a_folder_that_lost_its_database(cli: Cli, ada: str, data_folder: Path, tmp_path: Path) -> None:
    said(cli)
    file = tmp_path / "monday.db"
    assert cli("backup", str(file)).code == 0
    withdrawn = cli("consent", "withdraw", ada, "context")
    assert withdrawn.code == 0
    for path in data_folder.glob("affect.db*"):
        path.unlink()
    told = cli("restore", str(file), "--yes", "--json").json
    assert told["consent_rows_lost"] is not None
    assert told["grants_ended"] == 3
    assert told["problem"] is None
    assert cli("consent", "audit").code == 0
    assert cli("context", "add", ada, "--at", AT, "--place", "home").code == 3


def test_what_cannot_be_restored(cli: Cli, ada: str, data_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "monday.db"
    assert cli("restore", str(file), "--yes").code == 5
    assert cli("backup", str(file)).code == 0
    other = tmp_path / "other"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECT_DATA_FOLDER", str(other))
        assert cli("init").code == 0
        ended = cli("restore", str(file), "--yes")
        assert ended.code == 5
        assert "signed" in ended.line
    shutil.copy(file, data_folder / "copy.db")
    assert "manifest" in cli("restore", str(data_folder / "copy.db"), "--yes").line
    (data_folder / "affect.keys.db").rename(tmp_path / "keys")
    ended = cli("restore", str(file), "--yes")
    assert ended.code == 6
    assert "key store" in ended.line


def test_a_lost_master_key_stops_an_erasure(cli: Cli, ada: str, data_folder: Path) -> None:
    (data_folder / "master.key").unlink()
    ended = cli("erase", ada, "--yes")
    assert ended.code == 6
    assert "master.key" in ended.line


def test_an_erasure_lists_only_what_was_there(cli: Cli, ada: str) -> None:
    said(cli)
    nothing = cli("erase", ada, "--scope", "notes", "--yes")
    assert nothing.code == 0
    assert "no row of it was stored" in nothing.out
    assert "rows erased" not in nothing.out
    rotated = cli("keys", "rotate", ada)
    assert "keys of 1 person replaced" in rotated.out or "1 key of 1 person replaced" in rotated.out
    everything = cli("erase", ada, "--yes").out
    cells = [line.split("│") for line in everything.splitlines() if line.startswith("│")]
    assert {cell[1].strip(): cell[2].strip() for cell in cells}["contexts"] == "1"
    assert "0" not in {cell[2].strip() for cell in cells}
