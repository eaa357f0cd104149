"""Who may know what: the rules of the rooms that the import contracts of `make lint` cannot say."""

import ast
import functools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "tracker").rglob("*.py")) + sorted((ROOT / "webui").rglob("*.py"))
MAY_READ_THE_CLOCK = {("tracker", "cli"), ("tracker", "jobs"), ("webui",)}
# OpenCV's C++ side takes FFmpeg's log level from nowhere but the environment, so this one writes there.
MAY_READ_THE_CLOCK |= {("tracker", "vision", "quiet")}
KNOW_PRIVACY_AND_STORE = {
    "tracker.access",
    "tracker.workflows.erasure",
    "tracker.workflows.retention",
    "tracker.workflows.backup",
    "tracker.workflows.portability",  # an archive opens all that is sealed of a person,
    "tracker.workflows.importing",  # and one that is taken in is sealed anew
    "tracker.workflows.foreign",  # who attested an import is sealed
    "tracker.cli.installation",  # opens both and hands them to access: decision 4
}
KEYS_AND_CONSENT = {
    f"tracker.privacy.{name}" for name in ("keys", "ciphertext", "master", "consent", "chain")
}
"""What decides consent or holds keys; the rest of the room is pure: figures, receipts, the data map."""

CLOCK_AND_ENVIRONMENT = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("func", "now"),
    ("func", "current_timestamp"),
    ("os", "environ"),
    ("os", "environb"),
    ("os", "getenv"),
}
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


@functools.cache
def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text("utf-8"))


def found(paths: list[Path], breaches: Callable[[ast.AST], Iterator[str]]) -> dict[str, list[str]]:
    """Who breaks a rule, and where. One test for all files: seven hundred of them took a minute to say nothing."""
    assert len(paths) > 100, "the sources were not found"
    by_file = {path.relative_to(ROOT).as_posix(): list(breaches(parsed(path))) for path in paths}
    return {name: lines for name, lines in by_file.items() if lines}


def reads_of_clock_or_environment(tree: ast.AST) -> Iterator[str]:
    """Name each place that reads what DESIGN says is an argument, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "id", getattr(node.value, "attr", None))
            if (owner, node.attr) in CLOCK_AND_ENVIRONMENT:
                yield f"line {node.lineno}: {owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (node.module, alias.name) in CLOCK_AND_ENVIRONMENT:
                    yield f"line {node.lineno}: from {node.module} import {alias.name}"


def pickles(tree: ast.AST) -> Iterator[str]:
    """Name each import of a pickling module and each torch call that could run what a pickle says.

    The name of the error that a refused file raises is no pickle.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names if alias.name.split(".")[0] in PICKLES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLES:
            if {alias.name for alias in node.names} != {"UnpicklingError"}:
                yield f"line {node.lineno}: from {node.module} import …"
        elif isinstance(node, ast.Call) and is_torch(node.func, "load"):
            unsafe = "weights_only=True" not in map(ast.unparse, node.keywords)
            yield from [f"line {node.lineno}: torch.load without weights_only=True"] * unsafe


def is_torch(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name and ast.unparse(node.value) == "torch"


def saves_with_torch(tree: ast.AST) -> Iterator[str]:
    """Name each use of torch's own file format, a zip around a pickle."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_torch(node, "save"):
            yield f"line {node.lineno}: torch.save"


def may_read_the_clock(path: Path) -> bool:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return any(parts[: len(room)] == room for room in MAY_READ_THE_CLOCK)


def test_below_cli_jobs_and_webui_time_and_settings_are_arguments() -> None:
    below = [path for path in SOURCES if not may_read_the_clock(path)]
    assert found(below, reads_of_clock_or_environment) == {}


def test_nothing_is_pickled() -> None:
    assert found(SOURCES, pickles) == {}


def test_only_the_lab_keeps_torch_files_and_only_to_resume_a_training() -> None:
    others = [path for path in SOURCES if path.relative_to(ROOT).parts[:2] != ("tracker", "lab")]
    assert found(others, saves_with_torch) == {}


@pytest.mark.parametrize(
    ("code", "breaches"),
    [
        ("import pickle", pickles),
        ("from joblib import load", pickles),
        ("import torch\ntorch.load(path)", pickles),
        ("import torch\ntorch.load(path, weights_only=False)", pickles),
        ("import torch\ntorch.save(state, path)", saves_with_torch),
    ],
)
def test_the_rules_about_pickles_see_what_they_should(
    code: str, breaches: Callable[[ast.AST], Iterator[str]]
) -> None:
    assert len(list(breaches(ast.parse(code)))) == 1


def test_what_is_safe_is_no_pickle() -> None:
    safe = "from pickle import UnpicklingError\nimport torch\ntorch.load(path, weights_only=True)"
    assert list(pickles(ast.parse(safe))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import datetime as dt\nx = dt.datetime.now(dt.UTC)",
        "from datetime import date\nx = date.today()",
        "import os\nx = os.environ['HOME']",
        "from os import getenv",
        "from time import time",
        "from sqlalchemy import func\nx = func.now()",
    ],
)
def test_the_rule_about_the_clock_sees_what_it_should(code: str) -> None:
    assert len(list(reads_of_clock_or_environment(ast.parse(code)))) == 1


def test_no_room_is_called_after_nothing() -> None:
    named = {path for path in SOURCES if {path.stem, path.parent.name} & NAMELESS}
    assert named == set()


def test_models_hold_no_code() -> None:
    assert list((ROOT / "models").rglob("*.py")) == []


def test_import_tracker_is_light() -> None:
    heavy = {"torch", "cv2", "river", "flask", "sqlalchemy", "numpy", "bokeh", "pyarrow", "apscheduler"}
    script = f"import sys, tracker; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each of our modules imports directly."""
    graph = grimp.build_graph("tracker", "webui", cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def in_package(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def unit(module: str) -> str:
    """The piece that knows something: the gate, a workflow or a command, however many files it has; else a file."""
    parts = module.split(".")
    if parts[:2] == ["tracker", "access"]:
        return "tracker.access"
    return ".".join(parts[:3]) if parts[:2] in (["tracker", "workflows"], ["tracker", "cli"]) else module


def test_only_the_doors_know_both_consent_or_keys_and_the_store(imports: dict[str, set[str]]) -> None:
    keyed, stored = set(), set()
    for module, imported in imports.items():
        if imported & KEYS_AND_CONSENT:
            keyed.add(unit(module))
        if any(in_package(other, "tracker.store") for other in imported):
            stored.add(unit(module))
    doors = {name for name in keyed & stored if not in_package(name, "tracker.privacy")}
    assert doors <= KNOW_PRIVACY_AND_STORE


def test_privacy_and_store_are_strangers(imports: dict[str, set[str]]) -> None:
    for room, stranger in (("tracker.privacy", "tracker.store"), ("tracker.store", "tracker.privacy")):
        for module, imported in imports.items():
            if in_package(module, room):
                assert not [other for other in imported if in_package(other, stranger)], module


def test_the_http_client_knows_only_the_domain(imports: dict[str, set[str]]) -> None:
    known = {
        other
        for module, imported in imports.items()
        if in_package(module, "tracker.client")
        for other in imported
    }
    assert {other for other in known if not in_package(other, "tracker.domain")} <= {
        module for module in known if in_package(module, "tracker.client")
    }
