"""``study``: a file is checked, applied with a preview, shown and closed; a study that must not run never governs."""

from pathlib import Path

from tests.cli.conftest import STARTED, Cli

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "diary.toml"


def write(folder: Path, old: str, new: str) -> str:
    path = folder / "study.toml"
    text = EXAMPLE.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return str(path)


def test_a_file_is_checked_without_a_database(cli: Cli, tmp_path: Path) -> None:
    assert "is sound" in cli("study", "check", str(EXAMPLE)).out
    assert cli("study", "check", str(EXAMPLE), "--json").json["study"]["id"] == "diary"
    ended = cli("study", "check", write(tmp_path, 'id = "diary"', 'id = "My Diary"\nhelp_contac = 1'))
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 2, "each problem on a line of its own"
    assert "study.toml, line 2: id is 'My Diary'; write small letters" in ended.err
    assert "study.toml, line 3: help_contac is unknown; did you mean help_contact?" in ended.err


def test_a_study_that_must_not_run_is_refused_by_its_own_code(cli: Cli, tmp_path: Path) -> None:
    assert cli("init").code == 0
    file = write(tmp_path, '= "private"', '= "hiring"')
    for ended in (cli("study", "check", file), cli("study", "apply", file, "--by", "ops", "--yes")):
        assert ended.code == 3
        assert "hiring is refused" in ended.line
    assert "built-in" in cli("study", "show").out


def test_it_is_applied_with_a_preview_and_only_with_a_yes_where_it_takes_away(cli: Cli, ada: str) -> None:
    ended = cli("study", "apply", str(EXAMPLE), "--by", "ops")
    assert ended.code == 2
    assert "3 grants of 1 participant stop being in force until they choose again" in ended.err
    assert "nothing was changed" in ended.err
    assert cli("study", "show", "--json").json["applied"] == []
    ended = cli("study", "apply", str(EXAMPLE), "--by", "ops", "--yes", "--json")
    assert ended.json["applied"] is True
    assert ended.json["preview"]["people"] == 1
    assert "governs already" in cli("study", "apply", str(EXAMPLE), "--by", "ops").out
    assert not any(row["in_force"] for row in cli("consent", "show", ada, "--json").json["scopes"])
    [applied] = cli("study", "show", "--json").json["applied"]
    assert applied["by"] == "ops"


def test_init_again_leaves_the_studys_notice(cli: Cli, ada: str) -> None:
    cli("study", "apply", str(EXAMPLE), "--by", "ops", "--yes")
    assert cli("consent", "grant", ada, "affect_series", "--evidence", "test").code == 0
    assert cli("init").code == 0
    [row] = cli("consent", "show", ada, "affect_series", "--json").json["scopes"]
    assert row["in_force"]


def test_an_exception_is_recorded_with_who_and_why(cli: Cli, tmp_path: Path) -> None:
    assert cli("init").code == 0
    attestation = (
        '[attestation]\nground = "safety"\nby = "Dr. Example"\nwhy = "Drowsy drivers of lorries are woken."\n'
    )
    file = write(tmp_path, "[controller]", f"{attestation}on = 2026-03-01\n[controller]")
    text = Path(file).read_text("utf-8").replace('= "private"', '= "workplace"')
    Path(file).write_text(text, "utf-8")
    assert cli("study", "apply", file, "--by", "ops").code == 0
    said = cli("study", "show", "--json").json["study"]["attestation"]
    assert (said["by"], said["why"]) == ("Dr. Example", "Drowsy drivers of lorries are woken.")
    Path(file).write_text(text.replace("2026-03-01", "2999-01-01").replace('"1"', '"2"'), "utf-8")
    ended = cli("study", "apply", file, "--by", "ops")
    assert ended.code == 2
    assert "in the future" in ended.line


def test_a_closed_study_stores_nothing_and_opens_again(cli: Cli, ada: str, clip: Path) -> None:
    assert cli("study", "close", "--by", "ops").code == 2
    assert cli("study", "close", "--by", "ops", "--yes").code == 0
    ended = cli("track", str(clip), "-p", ada, "--started-at", STARTED)
    assert ended.code == 3
    assert "the study is closed" in ended.line
    assert cli("consent", "grant", ada, "notes", "--evidence", "x").code == 3
    assert cli("consent", "withdraw", ada, "context").code == 0
    assert cli("enrol", "bob", "--zone", "UTC").code == 3
    assert cli("study", "apply", str(EXAMPLE), "--by", "ops", "--yes").code == 0
    assert cli("consent", "grant", ada, "notes", "--evidence", "x").code == 0
