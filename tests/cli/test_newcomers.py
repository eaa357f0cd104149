"""What somebody who is new to the commands does wrong, and is told: looks, names, certificates, pipes, previews."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import STARTED, Cli


def looked(cli: Cli, name: str = "ada") -> list[str]:
    """What was looked at, without this look itself and the code that enrolling printed."""
    looks = [look["what"] for look in cli("consent", "looks", name, "--json").json["looks"][1:]]
    return [what for what in looks if what != "issued a one-time code"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask", "ada"), 3),
        (("correct", "ada", "--at", STARTED, "--emotion", "fear", "--note", "x"), 3),
        (("correct", "ada", "--at", "2999-01-01T00:00:00Z", "--emotion", "fear"), 2),
        (("correct", "ada", "--at", "2020-01-01T00:00:00Z", "--emotion", "fear"), 3),
        (("correct", "ada", "--at", STARTED, "--emotion", "fear", "--prompt", "7"), 3),
        (("correct", "ada", "--at", STARTED, "--target", "mood", "--answer", "yes"), 2),
        (("consent", "receipt", "ada", "--out", "there.json"), 2),
        (("consent", "receipt", "ada", "--out", "no/folder.json"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_refused_showed_nothing_so_nobody_looked(
    cli: Cli,
    ada: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.json").write_text("mine")
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert looked(cli) == []
    assert (tmp_path / "there.json").read_text() == "mine"


def test_a_receipt_of_nothing_is_no_look(cli: Cli, ada: str) -> None:
    cli("enrol", "bob", "--zone", "UTC")
    assert cli("consent", "receipt", "bob").code == 4
    assert looked(cli, "bob") == []


@pytest.mark.parametrize("scope", [None, "context"])
def test_a_certificate_is_verified_and_says_what_it_certifies(
    cli: Cli, ada: str, tmp_path: Path, scope: str | None
) -> None:
    file = tmp_path / "erased.json"
    only = ("--scope", scope) if scope is not None else ()
    assert cli("erase", ada, "--yes", "--certificate", str(file), *only).code == 0
    key = cli("consent", "key").out.strip()
    seen = cli("consent", "verify", str(file), "--key", key)
    assert seen.code == 0, seen.err
    what = "one person" if scope is None else "what context covered of one person"
    assert f"a certificate that {what} was erased" in seen.out
    assert "out of reach from there" in seen.out
    assert f"signed by key {key}, as expected" in seen.out
    told = cli("consent", "verify", str(file), "--json").json
    assert (told["kind"], told["scope"], told["whole"]) == ("erasure certificate", scope, True)
    document = json.loads(file.read_text())
    assert told["rows"] == sum(document["rows"].values())
    file.write_text(json.dumps({**document, "keys": 99}))
    forged = cli("consent", "verify", str(file))
    assert (forged.code, "altered after it was signed" in forged.line) == (10, True)
    file.write_text(json.dumps({**document, "format": "another"}))
    assert "neither a consent receipt nor the certificate" in cli("consent", "verify", str(file)).line


def test_nobody_of_that_name(cli: Cli, ada: str, tmp_path: Path) -> None:
    typed = cli("timeline", "Ada").line
    assert "check the spelling (capital letters count), or enrol them: affect-tracker enrol Ada" in typed
    archive = tmp_path / "ada.zip"
    assert cli("archive", ada, "--out", str(archive)).code == 0
    taken = cli("import", str(archive), "--as", "carl").line
    assert "--evidence TEXT" in taken
    assert "affect-tracker enrol" not in taken
    assert cli("erase", ada, "--yes").code == 0
    again = cli("erase", ada, "--yes")
    assert (again.code, "nothing is left to erase" in again.line) == (4, True)
    assert "affect-tracker enrol" not in again.line


def test_an_export_of_nobody_says_how_one_gets_into_it(cli: Cli, ada: str, tmp_path: Path) -> None:
    for way in ((), ("--public",)):
        scope = "export_public" if way else "export_pseudonymous"
        ended = cli("export", "--out", str(tmp_path / "exp"), *way)
        assert ended.code == 3
        assert f"{scope} must be granted, and confirmed by each person" in ended.line
        assert f"consent grant P {scope} --evidence TEXT and then consent confirm P --code CODE" in ended.line


@pytest.mark.parametrize("what", [("timeline", "ada", "--json"), ("timeline", "ada"), ("--help",)])
def test_a_reader_who_has_seen_enough_is_no_error(ada: str, what: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tracker.cli", *what], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
        assert (process.wait(), told) == (0, b"")
