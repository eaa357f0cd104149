"""`archive` and `import` as a user meets them."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.workflows.archived import whole
from tracker import settings
from tracker.access import Access
from tracker.cli import installation


@pytest.fixture
def opened(cli: Cli, data_folder: Path) -> Iterator[Access]:
    """An installation in which countess is enrolled, with something in every table."""
    assert cli("init").code == 0
    access = installation.opened(settings.load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    whole(access, "countess")
    yield access
    access.close()


@pytest.fixture
def archive(cli: Cli, opened: Access, tmp_path: Path) -> Path:
    path = tmp_path / "countess.zip"
    ended = cli("archive", "countess", "--out", str(path))
    assert ended.code == 0, ended.err
    return path


def test_an_archive_is_for_its_owners_eyes_and_there_when_it_is_whole(cli: Cli, archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with zipfile.ZipFile(archive) as file:
        assert file.testzip() is None
    ended = cli("archive", "countess", "--out", str(archive))
    assert ended.code == 2
    assert "there already" in ended.line
    ended = cli("archive", "countess", "--out", str(archive / "no" / "such.zip"))
    assert ended.code == 2
    assert "cannot be made" in ended.line
    assert cli("archive", "bob", "--out", str(archive.with_name("bob.zip"))).code == 4
    assert [path.name for path in archive.parent.glob("*.zip*")] == [archive.name]


def test_what_is_broken_off_leaves_no_file(
    cli: Cli, opened: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.workflows import portability  # noqa: PLC0415

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(portability, "write_bundle", broken)
    assert cli("archive", "countess", "--out", str(tmp_path / "c.zip")).code == 130
    assert list(tmp_path.glob("c.zip*")) == []


def test_an_archive_is_taken_in_on_evidence_and_its_taker_gets_a_code(cli: Cli, archive: Path) -> None:
    ended = cli("import", str(archive), "--as", "ada", "--evidence", "a letter", "--json")
    assert ended.code == 0, ended.err
    done = ended.json
    assert done["stored"]["observations"] == 15
    assert done["left_out"] == {}
    assert cli("consent", "confirm", "ada", "--code", done["code"]).code == 0
    rows = cli("timeline", "ada", "--json").json
    assert [r["machine"] for r in rows] == [r["machine"] for r in cli("timeline", "countess", "--json").json]
    again = cli("import", str(archive), "--as", "ada", "--evidence", "a letter")
    assert again.code == 2
    assert "series of their own" in again.line


def test_without_evidence_the_taker_and_the_grants_must_be_there(cli: Cli, archive: Path) -> None:
    assert cli("import", str(archive), "--as", "ada").code == 4
    cli("enrol", "ada", "--zone", "Europe/Berlin")
    refused = cli("import", str(archive), "--as", "ada")
    assert refused.code == 3
    assert "--covers-from" in refused.line
    grant = refused.line.partition("affect-tracker consent ")[2].partition(", or add")[0]
    words = grant.replace("TEXT", "letter").split()
    assert cli("consent", *words).code == 0
    ended = cli("import", str(archive), "--as", "ada")
    assert ended.code == 0, ended.err
    assert "Imported as ada" in ended.out


def test_only_granted(cli: Cli, archive: Path) -> None:
    cli("enrol", "ada", "--zone", "Europe/Berlin")
    cli(
        "consent", "grant", "ada", "affect_series", "--evidence", "x", "--covers-from", "2026-01-01T00:00:00Z"
    )
    done = cli("import", str(archive), "--as", "ada", "--only-granted", "--json").json
    assert done["stored"]["observations"] == 15
    assert done["left_out"]["contexts"] == 1
    assert done["code"] is None


def test_what_is_no_archive(cli: Cli, opened: Access, tmp_path: Path) -> None:
    path = tmp_path / "letter.zip"
    path.write_text("Dear Ada")
    ended = cli("import", str(path), "--as", "ada", "--evidence", "x")
    assert ended.code == 5
    assert "no zip file" in ended.line
    # Nobody was enrolled for what cannot be taken in.
    assert cli("timeline", "ada").code == 4


def test_no_link_is_followed(cli: Cli, opened: Access, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    (tmp_path / "c.zip.partial").symlink_to(target)
    ended = cli("archive", "countess", "--out", str(tmp_path / "c.zip"))
    assert ended.code == 2
    assert target.read_text() == "mine"
