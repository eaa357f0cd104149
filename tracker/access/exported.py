"""Exports that hold what a rater said: found by the name that the rater has in each, and marked as outdated.

The registry keeps these names alone. Nobody gets from one to the rater without the export's own key, and the rater can
be erased without leaving a trace in the registry.
"""

from __future__ import annotations

from datetime import datetime

from tracker.access.gate import Access
from tracker.privacy.pseudonyms import rater_name
from tracker.store import exports
from tracker.store.database import Connection


def export_key(access: Access, export: str) -> bytes:
    """The key of an export, from which the names in it come."""
    return access.vault.secret(f"export|{export}")


def outdate_rated(
    access: Access, connection: Connection, member: str, now: datetime | None, *, timed: bool = False
) -> int:
    """Mark the exports that hold what a rater said as outdated; return how many were new.

    Parameters
    ----------
    connection
        The transaction in which the rater takes something back.
    now
        The instant (UTC); None where nobody knows it: then each is outdated since it was made.
    timed
        Only those that tell how long they took.
    """
    count = 0
    for row in exports.every(connection):
        rated = row.request.get("raters")
        if row.outdated_at is not None or not rated:
            continue
        told = rated.get(rater_name(export_key(access, row.id), member))
        if told is not None and (told or not timed):
            exports.outdate(connection, row.id, now or row.created_at)
            count += 1
    return count
