"""``study``: a file is checked, applied with a preview, shown and closed; a study that must not run never governs."""

from pathlib import Path

import pytest

from tests.cli.conftest import COVERS, STARTED, Cli

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


def test_a_ready_study_is_written_and_works_as_it_is(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("study", "new").out.splitlines()[1].startswith("cohort ")
    for name in ("diary", "cohort", "replay"):
        assert f"affect-tracker study check {name}.yaml" in cli("study", "new", name).out
        assert "is sound" in cli("study", "check", f"{name}.yaml").out
    again = cli("study", "new", "diary")
    assert again.code == 2
    assert "diary.yaml is there already" in again.line
    assert cli("study", "new", "diary", "--force").code == 0
    assert "let its name end in .yaml" in cli("study", "new", "diary", "mine.toml").line
    assert "cannot be written" in cli("study", "new", "diary", "nowhere/mine.yaml").line
    assert cli("study", "new", "month").code == 2


def test_a_difference_is_told_with_whom_it_touches_and_changes_nothing(
    cli: Cli, ada: str, tmp_path: Path
) -> None:
    ended = cli("study", "diff", str(EXAMPLE))
    assert ended.code == 0
    assert "retention.face_crops: nothing -> 30" in ended.out
    assert "! 3 grants of 1 participant stop being in force until they choose again" in ended.out
    assert f"! asked again: {ada}" in ended.out
    told = cli("study", "diff", str(EXAMPLE), "--json").json
    assert told["preview"]["names"] == [ada]
    assert {"key": ["export", "k"], "before": 5, "after": 5} not in told["differences"]
    assert cli("study", "show", "--json").json["applied"] == []
    assert cli("study", "apply", str(EXAMPLE), "--by", "ops", "--yes").code == 0
    assert cli("study", "diff", str(EXAMPLE)).out == "they say the same\n"


def test_two_files_are_compared_without_a_database(cli: Cli, tmp_path: Path) -> None:
    other = write(tmp_path, "face_crops = 30", "face_crops = 20")
    ended = cli("study", "diff", str(EXAMPLE), other)
    assert ended.out == "retention.face_crops: 30 -> 20\n"
    assert cli("study", "diff", other, str(EXAMPLE), "--json").json == {
        "differences": [{"key": ["retention", "face_crops"], "before": 20, "after": 30}],
        "preview": None,
    }


def test_participants_without_a_zone_live_in_the_studys(cli: Cli, tmp_path: Path) -> None:
    assert cli("init").code == 0
    ended = cli("enrol", "bob")
    assert ended.code == 2
    assert "--zone Europe/Berlin" in ended.line
    file = write(tmp_path, 'jurisdiction = "DE"', 'jurisdiction = "DE"\nzone = "Asia/Tokyo"')
    assert cli("study", "apply", file, "--by", "ops", "--yes").code == 0
    assert cli("enrol", "bob").code == 0
    assert cli("invite", "cem", "--role", "participant").code == 0


def test_track_reads_with_a_network_that_the_study_names(
    cli: Cli, ada: str, clip: Path, tmp_path: Path
) -> None:
    file = write(tmp_path, 'jurisdiction = "DE"', 'jurisdiction = "DE"\nnetworks = ["default@aaaaaaaaaaaa"]')
    assert cli("study", "apply", file, "--by", "ops", "--yes").code == 0
    assert cli("consent", "grant", ada, "affect_series", "--evidence", "x", "--covers-from", COVERS).code == 0
    ended = cli("track", str(clip), "-p", ada, "--started-at", STARTED)
    assert ended.code == 3
    assert "the study reads faces with default@aaaaaaaaaaaa, not with default@" in ended.line


def test_a_network_that_nobody_knows_here_is_told_before_and_when_it_governs(
    cli: Cli, tmp_path: Path
) -> None:
    assert cli("init").code == 0
    named = 'jurisdiction = "DE"\nnetworks = ["default", "nosuch", "yunet"]'
    file = write(tmp_path, 'jurisdiction = "DE"', named)
    for command in (("diff", file), ("apply", file, "--by", "ops", "--yes")):
        ended = cli("study", *command)
        assert ended.code == 0
        assert "'nosuch', which is not known here" in ended.err
        assert "'yunet', which is not known here" in ended.err, "it finds faces, and reads none"
        assert "'default', which" not in ended.err


def test_no_public_export_where_the_study_allows_none(cli: Cli, ada: str, tmp_path: Path) -> None:
    file = write(tmp_path, "k = 5", "k = 5\npublic = false")
    assert cli("study", "apply", file, "--by", "ops", "--yes").code == 0
    ended = cli("export", "--public", "--out", str(tmp_path / "out"))
    assert ended.code == 3
    assert "allows no public export" in ended.line
