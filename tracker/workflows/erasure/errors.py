"""What can come between an erasure and its end."""

from __future__ import annotations

from collections.abc import Mapping

from tracker.store.database import DatabaseError


class ErasureIncompleteError(DatabaseError):
    """Something may still lie somewhere; running it again finishes it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the erasure is not finished: {reason}. Nothing of it was undone; run the same command again "
            "(the jobs do so every hour)"
        )


def rows_left(counts: Mapping[str, int]) -> ErasureIncompleteError:
    """Rows that should be gone."""
    return ErasureIncompleteError(
        "rows are left: " + ", ".join(f"{n} in {table}" for table, n in counts.items())
    )
