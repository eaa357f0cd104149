"""Moved."""

from tracker.domain.notice import *  # noqa: F403
