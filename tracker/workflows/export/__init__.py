"""Research datasets: consent-filtered tables with data package, codebook and manifest."""

from tracker.workflows.export.errors import (
    ExportError,
    NothingToExportError,
    TooFewPeopleError,
    UnknownExportError,
    WithdrawnError,
)
from tracker.workflows.export.registry import Registered, registered
from tracker.workflows.export.run import ExportResult, export_dataset

__all__ = [
    "ExportError",
    "ExportResult",
    "NothingToExportError",
    "Registered",
    "TooFewPeopleError",
    "UnknownExportError",
    "WithdrawnError",
    "export_dataset",
    "registered",
]
