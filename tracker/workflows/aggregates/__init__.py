"""Figures about all participants together, differentially private, within a budget for each of them."""

from tracker.workflows.aggregates.errors import AggregateError, TooFewError
from tracker.workflows.aggregates.queries import DEFAULT_FIGURES, Query, query_for
from tracker.workflows.aggregates.releasing import Release, release

__all__ = [
    "DEFAULT_FIGURES",
    "AggregateError",
    "Query",
    "Release",
    "TooFewError",
    "query_for",
    "release",
]
