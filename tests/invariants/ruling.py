"""A study put into force, as applying a study file does."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from tests.builders import NOW
from tracker.access import Access
from tracker.study import DEFAULT
from tracker.study.parts import ConsentRules
from tracker.workflows import studies

_versions = itertools.count(1)


def ruled(
    access: Access, now: datetime = NOW, *, consent: dict[str, Any] | None = None, **parts: Any
) -> None:
    """Let a study with these parts govern from an instant on."""
    said = {
        "id": "the-proof",
        "version": f"{next(_versions)}",
        "consent": ConsentRules(**(consent or {})),
        **parts,
    }
    assert studies.apply(access, DEFAULT.model_copy(update=said), "the proof", now)
