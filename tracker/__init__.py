"""A longitudinal, context-aware affect tracker with human feedback, under consent."""

from tracker.reading import read_export

__all__ = ["read_export"]
