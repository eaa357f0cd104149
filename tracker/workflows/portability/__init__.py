"""Take along: everything that is stored about one participant, for them."""

from tracker.workflows.portability.bundle import write_bundle

__all__ = ["write_bundle"]
