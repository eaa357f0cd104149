"""What a newcomer meets first: `make` on machines that have, and that lack, what it needs."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = {
    "help",
    "demo",
    "test",
    "test-slow",
    "test-postgres",
    "lint",
    "e2e",
    "privacy",
    "privacy-mutants",
    "oracle",
    "bench",
    "serve",
    "clean",
}
PINS = ROOT / ".ci" / "constraints.txt"
# Answers as a Python of some version would, and makes environments whose pip fails.
PRETENDER = """#!/bin/sh
case "$*" in
    --version) echo "Python {version}" ;;
    *ensurepip*) exit {without_ensurepip} ;;
    *"sys.exit(sys.version_info < (3, 11))"*) exit {too_old} ;;
    *"-m venv"*) mkdir -p .venv/bin
        printf '#!/bin/sh\\necho no matching distribution\\nexit 1\\n' >.venv/bin/python
        chmod +x .venv/bin/python ;;
    *) echo "python3-venv (or python{version}-venv)" ;;
esac
"""

pytestmark = pytest.mark.skipif(
    shutil.which("make") is None, reason="needs make; tests of the Makefile skipped"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A tree with the Makefile and what it reads, and nothing made yet."""
    tree = tmp_path / "clone"
    (tree / ".ci").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", ".ci/constraints.txt"):
        shutil.copy(ROOT / name, tree / name)
    return tree


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder to stand first on the search path, with the tools of a machine but no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("make", "sh", "awk", "mkdir", "chmod", "touch", "cat", "rm", "sleep", "printf"):
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return folder


def pretend(
    path: Path, version: str = "3.12", *, too_old: bool = False, without_ensurepip: bool = False
) -> Path:
    script = PRETENDER.format(version=version, too_old=int(too_old), without_ensurepip=int(without_ensurepip))
    path.write_text(script)
    path.chmod(0o755)
    return path


def make(tree: Path, programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": str(programs), "HOME": str(tree.parent), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["make", *arguments], cwd=tree, env=environ, capture_output=True, text=True, check=False
    )


def words(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on stderr that are not make's own."""
    return [line for line in done.stderr.splitlines() if not line.startswith("make")]


def test_help_lists_every_target(clone: Path, programs: Path) -> None:
    done = make(clone, programs)
    assert done.returncode == 0
    assert set(re.findall(r"^  make (\S+)", done.stdout, flags=re.MULTILINE)) == TARGETS


def test_the_first_python_that_is_new_enough_is_taken(clone: Path, programs: Path) -> None:
    (programs / "python3.11").symlink_to("nowhere")
    pretend(programs / "python3.12", "3.10", too_old=True)
    pretend(programs / "python3.13", "3.13")
    pretend(programs / "python3", "3.12")
    done = make(clone, programs, "-n", ".venv/bin/python")
    assert f'"{programs}/python3.13" -m venv .venv' in done.stdout


def test_a_named_python_wins(clone: Path, programs: Path) -> None:
    pretend(programs / "python3.11", "3.11")
    named = pretend(programs / "mine")
    done = make(clone, programs, "-n", ".venv/bin/python", f"PYTHON={named}")
    assert f'"{named}" -m venv .venv' in done.stdout


@pytest.mark.parametrize(
    "target", ["demo", "test", "lint", "e2e", "privacy", "privacy-mutants", "bench", "serve"]
)
def test_a_python_that_is_too_old_gets_one_clear_line(clone: Path, programs: Path, target: str) -> None:
    named = pretend(programs / "old", "3.9.2", too_old=True)
    done = make(clone, programs, target, f"PYTHON={named}")
    assert done.returncode != 0
    assert words(done) == [f"PYTHON={named} is Python 3.9.2, but affect-tracker needs Python 3.11 or newer."]
    assert not (clone / ".venv").exists()


def test_a_python_that_is_not_there_gets_one_clear_line(clone: Path, programs: Path) -> None:
    done = make(clone, programs, "test", "PYTHON=python4")
    assert done.returncode != 0
    assert words(done) == [
        "PYTHON=python4 is no Python that runs, but affect-tracker needs Python 3.11 or newer."
    ]


def test_a_machine_without_python_is_told_what_to_install(clone: Path, programs: Path) -> None:
    done = make(clone, programs, "demo")
    assert done.returncode != 0
    assert len(words(done)) == 1
    assert "apt install python3 python3-venv" in words(done)[0]
    assert "brew install" in words(done)[0]


def test_a_python_without_ensurepip_is_told_what_to_install(clone: Path, programs: Path) -> None:
    pretend(programs / "python3.11", "3.11", without_ensurepip=True)
    done = make(clone, programs, "demo")
    assert done.returncode != 0
    assert len(words(done)) == 1
    assert "apt install python3-venv (or python3.11-venv)" in words(done)[0]
    assert not (clone / ".venv").exists()


def test_a_failed_installation_shows_why_and_is_tried_again(clone: Path, programs: Path) -> None:
    pretend(programs / "python3.11", "3.11")
    for _ in range(2):
        done = make(clone, programs, "demo")
        assert done.returncode != 0
        assert "Installing" in done.stdout
        assert words(done)[0] == "no matching distribution"
        assert not (clone / ".venv" / ".demo").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "affect-tracker demo"),
        (["SERVE=0"], "affect-tracker demo --no-serve"),
        (["VIDEO=my clip.mp4", "SERVE=0"], 'affect-tracker demo --video "my clip.mp4" --no-serve'),
    ],
)
def test_demo_hands_on_what_it_is_told(
    clone: Path, programs: Path, arguments: list[str], expected: str
) -> None:
    pretend(programs / "python3.11", "3.11")
    done = make(clone, programs, "-n", "demo", *arguments)
    assert " ".join(done.stdout.splitlines()[-1].split()) == f".venv/bin/{expected}"


def test_demo_installs_only_what_it_needs(clone: Path, programs: Path) -> None:
    pretend(programs / "python3.11", "3.11")
    done = make(clone, programs, "-n", "demo")
    assert "-e '.[demo]' -c .ci/constraints.txt" in done.stdout
    assert "[dev]" not in done.stdout


@pytest.mark.parametrize("name", ["Makefile", "pyproject.toml", ".ci/constraints.txt", ".ci/run"])
def test_which_registry_to_use_is_the_affair_of_the_machine(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert re.findall(r"--(?:extra-)?index-url|--find-links|https?://\S+", text) == []


def test_constraints_are_pins_and_nothing_else() -> None:
    lines = [line for line in PINS.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line)] == []


def test_every_direct_dependency_is_pinned_to_a_version_that_the_package_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [
        *project["dependencies"],
        *(r for group in project["optional-dependencies"].values() for r in group),
    ]
    pinned = dict(
        line.split("==") for line in PINS.read_text("utf-8").splitlines() if not line.startswith("#")
    )
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    needed = [Requirement(text) for text in named if not text.startswith("affect-tracker")]
    assert [
        str(r) for r in needed if versions.get(canonicalize_name(r.name), "none") not in r.specifier
    ] == []


def test_ci_runs_lint_tests_and_browser_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text("utf-8").splitlines()[-5:] == [
        "make lint",
        "make test",
        "make test-slow",
        "make test-postgres",
        "make e2e",
    ]
    subprocess.run(["bash", "-n", script], check=True)
