"""Grants with numbers, consent events sealed, who looked, notices and studies, crops and notes, releases.

From here on each personal row carries the number of the grant under which it was written, and a trigger without a
clock looks that this grant stands. What a consent event says is sealed under the person's key, so this migration
needs the keys: `tracker.store.schema.migrate` hands them over.

Revision: 0003
Before: 0002
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import context, op

from tracker.store.schema import KeysNeededError, Sealing
from tracker.store.types import Instant, RowId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GRANTED = (
    "observations",
    "estimates",
    "contexts",
    "prompts",
    "corrections",
    "learning_events",
    "snapshots",
    "drifts",
    "prior_members",
)


def upgrade() -> None:
    _create_tables()
    for table in GRANTED:
        op.add_column(
            table, sa.Column("grant_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
    standing = _seal_events()
    _number(standing)
    _create_triggers()


def downgrade() -> None:
    _drop_triggers()
    _open_events()
    for table in GRANTED:
        op.drop_column(table, "grant_id")
    for table in ("release_members", "releases", "notes", "crops", "studies", "notices", "grants"):
        op.drop_table(table)
    op.drop_table("access_events")
    op.drop_table("access_log")


def _create_tables() -> None:
    op.create_table(
        "access_log",
        sa.Column("seq", RowId, autoincrement=False, nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_access_log")),
    )
    _create_sealed("access_events", "access_log")
    op.create_table(
        "grants",
        sa.Column("id", RowId, autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f("fk_grants_subject_subjects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("subject", "scope", name=op.f("uq_grants_subject_scope")),
    )
    op.create_table(
        "notices",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_notices")),
    )
    op.create_table(
        "studies",
        sa.Column("id", RowId, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("applied_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    for table, points_to in (("crops", "observation"), ("notes", "correction")):
        op.create_table(
            table,
            sa.Column("id", sa.String(length=32), nullable=False),
            sa.Column("subject", sa.String(length=32), nullable=False),
            sa.Column(points_to, RowId, nullable=False),
            sa.Column("sealed", sa.LargeBinary(), nullable=False),
            sa.Column("grant_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
            sa.Column("recorded_at", Instant(), nullable=False),
            sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name=op.f(f"fk_{table}_subject_subjects")),
            sa.ForeignKeyConstraint(
                [points_to], [f"{points_to}s.id"], name=op.f(f"fk_{table}_{points_to}_{points_to}s")
            ),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint(points_to, name=op.f(f"uq_{table}_{points_to}")),
        )
        op.create_index(op.f(f"ix_{table}_subject"), table, ["subject"], unique=False)
    op.create_table(
        "releases",
        sa.Column("id", RowId, nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("delta", sa.Double(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_table(
        "release_members",
        sa.Column("release", RowId, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["release"], ["releases.id"], name=op.f("fk_release_members_release_releases")
        ),
        sa.ForeignKeyConstraint(
            ["subject"], ["subjects.id"], name=op.f("fk_release_members_subject_subjects")
        ),
        sa.PrimaryKeyConstraint("release", "subject", name=op.f("pk_release_members")),
    )


def _create_sealed(table: str, log: str) -> None:
    op.create_table(
        table,
        sa.Column("seq", RowId, autoincrement=False, nullable=False),
        sa.Column("participant", sa.String(length=32), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participants.id"], name=op.f(f"fk_{table}_participant_participants")
        ),
        sa.ForeignKeyConstraint(["seq"], [f"{log}.seq"], name=op.f(f"fk_{table}_seq_{log}")),
        sa.PrimaryKeyConstraint("seq", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_participant"), table, ["participant"], unique=False)


# --- consent events: from columns to one sealed value, and back ---------------------------------------------------

_PLAIN = sa.table(
    "consent_events",
    sa.column("seq", sa.BigInteger()),
    sa.column("participant", sa.String()),
    sa.column("scope", sa.String()),
    sa.column("state", sa.String()),
    sa.column("notice_version", sa.String()),
    sa.column("notice_language", sa.String()),
    sa.column("notice_sha256", sa.String()),
    sa.column("recorded_at", Instant()),
    sa.column("covers_from", Instant()),
    sa.column("recorder", sa.String()),
    sa.column("evidence_sealed", sa.LargeBinary()),
    sa.column("salt", sa.LargeBinary()),
)
_SEALED = sa.table(
    "consent_events",
    sa.column("seq", sa.BigInteger()),
    sa.column("participant", sa.String()),
    sa.column("recorded_at", Instant()),
    sa.column("sealed", sa.LargeBinary()),
    sa.column("salt", sa.LargeBinary()),
)


def _sealing() -> Sealing:
    sealing: Sealing | None = context.config.attributes.get("sealing")
    if sealing is None:
        raise KeysNeededError
    return sealing


def _seal_events() -> dict[tuple[str, str], bool]:
    """Seal what consent events say; return by (participant, scope) whether the last one permits."""
    bind = op.get_bind()
    before = bind.execute(sa.select(_PLAIN).order_by(_PLAIN.c.seq)).all()
    sealing = _sealing() if before else None
    op.drop_index(op.f("ix_consent_events_participant"), table_name="consent_events")
    op.drop_table("consent_events")
    _create_sealed("consent_events", "consent_log")
    standing: dict[tuple[str, str], bool] = {}
    for row in before:
        assert sealing is not None
        fields = {
            "scope": row.scope,
            "state": row.state,
            "notice": [row.notice_version, row.notice_language, row.notice_sha256],
            "covers_from": row.covers_from.isoformat(),
            "expires_at": None,
            "recorder": row.recorder,
            "evidence": sealing.evidence(row.participant, row.seq, row.evidence_sealed),
            "grant": None,
        }
        sealed = sealing.seal(row.participant, row.seq, fields)
        values = (row.seq, row.participant, row.recorded_at, sealed, row.salt)
        bind.execute(sa.insert(_SEALED).values(dict(zip(_SEALED.c.keys(), values, strict=True))))
        standing[row.participant, row.scope] = row.state in ("given", "renewed")
    return standing


def _number(standing: dict[tuple[str, str], bool]) -> None:
    """Give a number to each grant that stands, so that writing under it goes on."""
    bind = op.get_bind()
    table = sa.table(
        "grants", sa.column("id", sa.BigInteger()), sa.column("subject"), sa.column("scope", sa.String())
    )
    people = sa.table("participants", sa.column("id"), sa.column("subject_sealed", sa.LargeBinary()))
    sealed = dict(bind.execute(sa.select(people.c.id, people.c.subject_sealed)).all())
    for (participant, scope), permits in standing.items():
        if permits:
            subject = _sealing().subject(participant, sealed[participant])
            values = {"id": secrets.randbits(62) + 1, "subject": subject, "scope": scope}
            bind.execute(sa.insert(table).values(values))


def _open_events() -> None:
    bind = op.get_bind()
    after = bind.execute(sa.select(_SEALED).order_by(_SEALED.c.seq)).all()
    sealing = _sealing() if after else None
    op.drop_index(op.f("ix_consent_events_participant"), table_name="consent_events")
    op.drop_table("consent_events")
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
    op.create_index(op.f("ix_consent_events_participant"), "consent_events", ["participant"], unique=False)
    for row in after:
        assert sealing is not None
        fields = sealing.open(row.participant, row.seq, row.sealed)
        values = (
            row.seq,
            row.participant,
            fields["scope"],
            fields["state"],
            *fields["notice"],
            row.recorded_at,
            sealing.instant(fields["covers_from"]),
            fields["recorder"],
            sealing.seal_evidence(row.participant, row.seq, fields["evidence"]),
            row.salt,
        )
        bind.execute(sa.insert(_PLAIN).values(dict(zip(_PLAIN.c.keys(), values, strict=True))))


# --- triggers: nothing is written without its grant, and the logs only grow ---------------------------------------

# Which grant a new row rests on: what looks for it in the table of grants, given the row NEW.
_MINE = "SELECT 1 FROM grants g WHERE g.id = NEW.grant_id AND g.subject = NEW.subject AND g.scope = {scope}"
_OF_OBSERVATION = (
    "SELECT 1 FROM grants g JOIN observations o ON o.subject = g.subject WHERE g.id = NEW.grant_id "
    "AND o.id = NEW.observation AND g.scope = CASE WHEN NEW.snapshot = 0 THEN 'affect_series' "
    "ELSE 'personal_learning' END"
)
_RESTS_ON = {
    "observations": _MINE.format(scope="'affect_series'"),
    "estimates": _OF_OBSERVATION,
    "contexts": _MINE.format(scope="'context'"),
    "prompts": _MINE.format(scope="'prompts'"),
    "corrections": _MINE.format(scope="CASE WHEN NEW.prompt IS NULL THEN 'affect_series' ELSE 'prompts' END"),
    "learning_events": _MINE.format(scope="'personal_learning'"),
    "snapshots": _MINE.format(scope="'personal_learning'"),
    "drifts": _MINE.format(scope="'personal_learning'"),
    "prior_members": _MINE.format(scope="'pooled_learning'"),
    "crops": _MINE.format(scope="'face_crops'"),
    "notes": _MINE.format(scope="'notes'"),
}
_NO_GRANT = "no grant that stands covers a new row of {table}"
_NO_STEP = "SELECT 1 FROM tombstones WHERE {step} = 'begun'"
_APPEND_ONLY = "{table} is append-only"
_SEALED_TABLES = ("consent_events", "access_events")


def _create_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _create_triggers_sqlite()
    else:
        _create_triggers_postgresql()


def _drop_triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _RESTS_ON:
            op.execute(f"DROP TRIGGER {table}_granted")
        for name in (
            *(f"{table}_no_{verb}" for table in _SEALED_TABLES for verb in ("update", "delete", "replace")),
            *(
                f"{table}_no_{verb}"
                for table in ("access_log", "studies")
                for verb in ("update", "delete", "replace")
            ),
        ):
            op.execute(f"DROP TRIGGER {name}")
        return
    for table in _RESTS_ON:
        op.execute(f"DROP TRIGGER {table}_granted ON {table}")
        op.execute(f"DROP FUNCTION {table}_granted")
    for table in _SEALED_TABLES:
        op.execute(f"DROP TRIGGER {table}_guarded ON {table}")
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    for table in ("access_log", "studies"):
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute("DROP FUNCTION sealed_events_guarded")
    op.execute("DROP FUNCTION append_only")


def _create_triggers_sqlite() -> None:
    for table, rests_on in _RESTS_ON.items():
        told = _NO_GRANT.format(table=table)
        op.execute(
            f"CREATE TRIGGER {table}_granted BEFORE INSERT ON {table} WHEN NOT EXISTS ({rests_on}) "
            f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )
    step = _NO_STEP.format(step="json_extract(counts, '$.step')")
    for table in _SEALED_TABLES:
        told = _APPEND_ONLY.format(table=table)
        op.execute(
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE OF seq, participant, recorded_at, salt ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN NOT EXISTS ({step}) "
            f"BEGIN SELECT RAISE(ABORT, '{told}, but for an erasure'); END"
        )
        _no_replace(table, "seq")
    for table, key in (("access_log", "seq"), ("studies", "id")):
        told = _APPEND_ONLY.format(table=table)
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
            )
        _no_replace(table, key)


def _no_replace(table: str, key: str) -> None:
    # REPLACE deletes without firing a delete trigger.
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
        f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY.format(table=table)}'); END"
    )


def _create_triggers_postgresql() -> None:
    for table, rests_on in _RESTS_ON.items():
        told = _NO_GRANT.format(table=table)
        op.execute(
            f"CREATE FUNCTION {table}_granted() RETURNS trigger LANGUAGE plpgsql AS $$ "
            # Locked until the writer commits: a withdrawal waits for it, even if the writer went past the gate.
            f"BEGIN PERFORM {rests_on.removeprefix('SELECT ')} FOR KEY SHARE OF g; "
            f"IF NOT FOUND THEN RAISE EXCEPTION '{told}'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_granted BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_granted()"
        )
    op.execute(
        "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    step = _NO_STEP.format(step="counts->>'step'")
    op.execute(
        "CREATE FUNCTION sealed_events_guarded() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN "
        "IF (OLD.seq, OLD.participant, OLD.recorded_at, OLD.salt) "
        "IS DISTINCT FROM (NEW.seq, NEW.participant, NEW.recorded_at, NEW.salt) "
        "THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF; RETURN NEW; END IF; "
        f"IF NOT EXISTS ({step}) "
        "THEN RAISE EXCEPTION '% is append-only, but for an erasure', TG_TABLE_NAME; END IF; "
        "RETURN OLD; END $$"
    )
    for table in _SEALED_TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_guarded BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION sealed_events_guarded()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )
    for table in ("access_log", "studies"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )
