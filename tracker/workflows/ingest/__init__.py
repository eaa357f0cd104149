"""Track one participant's face through a recording or a live capture, and store what is seen, batch by batch."""

from tracker.workflows.ingest.captured import (
    CaptureEndedError,
    ClockOffError,
    Ended,
    FullError,
    Located,
    LookAgainError,
    NoReaderError,
    Progress,
    Read,
    Reader,
)
from tracker.workflows.ingest.filming import permit_of as video_permit
from tracker.workflows.ingest.live import Captures
from tracker.workflows.ingest.plan import BrokeOffError, Plan, StartUnknownError, Tracked, summary
from tracker.workflows.ingest.run import BATCH, track
from tracker.workflows.ingest.storing import store
from tracker.workflows.ingest.uploaded import (
    ClipTooLargeError,
    NotAClipError,
    OffsetError,
    Stage,
    Upload,
    UploadBusyError,
    UploadGoneError,
)
from tracker.workflows.ingest.uploads import Uploads

__all__ = [
    "BATCH",
    "BrokeOffError",
    "CaptureEndedError",
    "Captures",
    "ClipTooLargeError",
    "ClockOffError",
    "Ended",
    "FullError",
    "Located",
    "LookAgainError",
    "NoReaderError",
    "NotAClipError",
    "OffsetError",
    "Plan",
    "Progress",
    "Read",
    "Reader",
    "Stage",
    "StartUnknownError",
    "Tracked",
    "Upload",
    "UploadBusyError",
    "UploadGoneError",
    "Uploads",
    "store",
    "summary",
    "track",
    "video_permit",
]
