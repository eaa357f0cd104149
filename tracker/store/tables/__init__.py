"""All tables of the series database, one schema for SQLite and PostgreSQL.

Participants stand on one side (their names sealed), series rows on the other: these hang on a random
subject id, and the link from person to subject is sealed in `participants.subject_sealed`. Every column
is declared in `tracker.privacy.datamap`; a test fails for one that is not.
"""

from __future__ import annotations

from tracker.store.tables.answers import contexts, corrections, hidden, notes, prompts, zones
from tracker.store.tables.choices import (
    access_events,
    access_log,
    consent_events,
    consent_log,
    erasure_requests,
    former_records,
    grants,
    notices,
    tombstones,
)
from tracker.store.tables.columns import metadata, studies
from tracker.store.tables.given_out import export_members, exports, release_members, releases
from tracker.store.tables.learned import drifts, learning_events, prior_members, priors, snapshots
from tracker.store.tables.people import (
    accounts,
    factors,
    invitations,
    member_roles,
    members,
    participants,
    sign_ins,
    subjects,
)
from tracker.store.tables.programs import repeats, tokens
from tracker.store.tables.pushed import push_devices, push_messages
from tracker.store.tables.rated import (
    adjudications,
    rater_consents,
    rater_settings,
    rating_gold,
    rating_tasks,
    rating_traces,
    rating_votes,
)
from tracker.store.tables.running import installation, leases
from tracker.store.tables.series import crops, estimates, frames, observations, summaries

__all__ = [
    "access_events",
    "access_log",
    "accounts",
    "adjudications",
    "consent_events",
    "consent_log",
    "contexts",
    "corrections",
    "crops",
    "drifts",
    "erasure_requests",
    "estimates",
    "export_members",
    "exports",
    "factors",
    "former_records",
    "frames",
    "grants",
    "hidden",
    "installation",
    "invitations",
    "learning_events",
    "leases",
    "member_roles",
    "members",
    "metadata",
    "notes",
    "notices",
    "observations",
    "participants",
    "prior_members",
    "priors",
    "prompts",
    "push_devices",
    "push_messages",
    "rater_consents",
    "rater_settings",
    "rating_gold",
    "rating_tasks",
    "rating_traces",
    "rating_votes",
    "release_members",
    "releases",
    "repeats",
    "sign_ins",
    "snapshots",
    "studies",
    "subjects",
    "summaries",
    "tokens",
    "tombstones",
    "zones",
]
