"""Several alphas of the same items: drawn anew once for all their intervals, and not again for the same words."""

from __future__ import annotations

import hashlib

from tracker.learning.agreement import Alpha, Floats, Metric, krippendorff_alphas

_MOST = 8
_found: dict[bytes, tuple[Alpha, ...]] = {}
"""What was found before, by a digest of what it was found of, the newest last: no word of a rater is kept here."""


def remembered(*tables: tuple[Floats, Metric]) -> tuple[Alpha, ...]:
    """`krippendorff_alphas` of some tables; asked again of the very same, what was found then.

    Examples
    --------
    >>> import numpy as np
    >>> words = np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]])
    >>> remembered((words, Metric.NOMINAL)) is remembered((words.copy(), Metric.NOMINAL))
    True
    """
    whole = hashlib.sha256()
    for ratings, metric in tables:
        whole.update(f"{metric.value} {ratings.shape} ".encode() + ratings.tobytes())
    key = whole.digest()
    found = _found.get(key)  # once: another thread may let go of it at any time
    if found is None:
        found = _found[key] = krippendorff_alphas(tables)
        for old in list(_found)[:-_MOST]:
            _found.pop(old, None)
    return found
