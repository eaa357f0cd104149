"""Who of the staff looks at one person's data is noted first, where the person sees it; else nothing is shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import observed, store
from tests.cli.conftest import Cli
from tracker import settings
from tracker.access import Access
from tracker.cli import installation
from tracker.cli.commands import register
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.workflows import consenting

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
MOMENT = AT.isoformat()


@pytest.fixture
def opened(ada: str, data_folder: Path) -> Iterator[Access]:
    """The installation in which ada is enrolled, with a series of ten moments."""
    access = installation.opened(settings.load({"AFFECT_DATA_FOLDER": str(data_folder)}))
    who = access.person(ada)
    store(access, who, [observed(AT - timedelta(minutes=i), Emotion.FEAR) for i in range(10)], AT)
    yield access
    access.close()


def looked(access: Access, name: str = "ada") -> list[tuple[str, str]]:
    """Who looked at what since they were enrolled, as the person sees it."""
    with access.read(access.person(name).id, AT) as unit:
        enrolled, *since = [(look.reader, look.what) for look in access.looks(unit)]
    assert enrolled[1] == "issued a one-time code"
    return since


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("timeline", "ada"), "timeline"),
        (
            ("timeline", "ada", "--from", MOMENT, "--json"),
            f"timeline from {AT.isoformat(timespec='minutes')}",
        ),
        (("replay", "ada"), "whether your learners can be replayed"),
        (("ask", "ada"), "whether to ask you now, and why"),
        (("correct", "ada", "--at", MOMENT, "--emotion", "anger"), "a moment that was corrected: emotion"),
        (("consent", "show", "ada"), "your choices"),
        (("consent", "looks", "ada"), "who looked"),
        (("code", "ada"), "issued a one-time code"),
        (("archive", "ada", "--out", "ada.zip"), "an archive of everything, on your behalf"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_each_command_that_shows_one_persons_data_is_noted_once(
    cli: Cli,
    opened: Access,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    what: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AFFECT_OPERATOR", "Grace Hopper")
    cli("consent", "grant", "ada", "prompts", "--evidence", "test")
    before = looked(opened)
    ended = cli(*arguments)
    assert ended.code == 0, ended.err
    [(reader, at_what)] = looked(opened)[len(before) :]
    assert at_what == what
    assert reader.startswith("Grace Hopper (account ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("timeline", "ada"),
        ("timeline", "ada", "--json"),
        ("replay", "ada"),
        ("ask", "ada"),
        ("correct", "ada", "--at", MOMENT, "--emotion", "anger"),
        ("consent", "show", "ada"),
        ("consent", "looks", "ada"),
        ("code", "ada"),
        ("archive", "ada", "--out", "ada.zip"),
        ("export", "--out", "dataset"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_noted_is_not_shown(
    cli: Cli,
    opened: Access,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    consenting.grant(
        opened,
        opened.person("ada"),
        [Scope.AFFECT_SERIES, Scope.EXPORT_PSEUDONYMOUS, Scope.PROMPTS],
        installation.now(),
        recorder=Recorder.PARTICIPANT,
    )
    with closing(sqlite3.connect(data_folder / "affect.db")) as connection:
        connection.execute(
            "CREATE TRIGGER no_room BEFORE INSERT ON access_events BEGIN "
            "SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    ended = cli(*arguments)
    assert ended.code == 8
    assert ended.out == ""
    assert "full" in ended.line
    assert not (tmp_path / "ada.zip").exists()
    assert not (tmp_path / "dataset").exists()
    assert looked(opened) == []


def test_an_export_is_noted_for_whoever_is_in_it(cli: Cli, opened: Access, tmp_path: Path) -> None:
    scopes = [Scope.AFFECT_SERIES, Scope.EXPORT_PSEUDONYMOUS]
    person = opened.person("ada")
    start = AT - timedelta(hours=1)
    consenting.grant(
        opened, person, scopes, installation.now(), recorder=Recorder.PARTICIPANT, covers_from=start
    )
    cli("enrol", "grace", "--zone", "Europe/Berlin")
    done = cli("export", "--out", str(tmp_path / "dataset"), "--json")
    assert done.code == 0, done.err
    [(_, what)] = looked(opened)
    assert what == f"export {done.json['id'][:12]}"
    assert looked(opened, "grace") == []
    again = cli("export", "--out", str(tmp_path / "again"), "--again", done.json["id"])
    assert again.code == 0, again.err
    assert len(looked(opened)) == 2


def test_a_series_that_was_withdrawn_is_for_the_participant_alone(cli: Cli, opened: Access) -> None:
    assert cli("timeline", "ada", "--json").json
    assert cli("consent", "withdraw", "ada", "affect_series", "--then", "keep").code == 0
    before = looked(opened)
    ended = cli("timeline", "ada", "--json")
    assert (ended.code, ended.out) == (3, "")
    assert "for ada alone while affect_series is not granted" in ended.line
    assert looked(opened) == before


def test_a_researcher_needs_what_the_participant_granted_in_person(cli: Cli, opened: Access) -> None:
    cli("consent", "grant", "ada", "share_with_researchers", "--evidence", "test")
    ended = cli("timeline", "ada", "--as", "researcher", "--json")
    assert ended.code == 3
    assert "share_with_researchers" in ended.line
    assert "in person" in ended.line
    assert looked(opened) == []
    scopes = [Scope.AFFECT_SERIES, Scope.SHARE_WITH_RESEARCHERS]
    start = AT - timedelta(minutes=4)
    person = opened.person("ada")
    consenting.grant(
        opened, person, scopes, installation.now(), recorder=Recorder.PARTICIPANT, covers_from=start
    )
    rows = cli("timeline", "ada", "--as", "researcher", "--json").json
    assert [row["at"] for row in rows] == [(start + timedelta(minutes=i)).isoformat() for i in range(5)]
    [(reader, _)] = looked(opened)
    assert reader.endswith(", as a researcher")


def test_the_learner_and_answers_to_questions_are_shown_while_they_are_granted(
    cli: Cli, opened: Access
) -> None:
    cli("correct", "ada", "--at", MOMENT, "--emotion", "anger")
    assert any(row["personal"] for row in cli("timeline", "ada", "--json").json)
    cli("consent", "withdraw", "ada", "personal_learning", "--then", "keep")
    rows = cli("timeline", "ada", "--json").json
    assert any(row["machine"] for row in rows)
    assert not any(row["personal"] for row in rows)


def test_looks_are_listed_newest_first_and_audited(cli: Cli, opened: Access, data_folder: Path) -> None:
    cli("timeline", "ada")
    cli("consent", "show", "ada")
    found = cli("consent", "looks", "ada", "--json").json["looks"]
    said = ["who looked", "your choices", "timeline", "issued a one-time code"]
    assert [look["what"] for look in found] == said
    assert "timeline" in cli("consent", "looks", "ada").out
    assert cli("consent", "audit").code == 0
    opened.database.close()
    with closing(sqlite3.connect(data_folder / "affect.db")) as connection, connection:
        for name in ("access_log", "access_events"):
            for verb in ("update", "delete", "replace"):
                connection.execute(f"DROP TRIGGER {name}_no_{verb}")
        connection.execute("DELETE FROM access_events WHERE seq > 3")
        connection.execute("DELETE FROM access_log WHERE seq > 3")
    ended = cli("consent", "audit")
    assert ended.code == 6
    assert "rows 4 to 5 of the log of looks were cut off" in ended.out


def test_whoever_confirms_at_the_command_line_leaves_a_trace(cli: Cli, opened: Access) -> None:
    code = cli("code", "ada").out.strip()
    before = looked(opened)
    assert cli("consent", "confirm", "ada", "--code", "ABCD-EFGH-JKLM").code != 0
    assert cli("consent", "confirm", "ada", "--code", code).code == 0
    given = [what for _, what in looked(opened)[len(before) :]]
    assert given == ["gave a one-time code, to confirm in your name what was recorded for you"] * 2


def test_what_writes_choices_shows_no_other(cli: Cli, opened: Access) -> None:
    cli("consent", "grant", "ada", "notes", "--evidence", "test")
    before = looked(opened)
    for arguments in (
        ("grant", "ada", "context", "--evidence", "test"),
        ("withdraw", "ada", "context"),
        ("refuse", "ada", "context"),
    ):
        for form in ((), ("--json",)):
            ended = cli("consent", *arguments, *form)
            assert ended.code == 0
            shown = {scope for scope in Scope if scope.value in ended.out}
            assert shown == {Scope.CONTEXT}
    assert looked(opened) == before
    confirmed = cli("consent", "confirm", "ada", "--code", cli("code", "ada").out.strip(), "--json").json
    scopes = {row["scope"] for row in confirmed["scopes"]}
    assert scopes == {"affect_series", "personal_learning", "notes"}
    again = cli("consent", "confirm", "ada", "--code", cli("code", "ada").out.strip(), "--json").json
    assert again["scopes"] == []


def test_a_name_that_is_none(cli: Cli, opened: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x" * 101, "Eve\x1b[2J"):
        monkeypatch.setenv("AFFECT_OPERATOR", name)
        ended = cli("timeline", "ada")
        assert ended.code == 2
        assert "AFFECT_OPERATOR" in ended.line
    assert looked(opened) == []


def test_every_command_about_one_person_was_thought_about() -> None:
    """A new command that takes a participant is a look, or says here why it is none."""
    import typer  # noqa: PLC0415

    shows = {
        "timeline",
        "replay",
        "ask",
        "correct",
        "archive",
        "consent show",
        "consent looks",
        "consent receipt",
        "hide",
        "prompts show",
        "zone",
        "import",  # of a file: tests/cli/test_foreign.py sees that it is noted
    }
    writes_only = {
        "enrol", "code", "track", "erase", "context add", "keys rotate",
        "consent grant", "consent refuse", "consent withdraw", "consent confirm",
        "rating gold add", "rating gold remove", "forget",
    }  # fmt: skip
    of_nobody = {"prompts simulate"}
    app = typer.Typer()
    register(app)

    def each(group: typer.Typer, before: str = "") -> Iterator[str]:
        for command in group.registered_commands:
            assert command.callback is not None
            if "participant" in command.callback.__annotations__:
                yield f"{before}{command.name or command.callback.__name__}".strip()
        for inner in group.registered_groups:
            assert inner.typer_instance is not None
            yield from each(inner.typer_instance, f"{before}{inner.name} ")

    # `export` takes participants too; it has a test of its own.
    assert set(each(app)) - {"export"} <= shows | writes_only | of_nobody
