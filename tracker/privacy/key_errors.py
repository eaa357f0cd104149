"""What can be wrong with a key."""

from __future__ import annotations


class KeyUnavailableError(Exception):
    """A key is missing, destroyed or wrong, so something sealed cannot be opened."""


class KeyDestroyedError(KeyUnavailableError):
    """A participant's key is gone: they were erased, or are being erased."""
