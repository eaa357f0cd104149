"""What researchers watch while a study runs: what arrives, how learners fare, what ran; person by person.

Of individuals only those are told of who granted `share_with_researchers`, and each of them reads who looked.
"""

from tracker.workflows.monitoring.arriving import Arriving, Because, Day, Gap, arriving
from tracker.workflows.monitoring.cohort import Sharing, find, looked_at, looked_at_each, reader_of, sharing
from tracker.workflows.monitoring.learners import Fared, Stretch, fared
from tracker.workflows.monitoring.running import Slot, jobs

__all__ = [
    "Arriving",
    "Because",
    "Day",
    "Fared",
    "Gap",
    "Sharing",
    "Slot",
    "Stretch",
    "arriving",
    "fared",
    "find",
    "jobs",
    "looked_at",
    "looked_at_each",
    "reader_of",
    "sharing",
]
