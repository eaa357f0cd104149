"""Take in: the archive that somebody took along elsewhere, through the gate, whole or not at all."""

from tracker.workflows.importing.errors import ArchiveError, NotCoveredByGrantsError, NotEmptyError
from tracker.workflows.importing.run import Imported, Sound, require_room, sound, take_in

__all__ = [
    "ArchiveError",
    "Imported",
    "NotCoveredByGrantsError",
    "NotEmptyError",
    "Sound",
    "require_room",
    "sound",
    "take_in",
]
