"""What can go wrong between a recording and a face; each error's text is one line for the user."""

from __future__ import annotations


class VisionError(Exception):
    """A recording, a camera or a detector cannot be used; the text says which, why and what to do."""


class MediaError(VisionError):
    """A source is missing, empty, damaged, too large or of a kind that is not read."""


class CameraLost(VisionError):  # noqa: N818 - an event, not a mistake
    """A camera could not be opened, or stopped giving pictures."""


class DetectorError(VisionError):
    """A detector's file is missing, damaged or of another kind."""
