"""``challenge`` as a researcher types it: what is refused before anything runs, and what comes out."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tracker.cli.challenge_arguments import read
from tracker.lab.challenge.targets import Rule, TargetSpec

COLUMNS = "participant,day,beep,tense,place,alone"
RULE = ("--target", "alone", "--above", "50")


def diary(path: Path, people: int = 4, days: int = 16, seed: int = 1) -> Path:
    """A made-up study: who is tense, and who is at work, more often wants to be left alone."""
    chance = random.Random(seed)
    rows = [COLUMNS]
    for person in range(people):
        for day in range(1, days + 1):
            for beep in range(1, 5):
                place = chance.choice(["home", "work"])
                tense = chance.randrange(101)
                alone = min(100, max(0, tense + (20 if place == "work" else -20) + chance.randrange(-25, 26)))
                answer = "" if chance.random() < 0.1 else str(alone)
                rows.append(f"s{seed}p{person},{day},{beep},{tense},{place},{answer}")
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return diary(tmp_path_factory.mktemp("study") / "study.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--above", "50"), ["--target is missing"]),
        (("--target", "alone"), ["say once", "--above-own-median"]),
        ((*RULE, "--at-least", "3"), ["--above and --at-least"]),
        ((*RULE, "--equals", ""), ["--above and --equals"]),
        (("--target", "alone", "--above", "nan"), ["nan"]),
        (("--target", "alone", "--above", "many"), ["--above"]),
        (("--target", "alone", "--above", "200"), ["never true", "'alone'"]),
        (("--target", "alon", "--above", "50"), ["'alon'", "did you mean alone"]),
        (("--target", "alone", "--above-own-median", "8"), ["--warmup"]),
        (("--target", "alone", "--above-own-median", "0"), ["whole days"]),
        ((*RULE, "--either", "65-35"), ["65-35", "backwards"]),
        ((*RULE, "--either", "about half"), ["'about half'", "35-65"]),
        ((*RULE, "--features", "tens"), ["--features", "did you mean tense"]),
        ((*RULE, "--exclude", "tense,plce"), ["--exclude", "did you mean place"]),
        ((*RULE, "--block", "14"), ["--block '14'", "24-30"]),
        ((*RULE, "--block", "14-8"), ["--block '14-8'"]),
        ((*RULE, "--block", "5-9"), ["5-9", "warm-up of 7 days"]),
        ((*RULE, "--block", "24-30"), ["24-30", "end on day 16"]),
        ((*RULE, "--warmup", "30"), ["no days to report", "day 16"]),
        ((*RULE, "--warmup", "-1"), ["--warmup"]),
        ((*RULE, "--draws", "0"), ["--draws"]),
        ((*RULE, "--jobs", "0"), ["--jobs"]),
        ((*RULE, "--budget", "-1"), ["--budget"]),
        ((*RULE, "--mode", "lazy"), ["--mode"]),
        ((*RULE, "--zone", "Mars/Olympus"), ["Mars/Olympus"]),
        ((*RULE, "--people", "3"), ["--people belongs to --simulate"]),
        ((*RULE, "--simulate", "emotion"), ["--simulate takes no --target"]),
        (("--simulate", "emotion", "--warmup", "5"), ["--simulate takes no", "--warmup"]),
        (("--simulate", "emotion", "--mode", "full"), ["--simulate takes no", "--mode"]),
        (("--simulate", "emotion", "--zone", "Asia/Seoul"), ["--simulate takes no", "--zone"]),
        (("--simulate", "weather"), ["--simulate"]),
    ],
)
def test_what_cannot_be_used_is_one_line(
    cli: Cli, study: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    ended = cli("challenge", "--data", str(study), *arguments)
    assert ended.code == 2
    assert ended.out == ""
    for word in words:
        assert word in ended.line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["is empty"]),
        (b"participant,day,beep,alone\nada,1,1,\xff\n", ["UTF-8", "byte 36"]),
        (b"participant,day,beep,alone\nada,1,1,inf\nada,1,2,3\n", ["row 2", "'alone'"]),
        (b"participant,day,beep,alone\nada,1,1,60\nada,1,1,20\n", ["row 3", "row 2", "'alone'"]),
        (b"participant,day,beep,alone\nada,1,1,60\nada,1,2,60\n", ["'alone' is 60 in every row"]),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    cli: Cli, tmp_path: Path, content: bytes, words: list[str]
) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    ended = cli("challenge", "--data", str(path), *RULE)
    assert ended.code == 5
    for word in ["broken.csv", *words]:
        assert word in ended.line


def test_a_file_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    ended = cli("challenge", "--data", str(tmp_path / "none.csv"), *RULE)
    assert ended.code == 5
    assert "none.csv does not exist" in ended.line


@pytest.mark.parametrize("features", [(), ("--features", "")])
@pytest.mark.parametrize("left_out", [0, 3])
def test_a_prior_comes_from_other_people(
    cli: Cli, study: Path, tmp_path: Path, left_out: int, features: tuple[str, ...]
) -> None:
    renamed = tmp_path / "renamed.csv"
    lines = study.read_text("utf-8").replace("s1p", "x").splitlines(keepends=True)
    renamed.write_text("".join([lines[0], *lines[1 + left_out :]]), "utf-8")
    ended = cli("challenge", "--data", str(study), *RULE, *features, "--prior", str(renamed))
    assert ended.code == 2
    assert "'x0'" in ended.line
    assert "other people only" in ended.line


def test_two_who_always_answer_the_same_need_not_be_one_person(tmp_path: Path) -> None:
    def answers(name: str, seed: int) -> Path:
        chance, path = random.Random(seed), tmp_path / f"{name}.csv"
        rows = [
            f"{name}{person},{day},{beep},{chance.randrange(101)},{person * beep * 20}"
            for person in range(2)
            for day in range(1, 17)
            for beep in range(1, 5)
        ]
        path.write_text("\n".join(["participant,day,beep,tense,alone", *rows]) + "\n", "utf-8")
        return path

    spec = TargetSpec("alone", Rule.EQUALS, "0")
    for features in (None, ""):
        read(answers("a", 1), answers("b", 2), spec, features, "", "UTC")


def test_plots_need_a_folder(cli: Cli, study: Path) -> None:
    ended = cli("challenge", "--data", str(study), *RULE, "--plot", str(study))
    assert ended.code == 2
    assert "is a file" in ended.line


def test_a_folder_that_cannot_be_made_is_said_before_the_long_work(cli: Cli, study: Path) -> None:
    ended = cli("challenge", "--data", str(study), *RULE, "--block", "8-14", "--plot", str(study / "plots"))
    assert ended.code == 2
    assert ended.out == ""
    assert "cannot be made" in ended.line


def test_help_needs_no_network() -> None:
    script = (
        "import sys\nfrom tracker.cli import run\nrun(['challenge', '--help'])\n"
        "print(*sorted({'torch', 'cv2'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "--above-own-median" in done.stdout
    assert done.stderr.split() == []


QUICK = (*RULE, "--draws", "1", "--jobs", "1")


@pytest.mark.slow  # a whole evaluation, in a process that loads everything anew
def test_the_result_is_one_document_that_says_what_was_not_reported_and_needs_no_torch(study: Path) -> None:
    arguments = ["challenge", "--data", str(study), *QUICK, "--json"]
    script = (
        f"import sys\nfrom tracker.cli import run\ncode = run({arguments!r})\n"
        "print(*sorted({'torch', 'cv2'} & set(sys.modules)), file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    document = json.loads(done.stdout)
    assert list(document["blocks"]) == ["8-14", "15-21"]
    block = document["blocks"]["8-14"]
    assert {"at_decided_95", "at_system_95", "always", "baselines", "people"} <= set(block)
    assert any("24-30" in note for note in document["notes"])
    assert "24-30" in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("note: ")


def test_a_prior_of_other_columns_a_table_and_plots(cli: Cli, study: Path, tmp_path: Path) -> None:
    other = diary(tmp_path / "other.csv", people=3, seed=2)
    other.write_text(other.read_text("utf-8").replace("place", "where"), "utf-8")
    plots = tmp_path / "plots"
    ended = cli(
        "challenge", "--data", str(study), *QUICK, "--prior", str(other), "--block", "8-14", "--block", "9-9",
        "--plot", str(plots),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "place, where; left out" in ended.err
    assert "8-14" in ended.out
    assert list(plots.iterdir())


def test_one_person_starts_from_nothing(cli: Cli, tmp_path: Path) -> None:
    path = diary(tmp_path / "one.csv", people=1)
    ended = cli("challenge", "--data", str(path), *QUICK, "--features", "", "--json")
    assert ended.code == 0, ended.err
    assert any("one person" in note for note in ended.json["notes"])


@pytest.mark.parametrize(
    "everybody",
    [
        pytest.param(False, id="one process"),
        # Three processes load everything anew before it begins.
        pytest.param(True, id="as a terminal does", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_ends_cleanly(tmp_path: Path, everybody: bool) -> None:
    study = diary(tmp_path / "long.csv", people=12, days=35)
    line = ("--target", "alone", "--above", "50", "--jobs", "2", "--exclude", "place", "--warmup", "8")
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker.cli", "challenge", "--data", str(study), *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        assert "not reported" in process.stderr.readline()
        if everybody:
            # By then there are workers.
            while len(_group(process.pid)) < 3:
                assert process.poll() is None
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in complaint


def _group(leader: int) -> list[str]:
    listed = subprocess.run(["ps", "-A", "-o", "pgid="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.split() if line == str(leader)]
