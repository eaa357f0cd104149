"""All tables but the summaries, and the triggers that keep the consent log append-only.

Revision: 0001
Before: None
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.store.types import Instant, RowId

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_log",
        sa.Column("seq", RowId, autoincrement=False, nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_consent_log")),
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=False),
        sa.Column("outdated_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_table(
        "leases",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job", "slot", name=op.f("pk_leases")),
    )
    op.create_table(
        "participants",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name_digest", sa.String(length=64), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("subject_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("enrolled_at", Instant(), nullable=False),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("name_digest", name=op.f("uq_participants_name_digest")),
    )
    op.create_table(
        "priors",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("fitted_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_priors")),
    )
    with op.batch_alter_table("priors", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_priors_target"), ["target"], unique=False)

    op.create_table(
        "subjects",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
    )
    op.create_table(
        "tombstones",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject_digest", sa.String(length=64), nullable=False),
        sa.Column("erased_at", Instant(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstones")),
        sa.UniqueConstraint("subject_digest", name=op.f("uq_tombstones_subject_digest")),
    )
    op.create_table(
        "accounts",
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("code_hash", sa.String(length=200), nullable=True),
        sa.Column("code_expires_at", Instant(), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_accounts_participant_participants")
        ),
        sa.PrimaryKeyConstraint("participant", name=op.f("pk_accounts")),
    )
    op.create_table(
        "consent_events",
        sa.Column("seq", RowId, autoincrement=False, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("notice_version", sa.String(length=32), nullable=False),
        sa.Column("notice_language", sa.String(length=16), nullable=False),
        sa.Column("notice_sha256", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("covers_from", Instant(), nullable=False),
        sa.Column("recorder", sa.String(length=16), nullable=False),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_consent_events_participant_participants")
        ),
        sa.ForeignKeyConstraint(["seq"], ["consent_log.seq"], name=op.f("fk_consent_events_seq_consent_log")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_consent_events")),
    )
    with op.batch_alter_table("consent_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_events_participant"), ["participant"], unique=False)

    op.create_table(
        "contexts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=True),
        sa.Column("activity", sa.String(length=64), nullable=True),
        sa.Column("company", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_contexts_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contexts")),
    )
    with op.batch_alter_table("contexts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contexts_subject_at"), ["subject", "at"], unique=False)

    op.create_table(
        "drifts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_drifts_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_drifts_subject_target_at"), ["subject", "target", "at"], unique=False
        )

    op.create_table(
        "erasure_requests",
        sa.Column("id", RowId, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_erasure_requests_participant_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
    )
    with op.batch_alter_table("erasure_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_requests_participant"), ["participant"], unique=False)

    op.create_table(
        "export_members",
        sa.Column("export", sa.String(length=32), nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["export"], ["exports.id"], name=op.f("fk_export_members_export_exports")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f("fk_export_members_participant_participants")
        ),
        sa.PrimaryKeyConstraint("export", "participant", name=op.f("pk_export_members")),
    )
    op.create_table(
        "prior_members",
        sa.Column("prior", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("learn_since", Instant(), nullable=False),
        sa.Column("context_since", Instant(), nullable=True),
        sa.Column("prompts_since", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["prior"], ["priors.id"], name=op.f("fk_prior_members_prior_priors")),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_prior_members_subject_subjects")),
        sa.PrimaryKeyConstraint("prior", "subject", name=op.f("pk_prior_members")),
    )
    op.create_table(
        "observations",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("pts_us", RowId, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("time_source", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("box_x", sa.Double(), nullable=True),
        sa.Column("box_y", sa.Double(), nullable=True),
        sa.Column("box_w", sa.Double(), nullable=True),
        sa.Column("box_h", sa.Double(), nullable=True),
        sa.Column("detector", sa.String(length=32), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("sharpness", sa.Double(), nullable=True),
        sa.Column("aligned", sa.Boolean(), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_observations_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observations")),
        sa.UniqueConstraint(
            "subject", "source", "pts_us", name=op.f("uq_observations_subject_source_pts_us")
        ),
    )
    with op.batch_alter_table("observations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observations_subject_at"), ["subject", "at"], unique=False)

    op.create_table(
        "prompts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("scheduled_at", Instant(), nullable=False),
        sa.Column("notified_at", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("completed_at", Instant(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("random", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_prompts_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint("subject", "slot", name=op.f("uq_prompts_subject_slot")),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("prior", sa.String(length=64), nullable=False),
        sa.Column("rebased_at", Instant(), nullable=False),
        sa.Column("log_position", RowId, nullable=False),
        sa.Column("learn_since", Instant(), nullable=False),
        sa.Column("context_since", Instant(), nullable=True),
        sa.Column("prompts_since", Instant(), nullable=True),
        sa.Column("faded_before", Instant(), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_snapshots_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("snapshots", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_snapshots_subject_target_id"), ["subject", "target", "id"], unique=False
        )

    op.create_table(
        "corrections",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("observation", RowId, nullable=True),
        sa.Column("prompt", RowId, nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("p_neutral", sa.Double(), nullable=True),
        sa.Column("p_happiness", sa.Double(), nullable=True),
        sa.Column("p_surprise", sa.Double(), nullable=True),
        sa.Column("p_sadness", sa.Double(), nullable=True),
        sa.Column("p_anger", sa.Double(), nullable=True),
        sa.Column("p_disgust", sa.Double(), nullable=True),
        sa.Column("p_fear", sa.Double(), nullable=True),
        sa.Column("p_contempt", sa.Double(), nullable=True),
        sa.Column("rater", sa.String(length=32), nullable=False),
        sa.Column("suggestion_shown", sa.Boolean(), nullable=False),
        sa.Column("supersedes", RowId, nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_corrections_observation_observations")
        ),
        sa.ForeignKeyConstraint(["prompt"], ["prompts.id"], name=op.f("fk_corrections_prompt_prompts")),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_corrections_subject_subjects")),
        sa.ForeignKeyConstraint(
            ["supersedes"], ["corrections.id"], name=op.f("fk_corrections_supersedes_corrections")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_corrections_supersedes")),
    )
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_corrections_observation"), ["observation"], unique=False)
        batch_op.create_index(batch_op.f("ix_corrections_prompt"), ["prompt"], unique=False)
        batch_op.create_index(batch_op.f("ix_corrections_subject_at"), ["subject", "at"], unique=False)

    op.create_table(
        "estimates",
        sa.Column("id", RowId, nullable=False),
        sa.Column("observation", RowId, nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("snapshot", RowId, nullable=False),
        sa.Column("p_neutral", sa.Double(), nullable=False),
        sa.Column("p_happiness", sa.Double(), nullable=False),
        sa.Column("p_surprise", sa.Double(), nullable=False),
        sa.Column("p_sadness", sa.Double(), nullable=False),
        sa.Column("p_anger", sa.Double(), nullable=False),
        sa.Column("p_disgust", sa.Double(), nullable=False),
        sa.Column("p_fear", sa.Double(), nullable=False),
        sa.Column("p_contempt", sa.Double(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["observation"], ["observations.id"], name=op.f("fk_estimates_observation_observations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estimates")),
        sa.UniqueConstraint(
            "observation", "network", "snapshot", name=op.f("uq_estimates_observation_network_snapshot")
        ),
    )
    op.create_table(
        "learning_events",
        sa.Column("id", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("correction", RowId, nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("p_neutral", sa.Double(), nullable=True),
        sa.Column("p_happiness", sa.Double(), nullable=True),
        sa.Column("p_surprise", sa.Double(), nullable=True),
        sa.Column("p_sadness", sa.Double(), nullable=True),
        sa.Column("p_anger", sa.Double(), nullable=True),
        sa.Column("p_disgust", sa.Double(), nullable=True),
        sa.Column("p_fear", sa.Double(), nullable=True),
        sa.Column("p_contempt", sa.Double(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("predicted", sa.JSON(), nullable=False),
        sa.Column("machine", sa.JSON(), nullable=True),
        sa.Column("situation", sa.JSON(), nullable=True),
        sa.Column("cut", sa.JSON(), nullable=True),
        sa.Column("seen_from", Instant(), nullable=True),
        sa.Column("past_from", Instant(), nullable=True),
        sa.Column("context_from", Instant(), nullable=True),
        sa.Column("prompts_from", Instant(), nullable=True),
        sa.Column("snapshot_before", RowId, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["correction"], ["corrections.id"], name=op.f("fk_learning_events_correction_corrections")
        ),
        sa.ForeignKeyConstraint(
            ["subject"], ["subjects.id"], name=op.f("fk_learning_events_subject_subjects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_events")),
        sa.UniqueConstraint("correction", name=op.f("uq_learning_events_correction")),
    )
    with op.batch_alter_table("learning_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_learning_events_subject_target_id"), ["subject", "target", "id"], unique=False
        )
    _guard_consent_log()


def downgrade() -> None:
    _unguard_consent_log()
    with op.batch_alter_table("learning_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_learning_events_subject_target_id"))

    op.drop_table("learning_events")
    op.drop_table("estimates")
    with op.batch_alter_table("corrections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_corrections_subject_at"))
        batch_op.drop_index(batch_op.f("ix_corrections_prompt"))
        batch_op.drop_index(batch_op.f("ix_corrections_observation"))

    op.drop_table("corrections")
    with op.batch_alter_table("snapshots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_snapshots_subject_target_id"))

    op.drop_table("snapshots")
    op.drop_table("prompts")
    with op.batch_alter_table("observations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_observations_subject_at"))

    op.drop_table("observations")
    op.drop_table("prior_members")
    op.drop_table("export_members")
    with op.batch_alter_table("erasure_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_requests_participant"))

    op.drop_table("erasure_requests")
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_drifts_subject_target_at"))

    op.drop_table("drifts")
    with op.batch_alter_table("contexts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contexts_subject_at"))

    op.drop_table("contexts")
    with op.batch_alter_table("consent_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_events_participant"))

    op.drop_table("consent_events")
    op.drop_table("accounts")
    op.drop_table("tombstones")
    op.drop_table("subjects")
    with op.batch_alter_table("priors", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_priors_target"))

    op.drop_table("priors")
    op.drop_table("participants")
    op.drop_table("leases")
    op.drop_table("exports")
    op.drop_table("consent_log")


_SQLITE_TRIGGER = """
CREATE TRIGGER consent_log_no_{verb} BEFORE {verb} ON consent_log
BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END
"""
# REPLACE deletes without firing a delete trigger.
_SQLITE_NO_REPLACE = """
CREATE TRIGGER consent_log_no_replace BEFORE INSERT ON consent_log
WHEN EXISTS (SELECT 1 FROM consent_log WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END
"""
_POSTGRESQL_FUNCTION = """
CREATE FUNCTION consent_log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the consent log is append-only'; END $$
"""
_POSTGRESQL_TRIGGER = """
CREATE TRIGGER consent_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consent_log
FOR EACH STATEMENT EXECUTE FUNCTION consent_log_append_only()
"""


def _guard_consent_log() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE_TRIGGER.format(verb=verb))
        op.execute(_SQLITE_NO_REPLACE)
    else:
        op.execute(_POSTGRESQL_FUNCTION)
        op.execute(_POSTGRESQL_TRIGGER)


def _unguard_consent_log() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE", "replace"):
            op.execute(f"DROP TRIGGER consent_log_no_{verb}")
    else:
        op.execute("DROP TRIGGER consent_log_append_only ON consent_log")
        op.execute("DROP FUNCTION consent_log_append_only")
