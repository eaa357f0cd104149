"""Back up the series, and bring a backup back without bringing back anybody who was erased since."""

from tracker.workflows.backup.errors import BackupError as BackupError
from tracker.workflows.backup.errors import RestoreRefusedError as RestoreRefusedError
from tracker.workflows.backup.manifest import Manifest as Manifest
from tracker.workflows.backup.restoring import Restored as Restored
from tracker.workflows.backup.restoring import restore as restore
from tracker.workflows.backup.writing import backup as backup
