"""Apply a study, with a preview of what that takes away and whom it touches; show and close the one in force."""

from tracker.workflows.studies.applied import Applied, history, in_force
from tracker.workflows.studies.applying import LONGEST_NAME, apply, close
from tracker.workflows.studies.previewing import AHEAD, Preview, preview

__all__ = ["AHEAD", "LONGEST_NAME", "Applied", "Preview", "apply", "close", "history", "in_force", "preview"]
