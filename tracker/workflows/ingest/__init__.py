"""Track one participant's face through a recording, and store what is seen, batch by batch."""

from tracker.workflows.ingest.plan import BrokeOffError, Plan, StartUnknownError, Tracked, summary
from tracker.workflows.ingest.run import BATCH, track
from tracker.workflows.ingest.storing import store

__all__ = ["BATCH", "BrokeOffError", "Plan", "StartUnknownError", "Tracked", "store", "summary", "track"]
