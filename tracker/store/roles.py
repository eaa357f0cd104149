"""The least that the program needs of a PostgreSQL role, so that not even it can rewrite the logs.

The tables belong to the role that ran ``init``, which alone may drop a trigger. The program itself runs as another
role: that one can neither change nor delete a row of a log, nor switch the triggers off.
"""

from __future__ import annotations

from sqlalchemy import text

from tracker.store.database import Connection, Database, DatabaseError
from tracker.store.tables import metadata

_APPEND = "SELECT, INSERT"
_ALL = "SELECT, INSERT, UPDATE, DELETE"
_OF = {
    "consent_log": _APPEND,
    "access_log": _APPEND,
    "studies": _APPEND,
    "notices": "SELECT, INSERT, UPDATE (retired_at, absent)",
    # What is sealed is sealed anew when keys rotate, and deleted by an erasure; triggers look at both.
    "consent_events": "SELECT, INSERT, DELETE, UPDATE (sealed)",
    "access_events": "SELECT, INSERT, DELETE, UPDATE (sealed)",
}
_MAY_MAINTAIN = 17


def grant_to(database: Database, role: str) -> None:
    """Give a role exactly what the program needs, and take from it what it had beyond that.

    ``VACUUM FULL`` after an erasure needs PostgreSQL 17 (privilege ``MAINTAIN``); on older servers erasures are run by
    the tables' owner.

    Parameters
    ----------
    database
        Opened as the owner of the tables, PostgreSQL.
    role
        An existing role other than the owner.

    Raises
    ------
    DatabaseError
        On SQLite, for a role that does not exist, and for one that owns the tables or is a superuser, whom no grant
        binds.
    """
    if database.is_sqlite:
        raise DatabaseError(
            "SQLite has no roles: whoever may write the file may write it all; use PostgreSQL"
        )
    with database.write() as connection:
        _require_bound(connection, role)
        quote = connection.dialect.identifier_preparer.quote
        name, schema = quote(role), quote(connection.execute(text("SELECT current_schema()")).scalar_one())
        version = connection.execute(text("SHOW server_version_num")).scalar_one()
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {name}"))
        for table in (*metadata.tables, "alembic_version"):
            connection.execute(text(f"REVOKE ALL ON {quote(table)} FROM {name}, PUBLIC"))
            allowed = "SELECT" if table == "alembic_version" else _OF.get(table, _ALL)
            if int(version) // 10_000 >= _MAY_MAINTAIN and table in metadata.tables:
                allowed += ", MAINTAIN"
            connection.execute(text(f"GRANT {allowed} ON {quote(table)} TO {name}"))
        connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {name}"))


def _require_bound(connection: Connection, role: str) -> None:
    query = text(
        "SELECT r.rolsuper, pg_has_role(r.oid, t.tableowner::regrole, 'MEMBER') AS owns FROM pg_roles r "
        "CROSS JOIN pg_tables t WHERE r.rolname = :role AND t.tablename = 'consent_log' "
        "AND t.schemaname = current_schema()"
    )
    row = connection.execute(query, {"role": role}).one_or_none()
    if row is None:
        raise DatabaseError(
            f"there is no role {role!r} on this server; make it first: CREATE ROLE {role} LOGIN"
        )
    if row.rolsuper or row.owns:
        kind = "a superuser" if row.rolsuper else "the owner of the tables"
        raise DatabaseError(f"{role!r} is {kind}, whom no grant binds; give another role")
