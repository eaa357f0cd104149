"""The wheel works where no source tree is in sight: it is built, installed elsewhere, and tracks a clip."""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from skimage import data

ROOT = Path(__file__).parents[1]
RECORDED = "2025-03-01T10:00:00+00:00"
FRAMES, FPS, EVERY = 20, 10, 0.2


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built with the backend that is installed here."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT], out)
    (built,) = out.glob("*.whl")
    return built


@dataclass(frozen=True)
class Elsewhere:
    """An environment of its own, a folder without sources, and a database in it."""

    environment: Path
    folder: Path

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a program of the environment and return what it printed."""
        done = subprocess.run(
            [self.environment / "bin" / arguments[0], *arguments[1:]],
            cwd=self.folder,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(self.folder),
                "LC_ALL": "C.UTF-8",
                "AFFECT_DATABASE_URL": f"sqlite:///{self.folder / 'affect.sqlite3'}",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """The wheel in an empty environment; the libraries of others are borrowed from the one that runs this.

    A folder named in a ``.pth`` file is searched last and its own ``.pth`` files are not read, so the
    editable installation of this tree stays out of sight.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = folder / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", environment], folder)
    python = environment / "bin" / "python"
    run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps", wheel],
        folder,
    )
    own = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(own) / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n")
    work = folder / "work"
    work.mkdir()
    return Elsewhere(environment, work)


def run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


def clip_of_a_face(path: Path) -> None:
    """Two seconds of NASA's free portrait of Eileen Collins, moved a little from frame to frame."""
    astronaut: np.ndarray = data.astronaut()  # type: ignore[no-untyped-call]
    photo = cv2.cvtColor(astronaut, cv2.COLOR_RGB2BGR)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (320, 240))
    for n in range(FRAMES):
        writer.write(photo[n : 240 + n, 60 + n : 380 + n])
    writer.release()


def files_below(folder: Path) -> set[str]:
    """What a wheel should carry of a folder: everything but what Python and unfinished downloads leave."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".partial"}
    }


def test_the_wheel_carries_all_that_runs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for top, inside in (
        ("models", "tracker/_shipped/models"),
        ("migrations", "tracker/_shipped/migrations"),
        ("webui", "webui"),
        ("tracker", "tracker"),
    ):
        assert {f"{inside}/{name}" for name in files_below(ROOT / top)} <= names
    assert "tracker/_shipped/models/manifest.toml" in names
    assert "tracker/_shipped/migrations/env.py" in names
    assert any(name.startswith("webui/templates/") for name in names)
    assert any(name.startswith("webui/static/") for name in names)
    assert "tracker/py.typed" in names
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"tracker", "webui"}
    assert not any("__pycache__" in name or name.endswith((".pyc", ".partial")) for name in names)


def test_the_installed_code_and_files_are_the_wheels_own(elsewhere: Elsewhere) -> None:
    script = (
        "import json, tracker, webui; from tracker.shipped import models, migrations\n"
        "found = [tracker.__file__, webui.__file__, models(), migrations()]\n"
        "print(json.dumps([str(path) for path in found]))"
    )
    for found in json.loads(elsewhere.run("python", "-c", script)):
        assert Path(found).is_relative_to(elsewhere.environment.resolve())


def test_the_installed_wheel_tracks_a_clip(elsewhere: Elsewhere) -> None:
    clip_of_a_face(elsewhere.folder / "clip.mp4")
    track = ["affect-tracker", "track", "clip.mp4", "--participant", "ann", "--every", str(EVERY)]
    track += ["--started-at", RECORDED, "--device", "cpu"]
    elsewhere.run("affect-tracker", "init")
    elsewhere.run("affect-tracker", "enrol", "ann", "--zone", "Europe/Berlin")
    refused = elsewhere.run(*track, code=3)
    assert "affect_series" in refused
    elsewhere.run(
        "affect-tracker", "consent", "grant", "ann", "affect_series",
        "--covers-from", "2025-01-01T00:00:00+00:00", "--evidence", "a signed form on paper",
    )  # fmt: skip
    told = json.loads(elsewhere.run(*track, "--json"))
    expected = round(FRAMES / FPS / EVERY)
    assert told["observations"] == told["added"] == expected
    assert told["with_face"] >= expected - 1
    assert told["estimates"] == told["with_face"]
    again = json.loads(elsewhere.run(*track, "--json"))
    assert (again["observations"], again["added"]) == (expected, 0)
    series = json.loads(elsewhere.run("affect-tracker", "timeline", "ann", "--json"))
    assert len(series) == expected
    assert {"at", "reason", "machine", "personal", "correction"} <= set(series[0])


OTHER_HALVES = {"pydantic_core"}
"""Where pydantic's own errors live: it pins one version of it, and its documentation imports from there."""


def test_everything_that_is_imported_is_a_declared_dependency() -> None:
    """Borrowed libraries would hide one that only development installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [
        *project["dependencies"],
        *extras["postgres"],
        *extras["demo"],
        *extras["onnx"],
        *extras["analysis"],
    ]
    declared = {canonicalize_name(Requirement(text).name) for text in named}
    providers = importlib.metadata.packages_distributions()
    ours = {"tracker", "webui"}
    undeclared = {
        f"{path.relative_to(ROOT)}: {name}"
        for room in sorted(ours)
        for path in (ROOT / room).rglob("*.py")
        for name in imported(path) - ours - sys.stdlib_module_names - OTHER_HALVES
        if not {canonicalize_name(dist) for dist in providers.get(name, [])} & declared
    }
    assert undeclared == set()


def imported(path: Path) -> set[str]:
    """The first words of everything that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return {re.split(r"\.", name)[0] for name in found}
