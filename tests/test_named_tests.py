"""A test that a document names as its proof is there, under that name."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(test_\w+\.py)(?:::(test_\w+))?`")
DEFINED = re.compile(r"^[ \t]*def (\w+)", re.MULTILINE)
DOCUMENTS = [path for path in (ROOT / "docs").rglob("*.md") if NAMED.search(path.read_text("utf-8"))]


@cache
def written() -> dict[str, set[str]]:
    """The tests of each file, by its bare name: rooms share some names, and either will do."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        found.setdefault(path.name, set()).update(DEFINED.findall(path.read_text("utf-8")))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    there = written()
    missing = [
        f"{file}::{name}"
        for file, name in NAMED.findall(document.read_text("utf-8"))
        if file not in there or (name and name not in there[file])
    ]
    assert missing == []


def test_documents_do_name_tests() -> None:
    assert {"security.md", "web.md"} <= {path.name for path in DOCUMENTS}
