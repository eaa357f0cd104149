"""Break one promise at a time and demand that its own test turns red: ``python -m tests.invariants.mutants [NN …]``.

Each mutation is a small change to a copy of the tree in a temporary folder; the tests of its invariant then run
there, on SQLite. One that no longer applies is a failure too: the code has moved on, and nobody knows any more
whether the test can fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.invariants.catalogue import HERE, invariants
from tests.invariants.mutations import MUTATIONS, Mutation

ROOT = HERE.parents[1]
PARTS = (
    "tracker",
    "webui",
    "migrations",
    "tests",
    "docs",
    "pyproject.toml",
    "README.md",
    "Makefile",
    ".ci",
    "CHANGELOG.md",
)
AT_ONCE = 2
_FAILED = re.compile(r"^FAILED (\S+?\.py)::(\w+)", re.MULTILINE)


class DoesNotApplyError(Exception):
    """The text that a mutation replaces does not stand in the file exactly once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one mutation."""

    mutation: Mutation | None
    number: int
    killed: bool
    told: str


def apply(mutation: Mutation, tree: Path) -> None:
    """Change a tree; raise `DoesNotApplyError` where that is not possible in exactly one way."""
    for edit in mutation.edits:
        path = tree / edit.path
        text = path.read_text() if path.is_file() else ""
        if text.count(edit.old) != 1:
            raise DoesNotApplyError(
                f"{edit.path} holds {text.count(edit.old)} times, not once: {edit.old.strip().splitlines()[0]!r}"
            )
        path.write_text(text.replace(edit.old, edit.new))


def copied(folder: Path) -> Path:
    """A copy of the tree without what was built."""
    tree = folder / "tree"
    tree.mkdir()
    leave = shutil.ignore_patterns("__pycache__", ".*_cache", "*.pyc", "lab_data")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part, ignore=leave)
        elif source.exists():
            shutil.copy(source, tree / part)
    (tree / "models").symlink_to(ROOT / "models")
    return tree


def tried(mutation: Mutation) -> Outcome:
    """Run an invariant's tests on a mutant."""
    with tempfile.TemporaryDirectory(prefix="affect-mutant-") as name:
        tree = copied(Path(name))
        try:
            apply(mutation, tree)
        except DoesNotApplyError as error:
            return Outcome(mutation, mutation.number, False, f"DOES NOT APPLY: {error}")
        code, said = run(tree, mutation.number, "-x")
        red = _FAILED.search(said)
        if code == 1 and red is not None:
            return Outcome(mutation, mutation.number, True, red[2])
        if code == 0:
            return Outcome(mutation, mutation.number, False, "SURVIVED: its tests stayed green")
        return Outcome(mutation, mutation.number, False, f"DID NOT RUN ({code}): {_last(said)}")


def untouched(number: int) -> Outcome | None:
    """Run an invariant's tests on a copy without any mutation: red there would prove nothing."""
    with tempfile.TemporaryDirectory(prefix="affect-mutant-") as name:
        code, said = run(copied(Path(name)), number, "-x")
    return None if code == 0 else Outcome(None, number, False, f"RED WITHOUT ANY MUTATION: {_last(said)}")


def run(tree: Path, number: int, *options: str) -> tuple[int, str]:
    """Run one invariant's SQLite tests in a tree; return the exit code and what was said."""
    paths = [str(i.path.relative_to(ROOT)) for i in invariants() if i.number == number]
    command = [sys.executable, "-m", "pytest", "-m", "privacy", "-k", "not postgresql", "-q", "-rf", "--tb=line",
               "-p", "no:cacheprovider", *options, *paths]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AFFECT_PROOF_SHARE": os.environ.get("AFFECT_PROOF_SHARE", "0.2"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tree / ".hypothesis"),
    }
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main(arguments: list[str]) -> int:
    """Try the mutations of these invariants, or all; return 0 only when every one was killed."""
    wanted = {int(a) for a in arguments if a.isdigit()}
    chosen = [m for m in MUTATIONS if not wanted or m.number in wanted]
    numbers = sorted({m.number for m in chosen})
    without = [
        n for n in sorted({i.number for i in invariants()} - {m.number for m in MUTATIONS}) if not wanted
    ]
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        before = (
            {}
            if "--no-baseline" in arguments
            else dict(zip(numbers, pool.map(untouched, numbers), strict=True))
        )
        print("NN  killed  mutation; the test that turned red", flush=True)
        for done in pool.map(lambda m: before.get(m.number) or tried(m), chosen):
            told = done.mutation.told if done.mutation is not None else "(none)"
            print(f"{done.number:02}  {'yes' if done.killed else 'NO':<6}  {told}; {done.told}", flush=True)
            failed += not done.killed
    for number in without:
        print(f"{number:02}  NO      there is no mutation of this invariant")
    failed += len(without)
    print(f"{len(chosen) - failed} of {len(chosen)} mutations killed." if failed else
          f"All {len(chosen)} mutations killed.")  # fmt: skip
    return 1 if failed else 0


def _last(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was said"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
