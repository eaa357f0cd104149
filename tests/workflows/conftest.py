"""What tests of workflows share: an installation on each database, and a study's rules of rating."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders import installation
from tests.processes import close
from tracker.access import Access
from tracker.store import studies
from tracker.study import DEFAULT
from tracker.study.rating import RatingRules


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    """An installation on SQLite and on PostgreSQL."""
    made = installation(database_url, tmp_path)
    yield made
    close(made)


@pytest.fixture
def ruled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a study's rules of rating govern."""

    def rule(**said: object) -> None:
        changed = DEFAULT.model_copy(update={"rating": RatingRules(**said)})  # type: ignore[arg-type]
        monkeypatch.setattr(studies, "in_force", lambda _: changed)

    return rule
