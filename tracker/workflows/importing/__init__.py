"""Take in: the archive that somebody took along elsewhere, through the gate, whole or not at all."""

from tracker.workflows.importing.errors import ArchiveError, NotCoveredByGrantsError, NotEmptyError
from tracker.workflows.importing.run import Imported, import_archive

__all__ = ["ArchiveError", "Imported", "NotCoveredByGrantsError", "NotEmptyError", "import_archive"]
