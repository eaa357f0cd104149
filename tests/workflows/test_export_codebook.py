"""The codebook says what the columns are, everywhere the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import NOW, installation
from tests.workflows.exported import someone
from tracker.workflows.export import codebook, export_dataset

DOCUMENT = Path(__file__).parents[2] / "docs" / "codebook.md"


def test_the_document_is_made_from_the_declarations() -> None:
    # To make it anew: write what `codebook.render()` returns into docs/codebook.md.
    assert DOCUMENT.read_text("utf-8") == codebook.render()


@pytest.mark.parametrize("table", codebook.EVERY, ids=codebook.title)
def test_every_column_is_explained_and_what_may_be_empty_says_why(table: object) -> None:
    text = codebook.render()
    for column in table.columns:  # type: ignore[attr-defined]
        assert f"| `{column.name}` | {column.kind.value} |" in text
        assert column.meaning.endswith(".")


def test_an_exports_codebook_counts_what_is_in_it(sqlite_url: str, tmp_path: Path) -> None:
    access = installation(sqlite_url, tmp_path)
    someone(access, "ada")
    text = (export_dataset(access, tmp_path / "out", NOW).folder / "codebook.md").read_text("utf-8")
    access.database.close()
    access.keys.close()
    assert "- Rows: 15" in text
    assert "| 12 | no_face 3 |" in text
    assert "| `place` | string |  | Place, in the words that were given; " in text
    assert "|  | not said, or withheld, so that nobody stands out | 0 | home 1 |" in text
