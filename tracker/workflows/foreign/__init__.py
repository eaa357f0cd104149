"""Files of other programs, diaries and face series, come in as corrections, contexts and observations."""

from tracker.workflows.foreign.asking import demand_targets, unanswered, whom
from tracker.workflows.foreign.attesting import Attestation, hash_of, keep
from tracker.workflows.foreign.errors import AskedError, EnrolledError, ForeignFileError
from tracker.workflows.foreign.mapping import MappingFile, load
from tracker.workflows.foreign.report import Report
from tracker.workflows.foreign.rows import Reader
from tracker.workflows.foreign.source import Source, shown
from tracker.workflows.foreign.storing import foresee, refusal, store
from tracker.workflows.foreign.survey import Survey

__all__ = [
    "AskedError",
    "Attestation",
    "EnrolledError",
    "ForeignFileError",
    "MappingFile",
    "Reader",
    "Report",
    "Source",
    "Survey",
    "demand_targets",
    "foresee",
    "hash_of",
    "keep",
    "load",
    "refusal",
    "shown",
    "store",
    "unanswered",
    "whom",
]
