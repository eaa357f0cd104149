"""Notices stay as they were shown, and one that was retired stands again only with the time between on record.

Revision: 0008
Before: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEPT = "notices is append-only, but for what stands"
_SILENT = "a retired notice stands again only with the time between on record"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgresql()


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for rule in ("no_update", "no_silent_return", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER notices_{rule}")
        return
    op.execute("DROP TRIGGER notices_guarded ON notices")
    op.execute("DROP TRIGGER notices_no_truncate ON notices")
    op.execute("DROP FUNCTION notices_guarded")


def _upgrade_sqlite() -> None:
    kept = f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
    op.execute(
        "CREATE TRIGGER notices_no_update BEFORE UPDATE OF sha256, version, language, document, published_at "
        f"ON notices {kept}"
    )
    op.execute(f"CREATE TRIGGER notices_no_delete BEFORE DELETE ON notices {kept}")
    # REPLACE deletes without firing a delete trigger.
    op.execute(
        "CREATE TRIGGER notices_no_replace BEFORE INSERT ON notices "
        f"WHEN EXISTS (SELECT 1 FROM notices WHERE sha256 = NEW.sha256) {kept}"
    )
    before, after = (f"coalesce(json_array_length({row}.absent), 0)" for row in ("OLD", "NEW"))
    op.execute(
        "CREATE TRIGGER notices_no_silent_return BEFORE UPDATE OF retired_at, absent ON notices WHEN CASE "
        f"WHEN OLD.retired_at IS NULL THEN {after} <> {before} "
        f"ELSE NEW.retired_at IS NOT NULL OR {after} <> {before} + 1 END "
        f"BEGIN SELECT RAISE(ABORT, '{_SILENT}'); END"
    )


def _upgrade_postgresql() -> None:
    # What is absent may be JSON's null, which has no length.
    before, after = (
        f"(CASE WHEN json_typeof({row}.absent) = 'array' THEN json_array_length({row}.absent) ELSE 0 END)"
        for row in ("OLD", "NEW")
    )
    old, new = (
        f"({row}.sha256, {row}.version, {row}.language, {row}.document::text, {row}.published_at)"
        for row in ("OLD", "NEW")
    )
    op.execute(
        "CREATE FUNCTION notices_guarded() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN RAISE EXCEPTION '{_KEPT}'; END IF; "
        f"IF {old} IS DISTINCT FROM {new} THEN RAISE EXCEPTION '{_KEPT}'; END IF; "
        # In parentheses, or the first THEN would end the condition.
        f"IF (CASE WHEN OLD.retired_at IS NULL THEN {after} <> {before} "
        f"ELSE NEW.retired_at IS NOT NULL OR {after} <> {before} + 1 END) "
        f"THEN RAISE EXCEPTION '{_SILENT}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER notices_guarded BEFORE UPDATE OR DELETE ON notices "
        "FOR EACH ROW EXECUTE FUNCTION notices_guarded()"
    )
    op.execute(
        "CREATE TRIGGER notices_no_truncate BEFORE TRUNCATE ON notices "
        "FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
    )
