"""Queries that stream a person's rows for an export: whole columns of plain numbers and texts, in order."""

from tracker.store.exporting.answering import (
    CORRECTION_COLUMNS,
    PROMPT_COLUMNS,
    correction_rows,
    prompt_rows,
    targets,
)
from tracker.store.exporting.counting import counts
from tracker.store.exporting.cutting import CUT_TABLES, MARKED_TABLES, Cut, erasures, log_position, marks
from tracker.store.exporting.fetching import BATCH, Rows, collector_paused
from tracker.store.exporting.rating import (
    RATING_COLUMNS,
    TRACE_COLUMNS,
    Truth,
    allowing_research,
    rated,
    rating_rows,
    trace_rows,
    truths,
)
from tracker.store.exporting.series import (
    OBSERVATION_COLUMNS,
    SERIES_COLUMNS,
    estimate_rows,
    ever_read,
    observation_rows,
    series_rows,
    snapshots_used,
)
from tracker.store.exporting.surroundings import (
    CONTEXT_COLUMNS,
    DRIFT_COLUMNS,
    context_rows,
    context_words,
    drift_rows,
    last_zone,
)

__all__ = [
    "BATCH",
    "CONTEXT_COLUMNS",
    "CORRECTION_COLUMNS",
    "CUT_TABLES",
    "DRIFT_COLUMNS",
    "MARKED_TABLES",
    "OBSERVATION_COLUMNS",
    "PROMPT_COLUMNS",
    "RATING_COLUMNS",
    "SERIES_COLUMNS",
    "TRACE_COLUMNS",
    "Cut",
    "Rows",
    "Truth",
    "allowing_research",
    "collector_paused",
    "context_rows",
    "context_words",
    "correction_rows",
    "counts",
    "drift_rows",
    "erasures",
    "estimate_rows",
    "ever_read",
    "last_zone",
    "log_position",
    "marks",
    "observation_rows",
    "prompt_rows",
    "rated",
    "rating_rows",
    "series_rows",
    "snapshots_used",
    "targets",
    "trace_rows",
    "truths",
]
