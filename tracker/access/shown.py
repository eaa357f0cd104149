"""Check the kept notices: each is what was shown, and those stand that the study in force shows."""

from __future__ import annotations

from tracker.domain.notice import digest
from tracker.store import notices, studies
from tracker.store.database import Connection, DatabaseError
from tracker.study import notice_hashes


def notices_fault(connection: Connection) -> str | None:
    """Return what is wrong, naming the notice; None when all is well."""
    try:
        shown = notice_hashes(studies.in_force(connection))
    except DatabaseError as error:
        return str(error)
    standing = set()
    for row in notices.every(connection):
        if digest(row.document) != row.sha256:
            return f"the notice {row.sha256[:12]} was altered: what is kept is not what was shown"
        if row.retired_at is None:
            standing.add(row.sha256)
    if revived := sorted(standing - shown):
        return f"the notice {revived[0][:12]} stands, but the study in force does not show it"
    if missing := sorted(shown - standing):
        return (
            f"the notice {missing[0][:12]} of the study in force does not stand, so nothing is in force; "
            "affect-tracker init publishes it"
        )
    return None
