"""`import --mapping` as a user meets it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.workflows.foreign_files import DIARY, diary, written
from tracker import settings
from tracker.cli import installation
from tracker.cli.foreign import LOOK

ROWS = ("bob,2026-03-02 09:00,75,4,home,", "bob,2026-03-02 10:00,200,4,home,", "joy,2026-03-02 09:00,,7,,")


@pytest.fixture
def files(ada: str, tmp_path: Path) -> tuple[str, str, str]:
    """An installation in which ada is enrolled; a diary of others, its mapping, and the form that they signed."""
    texts = {"diary.csv": diary(*ROWS), "diary.toml": DIARY, "form.txt": "We allow it."}
    diary_file, mapping, form = (str(written(tmp_path, text, name)) for name, text in texts.items())
    return diary_file, mapping, form


def attested(form: str) -> tuple[str, ...]:
    return ("--attested-by", "Dr. Kim", "--document", form, "--covers-from", "2026-01-01T00:00:00Z")


def test_it_is_told_first_then_done_and_done_again_for_nothing(cli: Cli, files: tuple[str, str, str]) -> None:
    file, mapping, form = files
    told = cli("import", file, "--mapping", mapping, "--dry-run")
    assert told.code == 0, told.err
    assert "2 people, 2 of them would be enrolled" in told.out
    assert "dry run: nothing was stored" in told.out
    assert "alone: '200'" in told.out
    assert cli("timeline", "bob", "--json").code == 4
    done = cli("import", file, "--mapping", mapping, *attested(form))
    assert done.code == 0, done.err
    assert "2 people, 2 of them were enrolled" in done.out
    again = cli("import", file, "--mapping", mapping, *attested(form), "--json").json
    assert again["there"]["corrections"] == 3
    assert not any(again["new"].values())
    shown = cli("consent", "show", "bob")
    assert "affect_series" in shown.out


def test_what_is_missing_or_does_not_belong_together_is_said(
    cli: Cli, files: tuple[str, str, str], tmp_path: Path
) -> None:
    file, mapping, form = files
    for arguments, code, says in (
        ((file, "--mapping", mapping), 2, "add --attested-by WHO, --document FILE, --covers-from ISO"),
        ((file, "--mapping", mapping, "--as", "bob"), 2, "are for archives"),
        ((file, "--as", "bob", "--dry-run"), 2, "an archive needs none of these options"),
        ((file,), 2, "with --as NAME"),
        ((file, "--mapping", str(tmp_path / "no.toml"), "--dry-run"), 2, "cannot be read"),
        (("no.csv", "--mapping", mapping, "--dry-run"), 5, "no.csv cannot be read"),
        ((file, "--mapping", mapping, *attested(str(tmp_path / "no.pdf"))), 2, "no.pdf cannot be read"),
        ((file, "--mapping", mapping, *attested(form)[:-1], "2026-01-01"), 2, "has no UTC offset"),
    ):
        ended = cli("import", *arguments)
        assert ended.code == code, (arguments, ended.err)
        assert says in ended.line
    assert cli("code", "bob").code == 4


def test_whose_stored_rows_it_is_compared_with_reads_of_it(
    cli: Cli, files: tuple[str, str, str], tmp_path: Path, data_folder: Path
) -> None:
    _, mapping, form = files
    own = str(written(tmp_path, diary("ada,2026-03-02 09:00,75,4,home,"), "ada.csv"))
    refused = cli("import", own, "--mapping", mapping, *attested(form))
    assert refused.code == 2
    assert "--existing 'ada'" in refused.line
    assert cli("import", own, "--mapping", mapping, "--dry-run", "--existing", "ada").code == 0
    access = installation.opened(settings.load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    with access.read(access.person("ada").id, datetime(2026, 3, 20, tzinfo=UTC)) as unit:
        looks = [look.what for look in access.looks(unit)]
    access.close()
    assert looks[1:] == [LOOK]
