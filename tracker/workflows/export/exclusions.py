"""How many rows of a participant consent keeps out of an export, by table and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tracker.workflows.export.eligibility import Starts

NOT_IN_FORCE = "scope not in force"
NOT_COVERED = "before covers_from"
IMPORTED = "imported from a file, or learned from that: in no export for everybody"
NOT_PUBLIC = "not in exports for everybody"
RATER = "the rater has not agreed to research"
REPLACED = "replaced by a later answer"
SAYS_NOTHING = "taken back, or says nothing of the face"

Excluded = Counter[tuple[str, str]]
"""Rows by (table, reason)."""

# Each count of `tracker.store.exporting.counts`: the table that it belongs to, and what opens it.
_KINDS = {
    "observations": ("observations", "series"),
    "estimates": ("estimates", "series"),
    "learner_estimates": ("estimates", "learner"),
    "corrections": ("corrections", "series"),
    "answers": ("corrections", "prompts"),
    "contexts": ("contexts", "contexts"),
    "prompts": ("prompts", "prompts"),
    "drifts": ("drifts", "learner"),
}


def imported(with_it: Mapping[str, int], without: Mapping[str, int]) -> Excluded:
    """Count what files of other programs brought, and learners learned from that.

    Parameters
    ----------
    with_it, without
        Rows by kind, as `tracker.store.exporting.counts` has them.

    Examples
    --------
    >>> dict(imported({"answers": 3, "corrections": 5}, {"answers": 3, "corrections": 1}))
    {('corrections', 'imported from a file, or learned from that: in no export for everybody'): 4}
    """
    found: Excluded = Counter()
    for kind, n in with_it.items():
        found[_KINDS[kind][0], IMPORTED] += n - without[kind]
    return +found


def excluded(there: Mapping[str, int], starts: Starts, written: Mapping[str, int]) -> Excluded:
    """Count what is there and was not written.

    Parameters
    ----------
    there
        Rows by kind, as `tracker.store.exporting.counts` has them.
    starts
        What may be exported.
    written
        Rows by table.

    Examples
    --------
    >>> excluded({"contexts": 3}, Starts(None, None, None, None), {})
    Counter({('contexts', 'scope not in force'): 3})
    """
    found: Excluded = Counter()
    open_: Counter[str] = Counter()
    for kind, n in there.items():
        table, opened_by = _KINDS[kind]
        if getattr(starts, opened_by) is None:
            found[table, NOT_IN_FORCE] += n
        else:
            open_[table] += n
    for table, n in open_.items():
        found[table, NOT_COVERED] += n - written.get(table, 0)
    return +found
