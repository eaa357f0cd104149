"""Say something else than an emotion about a moment, and replay what learned from it."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import STARTED, Cli


def test_an_answer_is_learned_and_told_before_and_after(cli: Cli, ada: str) -> None:
    said = ("correct", ada, "--at", STARTED, "--target", "leave_me_alone", "--answer", "yes")
    done = cli(*said, "--json").json
    assert (done["target"], done["before"], done["source"]) == ("leave_me_alone", 0.5, "snapshot")
    assert done["after"] > 0.5
    assert "sure) before" in cli(*said).out
    assert (
        "undecided before"
        in cli("correct", ada, "--at", STARTED, "--target", "yes_no:tea", "--answer", "no").out
    )
    number = cli("correct", ada, "--at", STARTED, "--target", "valence", "--value=-0.5", "--json").json
    assert number["before"]["mean"] == 0.0
    assert number["after"]["mean"] < 0.0 < number["after"]["sd"]
    own = cli("correct", ada, "--at", STARTED, "--target", "number:stress", "--value", "0.5")
    assert "number:stress at" in own.out
    replayed = cli("replay", ada, "--json").json
    assert replayed["equal"]
    assert [t["target"] for t in replayed["targets"]] == [
        "leave_me_alone",
        "number:stress",
        "valence",
        "yes_no:tea",
    ]
    assert [t["events"] for t in replayed["targets"]] == [1, 1, 1, 1]
    assert len(cli("replay", ada, "--target", "valence", "--json").json["targets"]) == 1
    assert cli("replay", ada).out.count("equal, bit for bit") == 4
    assert "no learner of arousal" in cli("replay", ada, "--target", "arousal").out
    assert cli("replay", ada, "--target", "mood").code == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--target", "leave_me_alone"), "say one thing"),
        (("--emotion", "fear", "--answer", "yes"), "say one thing"),
        (("--emotion", "fear", "--target", "valence"), "goes with the target emotion"),
        (("--answer", "yes"), "goes with the target emotion"),
        (("--target", "mood", "--value", "0.2"), "'mood' is no target"),
        (("--target", "valence", "--value", "3"), "from -1 to 1, not 3"),
    ],
)
def test_what_is_no_answer_is_refused_in_one_line(
    cli: Cli, ada: str, options: tuple[str, ...], told: str
) -> None:
    done = cli("correct", ada, "--at", STARTED, *options)
    assert done.code == 2
    assert told in done.line


def test_who_answers_is_told(cli: Cli, ada: str, data_folder: Path) -> None:
    said = ("correct", ada, "--at", STARTED, "--target", "leave_me_alone", "--answer")
    cli(*said, "yes")
    (database,) = (path for path in data_folder.glob("*.db") if "keys" not in path.name)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE snapshots SET parameters = '{}'")
    connection.close()
    assert "could not be read; it was learned again" in cli("timeline", ada).out
    again = cli(*said, "no")
    assert "replay: your learner's last state could not be read" in again.out
    assert cli("replay", ada, "--json").json["equal"]
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE snapshots SET parameters = '{}'")
        connection.execute("UPDATE learning_events SET weight = 9")
    connection.close()
    assert "the network alone answers" in cli("timeline", ada).out
    lost = cli("correct", ada, "--at", STARTED.replace(":00:", ":01:"), *said[4:], "no")
    assert "nothing was learned, because what was learned before cannot be read" in lost.out
    replayed = cli("replay", ada)
    assert replayed.code == 1
    assert "NOT equal" in replayed.out


def test_a_question_is_put_with_its_reason_and_answered(cli: Cli, ada: str) -> None:
    assert cli("ask", ada).code == 3
    granted = ("consent", "grant", ada, "prompts", "--evidence", "form 7", "--covers-from", STARTED)
    assert cli(*granted).code == 0
    seen = [cli("ask", ada, "--json").json for _ in range(2)]
    for said in seen:
        assert said["words"].endswith(".")
        assert (said["prompt"] is not None) == (said["action"] == "ask")
    # By night nothing is asked, and by day the second question comes too soon after the first.
    assert seen[1]["action"] == "silent"
    assert seen[1]["because"] in {"quiet_hours", "just_asked"}
    if (prompt := seen[0]["prompt"]) is not None:
        said = ("correct", ada, "--at", STARTED, "--target", "leave_me_alone", "--answer", "either")
        assert cli(*said, "--prompt", str(prompt), "--json").json["after"] is not None
    assert cli("correct", ada, "--at", STARTED, "--emotion", "fear", "--prompt", "999").code != 0
    assert cli("ask", ada, "--per-day", "0", "--json").json["action"] == "silent"
