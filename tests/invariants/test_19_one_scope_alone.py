"""Erasing one scope deletes what rests on it and what derives from it, and leaves every other row as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import NOW
from tests.invariants import held
from tests.invariants.canaries import search
from tests.invariants.conftest import Tell
from tests.lives import ENDPOINT, FACE, FILM, NOTE, PLACE, lived
from tracker import personal
from tracker.access import Access
from tracker.domain.consent import Scope
from tracker.workflows import erasure

LATER = NOW + timedelta(minutes=1)
S = Scope
RATED = {"rating_tasks", "rating_votes", "rating_traces", "rating_gold", "adjudications"}
GONE: dict[Scope, set[str]] = {
    S.AFFECT_SERIES: {
        "observations",
        "estimates",
        "summaries",
        "learning_events",
        "snapshots",
        "drifts",
        "crops",
        "frames",
        "notes",
        *RATED,
    },
    S.CONTEXT: {"contexts"},
    S.PROMPTS: {"prompts", "zones", "push_devices", "push_messages"},
    S.FACE_CROPS: {"crops"},
    S.NOTES: {"notes"},
    S.PERSONAL_LEARNING: {"learning_events", "snapshots", "drifts"},
    S.POOLED_LEARNING: {"prior_members"},
    S.RAW_VIDEO: {"frames"},
    S.SHARE_WITH_RATERS: RATED,
    S.SHARE_WITH_RESEARCHERS: set(),
    S.EXPORT_PSEUDONYMOUS: set(),
    S.EXPORT_PUBLIC: set(),
}
"""Tables of which nothing is left, by scope."""

MAY_CHANGE: dict[Scope, set[str]] = {
    # Corrections that are no answers go; the features of contexts and answers leave what was learned.
    S.AFFECT_SERIES: {"corrections", "release_members", "prior_members"},
    S.CONTEXT: {"learning_events", "snapshots", "estimates", "summaries", "drifts"},
    S.PROMPTS: {"corrections", "learning_events", "snapshots", "estimates", "summaries", "drifts", "notes"},
    S.PERSONAL_LEARNING: {"estimates", "summaries", "prior_members"},
    S.POOLED_LEARNING: {"snapshots", "estimates", "summaries"},
    S.SHARE_WITH_RATERS: {"snapshots", "estimates", "summaries"},
}
"""Tables of the person in which derived rows go or change, by scope."""

ALWAYS = {
    "priors",
    "exports",
    "erasure_requests",
    "leases",
    "tombstones",
    "consent_log",
    "consent_events",
    "grants",
    # Copies of what programs were answered: they go with whatever is erased.
    "repeats",
}


@pytest.mark.parametrize("scope", Scope)
def test_only_what_rests_on_it_goes(access: Access, scope: Scope, figure: Tell) -> None:
    who = lived(access)
    before = held.rows(access)
    assert all(before[table] for table in GONE[scope])
    erasure.erase_scope(access, who, scope, LATER)
    after = held.rows(access)
    for table, rows in before.items():
        if table in GONE[scope]:
            assert after[table] == [], f"{len(after[table])} rows of {table} are left"
        elif table not in MAY_CHANGE.get(scope, set()) | ALWAYS:
            assert after[table] == rows, f"{table} has changed"
    assert access.audit() is None
    with access.read(who.id, LATER) as unit:
        for target in personal.live(unit):
            replayed = personal.replay(unit, target)
            assert replayed is not None
            assert replayed.equal
    figure(f"{len(Scope)} scopes, {len(before)} tables each")


@pytest.mark.parametrize(
    ("scope", "canary"),
    [
        (S.CONTEXT, PLACE.encode()),
        (S.NOTES, NOTE.encode()),
        (S.FACE_CROPS, FACE),
        (S.RAW_VIDEO, FILM),
        (S.PROMPTS, ENDPOINT.encode()),
    ],
    ids=str,
)
def test_no_copy_of_it_is_left(access: Access, scope: Scope, canary: bytes) -> None:
    """In the features that were learned from, in a learner's parameters, in free pages."""
    who = lived(access)
    erasure.erase_scope(access, who, scope, LATER)
    files = held.database_bytes(access) | held.key_store_bytes(access)
    assert [hit for name, some in files.items() for hit in search(name, some, {"canary": canary})] == []
    assert not held.naming(held.rows(access), canary.decode())
