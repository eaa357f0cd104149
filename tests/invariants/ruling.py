"""What a study demands of consent, put into force as applying a study file does."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from tests.builders import NOW
from tracker.access import Access
from tracker.store import notices, studies
from tracker.store.studies import StudyRow


def ruled(access: Access, now: datetime = NOW, **consent: Any) -> None:
    """Let a study with this ``[consent]`` govern."""
    document = {"id": "proof", "consent": consent}
    sha256 = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    with access.database.write() as connection:
        studies.apply(connection, StudyRow(sha256, document, now, "the proof"))


def standing(access: Access, *sha256s: str, now: datetime = NOW) -> None:
    """Retire every notice but these."""
    with access.database.write() as connection:
        notices.retire_all_but(connection, frozenset(sha256s), now)
