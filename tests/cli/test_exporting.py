"""The command `export` and the list of what was exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import NOW
from tests.cli.conftest import Cli
from tests.workflows.exported import DAY, someone
from tracker.access import Access
from tracker.cli.installation import opened
from tracker.domain.consent import Recorder, Scope
from tracker.settings import load
from tracker.workflows import consenting


@pytest.fixture
def access(cli: Cli, data_folder: Path) -> Iterator[Access]:
    import os  # noqa: PLC0415

    assert cli("init").code == 0
    found = opened(load(os.environ))
    someone(found, "ada")
    yield found
    found.close()


def test_everything_that_can_be_asked_for_at_once_and_the_list_of_it(
    cli: Cli, access: Access, tmp_path: Path
) -> None:
    assert cli("exports", "--json").json == {"exports": []}
    out = tmp_path / "out"
    options = (
        "--shape",
        "long",
        "--every",
        "5min",
        "--format",
        "openesm",
        "--format",
        "csv",
        "--study",
        "built-in",
    )
    done = cli("export", "--out", str(out), *options, "--no-learner-now", "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["series"] > 0
    assert {f.name for f in out.iterdir()} >= {"series.csv", "croissant.json", "codebook.html"}
    consenting.withdraw(
        access, access.person("ada"), [Scope.EXPORT_PSEUDONYMOUS], NOW + DAY, recorder=Recorder.PARTICIPANT
    )
    [one] = cli("exports", "--json").json["exports"]
    assert (one["id"], one["formats"], one["participants"]) == (done.json["id"], ["csv", "openesm"], 1)
    assert one["outdated_at"] is not None
    assert "outdated since" in cli("exports").out


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--every", "5min"], 2, "ask for it with --shape"),
        (["--shape", "wide", "--every", "often"], 2, "a step such as 30s, 5min, 1h or 1d, not 'often'"),
        (["--shape", "wide", "--every", "2d"], 2, "from 1 s to 1 day"),
        (["--study", "another"], 2, "not 'another'"),
        (["--aggregate", "--epsilon", "1", "--shape", "wide"], 2, "--shape goes without --aggregate alone"),
        (["--at", "2001-01-01T00:00:00Z"], 3, "nothing to export"),
        (["--again", "x"], 4, "no export 'x' was made here"),
        (["--again", "x", "--shape", "wide"], 2, "repeated as it was"),
    ],
)
def test_bad_options_are_one_line(
    cli: Cli, access: Access, tmp_path: Path, options: list[str], code: int, told: str
) -> None:
    ended = cli("export", "--out", str(tmp_path / "out"), *options)
    assert (ended.code, told in ended.line) == (code, True), ended.err
    assert list(tmp_path.glob("out*")) == []


def test_a_folder_in_use_and_one_that_cannot_be_are_one_line(
    cli: Cli, access: Access, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    for out in ("there", "there/file", "there/file/below"):
        ended = cli("export", "--out", str(tmp_path / out))
        assert ended.code == 2
        assert ended.line


def test_what_a_column_cannot_hold_ends_with_6(cli: Cli, access: Access, tmp_path: Path) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    with access.database.write() as connection:
        connection.execute(text("update observations set reason = 'tired' where reason is not null"))
    ended = cli("export", "--out", str(tmp_path / "out"))
    assert (ended.code, "observations.reason cannot be coded" in ended.line) == (6, True)
