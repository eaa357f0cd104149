"""What the documents say is what the software does."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
HALF_A_PAGE = 350


def test_the_readme_names_both_commands_of_a_newcomer() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("path", [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")], ids=lambda p: p.name)
def test_every_file_that_a_document_points_to_is_there(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_every_decision_is_numbered_titled_and_half_a_page(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", path.stem)
    assert text.startswith(f"# {int(path.stem[:4])}. ")
    assert len(text.split()) <= HALF_A_PAGE


def test_no_two_decisions_share_a_number() -> None:
    numbers = [path.stem[:4] for path in DECISIONS]
    assert sorted(set(numbers)) == numbers


def test_every_dependency_has_its_line_with_licence_and_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in needed} - {"affect-tracker"}
    text = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text("utf-8")
    assert set(re.findall(r"\*\*([a-z0-9-]+)\*\*", text)) == names


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_citation_names_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
