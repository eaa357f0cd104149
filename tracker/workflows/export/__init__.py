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
from tracker.workflows.export.shelf import BusyError, GoneError, Shelf

__all__ = [
    "BusyError",
    "ExportError",
    "ExportResult",
    "GoneError",
    "NothingToExportError",
    "Registered",
    "Shelf",
    "TooFewPeopleError",
    "UnknownExportError",
    "WithdrawnError",
    "export_dataset",
    "registered",
]
