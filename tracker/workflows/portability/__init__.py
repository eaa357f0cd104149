"""Take along: everything that is stored about one participant, for them."""

from tracker.workflows.portability.bundle import stream_bundle, write_bundle

__all__ = ["stream_bundle", "write_bundle"]
